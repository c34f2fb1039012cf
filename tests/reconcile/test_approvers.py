"""Ports that ask several people: when access begins, what ends it, and what the request, its grants and the inbox say meanwhile."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Manifest
from tests.reconcile.access_flows import REQUEST, a_port, approved_by_two, asked, by, granted
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_grant, a_product, a_request
from tests.support.mesh import Mesh

FIRST: Final = "2026-02-01T00:00:00Z"


def request(mesh: Mesh) -> Manifest:
    return mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)


def ready(mesh: Mesh) -> tuple[str, str]:
    found = mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)
    return found["status"], found["reason"]


def effect(mesh: Mesh, name: str) -> tuple[str, str]:
    found = mesh.condition("AccessGrant", name, "sales", "InEffect")
    return found["status"], found["reason"]


def status_of(mesh: Mesh, name: str) -> Manifest:
    return dict(mesh.get("AccessGrant", name, "sales")["status"])


def has_key(mesh: Mesh) -> bool:
    return any("orders-for-forecast" in name for name in mesh.stores.at(ENDPOINT).users)


def asks(mesh: Mesh, number: int, **access: Any) -> Mesh:
    return mesh.apply(a_product(outputPorts=[a_port(approvals=number, **access)])).settle()


def test_one_of_two_gives_nothing_and_everybody_is_told_who_is_missing() -> None:
    mesh = asked(Mesh(), approvals=2).apply(by("kim")).settle()
    assert ready(mesh) == ("Unknown", "AwaitingGrant")
    message = mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["message"]
    assert message.startswith("The port asks for the approvals of 2 people, and 1 is missing: approved by kim.")
    assert request(mesh)["status"]["approvals"] == {"required": 2, "given": 1, "approvedBy": ["kim"]}
    assert effect(mesh, "by-kim") == ("False", "AwaitingApprovers")
    (entry,) = mesh.get("AccessInbox", "orders", "sales")["status"]["pending"]
    assert (entry["approvals"], entry["approvedBy"]) == ("1/2", ["kim"])
    assert not has_key(mesh)


def test_two_people_give_access_until_the_first_of_their_ends() -> None:
    mesh = approved_by_two(Mesh())
    assert ready(mesh) == ("True", "Granted")
    status = request(mesh)["status"]
    assert (status["validUntil"], status["grantRef"]["name"]) == (FIRST, "by-kim")
    assert [(grant["name"], grant["approver"]) for grant in status["countedGrants"]] == [("by-kim", "kim"), ("by-lee", "lee")]
    for name in ("by-kim", "by-lee"):
        assert effect(mesh, name) == ("True", "Granted")
        assert status_of(mesh, name)["approvals"] == 2
        assert mesh.get("AccessGrant", name, "sales")["metadata"]["finalizers"]


def test_an_approval_that_names_nobody_says_so() -> None:
    mesh = asked(Mesh(), approvals=2).apply(by("kim"), a_grant("nobody")).settle()
    assert effect(mesh, "nobody") == ("False", "NoApprover")
    assert "AccessGrant nobody has no spec.approver" in mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["message"]
    assert effect(mesh.apply(by("lee")).settle(), "nobody") == ("False", "NoApprover")


def test_deleting_one_of_two_ends_the_access_before_the_grant_goes() -> None:
    for name in ("by-kim", "by-lee"):
        mesh = approved_by_two(Mesh()).delete("AccessGrant", name, "sales").settle()
        assert not has_key(mesh)
        assert ready(mesh) == ("False", "Revoked")
        assert not mesh.exists("AccessGrant", name, "sales")
        assert "countedGrants" not in request(mesh)["status"]


def test_an_approval_of_the_third_person_takes_the_place_of_one_that_is_gone() -> None:
    mesh = approved_by_two(Mesh()).apply(by("sam", "2026-04-01T00:00:00Z")).settle()
    assert request(mesh)["status"]["grantRef"]["name"] == "by-lee"
    assert effect(mesh, "by-kim") == ("False", "Outlasted")
    key = request(mesh)["status"]["accessKeyId"]
    mesh.delete("AccessGrant", "by-sam", "sales").settle()
    assert (ready(mesh), request(mesh)["status"]["accessKeyId"]) == (("True", "Granted"), key)
    assert request(mesh)["status"]["validUntil"] == FIRST


def test_a_former_approval_of_the_same_person_never_comes_back() -> None:
    mesh = approved_by_two(Mesh())
    mesh.clock.forward(minutes=1)
    mesh.apply(a_grant("again", approver="kim", validUntil="2026-05-01T00:00:00Z")).settle()
    assert mesh.condition("AccessGrant", "by-kim", "sales", "Superseded")["status"] == "True"
    assert mesh.condition("AccessGrant", "by-lee", "sales", "Superseded") == {}
    mesh.delete("AccessGrant", "again", "sales").settle()
    assert (ready(mesh), has_key(mesh)) == (("False", "Revoked"), False)


def test_more_people_take_nothing_and_make_nothing_longer() -> None:
    mesh = asks(granted(Mesh()), 2)
    assert ready(mesh) == ("True", "Granted")
    mesh.apply(a_grant(validUntil="2026-05-01T00:00:00Z")).settle()
    assert request(mesh)["status"]["validUntil"] == FIRST
    mesh.clock.forward(days=40)
    assert (ready(mesh.settle()), has_key(mesh)) == (("False", "Expired"), False)


def test_once_more_people_have_approved_each_of_them_can_revoke() -> None:
    mesh = asks(asked(Mesh()).apply(by("kim")).settle(), 2).apply(by("lee", "2026-03-01T00:00:00Z")).settle()
    assert [grant["name"] for grant in request(mesh)["status"]["countedGrants"]] == ["by-kim", "by-lee"]
    assert [status_of(mesh, name)["approvals"] for name in ("by-kim", "by-lee")] == [2, 2]
    mesh.delete("AccessGrant", "by-lee", "sales").settle()
    assert (ready(mesh), has_key(mesh)) == (("False", "Revoked"), False)


def test_fewer_people_take_nothing_and_what_two_approved_stays_with_two() -> None:
    mesh = asks(approved_by_two(Mesh()), 1)
    assert [status_of(mesh, name)["requiredApprovals"] for name in ("by-kim", "by-lee")] == [2, 2]
    assert (ready(mesh), has_key(mesh), request(mesh)["status"]["validUntil"]) == (("True", "Granted"), True, FIRST)
    mesh.apply(by("sam", "2026-04-01T00:00:00Z")).settle()
    assert (ready(mesh), request(mesh)["status"]["validUntil"]) == (("True", "Granted"), "2026-04-01T00:00:00Z")
    mesh.delete("AccessGrant", "by-kim", "sales").settle()
    assert (ready(mesh), has_key(mesh)) == (("True", "Granted"), True)
    assert (ready(asks(mesh, 3)), has_key(mesh)) == (("True", "Granted"), True)
    mesh.delete("AccessGrant", "by-sam", "sales").settle()
    assert (ready(mesh), has_key(mesh)) == (("False", "Revoked"), False)


def test_an_approval_gives_with_no_fewer_than_its_port_asked_for() -> None:
    mesh = asks(asked(Mesh(), approvals=2).apply(by("kim")).settle(), 1)
    assert (ready(mesh), has_key(mesh)) == (("Unknown", "AwaitingGrant"), False)
    message = mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["message"]
    told = "The port asked for the approvals of 2 people when kim approved, so that this counts only together with 1 more, and 1 is missing"
    assert message.startswith(told)
    assert request(mesh)["status"]["approvals"] == {"required": 2, "given": 1, "approvedBy": ["kim"]}
    assert effect(mesh, "by-kim") == ("False", "AwaitingApprovers")
    told = "The port asked for the approvals of 2 people when this grant was made, so it gives only with so many"
    assert mesh.condition("AccessGrant", "by-kim", "sales", "InEffect")["message"].startswith(told)
    assert effect(mesh.apply(by("lee", "2026-03-01T00:00:00Z")).settle(), "by-lee") == ("True", "Granted")
    assert effect(mesh, "by-kim") == ("False", "AwaitingApprovers")


@pytest.mark.parametrize("way", ["the port goes and comes", "the product goes and comes", "the operator sees only the end"])
def test_a_port_that_comes_back_with_its_defaults_needs_no_fewer(way: str) -> None:
    """Who may write products but approve nothing removes the port that nobody uses, and adds it again."""
    mesh = asked(Mesh(), approvals=2).apply(by("kim")).settle()
    if way == "the product goes and comes":
        mesh.delete("DataProduct", "orders", "sales").settle()
    elif way == "the port goes and comes":
        mesh.apply(a_product(outputPorts=[])).settle()
    mesh.apply(a_product(outputPorts=[a_port()])).settle()
    assert (ready(mesh), has_key(mesh)) == (("Unknown", "AwaitingGrant"), False)
    mesh.apply(by("lee", "2026-03-01T00:00:00Z")).settle()
    assert (ready(mesh), has_key(mesh), effect(mesh, "by-kim")[0]) == (("True", "Granted"), True, "False")


def test_a_renewal_waits_until_both_have_answered() -> None:
    mesh = approved_by_two(Mesh())
    mesh.clock.forward(days=25)
    mesh.apply(a_request(renewal={"requestedAt": "2026-01-26T00:00:00Z"})).settle()
    pending = [mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "RenewalPending").get("status")]
    for name in ("kim", "lee"):
        mesh.clock.forward(minutes=1)
        mesh.apply(a_grant(f"again-{name}", approver=name, validUntil="2026-06-01T00:00:00Z")).settle()
        pending.append(mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "RenewalPending").get("status"))
    assert pending == ["True", "True", None]
    assert request(mesh)["status"]["validUntil"] == "2026-06-01T00:00:00Z"
