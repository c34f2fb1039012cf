"""A clock that differs from the API server's: nothing is given and nothing ends by it, and everything goes on once it agrees again."""

from clouddatamesh.model.objects import Key
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import SECRET, granted, ready, users, vanish
from tests.support.manifests import a_grant, a_request, annotated
from tests.support.mesh import Mesh


def days_off(mesh: Mesh) -> Mesh:
    """The node's clock jumps, and the API server's answers tell."""
    mesh.clock.trusted = False
    mesh.clock.forward(days=40_000 // 1)
    return mesh.settle()


def right_again(mesh: Mesh) -> Mesh:
    mesh.clock.forward(days=-40_000)
    mesh.clock.trusted = True
    return mesh.settle()


def test_access_does_not_end_by_a_clock_that_is_off() -> None:
    mesh = granted()
    key = mesh.cluster.secret_data(SECRET)["access-key-id"]
    assert ready(days_off(mesh)) == ("True", "Granted")
    assert mesh.condition("AccessGrant", "inventory-forecast", "sales", "InEffect")["status"] == "True"
    assert ready(right_again(mesh)) == ("True", "Granted")
    assert mesh.cluster.secret_data(SECRET)["access-key-id"] == key


def test_nothing_new_is_given_while_it_is_off() -> None:
    mesh = granted()
    days_off(mesh).apply(
        a_request("late", secretName="late"), a_grant("late", requestRef={"namespace": "inventory", "name": "late"})
    ).settle()
    found = mesh.condition("AccessRequest", "late", "inventory")
    assert (found["status"], found["reason"]) == ("Unknown", "ClockSkewed")
    assert not any("late" in name for name in mesh.stores.at(ENDPOINT).users)
    right_again(mesh)
    assert mesh.condition("AccessRequest", "late", "inventory")["reason"] == "Granted"


def test_what_an_owner_takes_away_goes_all_the_same() -> None:
    mesh = days_off(granted()).delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert users(mesh) == []
    assert not mesh.exists("AccessGrant", "inventory-forecast", "sales")


def test_no_key_is_rotated_or_ended_and_nothing_swept_by_it() -> None:
    mesh = granted().apply(annotated(a_request(), rotate="1")).settle()
    keys = {key.id for key in mesh.stores.at(ENDPOINT).users[users(mesh)[0]].keys}
    assert len(keys) == 2
    days_off(mesh).apply(annotated(a_request(), rotate="2")).settle()
    assert {key.id for key in mesh.stores.at(ENDPOINT).users[users(mesh)[0]].keys} == keys
    vanish(mesh)
    mesh.cluster.restart()
    for minutes in (6, 6):
        mesh.clock.forward(minutes=minutes)
        mesh.settle()
    assert len(users(mesh)) == 1
    assert mesh.cluster.get(Key("AccessRequest", "inventory", "orders-for-forecast")) is None
