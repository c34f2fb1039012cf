"""What a product's look needs to know of other products: who named its bucket first, whose uid lives, how many lost theirs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import selectors
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.plan.adoption import is_made_here
from clouddatamesh.plan.losses import MOST_LOSSES
from clouddatamesh.plan.references import BUCKET, UID
from clouddatamesh.ports import Clock, Cluster
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.parse import read_leniently
from clouddatamesh.status.summarize import condition_of

IN_DOUBT = (reasons.LOSS_UNCONFIRMED, reasons.STORAGE_LOSS_BRAKE, reasons.BUCKET_MISSING, reasons.MARKS_MISSING)
"""Why a product's bucket is in doubt."""
_UNDECIDED = (reasons.LOSS_UNCONFIRMED, reasons.STORAGE_LOSS_BRAKE)
_AT_ONCE = timedelta(minutes=15)
"""What is missing for longer says nothing of what happens now."""
_TOGETHER = timedelta(hours=1)
"""What is lost one after the other within this duration is one loss."""
_EXAMINED: Final = 20
MADE: Final = "Made"
"""The key of all products that have a bucket."""
LOSS: Final = "Loss"
"""Keys of losses: the namespace says since when, the name is that of the ObjectStore."""
_UNDECIDED_NOW, _DOUBTED, _LOST, _MINUTE = "undecided", "in doubt since ", "lost at ", "%Y-%m-%dT%H:%M"


def store_name_of(product: Manifest) -> str | None:
    """The ObjectStore that a product's manifest names, None where it names none."""
    return (((product.get("spec") or {}).get("storage") or {}).get("storeRef") or {}).get("name")


def find_rival(product: DataProduct, cluster: Cluster) -> Key | None:
    """The living product that comes before this one for the same bucket at the same endpoint. Generated names never meet.

    Who had the bucket comes before whoever only names it, however old: a bucket that is gone is still its to restore. Then who began to
    make it, then the older one. Who has no record of it and could not make it now keeps the name from nobody.
    """
    storage = product.spec.storage
    if storage is None or storage.bucket_name is None:
        return None
    endpoint, bucket = _endpoint(storage.store_ref.name, cluster), storage.bucket_name
    metadata, recorded = product.metadata, product.status.storage
    rank = _rank(recorded.phase if recorded is not None and recorded.bucket == bucket else None)
    own = (rank, metadata.creation_timestamp or "", metadata.namespace, metadata.name)
    named = cluster.referring(Key(BUCKET, "", bucket), "DataProduct")
    rivals = (other for other in named if _endpoint(store_name_of(other) or "", cluster) == endpoint)
    before = sorted(place for other in rivals if (place := _precedence(other, bucket)) < own and _is_rival(other, place[0], cluster))
    return Key("DataProduct", *before[0][2:]) if before else None


def _rank(phase: str | None) -> int:
    """By what status says of the bucket: it was had, it is being made, nothing."""
    return {None: 2, "Creating": 1}.get(phase, 0)


def _precedence(product: Manifest, bucket: str) -> tuple[int, str, str, str]:
    metadata, storage = product["metadata"], part_of(part_of(product, "status"), "storage")
    rank = _rank(storage.get("phase") if storage.get("bucket") == bucket else None)
    return (rank, metadata.get("creationTimestamp") or "", metadata["namespace"], metadata["name"])


def _is_rival(product: Manifest, rank: int, cluster: Cluster) -> bool:
    """Whether a product had the bucket, or could make it now: its spec lets it, a Domain takes it, and the store serves that."""
    spec, deleting = part_of(product, "spec"), product["metadata"].get("deletionTimestamp")
    makes = spec.get("lifecycle") != "proposed" and spec.get("mode") in (None, "Manage") and spec.get("suspend") is not True
    home = find_domain(product["metadata"]["namespace"], cluster)
    if rank == 0 or home is None:
        return rank == 0
    takes = rank == 1 or not (home.cordoned or home.deleting)
    return makes and not deleting and takes and _serves(product, home, cluster)


def _serves(product: Manifest, home: Home, cluster: Cluster) -> bool:
    """Whether the product's ObjectStore serves its Domain and makes buckets of that name; one that cannot be read may."""
    found = cluster.get(Key("ObjectStore", "", store_name_of(product) or ""))
    try:
        store = read_leniently(ObjectStore, found) if found is not None else None
    except Terminal:
        return True
    name = str(part_of(part_of(product, "spec"), "storage").get("bucketName"))
    return store is not None and selectors.matches(store.spec.allowed_domains, home.labels) and is_made_here(name, store)


def _endpoint(store: str, cluster: Cluster) -> str:
    found = cluster.get(Key("ObjectStore", "", store)) or {}
    return str((found.get("spec") or {}).get("endpointUrl") or "")


def lives_elsewhere(uid: str | None, product: DataProduct, cluster: Cluster) -> bool:
    """Whether a uid is that of another living product; asked only where a bucket carries another uid than its product's."""
    if not uid or uid == product.metadata.uid:
        return False
    return bool(cluster.naming(Key(UID, "", uid), "DataProduct"))


