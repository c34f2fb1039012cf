"""The flows over which every law is held: a settled world, then one act of a user or of the world on it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.objects import Key
from tests.support.manifests import a_domain, a_product, a_profile, a_store, a_team, annotated
from tests.support.mesh import Mesh

ENDPOINT: Final = "https://s3.test"
TWO: Final = [{"name": "sales"}, {"name": "sales-lab"}]
PEOPLE: Final = a_team(
    ("kim", "owner", "", "2026-01-31"), ("lee", "engineer", "2026-02-01", ""), ("ray", "dataEngineer", "", ""), ("sam", "steward", "", "")
)
TRAINING: Final = [
    {"name": "gdpr", "validFor": "365d", "completedBy": [{"username": "ray", "date": "2025-01-20"}]},
    {"name": "s3", "requiredFor": ["engineer"]},
]
Act = Callable[[Mesh], object]


@dataclass(frozen=True)
class Flow:
    """`before` is settled undisturbed; `act` is what the law is held over."""

    name: str
    before: Act
    act: Act

    def start(self) -> Mesh:
        """The settled world before the act, made once and copied."""
        return _settled(self).copy()


@cache
def _settled(flow: Flow) -> Mesh:
    mesh = Mesh()
    flow.before(mesh)
    return mesh.settle()


def nothing(_mesh: Mesh) -> None:
    pass


def ready(mesh: Mesh) -> Mesh:
    return mesh.apply(a_store(), a_domain(), a_product())


def deletable(mesh: Mesh, **storage: object) -> Mesh:
    return mesh.apply(a_store(), a_domain(), a_product(storage={"deletionPolicy": "Delete", **storage}))


def limited() -> dict[str, object]:
    return {
        "quota": {"requests.cpu": "20"},
        "limitRange": {"default": {"cpu": "0.5"}},
        "maxDataProducts": 50,
        "networkIsolation": {"mode": "Domain", "allowFrom": [{"matchLabels": {"a": "b"}}]},
    }


def fill(mesh: Mesh) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.versions, held.delete_markers, held.uploads = 4000, 900, 100


def drift_bucket(mesh: Mesh) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, public_access_blocked=False, encryption=None, policy=())


def mark_as_anothers(mesh: Mesh, name: str) -> None:
    """A tool writes another owner's marks on a product's bucket."""
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of(name)]
    tags = dict(held.bucket.tags) | {"clouddatamesh.dev/name": "other", "clouddatamesh.dev/uid": "uid-other"}
    held.bucket = replace(held.bucket, tags=tuple(sorted(tags.items())))


def drift_keys(mesh: Mesh) -> None:
    mesh.clock.forward(minutes=1)  # a key that was just issued and does not show is waited for
    store = mesh.stores.at(ENDPOINT)
    name = mesh.product()["status"]["producer"]["principal"]
    store.users[name] = replace(store.users[name], keys=(), other_policies=("extra",))


def drift_children(mesh: Mesh) -> None:
    for key in mesh.cluster.all_keys():
        if key.kind in ("RoleBinding", "ResourceQuota"):
            mesh.cluster.user_delete(key)


def strip_namespace(mesh: Mesh) -> None:
    """Somebody takes off what says whose a namespace is."""
    found = mesh.cluster.raw(Key("Namespace", "", "sales")) or {}
    mesh.cluster.user_apply({**found, "metadata": {**found["metadata"], "labels": {}, "annotations": {}}})


def preexisting(mesh: Mesh) -> None:
    mesh.apply(a_store(), a_domain()).settle()
    tags = (("clouddatamesh.dev/adopt-by", "acme/sales/orders"), ("theirs", "kept"))
    mesh.stores.at(ENDPOINT).put_bucket(Bucket("acme-old", tags=tags))


def adopted(mesh: Mesh) -> Mesh:
    wish = a_product(storage={"bucketName": "acme-old", "adoptionPolicy": "IfConsented"})
    return mesh.apply(annotated(wish, apply_plan="acme-old"))


def planned(mesh: Mesh) -> Mesh:
    return mesh.apply(a_product(storage={"bucketName": "acme-old", "adoptionPolicy": "IfConsented"}))


def lent(mesh: Mesh) -> None:
    """An adopted bucket with data, whose product wants it destroyed."""
    preexisting(mesh)
    storage = {"bucketName": "acme-old", "adoptionPolicy": "IfConsented", "deletionPolicy": "Delete", "forceDestroy": True}
    mesh.apply(annotated(a_product(storage=storage), apply_plan="acme-old")).settle()
    mesh.stores.at(ENDPOINT).put_object("acme-old", count=3)


def retained(mesh: Mesh) -> Mesh:
    return ready(mesh).settle().delete("DataProduct", "orders", "sales")


def force(mesh: Mesh) -> Mesh:
    mesh.apply(annotated(a_product(storage={"deletionPolicy": "Delete"}), force_delete="orders"))
    return mesh.delete("DataProduct", "orders", "sales")


def delete_all(mesh: Mesh) -> Mesh:
    return mesh.delete("DataProduct", "orders", "sales").delete("Domain", "sales").delete("ObjectStore", "main")


SECRET: Final = Key("Secret", "sales", "orders-producer")


def drop_secret(mesh: Mesh) -> None:
    mesh.cluster.user_delete(SECRET)


def write_secret(mesh: Mesh, **more: object) -> None:
    """Somebody writes a key of his own over ours."""
    found = mesh.cluster.raw(SECRET) or {}
    kept = {name: found[name] for name in ("apiVersion", "kind", "metadata", "type")}
    mesh.cluster.user_apply({**kept, "stringData": {"access-key-id": "theirs"}, **more})


def restore_secret(mesh: Mesh) -> None:
    """A backup brings it back as an earlier object's, without its owner."""
    found = dict(mesh.cluster.raw(SECRET) or {})
    annotations = {**found["metadata"]["annotations"], "clouddatamesh.dev/owner": "DataProduct/sales/orders/uid-of-before"}
    metadata = {"name": SECRET.name, "namespace": SECRET.namespace, "labels": found["metadata"]["labels"], "annotations": annotations}
    mesh.cluster.user_delete(SECRET)
    mesh.cluster.user_apply({**{name: found[name] for name in ("apiVersion", "kind", "type", "data")}, "metadata": metadata})


