"""That access began or ended is one event on the request and one on the grant; what an outage hides for a while is none."""

from collections.abc import Callable
from functools import cache

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile import access_flows as flows
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_grant, a_request
from tests.support.mesh import Mesh

REQUEST = flows.REQUEST
GRANT = Key("AccessGrant", "sales", "inventory-forecast")
TOLD = ("Granted", "Revoked", "Expired", "Denied")


@cache
def _granted() -> Mesh:
    return flows.granted(Mesh())


@cache
def _asked() -> Mesh:
    return flows.asked(Mesh())


def told(mesh: Mesh, key: Key, since: int) -> list[str]:
    return [event.reason for about, event in mesh.cluster.events[since:] if about == key and event.reason in TOLD]


def out_for_a_while(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).down = True
    for _ in range(3):
        mesh.clock.forward(minutes=1)
        mesh.settle()
    mesh.stores.at(ENDPOINT).down = False
    mesh.clock.forward(minutes=1)


def shorten(mesh: Mesh) -> None:
    mesh.apply(a_grant(validUntil="2026-01-15T00:00:00Z"))


@pytest.mark.parametrize(
    ("before", "act", "of_request", "of_grant"),
    [
        (_asked, lambda m: m.apply(a_grant(validUntil="2026-02-01T00:00:00Z")), ["Granted"], ["Granted"]),
        (_granted, lambda m: m.delete("AccessGrant", GRANT.name, "sales"), ["Revoked"], []),
        (_granted, lambda m: m.clock.forward(days=40), ["Expired"], ["Expired"]),
        (_granted, lambda m: m.apply(a_grant(decision="Deny", validUntil="2026-02-01T00:00:00Z")), ["Denied", "Revoked"], []),
        (_granted, shorten, ["Granted"], []),
        (_granted, flows.renew, ["Granted"], []),
        (_granted, out_for_a_while, [], []),
        (_granted, lambda m: m.clock.forward(minutes=5), [], []),
    ],
    ids=["granted", "revoked", "ended by time", "denied later", "shortened", "renewed", "an outage", "a quiet look"],
)
def test_one_event_each(before: Callable[[], Mesh], act: Callable[[Mesh], object], of_request: list[str], of_grant: list[str]) -> None:
    mesh = before().copy()
    mark = len(mesh.cluster.events)
    act(mesh)
    mesh.settle()
    assert (told(mesh, REQUEST, mark), told(mesh, GRANT, mark)) == (of_request, of_grant)
    mark = len(mesh.cluster.events)
    mesh.settle()
    assert mesh.cluster.events[mark:] == []


def test_an_event_says_by_which_grant_and_until_when() -> None:
    mesh = _asked().copy()
    mesh.apply(a_grant(validUntil="2026-02-01T00:00:00Z")).settle()
    (note,) = (event.note for about, event in mesh.cluster.events if about == REQUEST and event.reason == "Granted")
    assert "AccessGrant sales/inventory-forecast" in note
    assert "2026-02-01T00:00:00Z" in note


def test_what_an_open_port_gives_and_takes_with_its_request_is_told_too() -> None:
    mesh = flows.two_domains(Mesh(), approval="Auto").apply(a_request()).settle()
    assert told(mesh, REQUEST, 0) == ["Granted"]
