"""What status tells of access that ended: no end that is yet to come, and the end that it had where time ended it."""

import pytest

from tests.reconcile.test_access import effect, ready, two_domains
from tests.support.manifests import a_grant, a_request
from tests.support.mesh import Mesh

REQUEST = ("AccessRequest", "orders-for-forecast", "inventory")
GRANT = ("AccessGrant", "inventory-forecast", "sales")


END = "2026-02-01T00:00:00Z"


def until(end: str = END) -> Mesh:
    return two_domains().apply(a_request(), a_grant(validUntil=end)).settle()


def end_told(mesh: Mesh, *of: str) -> str:
    return str(mesh.get(*of)["status"].get("validUntil", ""))


def test_access_that_runs_tells_its_end() -> None:
    mesh = until()
    assert end_told(mesh, *REQUEST) == end_told(mesh, *GRANT) == END


@pytest.mark.parametrize("act", ["revoked", "refused"])
def test_access_that_was_taken_shows_no_end_in_the_future(act: str) -> None:
    mesh = until()
    if act == "revoked":
        mesh.delete("AccessGrant", GRANT[1], GRANT[2])
    else:
        mesh.apply(a_grant("no", decision="Deny", validUntil=None))
    mesh.settle()
    assert end_told(mesh, *REQUEST) == ""
    if act == "refused":
        assert (end_told(mesh, *GRANT), effect(mesh)[0]) == ("", "False")


def test_access_that_time_ended_tells_when() -> None:
    mesh = until()
    mesh.clock.forward(days=60)
    assert ready(mesh.settle()) == ("False", "Expired")
    assert end_told(mesh, *REQUEST) == END


def test_a_refusal_of_a_request_that_was_never_granted_tells_no_end() -> None:
    mesh = until().delete("AccessRequest", REQUEST[1], REQUEST[2]).settle()
    mesh.apply(a_grant("no", decision="Deny", validUntil=None), a_request()).settle()
    assert (ready(mesh), end_told(mesh, *REQUEST)) == (("False", "Denied"), "")
