"""Objects that a backup tool restored in a rebuilt cluster, with status and Secrets: what they tell of the lost one ends nothing of it."""

from copy import deepcopy
from dataclasses import replace
from itertools import count
from typing import Final

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from tests.reconcile.access_flows import REQUEST, SECRET
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_takeover import GRANT, PRODUCT, UIDS, a_mesh, lost_mesh, users
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_store, annotated
from tests.support.mesh import Mesh

CONSUMER: Final = Key("DataProduct", "inventory", "forecast")
PRODUCERS: Final = Key("Secret", "sales", "orders-producer")
OBJECTS: Final = (CONSUMER, PRODUCT, GRANT, REQUEST)


def restore(new: Mesh, old: Mesh, *keys: Key) -> Mesh:
    """Each object as it was, with status and another uid."""
    for key in keys:
        raw = deepcopy(dict(old.cluster.raw(key) or {}))
        kept = {field: value for field, value in raw["metadata"].items() if field in ("name", "namespace", "labels", "annotations")}
        if key.kind == "Secret":
            new.cluster.user_apply({**raw, "metadata": {**kept, "managedFields": raw["metadata"]["managedFields"]}})
            continue
        new.apply({"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": kept, "spec": raw["spec"]})
        uid = new.get(key.kind, key.name, key.namespace)["metadata"]["uid"]
        assert uid != raw["metadata"]["uid"] and new.cluster.write_status(key, uid, raw["status"])
    return new


def rebuilt(old: Mesh, *, lost: tuple[int, ...] = (0,)) -> Mesh:
    """A new cluster at the lost one's store, which has the Secrets and none of the objects yet."""
    new = a_mesh(1, after=old, lost=lost)
    new.cluster._objects._numbers = count(5000)
    return restore(new, old, SECRET, PRODUCERS)


def works(mesh: Mesh, secret: Key) -> bool:
    """Whether the key in a Secret is active."""
    key = mesh.cluster.secret_data(secret)["access-key-id"] if mesh.cluster.raw(secret) else ""
    return any(one.id == key and one.active for user in mesh.stores.at(ENDPOINT).users.values() for one in user.keys)


@pytest.mark.parametrize("missing", [PRODUCT, GRANT, CONSUMER, Key("Domain", "", "inventory")], ids=lambda key: f"{key.kind} {key.name}")
def test_a_consumer_keeps_its_secret_while_a_folder_is_late(missing: Key) -> None:
    old = lost_mesh()
    before, key = users(old, "orders-for-forecast"), old.cluster.secret_data(SECRET)
    new = rebuilt(old)
    if missing.kind == "Domain":
        new.delete("Domain", missing.name)
    restore(new, old, *(one for one in OBJECTS if one != missing))
    driven = Driven(new).run(hours=3)
    assert users(new, "orders-for-forecast") == before and new.cluster.secret_data(SECRET) == key
    if missing.kind == "Domain":
        new.apply(a_domain("inventory"))
    else:
        restore(new, old, missing)
    driven.run(minutes=30)
    assert works(new, SECRET) and new.cluster.secret_data(SECRET) != key and users(new, "orders-for-forecast").items() > before.items()


def test_a_consumer_keeps_its_secret_while_the_store_is_late_too() -> None:
    old = lost_mesh()
    before, key = users(old, "orders-for-forecast"), old.cluster.secret_data(SECRET)
    new = rebuilt(old, lost=())
    driven = Driven(new.delete("ObjectStore", "main")).run(minutes=1)
    assert not new.exists("ObjectStore", "main")
    restore(new, old, CONSUMER, REQUEST)
    driven.run(hours=1)
    assert new.cluster.secret_data(SECRET) == key
    restore(new.apply(a_store(takeOverFrom=[UIDS[0]])), old, PRODUCT, GRANT)
    driven.run(minutes=20)
    assert works(new, SECRET) and users(new, "orders-for-forecast").items() > before.items()


@pytest.mark.parametrize("wait", [2, 30])
@pytest.mark.parametrize("seed", range(3))
def test_a_store_that_is_taken_over_later_than_all_else_was_restored(seed: int, wait: int) -> None:
    old = lost_mesh()
    before = users(old, "orders")
    new = restore(rebuilt(old, lost=()), old, *OBJECTS)
    driven = Driven(new, seed=seed).run(minutes=wait)
    assert new.condition("ObjectStore", "main")["reason"] == "StoreInUseByOtherCluster"
    assert wait == 2 or new.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "StoreNotReady"
    assert users(new, "orders") == before and works(new, SECRET) and works(new, PRODUCERS)
    new.apply(a_store(takeOverFrom=[UIDS[0]]))
    for _ in range(10):
        driven.run(minutes=5)
        assert users(new, "orders").items() >= before.items() and works(new, SECRET) and works(new, PRODUCERS)
    driven.run(minutes=20)
    assert list(users(new, "orders").values()) == [True, True] and not before.keys() & users(new, "orders").keys()


