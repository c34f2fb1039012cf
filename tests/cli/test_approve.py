"""approve and requests at a port that asks several people: who approves, under which name, and what is told of the others."""

import json

from tests.cli.conftest import DAILY, Run
from tests.support.manifests import a_product, a_request
from tests.support.served import Served

ASKED = "inventory/orders-for-forecast"


def asks_two(served: Served) -> None:
    port = {**DAILY, "access": {"approvals": 2}}
    served.mesh.apply(a_product("orders", "sales", outputPorts=[port]), a_request()).settle()
    served.home = "sales"


def test_each_of_two_approves_in_a_grant_of_their_own(served: Served, run: Run) -> None:
    asks_two(served)
    assert "0/2" in run("requests")
    run("approve", ASKED)
    assert "1/2" in run("requests")
    served.user = "lee@example.com"
    run("approve", ASKED)
    assert ASKED not in run("requests")
    grants = [served.mesh.cluster.raw(key) or {} for key in served.mesh.cluster.all_keys() if key.kind == "AccessGrant"]
    assert sorted(grant["spec"]["approver"] for grant in grants) == ["kim@example.com", "lee@example.com"]
    assert served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"] == "True"


def test_nobody_approves_twice(served: Served, run: Run) -> None:
    asks_two(served)
    run("approve", ASKED)
    assert "have approved inventory/orders-for-forecast already; 1/2 people have" in run("approve", ASKED, code=1)


def test_a_port_that_asks_one_person_needs_no_name(served: Served, run: Run) -> None:
    served.mesh.apply(a_request()).settle()
    served.home = "sales"
    assert "approver" not in json.loads(run("approve", ASKED, "-o", "json"))["spec"]
