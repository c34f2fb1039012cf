"""Requests and renewals that wait for an answer longer than their port promises: told once, at its time, whatever happens meanwhile."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest
from tests.reconcile.access_flows import REQUEST, a_port, asked, by, granted
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_request
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")


def escalations(mesh: Mesh, key: Key = REQUEST) -> int:
    """How often it was told by event."""
    return sum(1 for told, event in mesh.cluster.events if told == key and event.reason == "NotAnswered")


def status(mesh: Mesh) -> Manifest:
    return dict(mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"])


def escalated(mesh: Mesh) -> str:
    return str(mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace, "Escalated").get("status", ""))


def entry(mesh: Mesh) -> dict[str, Any]:
    (found,) = mesh.get("AccessInbox", "orders", "sales")["status"]["pending"]
    return dict(found)


def test_a_request_that_is_not_answered_is_escalated_once_and_at_its_time() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    driven = Driven(mesh).run(minutes=29)
    assert (escalated(mesh), escalations(mesh)) == ("", 0)
    driven.run(minutes=2)
    assert (escalated(mesh), escalations(mesh), escalations(mesh, PRODUCT)) == ("True", 1, 1)
    assert entry(mesh)["escalated"] == status(mesh)["pendingSince"]
    driven.run(minutes=20).restart().wake_all().run(minutes=40)
    assert (escalated(mesh), escalations(mesh), escalations(mesh, PRODUCT)) == ("True", 1, 1)


def test_an_answer_ends_it() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    driven = Driven(mesh).run(minutes=40)
    mesh.apply(a_grant())
    driven.run(minutes=1)
    assert (escalated(mesh), "pendingSince" in status(mesh)) == ("", False)
    assert mesh.get("AccessInbox", "orders", "sales")["status"]["pendingCount"] == 0


def test_one_of_two_approvals_is_no_answer() -> None:
    mesh = asked(Mesh(), answerWithin="30m", approvals=2)
    driven = Driven(mesh).run(minutes=20)
    mesh.apply(by("kim"))
    driven.run(minutes=20)
    assert (escalated(mesh), entry(mesh)["approvals"]) == ("True", "1/2")


def test_a_request_waits_since_it_was_made_though_the_port_promised_later() -> None:
    mesh = asked(Mesh())
    driven = Driven(mesh).run(minutes=40)
    mesh.apply(a_product(outputPorts=[a_port(answerWithin="30m")]))
    driven.run(minutes=1)
    assert (escalated(mesh), escalations(mesh)) == ("True", 1)


@pytest.mark.parametrize("requested", ["2025-06-01T00:00:00Z", "2026-01-01T00:05:00Z"], ids=["an old time", "the present"])
def test_a_renewal_waits_since_it_was_seen_whatever_time_it_names(requested: str) -> None:
    mesh = granted(Mesh(), answerWithin="30m")
    driven = Driven(mesh).run(minutes=5)
    mesh.apply(a_grant(validUntil="2026-02-01T00:00:00Z"), a_request(renewal={"requestedAt": requested}))
    driven.run(minutes=29)
    assert escalations(mesh) == 0
    if requested.startswith("2026"):
        mesh.apply(a_request(renewal={"requestedAt": "2026-01-01T00:20:00Z"}))  # asking again does not restart it
        driven.run(minutes=2)
        assert (escalated(mesh), escalations(mesh)) == ("True", 1)


def test_by_a_clock_that_is_not_trusted_nothing_is_late() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    mesh.clock.trusted = False
    driven = Driven(mesh).run(minutes=50)
    assert (escalated(mesh), escalations(mesh)) == ("", 0)
    mesh.clock.trusted = True
    driven.wake_all().run(minutes=1)
    assert (escalated(mesh), escalations(mesh)) == ("True", 1)
    mesh.clock.trusted = False
    driven.wake_all().run(minutes=1)
    assert (escalated(mesh), escalations(mesh)) == ("True", 1)


def test_a_status_that_is_restored_tells_nothing_twice() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    driven = Driven(mesh).run(minutes=40)
    restored = status(mesh)
    mesh.apply(a_grant(), a_request())
    driven.run(minutes=10)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(minutes=5)
    raw = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)
    mesh.cluster.write_status(REQUEST, raw["metadata"]["uid"], restored)
    driven.wake_all().run(minutes=5)
    assert escalations(mesh) == 1


def test_the_moment_is_kept_where_the_operator_begins_again() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    driven = Driven(mesh).run(minutes=25)
    since = status(mesh)["pendingSince"]
    driven.restart().run(minutes=12)
    assert (status(mesh)["pendingSince"], escalated(mesh)) == (since, "True")


def test_an_obstacle_in_between_tells_nothing_twice() -> None:
    mesh = asked(Mesh(), answerWithin="30m")
    mesh.clock.forward(minutes=40)
    since = status(mesh.settle())["pendingSince"]
    for suspend in (True, False):
        mesh.apply(a_product(outputPorts=[a_port(answerWithin="30m")], suspend=suspend)).settle()
        assert (escalated(mesh), status(mesh)["pendingSince"], escalations(mesh)) == ("True", since, 1)
