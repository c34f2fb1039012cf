"""Hostile acts against buckets that others made or lent, on the fakes and so without any admission policy; nothing in them may be lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from clouddatamesh.model import bucket as b
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks, names
from clouddatamesh.storage.memory import MemoryStore
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_domain, a_product, a_store, annotated
from tests.support.mesh import Mesh

Act = Callable[[Mesh], object]
PRODUCT: Final = Key("DataProduct", "sales", "orders")
LENT, THEIRS = "legacy-orders", "legacy-payroll"
CONSENT: Final = "acme/sales/orders"
DESTROY: Final[dict[str, Any]] = {"deletionPolicy": "Delete", "forceDestroy": True}
MESHS, PROBES = names.mesh_bucket_name("acme", "acme"), names.scratch_bucket_name("acme", "acme", "main")
BY_CONSENT, BY_NAME, BY_MARK = "the consent tag, which tenants cannot write", "the names that are generated", "the tag of an adoption"


@dataclass(frozen=True)
class Theft:
    """What somebody does, which bucket it is aimed at, and what stops it."""

    what: str
    bucket: str
    act: Act
    by: str
    lent: bool = False
    """The bucket was lent to the product before, without leave to delete."""


def store_of(mesh: Mesh) -> MemoryStore:
    return mesh.stores.at(ENDPOINT)


def a_realm() -> Mesh:
    """A store of which every name may be adopted, and two buckets of others with data: one lent, one not."""
    mesh = Mesh().apply(a_store(adoptableBuckets=["*"]), a_domain(), a_domain("inventory")).settle()
    for bucket, tags in ((LENT, ((marks.ADOPT_TAG, CONSENT),)), (THEIRS, (("team", "payroll"),))):
        store_of(mesh).put_bucket(b.Bucket(bucket, tags=tags))
        store_of(mesh).put_object(bucket, count=3)
    return mesh


def lend(mesh: Mesh) -> None:
    """The product takes what was lent to it."""
    mesh.apply(taking(LENT, **DESTROY)).settle()


def taking(bucket: str, name: str = "orders", namespace: str = "sales", **storage: Any) -> dict[str, Any]:
    """A product that wants a bucket and agrees to whatever the plan says."""
    wish = {"bucketName": bucket, "adoptionPolicy": "IfConsented", **storage}
    return annotated(a_product(name, namespace, storage=wish), apply_plan=bucket)


def retag(mesh: Mesh, bucket: str, **tags: str) -> None:
    """Somebody who may write tags adds some."""
    held = store_of(mesh).buckets[bucket]
    ours = {f"{marks.GROUP}/{name.replace('_', '-')}": value for name, value in tags.items()}
    held.bucket = replace(held.bucket, tags=tuple(sorted({**dict(held.bucket.tags), **ours}.items())))


def consenting(bucket: str, word: str) -> Act:
    def act(mesh: Mesh) -> None:
        retag(mesh, bucket, adopt_by=word)
        mesh.apply(taking(bucket))

    return act


def strip_and_take(mesh: Mesh) -> None:
    """Another product's bucket loses its marks, and seems to consent."""
    mesh.apply(a_product("margins", "inventory")).settle()
    bucket = mesh.bucket_of("margins", "inventory")
    store_of(mesh).put_object(bucket, count=3)
    held = store_of(mesh).buckets[bucket]
    held.bucket = replace(held.bucket, tags=((marks.ADOPT_TAG, CONSENT),), lifecycle=())
    mesh.apply(taking(bucket))


def forge_status(mesh: Mesh) -> None:
    """Somebody writes into status that the mesh made the bucket, and deletes the product."""
    status = dict(mesh.product()["status"])
    status["storage"] = {**status["storage"], "phase": "Owned", "mayDelete": True, "deletion": "Destroy"}
    mesh.cluster.write_status(PRODUCT, mesh.product()["metadata"]["uid"], status)
    mesh.delete("DataProduct", "orders", "sales")