@pytest.mark.parametrize("missing", [PRODUCT, GRANT, CONSUMER], ids=lambda key: f"{key.kind} {key.name}")
def test_what_is_granted_no_more_is_counted_and_ends_where_somebody_says_so(missing: Key) -> None:
    old = lost_mesh()
    new = restore(rebuilt(old), old, *(one for one in OBJECTS if one != missing))
    driven = Driven(new).run(hours=2)
    told = new.get("ObjectStore", "main")["status"]["takenOver"]
    assert told[0]["unclaimed"] == told[0]["principals"] and len(users(new, "orders-for-forecast")) == 1
    new.apply(annotated(a_store(takeOverFrom=[UIDS[0]]), end_taken_over=UIDS[0]))
    driven.run(minutes=20)
    assert users(new, "orders-for-forecast") == {}


def test_a_no_ends_what_the_lost_cluster_gave_at_once() -> None:
    old = lost_mesh()
    new = restore(rebuilt(old), old, CONSUMER, PRODUCT, REQUEST)
    Driven(new.apply(a_grant(decision="Deny"))).run(minutes=6)
    assert users(new, "orders-for-forecast") == {}


def test_a_mesh_that_got_another_name_by_mistake_finds_its_records_again() -> None:
    mesh = lost_mesh()
    before, recorded = users(mesh, "orders"), [mesh.get(key.kind, key.name, key.namespace)["status"] for key in (REQUEST, PRODUCT)]
    mesh.settings = replace(mesh.settings, mesh="amce")
    Driven(mesh).run(minutes=30)
    found = [mesh.get(key.kind, key.name, key.namespace)["status"] for key in (REQUEST, PRODUCT)]
    assert found[0]["principal"] == recorded[0]["principal"] and found[1]["producer"] == recorded[1]["producer"]
    mesh.settings = replace(mesh.settings, mesh="acme")
    Driven(mesh).run(minutes=30)
    assert users(mesh, "orders") == before
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"


# A mesh of before names told of the cluster.


def of_an_earlier_version(mesh: Mesh) -> Mesh:
    """Users and records have the names and the path of before."""
    store = mesh.stores.at(ENDPOINT)
    for key, of in ((REQUEST, "orders-for-forecast"), (PRODUCT, "sales-orders")):
        (name,) = users(mesh, of)
        former = names.former_principal_name("acme", key)
        user = store.users.pop(name)
        tags = tuple((tag, value) for tag, value in user.tags if not tag.endswith("/cluster"))
        store.users[former] = replace(user, name=former, path=names.mesh_path("acme"), tags=tags)
        found = mesh.get(key.kind, key.name, key.namespace)
        record = {"principal": former} if key is REQUEST else {"producer": {**found["status"]["producer"], "principal": former}}
        mesh.cluster.write_status(key, found["metadata"]["uid"], {**found["status"], **record})
    return mesh


@pytest.mark.parametrize("missing", [(), (PRODUCT,), (GRANT,), (CONSUMER,)], ids=["nothing", "product", "grant", "consumer"])
@pytest.mark.parametrize("late", [False, True], ids=["at once", "takeOverFrom comes later"])
def test_users_of_an_earlier_version_are_the_lost_clusters_too(missing: tuple[Key, ...], late: bool) -> None:
    old = of_an_earlier_version(lost_mesh())
    before = users(old, "orders")
    new = restore(rebuilt(old, lost=() if late else (0,)), old, *(one for one in OBJECTS if one not in missing))
    driven = Driven(new).run(minutes=10)
    if late:
        new.apply(a_store(takeOverFrom=[UIDS[0]]))
    driven.run(minutes=40)
    assert users(new, "orders").items() >= before.items() and works(new, SECRET) and works(new, PRODUCERS)
    assert missing or len(users(new, "orders")) == 4
    driven.run(minutes=50)
    assert missing or (len(users(new, "orders")) == 2 and not before.keys() & users(new, "orders").keys())


@pytest.mark.parametrize("act", ["nothing", "refuse", "revoke", "delete"])
def test_a_living_mesh_of_an_earlier_version_keeps_its_users_where_it_takes_over_from_another(act: str) -> None:
    mesh = of_an_earlier_version(lost_mesh())
    before, key = users(mesh, "orders"), mesh.cluster.secret_data(SECRET)
    mesh.apply(a_store(takeOverFrom=[UIDS[3]]))
    if act == "refuse":
        mesh.apply(a_grant(decision="Deny"))
    elif act == "revoke":
        mesh.delete("AccessGrant", GRANT.name, GRANT.namespace)
    elif act == "delete":
        mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    Driven(mesh).run(minutes=30)
    assert users(mesh, "sales-orders").items() <= before.items()
    if act == "nothing":
        assert users(mesh, "orders") == before and mesh.cluster.secret_data(SECRET) == key
    else:
        assert users(mesh, "orders-for-forecast") == {}
