"""What a product's look needs to know of other products: who named its bucket first, whose uid lives, how many lost theirs."""

from collections.abc import Iterator

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.ports import Cluster
from clouddatamesh.status.summarize import condition_of

IN_DOUBT = (reasons.LOSS_UNCONFIRMED, reasons.STORAGE_LOSS_BRAKE, reasons.BUCKET_MISSING, reasons.MARKS_MISSING)
"""Why a product's bucket is in doubt."""


def store_name_of(product: Manifest) -> str | None:
    """The ObjectStore that a product's manifest names, None where it names none."""
    return (((product.get("spec") or {}).get("storage") or {}).get("storeRef") or {}).get("name")


def find_rival(product: DataProduct, cluster: Cluster) -> Key | None:
    """The older living product that names the same bucket at the same endpoint. Generated names never meet."""
    storage = product.spec.storage
    if storage is None or storage.bucket_name is None:
        return None
    endpoint = _endpoint(storage.store_ref.name, cluster)
    own = (product.metadata.creation_timestamp or "", product.metadata.namespace, product.metadata.name)
    others = sorted(
        (other["metadata"].get("creationTimestamp") or "", key.namespace, key.name)
        for other in cluster.referring(Key("Bucket", "", storage.bucket_name), "DataProduct")
        if (key := key_of(other)) and other["metadata"]["uid"] != product.metadata.uid
        if _endpoint(store_name_of(other) or "", cluster) == endpoint
    )
    first = others[0] if others else None
    return Key("DataProduct", first[1], first[2]) if first is not None and first < own else None


def _endpoint(store: str, cluster: Cluster) -> str:
    found = cluster.get(Key("ObjectStore", "", store)) or {}
    return str((found.get("spec") or {}).get("endpointUrl") or "")


def lives_elsewhere(uid: str | None, product: DataProduct, cluster: Cluster) -> bool:
    """Whether a uid is that of another living product; asked only where a bucket carries another uid than its product's."""
    if not uid or uid == product.metadata.uid:
        return False
    return any(other["metadata"]["uid"] == uid for other in cluster.list("DataProduct"))


def count_losses(product: DataProduct, cluster: Cluster) -> int:
    """How many other products of the same store have a bucket in doubt."""
    store = product.spec.storage.store_ref.name if product.spec.storage else ""
    return sum(1 for other in _siblings(store, cluster) if other["metadata"]["uid"] != product.metadata.uid and is_in_doubt(other))


def is_in_doubt(product: Manifest) -> bool:
    """Whether a product's status says that its bucket is in doubt."""
    found = condition_of(product.get("status") or {}, "StorageReady")
    return found is not None and found["status"] != "True" and found["reason"] in IN_DOUBT


def _siblings(store: str, cluster: Cluster) -> Iterator[Manifest]:
    yield from cluster.referring(Key("ObjectStore", "", store), "DataProduct")
