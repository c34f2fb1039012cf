"""The whole retail mesh is deleted at once, in any order: it ends, or every object says what it waits for; data stays, no key works on."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest
import yaml

from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.support.driven import Driven
from tests.support.installation import ROOT
from tests.support.manifests import CREDENTIALS
from tests.support.mesh import Mesh

RETAIL: Final[list[dict[str, Any]]] = [
    one for path in sorted((ROOT / "examples/retail").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())
]
ENDPOINT: Final = str(RETAIL[0]["spec"]["endpointUrl"])
ORDERS, STOCK = Key("DataProduct", "sales", "orders"), Key("DataProduct", "inventory", "stock-levels")
PRODUCTS: Final = [one for one in RETAIL if one["kind"] == "DataProduct"]
MARKER: Final = "mesh.marker-"
"""The user by which a store is recognised; it has no key and no policy, and stays with the mesh's bucket."""
Repair = Callable[[], object]


def nothing(_: Mesh) -> Repair:
    return lambda: None


def no_secret(mesh: Mesh) -> Repair:
    """The store's Secret was pruned first."""
    root = mesh.stores.at(ENDPOINT).root
    mesh.cluster._own.pop(CREDENTIALS)
    return lambda: mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": root.id, "secret-access-key": root.secret})


def full_bucket(mesh: Mesh) -> Repair:
    """stock-levels is to be deleted with its bucket, which is not empty and must not be emptied."""
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of(STOCK.name, STOCK.namespace)]
    held.versions = 3

    def empty() -> None:
        held.versions = 0

    return empty


def a_finalizer_of_others(mesh: Mesh) -> Repair:
    """Somebody else keeps a consumer."""
    consumer = Key("DataProduct", "sales", "forecast")
    mesh.cluster.user_finalize(
        consumer, "example.com/keep", *mesh.get(consumer.kind, consumer.name, consumer.namespace)["metadata"]["finalizers"]
    )

    def release() -> None:
        found = mesh.cluster.get(consumer)
        kept = found["metadata"].get("finalizers", ()) if found else ()
        mesh.cluster.user_finalize(consumer, *(one for one in kept if one != "example.com/keep"))

    return release


HINDRANCES: Final[dict[str, tuple[Callable[[Mesh], Repair], str]]] = {
    "nothing": (nothing, ""),
    "no Secret of the store": (no_secret, "CredentialsMissing"),
    "a bucket that is not empty": (full_bucket, "BucketNotEmpty"),
    "a finalizer of others": (a_finalizer_of_others, "InUse"),
}


def left(mesh: Mesh) -> dict[Key, str]:
    """What is left, and what it says of itself."""
    found = {}
    for kind in RECONCILED:
        for one in mesh.cluster.list(kind):
            conditions = {c["type"]: c for c in one["status"]["conditions"]}
            told = conditions.get("DeletionBlocked", conditions["Ready"])
            found[key_of(one)] = f"{told['reason']}: {told['message']}"
    return found


@pytest.mark.parametrize(("hindrance", "seed"), [(name, seed) for name in HINDRANCES for seed in range(10 if name == "nothing" else 4)])
def test_it_ends_or_says_what_it_waits_for(hindrance: str, seed: int) -> None:
    hinder, reason = HINDRANCES[hindrance]
    mesh, lots = Mesh("retail"), random.Random(seed)  # noqa: S311 - an order, not a secret
    root = mesh.stores.at(ENDPOINT).root
    mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": root.id, "secret-access-key": root.secret})
    users = set(mesh.stores.at(ENDPOINT).users)
    mesh.apply(*RETAIL).settle()
    assert len(mesh.stores.at(ENDPOINT).users) > len(users) + len(PRODUCTS)
    mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of(ORDERS.name)].versions = 5
    bucket, driven = mesh.bucket_of(ORDERS.name), Driven(mesh, seed=seed)
    repair = hinder(mesh)
    driven.run(minutes=1)
    for one in lots.sample(RETAIL, len(RETAIL)):
        mesh.cluster.user_delete(key_of(one))
        driven.run(seconds=lots.choice((0, 0, 1)))
    driven.run(minutes=15)
    waiting = left(mesh)
    assert bool(waiting) == bool(reason), waiting
    assert all(len(words) > 20 for words in waiting.values()), waiting
    assert not reason or any(words.startswith(reason) for words in waiting.values()), waiting
    repair()
    driven.run(minutes=15)
    assert left(mesh) == {}
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 5
    assert not {name for name in set(mesh.stores.at(ENDPOINT).users) - users if not name.startswith(MARKER)}
