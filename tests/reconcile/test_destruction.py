"""The last question before a bucket is emptied or deleted: whatever changed since the plan was made keeps it, and is named."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Waiting
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dataproduct import gather_deletion
from clouddatamesh.reconcile.destruction import check_destruction
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.places import Place, open_place
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.flows import ENDPOINT, Act, deletable
from tests.support.manifests import a_product, a_store, annotated
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
STORE: Final = Key("ObjectStore", "", "main")
GROUP: Final = "clouddatamesh.dev/"
DESTROYED: Final = {"deletionPolicy": "Delete", "forceDestroy": True}


@cache
def doomed() -> Mesh:
    mesh = deletable(Mesh(), forceDestroy=True).settle()
    return mesh.delete("DataProduct", "orders", "sales")


def planned() -> tuple[Mesh, Callable[[bool], None]]:
    """A product whose deletion was just planned, and the check that comes before each write."""
    mesh = doomed().copy()
    visit = Visit.of(PRODUCT, mesh.product(), mesh.ports)
    world = gather_deletion(parse(DataProduct, mesh.product()), visit)
    assert world.store is not None
    place = open_place(world.store, visit)
    assert isinstance(place, Place)
    return mesh, check_destruction(visit, place, world)


@pytest.mark.parametrize("empties", [True, False], ids=["emptied", "deleted"])
def test_what_is_as_it_was_planned_may_go(empties: bool) -> None:
    _, check = planned()
    check(empties)


def wants(**spec: Any) -> Act:
    return lambda mesh: mesh.apply(a_product(**{"storage": DESTROYED, **spec}))


def gone(mesh: Mesh) -> None:
    mesh.cluster.user_finalize(PRODUCT)


def made_again(mesh: Mesh) -> None:
    gone(mesh)
    mesh.apply(a_product(storage=DESTROYED))


def made_again_and_deleted(mesh: Mesh) -> None:
    made_again(mesh)
    mesh.cluster.user_finalize(PRODUCT, "example.com/held")
    mesh.cluster.user_delete(PRODUCT)


def store_gone(mesh: Mesh) -> None:
    mesh.cluster.user_delete(STORE)
    mesh.cluster.user_finalize(STORE)


def store_given_up(mesh: Mesh) -> None:
    mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")


def tagged(**more: str) -> Act:
    def tag(mesh: Mesh) -> None:
        held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
        tags = {**dict(held.bucket.tags), **{f"{GROUP}{name.replace('_', '-')}": value for name, value in more.items()}}
        held.bucket = replace(held.bucket, tags=tuple(sorted(tags.items())))

    return tag


def stripped(mesh: Mesh) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=(), lifecycle=())


def bucket_gone(mesh: Mesh) -> None:
    del mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]


def bucket_of_another_account(mesh: Mesh) -> None:
    bucket = mesh.bucket_of()
    bucket_gone(mesh)
    mesh.stores.at(ENDPOINT).foreign_buckets.add(bucket)


def store_away(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).down = True


NOT_THIS: Final = ("Conflict", "the product is not the one that is being deleted")
NO_WISH: Final = ("Conflict", "spec does not say that it may be deleted")
DISABLED: Final = ("DeletionDisabled", "its ObjectStore has deletionEnabled: false, or was given up with its contents")
NOT_READ: Final = ("Conflict", "the bucket was not read as this product's")
CHANGES: Final[dict[str, tuple[Act, tuple[str, str]]]] = {
    "the product is gone": (gone, NOT_THIS),
    "the product was made again": (made_again, NOT_THIS),
    "the product was made again and deleted": (made_again_and_deleted, NOT_THIS),
    "the namespace goes": (
        lambda mesh: mesh.delete("Namespace", "sales"),
        ("NamespaceTerminating", "its namespace is being deleted as a whole"),
    ),
    "the product is only observed": (wants(mode="Observe"), NO_WISH),
    "the product is suspended": (wants(suspend=True), NO_WISH),
    "the bucket is to stay": (wants(storage={}), NO_WISH),
    "the product has no storage": (lambda mesh: mesh.apply(without_storage()), NO_WISH),
    "the product is to leave it behind": (lambda mesh: mesh.apply(annotated(a_product(storage=DESTROYED), orphan="orders")), NO_WISH),
    "the store is gone": (store_gone, DISABLED),
    "the store forbids it": (lambda mesh: mesh.apply(a_store(deletionEnabled=False)), DISABLED),
    "the store is given up": (store_given_up, DISABLED),
    "the bucket is gone": (bucket_gone, NOT_READ),
    "the bucket is another account's": (bucket_of_another_account, NOT_READ),
    "the store does not answer": (store_away, NOT_READ),
    "the bucket was let go": (tagged(released="sales/orders"), ("Conflict", "its owner let the bucket go")),
    "the bucket is handed over": (tagged(transfer_to="sales/heir"), ("Conflict", "it is handed over to sales/heir")),
    "the bucket was adopted": (
        tagged(adopted="true"),
        ("Conflict", "it was adopted, and its owner's consent does not say that it may be deleted"),
    ),
    "one mark is another's": (
        tagged(uid="uid-other"),
        ("Conflict", f"its tag {GROUP}uid=uid-other is not this product's; put its tags back"),
    ),
    "two marks are another's": (
        tagged(name="other", uid="uid-other"),
        ("Conflict", f"its tags {GROUP}name=other, {GROUP}uid=uid-other are not this product's; put its tags back"),
    ),
    "all marks are gone": (
        stripped,
        ("Conflict", "nothing on it proves whose it is; put its tags back, or keep the bucket with annotation"),
    ),
}


def without_storage() -> dict[str, Any]:
    product = a_product(outputPorts=[], producer=None)
    return {**product, "spec": {name: value for name, value in product["spec"].items() if name != "storage"}}


@pytest.mark.parametrize("empties", [True, False], ids=["emptied", "deleted"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_since_keeps_the_bucket_and_is_named(what: str, empties: bool) -> None:
    mesh, check = planned()
    act, (reason, why) = CHANGES[what]
    act(mesh)
    with pytest.raises(Waiting) as told:
        check(empties)
    assert told.value.reason == reason
    assert told.value.message.startswith(f"The bucket is kept for now: {why}")


def test_a_bucket_whose_contents_are_to_stay_is_deleted_while_it_is_empty_and_not_emptied() -> None:
    mesh, check = planned()
    mesh.apply(a_product(storage={"deletionPolicy": "Delete"}))
    check(False)
    with pytest.raises(Waiting, match="spec does not say"):
        check(True)


def test_a_namespace_that_is_gone_keeps_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, check = planned()
    real = mesh.cluster.read
    monkeypatch.setattr(mesh.cluster, "read", lambda key: Absent() if key.kind == "Namespace" else real(key))
    with pytest.raises(Waiting, match="its namespace is being deleted"):
        check(True)


def test_a_store_that_is_being_deleted_lets_its_products_buckets_go() -> None:
    mesh, check = planned()
    mesh.delete("ObjectStore", "main")
    check(True)


def test_a_bucket_that_lost_its_marks_goes_where_the_witness_proves_whose_it_is() -> None:
    mesh, check = planned()
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=())
    check(True)
