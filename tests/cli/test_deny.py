"""`deny` says no to what is asked, and ends no access that is granted."""

import pytest

from clouddatamesh.model.objects import Key
from tests.cli.conftest import Run
from tests.support.served import Served

REQUEST = "inventory/orders-for-forecast"


def asks_for_renewal(run: Run, served: Served, *until: str) -> None:
    """A request that was approved, and is in the list of its owners once more."""
    run("request", "sales/orders", "daily", "--purpose", "weekly stock forecast")
    served.home = "sales"
    run("approve", REQUEST, *until)
    served.mesh.clock.forward(days=1)
    found = served.mesh.cluster.raw(Key("AccessRequest", "inventory", "orders-for-forecast")) or {}
    renewal = {"requestedAt": f"{served.mesh.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    served.mesh.apply({**found, "spec": {**found["spec"], "renewal": renewal}}).settle()
    assert REQUEST in run("requests", "-o", "name")


@pytest.mark.parametrize("form", ["table", "yaml"])
def test_a_renewal_is_not_denied_at_the_cost_of_the_access_that_runs(run: Run, served: Served, form: str) -> None:
    asks_for_renewal(run, served)
    said = run("deny", REQUEST, "-o", form, code=1)
    assert "has access by AccessGrant sales/inventory-orders-for-forecast-" in said
    assert "until 2026-04-01T00:00:00Z, and ends then" in said
    assert f"kubectl mesh revoke {REQUEST}" in said
    assert served.mesh.settle().condition("AccessRequest", "orders-for-forecast", "inventory")["status"] == "True"


def test_a_renewal_is_denied_when_its_access_has_ended(run: Run, served: Served) -> None:
    asks_for_renewal(run, served)
    served.mesh.clock.forward(days=90)
    served.mesh.settle()
    assert "created" in run("deny", REQUEST)
    assert served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "Denied"


def test_requests_that_an_inbox_has_no_room_for_are_told_of(run: Run, served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    run("request", "sales/orders", "daily", "--purpose", "weekly stock forecast")
    served.home = "sales"
    inbox = Key("AccessInbox", "sales", "orders")
    found = served.mesh.cluster.raw(inbox) or {}
    served.mesh.cluster.write_status(inbox, found["metadata"]["uid"], {**found["status"], "pendingCount": 8})
    said = run("approve", "inventory/eighth", code=1)
    assert "An AccessInbox lists the oldest requests, and 7 more ask for sales/orders: answer those first" in said
    capfd.readouterr()
    assert REQUEST in run("requests")
