"""`revoke` ends the access that there is, whatever other answers say of a request of that name."""

from typing import Any

import pytest

from tests.cli.conftest import DAILY, Run
from tests.support.manifests import a_domain, a_product
from tests.support.served import Served

REQUEST = "inventory/orders-for-forecast"
WEEKLY = {**DAILY, "name": "weekly", "path": "weekly/"}


def is_ready(served: Served) -> bool:
    return str(served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"]) == "True"


def approved(run: Run, served: Served) -> dict[str, Any]:
    """Access to the port daily, and the grant that gives it."""
    served.mesh.apply(a_domain("guild"), a_product("orders", "sales", outputPorts=[DAILY, WEEKLY]), a_product("orders", "guild")).settle()
    run("request", "sales/orders", "daily", "--purpose", "weekly stock forecast")
    served.home = "sales"
    run("approve", REQUEST)
    assert is_ready(served)
    return next(dict(found) for found in served.objects.values() if found["kind"] == "AccessGrant")


@pytest.mark.parametrize(
    ("namespace", "name", "terms"),
    [
        ("sales", "a-former", {"outputPort": {"name": "weekly", "version": "1.0.0"}}),
        ("sales", "z-former", {"mode": "ReadWrite"}),
        ("sales", "a-former", {"consumer": {"dataProductRef": {"name": "another"}}}),
        ("guild", "a-forged", {}),
    ],
    ids=["of another port", "of another mode", "of another consumer", "in a namespace of somebody else"],
)
def test_an_approval_that_gives_nothing_does_not_stand_for_the_one_that_gives(
    run: Run, served: Served, namespace: str, name: str, terms: dict[str, Any]
) -> None:
    grant = approved(run, served)
    other = {**grant, "metadata": {"name": name, "namespace": namespace}, "spec": {**grant["spec"], **terms}}
    served.mesh.apply({part: said for part, said in other.items() if part != "status"}).settle()
    assert is_ready(served)
    run("revoke", REQUEST)
    assert not is_ready(served)


def test_a_denial_of_other_terms_keeps_none_from_being_written(run: Run, served: Served) -> None:
    approved(run, served)
    served.mesh.apply(a_product("orders", "sales", outputPorts=[{**DAILY, "access": {"approval": "Auto"}}, WEEKLY])).settle()
    assert "created" in run("revoke", REQUEST)
    served.mesh.delete("AccessRequest", "orders-for-forecast", "inventory")
    served.mesh.settle()
    served.home = "inventory"
    run("request", "sales/orders", "weekly", "--purpose", "weekly stock forecast")
    served.home = "sales"
    assert "created" in run("deny", REQUEST)
    assert served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "Denied"


def test_approvals_that_give_nothing_are_not_said_to_be_revoked(run: Run, served: Served) -> None:
    grant = approved(run, served)
    other = {**grant, "metadata": {"name": "z", "namespace": "sales"}, "spec": {**grant["spec"], "mode": "ReadWrite"}}
    served.mesh.apply({part: said for part, said in other.items() if part != "status"})
    served.mesh.delete("AccessRequest", "orders-for-forecast", "inventory")
    served.mesh.settle()
    assert f"they differ: sales/{grant['metadata']['name']}, sales/z" in run("revoke", REQUEST, code=1)
    served.mesh.delete("AccessGrant", "z", "sales")
    served.mesh.settle()
    assert "no access rested on it" in run("revoke", REQUEST)
