"""No look and no event reads all objects of a kind: of ten thousand products as many are touched as of one thousand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.reconcile.dispatch import first_due, reconcile, urgent
from clouddatamesh.reconcile.lanes import lane
from clouddatamesh.reconcile.wakes import wakes
from tests.reconcile.access_flows import REQUEST, granted
from tests.reconcile.flows import ENDPOINT, limited, mark_as_anothers
from tests.support.counted import CountedCluster, touched
from tests.support.manifests import a_domain
from tests.support.mesh import Mesh

FEW, MANY = 500, 5000
"""Deals, each with two products."""
FEWER = (200, 400)
"""Of meshes that a test spoils, and needs for itself."""
MOST: Final = 40
PRODUCT, STORE, DOMAIN = Key("DataProduct", "sales", "orders"), Key("ObjectStore", "", "main"), Key("Domain", "", "sales")
CONSUMER, GRANT = Key("DataProduct", "inventory", "forecast"), Key("AccessGrant", "sales", "inventory-forecast")
WORDS: Final = ("orders", "forecast")
Act = Callable[[Mesh], object]


def populated(number: int) -> Mesh:
    """A mesh in which the same deal was made so many times: two products, a request and a grant each."""
    mesh = granted(Mesh(cluster=CountedCluster)).apply(a_domain("sales", resources=limited())).settle()
    keys = (PRODUCT, CONSUMER, REQUEST, GRANT)
    cluster = mesh.cluster
    assert isinstance(cluster, CountedCluster)
    cluster.multiply(tuple(mesh.get(key.kind, key.name, key.namespace) for key in keys), WORDS, number)
    store = mesh.stores.at(ENDPOINT)
    for name, user in tuple(store.users.items()):
        for n in range(number if any(word in name for word in WORDS) else 0):
            other = name
            for word in WORDS:
                other = other.replace(word, f"{word}{n}")
            store.users[other] = replace(user, name=other)
    return mesh


@pytest.fixture(scope="module")
def meshes() -> Mapping[int, Mesh]:
    return {number: populated(number) for number in (FEW, MANY)}


def see(key: Key) -> Act:
    return lambda mesh: reconcile(key, mesh.ports)


def doubt(mesh: Mesh) -> None:
    """All products but the one that is looked at lost their buckets a moment ago, and its own carries another's marks."""
    cluster = mesh.cluster
    assert isinstance(cluster, CountedCluster)
    now = f"{mesh.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    for found in (one for one in cluster.cache.list("DataProduct") if one["metadata"]["name"] != PRODUCT.name):
        conditions = [
            {**one, "status": "False", "reason": "BucketMissing", "lastTransitionTime": now} if one["type"] == "StorageReady" else one
            for one in found["status"]["conditions"]
        ]
        version = str(10**9 + int(found["metadata"]["resourceVersion"]))
        status = {**found["status"], "conditions": conditions}
        cluster.cache.put({**found, "metadata": {**found["metadata"], "resourceVersion": version}, "status": status})
    mark_as_anothers(mesh, "orders")


def change(key: Key, **parts: Any) -> Act:
    """An event on one object; `metadata` and `status` are merged into its own."""

    def happen(mesh: Mesh) -> object:
        old = mesh.get(key.kind, key.name, key.namespace)
        new = {**old, **{part: {**(old.get(part) or {}), **value} for part, value in parts.items()}}
        return wakes(old, new, mesh.cluster)

    return happen


def lose(key: Key) -> Act:
    return lambda mesh: wakes(mesh.get(key.kind, key.name, key.namespace), None, mesh.cluster)


def schedule(mesh: Mesh) -> None:
    for key in (PRODUCT, REQUEST, GRANT, DOMAIN, STORE):
        urgent(key, mesh.cluster, mesh.clock)
        lane(key, mesh.cluster)
        first_due(mesh.get(key.kind, key.name, key.namespace), 300.0, mesh.clock.now(), mesh.cluster)


def quota_of(mesh: Mesh) -> Key:
    return mesh.cluster.keys("ResourceQuota", "sales")[0]


UNREADY: Final[Manifest] = {"conditions": [{"type": "Ready", "status": "False", "reason": "StoreUnavailable"}]}
NAMESPACE = Key("Namespace", "", "sales")
LOOKS: Final[dict[str, Act]] = {
    "a look at the store": see(STORE),
    "a look at the domain": see(DOMAIN),
    "a look at a product": see(PRODUCT),
    "a look at a consumer": see(CONSUMER),
    "a look at a request": see(REQUEST),
    "a look at a grant": see(GRANT),
    "the order of work": schedule,
    "the namespace's annotations change": change(NAMESPACE, metadata={"annotations": {"a": "b"}}),
    "the namespace's labels change": change(NAMESPACE, metadata={"labels": {"a": "b"}}),
    "the namespace goes": change(NAMESPACE, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
    "the quota counts": lambda m: change(quota_of(m), status={"used": {"pods": "7"}})(m),
    "the domain changes": change(DOMAIN, metadata={"generation": 7}),
    "the domain goes": lose(DOMAIN),
    "the store recovers": lambda m: wakes({**m.get("ObjectStore", "main"), "status": UNREADY}, m.get("ObjectStore", "main"), m.cluster),
    "a product is not Ready": change(PRODUCT, status=UNREADY),
    "a product changes": change(PRODUCT, metadata={"generation": 7}),
    "a product goes": lose(PRODUCT),
    "a request changes": change(REQUEST, metadata={"generation": 7}),
    "a request goes": lose(REQUEST),
    "a grant goes": lose(GRANT),
    "a consumer goes": lose(CONSUMER),
}


@pytest.mark.parametrize("name", LOOKS)
def test_as_many_objects_are_touched_in_a_large_mesh_as_in_a_small_one(meshes: Mapping[int, Mesh], name: str) -> None:
    counts = {}
    for number, mesh in meshes.items():
        with touched() as keys:
            LOOKS[name](mesh)
        counts[number] = len(keys)
        assert len(keys) <= MOST, sorted(keys)[:MOST]
    assert counts[FEW] == counts[MANY]


def test_a_look_while_all_buckets_are_in_doubt_reads_a_few_of_them() -> None:
    counts = []
    for number in FEWER:
        mesh = populated(number)
        doubt(mesh)
        with touched() as keys:
            reconcile(PRODUCT, mesh.ports)
        counts.append(len(keys))
        assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "StorageLossBrake"
    assert counts[0] == counts[1] <= MOST


@pytest.mark.parametrize("key", [PRODUCT, STORE, DOMAIN, REQUEST], ids=lambda key: key.kind)
def test_a_deletion_touches_a_few_as_well(key: Key) -> None:
    counts = []
    for number in FEWER:
        mesh = populated(number).delete(key.kind, key.name, key.namespace)
        with touched() as keys:
            reconcile(key, mesh.ports)
        counts.append(len(keys))
    assert counts[0] == counts[1] <= MOST


def test_what_would_read_everything_is_counted(meshes: Mapping[int, Mesh]) -> None:
    with touched() as keys:
        assert all(found["kind"] for found in meshes[FEW].cluster.list("DataProduct"))
    assert len(keys) == 2 * FEW + 2
