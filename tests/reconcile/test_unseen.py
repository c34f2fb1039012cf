"""A store that is not seen, a brake that is let go, and what the live object says last: nothing is let go, destroyed or taken for it."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan.names import is_marker_name
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import REQUEST, SECRET, granted, principal
from tests.reconcile.flows import ENDPOINT, deletable, fill, mark_as_anothers, ready
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store, annotated
from tests.support.mesh import Mesh

STORE = Key("ObjectStore", "", "main")
DESTROYED = {"deletionPolicy": "Delete", "forceDestroy": True}


def strip_store(mesh: Mesh) -> None:
    mesh.delete("ObjectStore", "main")
    mesh.cluster.user_finalize(STORE)


def test_a_product_is_not_let_go_while_its_store_is_missing() -> None:
    mesh = ready(Mesh()).settle()
    driven = Driven(mesh)
    strip_store(mesh)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=3)
    assert mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")["reason"] == "StoreNotFound"
    mesh.apply(a_store())
    driven.run(minutes=6)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "orders" in name]


def test_running_access_keeps_its_key_while_its_store_is_missing() -> None:
    mesh = granted(Mesh())
    driven = Driven(mesh)
    key = mesh.cluster.secret_data(SECRET)
    strip_store(mesh)
    driven.run(minutes=10)
    assert mesh.cluster.secret_data(SECRET) == key
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "StoreNotFound"
    mesh.apply(a_store())
    driven.run(minutes=10)
    assert mesh.cluster.secret_data(SECRET) == key


@pytest.mark.parametrize(
    "live",
    [
        a_product(storage={"deletionPolicy": "Delete", "forceDestroy": False}),
        a_product(storage=DESTROYED, suspend=True),
        annotated(a_product(storage=DESTROYED), orphan="orders"),
    ],
    ids=["not emptied", "suspended", "left behind"],
)
def test_nothing_is_destroyed_against_what_the_live_product_says(live: dict[str, Any]) -> None:
    mesh = deletable(Mesh(), forceDestroy=True).settle()
    fill(mesh)
    bucket = mesh.bucket_of()
    mesh.delete("DataProduct", "orders", "sales")
    driven = Driven(mesh)
    mesh.cluster.hold_back("DataProduct")
    mesh.apply(live)
    driven.run(minutes=1)
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 4000


def test_the_repair_of_braked_buckets_takes_nothing_from_the_rest() -> None:
    mesh = Mesh().apply(a_store(), a_domain()).settle()
    names = [f"p{number}" for number in range(5)]
    mesh.apply(*map(a_product, names)).settle()
    store, driven = mesh.stores.at(ENDPOINT), Driven(mesh)
    marked = {name: store.buckets[mesh.bucket_of(name)].bucket for name in names}
    for name in names:
        mark_as_anothers(mesh, name)
    driven.run(minutes=15)
    users = set(store.users)
    for name in names[:4]:
        store.buckets[mesh.bucket_of(name)].bucket = marked[name]
        driven.run(minutes=6)
    assert set(store.users) == users
    assert mesh.condition("DataProduct", "p4", "sales", "StorageReady")["reason"] == "StorageLossBrake"


def test_losses_are_counted_over_all_stores() -> None:
    mesh = Mesh().apply(a_domain(), *(a_store(f"s{number}", bucketPrefix=f"acme{number}") for number in range(4))).settle()
    names = [f"p{number}" for number in range(4)]
    mesh.apply(*(a_product(name, storage={"storeRef": {"name": f"s{name[1:]}"}}) for name in names)).settle()
    users, driven = set(mesh.stores.at(ENDPOINT).users), Driven(mesh)
    for name in names:
        mark_as_anothers(mesh, name)
    driven.run(minutes=15)
    assert set(mesh.stores.at(ENDPOINT).users) == users


OTHER = "https://s3.other"


@pytest.mark.parametrize("without_marker", [False, True], ids=["with its marker", "without a marker"])
@pytest.mark.parametrize("edited", [{"iamEndpointUrl": OTHER}, {"endpointUrl": OTHER}], ids=["its IAM endpoint", "its endpoint"])
def test_another_store_of_the_mesh_is_not_taken_for_this_one(edited: dict[str, str], without_marker: bool) -> None:
    mesh = granted(Mesh())
    second = a_product("other", storage={"storeRef": {"name": "second"}})
    mesh.apply(a_store("second", endpointUrl=OTHER), second).settle()
    real, other = mesh.stores.at(ENDPOINT), mesh.stores.at(OTHER)
    user, known, identity = principal(mesh), dict(other.users), mesh.get("ObjectStore", "main")["status"]["storeId"]
    if without_marker:
        other.users = {name: one for name, one in known.items() if not is_marker_name(name)}
    mesh.apply(a_store(**edited)).delete("AccessGrant", "inventory-forecast", "sales")
    reconcile(REQUEST, mesh.ports)  # before the ObjectStore's own look
    Driven(mesh).run(minutes=10)
    assert mesh.condition("ObjectStore", "main")["reason"] == "NotTheSameStore"
    assert mesh.get("ObjectStore", "main")["status"]["storeId"] == identity
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["principal"] == user
    assert mesh.exists("AccessGrant", "inventory-forecast", "sales")
    assert set(other.users) <= set(known)
    mesh.apply(a_store())
    Driven(mesh).run(minutes=10)
    assert user not in real.users
    assert not mesh.exists("AccessGrant", "inventory-forecast", "sales")


def test_what_was_given_up_lets_go_of_a_product_that_is_deleted_later() -> None:
    mesh = ready(Mesh()).settle()
    mesh.stores.at(ENDPOINT).down = True
    driven = Driven(mesh)
    mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")
    driven.run(minutes=2)
    assert not mesh.exists("ObjectStore", "main")
    assert mesh.product()["status"]["storage"]["abandoned"] is True
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=1)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert any(event.reason == "Abandoned" for key, event in mesh.cluster.events if key.name == "orders")


def test_a_store_that_was_made_again_elsewhere_and_is_set_back_is_at_home() -> None:
    mesh = granted(Mesh())
    user, identity = principal(mesh), mesh.get("ObjectStore", "main")["status"]["storeId"]
    driven = Driven(mesh)
    strip_store(mesh)
    mesh.apply(a_store(endpointUrl=OTHER)).delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(minutes=10)
    assert mesh.get("ObjectStore", "main")["status"]["storeId"] != identity
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["principal"] == user
    mesh.apply(a_store())
    driven.run(minutes=10)
    assert mesh.get("ObjectStore", "main")["status"]["storeId"] == identity
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
    assert user not in mesh.stores.at(ENDPOINT).users