FLOWS: Final = (
    Flow("a mesh from nothing", nothing, lambda m: m.apply(a_store(), a_domain(resources=limited()), a_product())),
    Flow("a product is added", lambda m: m.apply(a_store(), a_domain()), lambda m: m.apply(a_product())),
    Flow("storage settings change", ready, lambda m: m.apply(a_product(storage={"tags": {"a": "b"}, "versioning": "Suspended"}))),
    Flow(
        "lifecycle rules appear",
        ready,
        lambda m: m.apply(a_product(storage={"lifecycleRules": [{"prefix": "tmp/", "expireAfter": "1d"}]})),
    ),
    Flow("the producer's Secret is renamed", ready, lambda m: m.apply(a_product(producer={"secretName": "other"}))),
    Flow("the producer leaves", ready, lambda m: m.apply(a_product(producer=None))),
    Flow("the producer's Secret is deleted", ready, drop_secret),
    Flow("the producer's Secret is edited", ready, write_secret),
    Flow("the producer's Secret is edited and made immutable", ready, lambda m: write_secret(m, immutable=True)),
    Flow("the producer's Secret is restored", ready, restore_secret),
    Flow("the producer's key is rotated", ready, lambda m: m.apply(annotated(a_product(), rotate="1"))),
    Flow("the bucket drifts", ready, drift_bucket),
    Flow("key and policies drift", ready, drift_keys),
    Flow("a domain's children drift", lambda m: m.apply(a_domain(resources=limited())), drift_children),
    Flow("a domain gets a namespace more", ready, lambda m: m.apply(a_domain(namespaces=[{"name": "sales"}, {"name": "sales-lab"}]))),
    Flow(
        "a domain loses a namespace",
        lambda m: m.apply(a_domain(namespaces=[{"name": "sales"}, {"name": "sales-lab"}])),
        lambda m: m.apply(a_domain(namespaces=[{"name": "sales"}])),
    ),
    Flow("a domain is removed", lambda m: m.apply(a_domain(namespaces=TWO)), lambda m: m.delete("Domain", "sales")),
    Flow(
        "a domain is made again",
        lambda m: m.apply(a_domain(namespaces=TWO)).settle().delete("Domain", "sales"),
        lambda m: m.apply(a_domain(namespaces=TWO)),
    ),
    Flow("label and mark of a namespace are removed", ready, strip_namespace),
    Flow("a profile is written", ready, lambda m: m.apply(a_profile(team=PEOPLE, training=TRAINING))),
    Flow("a foreign profile", lambda m: m.apply(a_domain(namespaces=TWO)), lambda m: m.apply(a_profile(namespace="sales-lab"))),
    Flow("a training ends", lambda m: m.apply(a_domain(team=PEOPLE), a_profile(training=TRAINING)), lambda m: m.clock.forward(days=40)),
    Flow("a team gets rights", ready, lambda m: m.apply(a_domain(team=PEOPLE, access={"fromTeam": True}))),
    Flow(
        "the last day of one member and the first of another pass",
        lambda m: m.apply(a_domain(team=PEOPLE, access={"fromTeam": True, "viewers": [{"kind": "User", "name": "kim"}]})),
        lambda m: m.clock.forward(days=40),
    ),
    Flow(
        "a team loses its rights",
        lambda m: m.apply(a_domain(team=PEOPLE, access={"fromTeam": True})),
        lambda m: m.apply(a_domain(team=PEOPLE, access={})),
    ),
    Flow("limits leave a domain", lambda m: m.apply(a_domain(resources=limited())), lambda m: m.apply(a_domain())),
    Flow(
        "one limit leaves a quota",
        lambda m: m.apply(a_domain(resources={"quota": {"pods": "1", "secrets": "9"}})),
        lambda m: m.apply(a_domain(resources={"quota": {"pods": "1"}})),
    ),
    Flow("a bucket is adopted with consent", preexisting, adopted),
    Flow("an adoption is planned", preexisting, planned),
    Flow("an adopted bucket outlives its product", lent, lambda m: m.delete("DataProduct", "orders", "sales")),
    Flow("a product is made again and takes its bucket back", retained, lambda m: m.apply(a_product())),
    Flow("a product is deleted, its bucket retained", ready, lambda m: m.delete("DataProduct", "orders", "sales")),
    Flow("a product is deleted with its bucket", deletable, lambda m: m.delete("DataProduct", "orders", "sales")),
    Flow(
        "a full bucket is destroyed",
        lambda m: fill(deletable(m, forceDestroy=True).settle()),
        lambda m: m.delete("DataProduct", "orders", "sales"),
    ),
    Flow("a full bucket blocks a deletion", lambda m: fill(deletable(m).settle()), lambda m: m.delete("DataProduct", "orders", "sales")),
    Flow("a blocked deletion is forced", lambda m: fill(deletable(m).settle()), force),
    Flow("everything is deleted", ready, delete_all),
    Flow("everything is deleted, the bucket as well", deletable, delete_all),
)
