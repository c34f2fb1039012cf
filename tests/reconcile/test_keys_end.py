"""Keys end when it was said that they end: whatever else is wrong, and wherever somebody moved the user that has them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import AccessKey
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import granted
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

CONSUMER, PRODUCER = "orders-for-forecast", "sales-orders-"
Act = Callable[[Mesh], object]


def active(mesh: Mesh, part: str) -> list[str]:
    """Ids of the keys that work, of users whose name has that part."""
    users = mesh.stores.at(ENDPOINT).users
    return [key.id for name, user in users.items() if part in name for key in user.keys if key.active]


def move(mesh: Mesh, part: str, *, tagged: bool) -> None:
    """Somebody moves a user to another IAM path; a store that keeps no tags of users shows none."""
    users = mesh.stores.at(ENDPOINT).users
    name = next(name for name in users if part in name)
    users[name] = replace(users[name], path="/archive/", tags=users[name].tags if tagged else ())


def suspend(mesh: Mesh) -> None:
    mesh.apply(annotated(a_product(suspend=True), rotate="1"))


def observe(mesh: Mesh) -> None:
    mesh.apply(annotated(a_product(mode="Observe"), rotate="1"))


def shut_out(mesh: Mesh) -> None:
    mesh.apply(a_store(allowedDomains={"matchLabels": {"no": "domain"}}))


def degrade(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).unsupported = frozenset({b.ENCRYPTION})
    mesh.apply(a_store(baseline={"encryption": "Required"}))


def lose_bucket(mesh: Mesh) -> None:
    del mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]


@pytest.mark.parametrize("act", [lambda _: None, suspend, observe, shut_out, degrade, lose_bucket])
def test_a_key_that_was_replaced_ends_after_its_hour(act: Act) -> None:
    mesh = granted()
    mesh.apply(annotated(a_product(), rotate="1"), annotated(a_request(), rotate="1")).settle()
    before = {part: active(mesh, part) for part in (CONSUMER, PRODUCER)}
    assert [len(keys) for keys in before.values()] == [2, 2]
    driven = Driven(mesh)
    act(mesh)
    driven.run(minutes=50)
    assert {part: active(mesh, part) for part in before} == before, "nobody is cut off before"
    driven.run(minutes=40)
    assert [active(mesh, part) for part in before] == [keys[1:] for keys in before.values()]


def test_a_key_whose_end_is_refused_is_still_told_of() -> None:
    mesh = granted()
    mesh.apply(annotated(a_product(), rotate="1"), annotated(a_request(), rotate="1")).settle()
    mesh.stores.at(ENDPOINT).refuse("delete key", "disable key")
    driven = Driven(mesh).run(hours=3)
    assert "rotation" in mesh.product()["status"]["producer"]
    assert "rotation" in mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]
    mesh.stores.at(ENDPOINT).allow()
    driven.run(minutes=10)
    assert [len(active(mesh, part)) for part in (CONSUMER, PRODUCER)] == [1, 1]
    assert "rotation" not in mesh.product()["status"]["producer"]


def revoke(mesh: Mesh) -> None:
    mesh.delete("AccessGrant", "inventory-forecast", "sales")


def deny(mesh: Mesh) -> None:
    mesh.apply(a_grant("no", decision="Deny", validUntil=None))


def lapse(mesh: Mesh) -> None:
    mesh.apply(a_grant(validUntil="2026-01-15T00:00:00Z"))


def forget(mesh: Mesh) -> None:
    mesh.delete("AccessRequest", "orders-for-forecast", "inventory")


@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "a store without tags of users"])
@pytest.mark.parametrize("act", [revoke, deny, lapse, forget], ids=["revoked", "denied", "expired", "deleted"])
def test_access_ends_wherever_its_user_was_moved(act: Act, tagged: bool) -> None:
    mesh = granted()
    move(mesh, CONSUMER, tagged=tagged)
    Driven(mesh).run(minutes=10)
    assert active(mesh, CONSUMER), "nothing is taken from who has access"
    act(mesh)
    mesh.settle().clock.forward(days=40)
    mesh.settle()
    assert not active(mesh, CONSUMER)


@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "a store without tags of users"])
def test_a_producer_ends_wherever_its_user_was_moved(tagged: bool) -> None:
    mesh = granted()
    move(mesh, PRODUCER, tagged=tagged)
    driven = Driven(mesh).run(minutes=10)
    forget(mesh)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(hours=1)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert not active(mesh, PRODUCER)


def test_a_user_of_that_name_with_keys_of_its_own_is_somebody_elses() -> None:
    mesh = granted()
    users = mesh.stores.at(ENDPOINT).users
    name = next(name for name in users if CONSUMER in name)
    users[name] = replace(users[name], path="/theirs/", tags=(), keys=(AccessKey("THEIRS"),))
    revoke(mesh)
    Driven(mesh).run(minutes=10)
    assert active(mesh, CONSUMER) == ["THEIRS"]
    said = mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "Provisioned")["message"]
    assert said == f"The store has no user {name} of this request any more"
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "Revoked"


def test_the_name_of_a_user_that_was_lost_from_sight_is_told_for_good() -> None:
    """Somebody gave it another name and another path, so that its keys work; by the name, people find what was done to it."""
    mesh = granted()
    users = mesh.stores.at(ENDPOINT).users
    name = next(name for name in users if CONSUMER in name)
    users["renamed"] = replace(users.pop(name), name="renamed", path="/archive/")
    revoke(mesh)
    Driven(mesh).run(hours=2)
    said = mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "Provisioned")["message"]
    assert name in said
