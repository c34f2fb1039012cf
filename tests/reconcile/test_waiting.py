"""Deletions that wait: they are in nobody's way, are looked at less often the longer they wait, and go on at once when they can."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile, urgent
from tests.reconcile.access_flows import REQUEST, a_port, granted
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_product, annotated
from tests.support.mesh import Mesh

PRODUCT, DOMAIN, STORE = Key("DataProduct", "sales", "orders"), Key("Domain", "", "sales"), Key("ObjectStore", "", "main")


def blocked(key: Key = PRODUCT) -> Mesh:
    """Somebody still uses what is being deleted, and that was told."""
    mesh = granted(Mesh()).delete(key.kind, key.name, key.namespace)
    reconcile(key, mesh.ports)
    assert mesh.condition(key.kind, key.name, key.namespace, "DeletionBlocked")["reason"] == "InUse"
    return mesh


def test_what_is_being_deleted_is_urgent_until_it_is_known_to_wait() -> None:
    mesh = granted(Mesh()).delete("DataProduct", "orders", "sales")
    assert urgent(PRODUCT, mesh.cluster, mesh.clock)
    reconcile(PRODUCT, mesh.ports)
    assert not urgent(PRODUCT, mesh.cluster, mesh.clock)


def test_what_ends_access_is_urgent_however_long_it_waits() -> None:
    mesh = granted(Mesh())
    mesh.stores.at(ENDPOINT).down = True
    mesh.clock.forward(minutes=1)
    reconcile(STORE, mesh.ports)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    for _ in range(3):
        assert urgent(REQUEST, mesh.cluster, mesh.clock)
        reconcile(REQUEST, mesh.ports)
        mesh.clock.forward(minutes=1)


@pytest.mark.parametrize("key", [PRODUCT, DOMAIN, STORE], ids=lambda key: key.kind)
def test_the_longer_a_deletion_waits_the_less_often_it_is_looked_at(key: Key) -> None:
    mesh = blocked(key)
    pauses: list[float] = []
    while sum(pauses) < 3600:
        pauses.append(reconcile(key, mesh.ports).after or 0.0)
        mesh.clock.forward(seconds=pauses[-1])
    longest = 1.1 * (30.0 if key == STORE else 300.0)
    assert pauses[0] <= 20.0
    assert pauses == sorted(pauses)
    assert pauses[-1] <= longest
    assert key == STORE or len(pauses) < 30, "every 20 seconds these would be 180"


def test_it_goes_on_at_once_when_its_last_consumer_went_however_long_it_waited() -> None:
    mesh = blocked()
    driven = Driven(mesh).run(minutes=120)
    assert mesh.exists("DataProduct", "orders", "sales")
    mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    driven.run(seconds=10)
    assert not mesh.exists("AccessRequest", REQUEST.name, REQUEST.namespace)
    assert not mesh.exists("DataProduct", "orders", "sales")


def producer_of(mesh: Mesh) -> Principal:
    """The producer's user, as the store has it."""
    return mesh.stores.at(ENDPOINT).users[mesh.product()["status"]["producer"]["principal"]]


def wait(mesh: Mesh) -> None:
    mesh.delete("DataProduct", "orders", "sales")


def wait_suspended(mesh: Mesh) -> None:
    mesh.apply(a_product(outputPorts=[a_port()], suspend=True)).delete("DataProduct", "orders", "sales")


def live(_: Mesh) -> None:
    pass


@pytest.mark.parametrize("deed", [live, wait, wait_suspended])
def test_what_ends_is_taken_and_the_bucket_is_protected_however_long_a_deletion_waits(deed: Callable[[Mesh], object]) -> None:
    """Its data and its consumers live on, for as long as the longest grant."""
    mesh = granted(Mesh())
    driven = Driven(mesh.apply(annotated(a_product(outputPorts=[a_port()]), rotate="1"))).run(minutes=10)
    assert [key.active for key in producer_of(mesh).keys] == [True, True]
    deed(mesh)
    driven.run(minutes=5)
    store, name = mesh.stores.at(ENDPOINT), producer_of(mesh).name
    held = store.buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, public_access_blocked=False, policy=())
    store.users[name] = replace(store.users[name], other_policies=("more",), groups=("admins",))
    driven.run(minutes=20)
    assert held.bucket.public_access_blocked is (deed is not wait_suspended), "whoever suspends it repairs it"
    assert bool(held.bucket.policy) is (deed is not wait_suspended)
    assert (producer_of(mesh).other_policies, producer_of(mesh).groups) == ((), ())
    driven.run(minutes=40)
    assert len(producer_of(mesh).keys) == 1
    assert mesh.exists("DataProduct", "orders", "sales")
    if deed is wait:
        assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "InUse"


def test_a_deletion_that_waits_makes_nothing_new() -> None:
    mesh = granted(Mesh()).delete("DataProduct", "orders", "sales")
    driven = Driven(mesh).run(minutes=5)
    store = mesh.stores.at(ENDPOINT)
    del store.users[producer_of(mesh).name], store.buckets[mesh.bucket_of()]
    buckets, users = set(store.buckets), set(store.users)
    driven.run(hours=2)
    assert (set(store.buckets), set(store.users)) == (buckets, users)


@pytest.mark.parametrize(
    "unreadable",
    [{"mode": "Paused"}, {"producer": {"secretName": "no name"}}, {"storage": {"storeRef": {"name": "main"}, "versioning": "Sometimes"}}],
    ids=["mode", "producer", "versioning"],
)
def test_what_cannot_be_read_of_a_product_is_neither_taken_nor_repaired_while_its_deletion_waits(unreadable: dict[str, Any]) -> None:
    mesh = granted(Mesh())
    driven = Driven(mesh).run(minutes=10)
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    keys = producer_of(mesh).keys
    mesh.apply(a_product(outputPorts=[a_port()], **unreadable))
    driven.run(minutes=6)
    mesh.delete("DataProduct", "orders", "sales")
    held.bucket = replace(held.bucket, versioning="Suspended")
    driven.run(hours=2)
    assert held.bucket.versioning == "Suspended"
    assert producer_of(mesh).keys == keys
