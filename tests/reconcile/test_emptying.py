"""Emptying and deleting a bucket in a store that does not do what it says: nothing is asked again and again, and somebody is told."""

from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.storage.memory_buckets import MemoryBuckets
from clouddatamesh.storage.memory_held import Held
from tests.reconcile.access_flows import a_port, two_domains
from tests.reconcile.flows import ENDPOINT, deletable, fill
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.support.mesh import Mesh


def doomed(mesh: Mesh | None = None, **storage: Any) -> tuple[Mesh, Driven]:
    mesh = deletable(mesh or Mesh(), **storage).settle()
    return mesh, Driven(mesh)


def calls(mesh: Mesh, verb: str) -> int:
    """How often the product's bucket was asked for."""
    return sum(name.startswith("acme-orders") for found, name in mesh.stores.at(ENDPOINT).calls if found == verb)


@pytest.mark.parametrize("destroys", [False, True], ids=["Delete", "forceDestroy"])
def test_a_store_that_lists_nothing_and_refuses_is_asked_less_and_less_and_told_of(monkeypatch: pytest.MonkeyPatch, destroys: bool) -> None:
    refuses = True

    def delete(self: MemoryBuckets, name: str, really: Any = MemoryBuckets.delete) -> None:
        self._store.check(self._connection, "refused", name)
        if refuses:
            raise Terminal(reasons.BUCKET_NOT_EMPTY, f"DeleteBucket {name} failed: BucketNotEmpty")
        really(self, name)

    monkeypatch.setattr(MemoryBuckets, "delete", delete)
    mesh, driven = doomed(forceDestroy=destroys)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=5)
    waits = mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")
    assert (waits["status"], waits["reason"]) == ("True", "BucketNotEmpty") and "lists neither" in waits["message"]
    assert mesh.condition("DataProduct", "orders", "sales", "Stalled") == {}
    assert calls(mesh, "refused") <= 12
    driven.run(minutes=15)
    told = mesh.condition("DataProduct", "orders", "sales", "Stalled")
    assert told["status"] == "True"
    assert "annotation clouddatamesh.dev/orphan=orders" in told["message"]
    before = calls(mesh, "refused")
    driven.run(minutes=60)
    assert 10 <= calls(mesh, "refused") - before <= 14, "on the drift interval"
    refuses = False
    driven.run(minutes=6)
    assert not mesh.exists("DataProduct", "orders", "sales")


def test_the_way_out_that_is_named_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def delete(_self: MemoryBuckets, name: str) -> None:
        raise Terminal(reasons.BUCKET_NOT_EMPTY, f"DeleteBucket {name} failed: BucketNotEmpty")

    monkeypatch.setattr(MemoryBuckets, "delete", delete)
    mesh, driven = doomed()
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=20)
    mesh.apply(annotated(a_product(storage={"deletionPolicy": "Delete"}), orphan="orders"))
    driven.run(minutes=1)
    assert not mesh.exists("DataProduct", "orders", "sales")


@pytest.mark.parametrize("versions", [3, 9000])
def test_what_is_listed_on_though_it_was_removed_is_not_removed_again_and_again(monkeypatch: pytest.MonkeyPatch, versions: int) -> None:
    monkeypatch.setattr(Held, "drop_page", lambda _self: None)
    mesh, driven = doomed(forceDestroy=True)
    mesh.stores.at(ENDPOINT).put_object(mesh.bucket_of(), count=versions)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=10)
    assert calls(mesh, "empty") <= 40
    waits = mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")
    assert waits["reason"] == "BucketNotEmpty" and "still lists what was removed" in waits["message"]


def test_a_store_that_counts_what_it_does_not_list_is_asked_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(self: MemoryBuckets, name: str) -> str:
        self._store.check(self._connection, "empty", name)
        return ""

    mesh, driven = doomed(forceDestroy=True)
    fill(mesh)
    with monkeypatch.context() as odd:
        odd.setattr(MemoryBuckets, "empty", empty)
        mesh.delete("DataProduct", "orders", "sales")
        driven.run(minutes=10)
        assert calls(mesh, "empty") <= 40
        waits = mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")
        assert waits["reason"] == "BucketNotEmpty" and "lists nothing to remove" in waits["message"]
    driven.run(minutes=10)
    assert not mesh.exists("DataProduct", "orders", "sales")


def test_a_page_of_nothing_but_what_somebody_writes_meanwhile_is_emptied_in_the_end() -> None:
    mesh, driven = doomed(forceDestroy=True)
    fill(mesh)
    name, before, left = mesh.bucket_of(), mesh.stores.before_write, [10]

    def write(what: str) -> None:
        if what.startswith("empty") and left[0]:
            left[0] -= 1
            mesh.stores.at(ENDPOINT).put_object(name, count=700)
        before(what)

    mesh.stores.before_write = write
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=1)
    assert not mesh.exists("DataProduct", "orders", "sales")


def test_a_full_bucket_whose_deletion_waits_for_consumers_is_not_looked_at_without_a_pause() -> None:
    """It has no producer, so that nothing but the emptying is left to do."""
    ports: dict[str, Any] = {"outputPorts": [a_port()], "producer": None}
    mesh = two_domains(Mesh()).apply(a_product(storage={"deletionPolicy": "Delete", "forceDestroy": True}, **ports))
    mesh.apply(a_request(), a_grant()).settle()
    mesh.stores.at(ENDPOINT).put_object(mesh.bucket_of(), count=3)
    driven = Driven(mesh)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=10)
    assert mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")["reason"] == "InUse"
    mesh.delete("AccessRequest", "orders-for-forecast", "inventory")
    driven.run(minutes=1)
    assert not mesh.exists("DataProduct", "orders", "sales")