def strip_and_remake(mesh: Mesh) -> None:
    """The finalizer is taken off, the product goes and is made again, and deleted as one that came back."""
    mesh.cluster.write_finalizer(PRODUCT, mesh.product()["metadata"]["uid"], False)
    mesh.delete("DataProduct", "orders", "sales").settle()
    mesh.apply(a_product(storage={"bucketName": LENT, **DESTROY})).settle().delete("DataProduct", "orders", "sales")


def hand_on(mesh: Mesh) -> None:
    """The bucket goes to a product that never adopted anything, and that is deleted."""
    retag(mesh, LENT, transfer_to="inventory/heir")
    mesh.apply(a_product("heir", "inventory", storage={"bucketName": LENT, **DESTROY})).settle()
    mesh.clock.forward(minutes=1)
    mesh.settle().delete("DataProduct", "heir", "inventory").delete("DataProduct", "orders", "sales")


def give_and_destroy(mesh: Mesh) -> None:
    retag(mesh, LENT, transfer_to="inventory/heir", adopted=marks.MAY_DELETE)
    mesh.delete("DataProduct", "orders", "sales")


def take_back(mesh: Mesh) -> None:
    """A leave to delete that was taken back before the product goes."""
    retag(mesh, LENT, adopt_by=f"{CONSENT};may-delete")
    mesh.settle()
    retag(mesh, LENT, adopted=marks.KEEP)
    mesh.delete("DataProduct", "orders", "sales")


def follow(mesh: Mesh) -> None:
    """A second product names the bucket that consents to the first."""
    mesh.apply(taking(LENT, "follower", **DESTROY)).settle().delete("DataProduct", "follower", "sales")


THEFTS: Final = (
    Theft("a product agrees to the plan of a bucket that nobody lent", THEIRS, lambda mesh: mesh.apply(taking(THEIRS)), BY_CONSENT),
    Theft("a product takes a bucket that consents to another product", THEIRS, consenting(THEIRS, "acme/sales/returns"), BY_CONSENT),
    Theft("a product takes a bucket that consents to its name in another mesh", THEIRS, consenting(THEIRS, "b/sales/orders"), BY_CONSENT),
    Theft("a product takes a bucket whose consent only begins with its name", THEIRS, consenting(THEIRS, f"{CONSENT}-2"), BY_CONSENT),
    Theft("a product takes a bucket that would let it delete, and not adopt", THEIRS, consenting(THEIRS, ";may-delete"), BY_CONSENT),
    Theft("the mesh's own bucket seems to consent", MESHS, consenting(MESHS, CONSENT), BY_NAME),
    Theft("the bucket of the probe seems to consent", PROBES, consenting(PROBES, CONSENT), BY_NAME),
    Theft("another product's bucket lost its marks and seems to consent", "acme-margins-*", strip_and_take, BY_NAME),
    Theft("a second product takes what was lent to the first, and goes", LENT, follow, BY_CONSENT, lent=True),
    Theft("an adopted bucket is to be destroyed with its product", LENT,
          lambda mesh: mesh.delete("DataProduct", "orders", "sales"), BY_MARK, lent=True),
    Theft("status is forged to say that the mesh made an adopted bucket", LENT, forge_status, BY_MARK, lent=True),
    Theft("the product of an adopted bucket is forced away, recreated and destroyed", LENT, strip_and_remake, BY_MARK, lent=True),
    Theft("an adopted bucket is destroyed by the product that it was handed to", LENT, hand_on, BY_MARK, lent=True),
    Theft("leave to delete an adopted bucket is used after it was taken back", LENT, take_back, BY_MARK, lent=True),
    Theft("a bucket that may be deleted is destroyed after it was handed over", LENT, give_and_destroy, "the tag of the hand-over",
          lent=True),
    Theft("the domain of an adopted bucket's product goes as a whole", LENT,
          lambda mesh: mesh.delete("DataProduct", "orders", "sales").delete("Domain", "sales"), BY_MARK, lent=True),
)  # fmt: skip
