"""Terms that change: a port that keeps what was given, and data that became more delicate since access to it was given."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, a_port, asked, granted
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product
from tests.support.mesh import Mesh

GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")


def until(mesh: Mesh) -> object:
    return mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"].get("validUntil")


def due(mesh: Mesh, name: str = GRANT.name) -> str:
    return str(mesh.condition("AccessGrant", name, "sales", "ReassessmentDue").get("status", ""))


def told(mesh: Mesh) -> int:
    return sum(1 for key, event in mesh.cluster.events if key == GRANT and event.reason == "ReassessmentDue")


def is_ready(mesh: Mesh) -> bool:
    return bool(mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] == "True")


@pytest.mark.parametrize(("keeps", "days"), [(True, 31), (False, 10)])
def test_a_port_keeps_what_was_given_under_a_larger_cap(keeps: bool, days: int) -> None:
    mesh = granted(Mesh(), maxDuration="90d", keepGiven=keeps)
    whole = until(mesh)
    mesh.clock.forward(days=1)
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="10d", keepGiven=keeps)]))
    mesh.settle()
    assert (until(mesh) == whole) is keeps
    mesh.clock.forward(days=days - 2)
    mesh.settle()
    assert is_ready(mesh)
    mesh.clock.forward(days=2)
    mesh.settle()
    assert not is_ready(mesh)


def test_what_was_given_without_a_cap_is_kept_to_its_end_and_gets_no_later_one() -> None:
    mesh = granted(Mesh())
    whole = until(mesh)
    mesh.clock.forward(days=1)
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="10d", keepGiven=True)]))
    mesh.settle()
    mesh.apply(a_grant(validUntil="2026-06-01T00:00:00Z"))
    mesh.settle()
    assert until(mesh) == whole
    mesh.clock.forward(days=20)
    mesh.settle()
    assert (until(mesh), is_ready(mesh)) == (whole, True)


def test_a_new_grant_is_held_to_the_present_cap() -> None:
    mesh = asked(Mesh(), maxDuration="10d", keepGiven=True).apply(a_grant(validUntil="2026-06-01T00:00:00Z")).settle()
    assert until(mesh) == "2026-01-11T00:00:00Z"


RAISED: Final = ({"classification": "restricted"}, {"personalData": True})


@pytest.mark.parametrize("raised", RAISED, ids=str)
def test_more_delicate_data_asks_for_a_reassessment_once_and_takes_nothing(raised: dict[str, Any]) -> None:
    mesh = granted(Mesh())
    driven = Driven(mesh).run(minutes=1)
    mesh.apply(a_product(outputPorts=[a_port()], **raised))
    driven.run(minutes=1)
    assert (due(mesh), told(mesh), is_ready(mesh)) == ("True", 1, True)
    driven.restart().wake_all().run(minutes=10)
    assert (due(mesh), told(mesh), is_ready(mesh)) == ("True", 1, True)
    mesh.apply(a_product(outputPorts=[a_port()]))
    driven.run(minutes=1)
    assert due(mesh) == ""


def test_a_newer_grant_ends_it() -> None:
    mesh = granted(Mesh())
    mesh.apply(a_product(outputPorts=[a_port()], classification="restricted")).settle()
    mesh.clock.forward(minutes=1)
    mesh.apply(a_grant("again", validUntil="2026-03-01T00:00:00Z")).settle()
    assert (due(mesh), due(mesh, "again")) == ("", "")
    assert mesh.get("AccessGrant", "again", "sales")["status"]["data"] == {"classification": "restricted", "personalData": False}


def test_a_lower_class_asks_for_nothing() -> None:
    mesh = granted(Mesh())
    mesh.apply(a_product(outputPorts=[a_port()], classification="public")).settle()
    assert due(mesh) == ""


def test_a_grant_of_before_this_was_recorded_is_judged_from_its_first_look() -> None:
    mesh = granted(Mesh())
    found = mesh.get(GRANT.kind, GRANT.name, GRANT.namespace)
    old = {name: value for name, value in found["status"].items() if name != "data"}
    mesh.cluster.write_status(GRANT, found["metadata"]["uid"], old)
    mesh.apply(a_product(outputPorts=[a_port()], classification="confidential")).settle()
    assert mesh.get(GRANT.kind, GRANT.name, GRANT.namespace)["status"]["data"]["classification"] == "confidential"
    mesh.apply(a_product(outputPorts=[a_port()], classification="restricted")).settle()
    assert due(mesh) == "True"


def test_a_grant_that_gives_nothing_is_not_asked_about() -> None:
    mesh = granted(Mesh()).delete("AccessRequest", REQUEST.name, REQUEST.namespace).settle()
    mesh.apply(a_product(outputPorts=[a_port()], classification="restricted")).settle()
    assert due(mesh) == ""