def count_losses(product: DataProduct, cluster: Cluster, clock: Clock) -> int:
    """How many other products of its store lost their buckets, or are in doubt of them, since a short time; or of how many other stores.

    Where each domain has a store of its own, a fault is seen by the number of stores: one of them more counts as much as one product less.
    Where half of all products lost theirs, every one of them counts: a small mesh has few stores, and few products in each.
    """
    store = product.spec.storage.store_ref.name if product.spec.storage else ""
    near, lost, far = 0, 0, set[str]()
    for place in _places_of_loss(cluster, clock):
        if near >= MOST_LOSSES or len(far) > MOST_LOSSES:
            break
        here = _count_at(place, product, cluster)
        lost += here
        near += here if place.name == store else 0
        far |= {place.name} if here and place.name != store else set()
    others = len(cluster.naming(Key(MADE, "", ""), "DataProduct")) - (product.status.storage is not None)
    most = 2 * (lost + 1) >= others + 1
    return max(near, len(far) - 1, lost if most else 0)


def _count_at(place: Key, product: DataProduct, cluster: Cluster) -> int:
    """How many other products count there. Of very many the first are asked whether they were handed over; the rest count."""
    beyond = len(cluster.naming(place, "DataProduct")) - _EXAMINED
    return sum(1 for _ in _lost_at(place, product, cluster)) + max(beyond, 0)


def _lost_at(place: Key, product: DataProduct, cluster: Cluster) -> Iterator[Key]:
    """Other products that count there, of the first ones."""
    for key in cluster.naming(place, "DataProduct")[:_EXAMINED]:
        other = cluster.get(key)
        if other is None or other["metadata"]["uid"] == product.metadata.uid:
            continue
        if not is_handed_over(_recorded_bucket(other), store_name_of(other), other["metadata"]["uid"], cluster):
            yield key


def _places_of_loss(cluster: Cluster, clock: Clock) -> Iterator[Key]:
    """Where losses that count now are found; by a clock that is not trusted all of them are of now."""
    if not clock.is_trusted():
        yield from cluster.named(LOSS)
        return
    yield from cluster.named(LOSS, _UNDECIDED_NOW)
    for word, window in ((_DOUBTED, _AT_ONCE), (_LOST, _TOGETHER)):
        for minute in range(-1, int(window.total_seconds()) // 60 + 1):
            yield from cluster.named(LOSS, f"{word}{clock.now() - timedelta(minutes=minute):{_MINUTE}}")


def has_bucket(product: Manifest) -> bool:
    """Whether a bucket was made or taken for a product."""
    return bool(_recorded_bucket(product))


def is_handed_over(bucket: str, store: str | None, uid: str, cluster: Cluster) -> bool:
    """Whether another living product than that of `uid` says that a bucket is its own: it took it by a consent, so that is no loss."""
    others = cluster.referring(Key(BUCKET, "", bucket), "DataProduct") if bucket else []
    return any(
        other["metadata"]["uid"] != uid
        and _recorded_bucket(other) == bucket
        and other["status"]["storage"].get("ownershipVerified") is True
        and other["status"]["storage"].get("uid") in (None, other["metadata"]["uid"])
        and store_name_of(other) == store
        for other in others
    )


def _recorded_bucket(product: Manifest) -> str:
    return str(((product.get("status") or {}).get("storage") or {}).get("bucket") or "")


def loss_of(product: Manifest) -> Key | None:
    """The key under which a product's lost or doubtful bucket is counted: by its store, and by the minute since when it is so.

    What nobody has decided yet counts whatever the time.
    """
    found = condition_of(product.get("status") or {}, "StorageReady")
    if found is None or not has_bucket(product) or not (is_in_doubt(product) or _is_lost(product, found)):
        return None
    if found["reason"] in _UNDECIDED:
        when = _UNDECIDED_NOW
    elif found["reason"] == reasons.NOT_OWNED:
        when = f"{_LOST}{_minute_of(product['status']['storage'].get('lossSeenAt'))}"
    else:
        when = f"{_DOUBTED}{_minute_of(found.get('lastTransitionTime'))}"
    return Key(LOSS, when, str(store_name_of(product) or ""))


def _minute_of(time: object) -> str:
    return str(time)[: len("2026-01-01T00:00")]


def _is_lost(product: Manifest, found: Manifest) -> bool:
    """Whether a bucket that was this product's became another's, without anybody's word."""
    storage = (product.get("status") or {}).get("storage") or {}
    return found["reason"] == reasons.NOT_OWNED and found["status"] != "True" and storage.get("phase") not in (None, "Creating")


def is_in_doubt(product: Manifest) -> bool:
    """Whether a product's status says that its bucket is in doubt."""
    found = condition_of(product.get("status") or {}, "StorageReady")
    return found is not None and found["status"] != "True" and found["reason"] in IN_DOUBT
