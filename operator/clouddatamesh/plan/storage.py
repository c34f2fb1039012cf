"""The bucket of a product: what it should be, and the writes that lead there in an order in which it is never reachable and unprotected."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Present, Unknown
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.store_operations import AdoptBucket, CreateBucket, MarkBucket, UpdateBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import features, lent, marks, names, policies
from clouddatamesh.plan.adoption import Adoption, mark_of, may_delete, plan_adoption
from clouddatamesh.plan.diff import diff_bucket
from clouddatamesh.plan.marks import Owner
from clouddatamesh.plan.ownership import Claim, judge
from clouddatamesh.plan.regions import region_of


@dataclass(frozen=True)
class Wish:
    """A product's storage request, taken apart once."""

    product: DataProduct
    storage: Storage
    store: ObjectStore
    owner: Owner
    region: str
    """Of the bucket: as it was read, or as the store makes it."""

    @property
    def key(self) -> Key:
        return self.owner.key

    @property
    def name(self) -> str:
        """Name of the bucket."""
        return bucket_of(self.product, self.store, self.owner.mesh)


def wish_of(product: DataProduct, world: ProductWorld) -> Wish | None:
    """The wish of a product, None where it asks for no storage or there is no store to ask."""
    if product.spec.storage is None or world.store is None:
        return None
    return Wish(product, product.spec.storage, world.store, owner_of(product, world), region_of(product, world.store, world)[0])


def owner_of(product: DataProduct, world: ProductWorld) -> Owner:
    """The marks of a product."""
    metadata = product.metadata
    return Owner(
        mesh=world.settings.mesh,
        cluster=world.cluster,
        key=Key("DataProduct", metadata.namespace, metadata.name),
        uid=metadata.uid,
        domain=world.home.name if world.home else "",
        namespace_uid=world.namespace_uid,
    )


def bucket_of(product: DataProduct, store: ObjectStore, mesh: str) -> str:
    """The name of a product's bucket: chosen, recorded, or generated."""
    key = Key("DataProduct", product.metadata.namespace, product.metadata.name)
    chosen = product.spec.storage.bucket_name if product.spec.storage else None
    recorded = product.status.storage.bucket if product.status.storage else None
    return chosen or recorded or names.bucket_name(store.spec.bucket_prefix, mesh, key)


def plan_storage(wish: Wish, world: ProductWorld) -> Steps:
    """Make, take over or repair the bucket; stop where it is not ours, or not seen."""
    if isinstance(world.bucket, Unknown):
        return stopped(world.bucket.error)
    claim = judge(wish.product, wish.name, world)
    if claim.verdict in _STOPS:
        return stopped(_loss(wish, claim, world))
    lacking = _plan_lacking(wish)
    if lacking is not None:
        return lacking
    if claim.verdict == "Absent":
        return _plan_making(wish)
    assert isinstance(world.bucket, Present)  # noqa: S101 - every other verdict was reached by reading it
    adoption = planned_adoption(wish, world)
    if adoption is not None and adoption.stop is not None:
        return stopped(adoption.stop)
    return Steps(_settle(wish, world.bucket.value, claim), _find_excess(wish, world.bucket.value))


def planned_adoption(wish: Wish, world: ProductWorld) -> Adoption | None:
    """The plan of an adoption, None where the bucket is not one that consents and never was the mesh's."""
    if not isinstance(world.bucket, Present) or not judge(wish.product, wish.name, world).is_new:
        return None
    return plan_adoption(wish.product, world.bucket.value, want_bucket(wish, world.bucket.value), world)


_STOPS: Final = {
    "Foreign": reasons.NOT_OWNED,
    "Missing": reasons.BUCKET_MISSING,
    "MarksMissing": reasons.MARKS_MISSING,
    "Released": reasons.RELEASED,
}
MOST_LOSSES: Final = 3
"""So many products of a store whose buckets were lost within an hour, and it is a fault of a store, of a tool, or of ours."""
_CONFIRMED: Final = timedelta(seconds=30)


def is_lost(wish: Wish, world: ProductWorld) -> bool:
    """Whether the bucket that was this product's is positively another's: then keys that were made for it must not open it.

    Marks of somebody else must have been seen twice, and not on many buckets within an hour. Consent needs no second look, nor does a
    product that had nothing there: what its name has in the store is left of an earlier one, or of a lost cluster.
    """
    if not was_ours(wish.product):
        return not isinstance(world.bucket, Unknown) and _is_anothers(judge(wish.product, wish.name, world))
    loss = find_loss(wish, world)
    return loss is not None and loss.reason in (reasons.RELEASED, reasons.NOT_OWNED)


def _is_anothers(claim: Claim) -> bool:
    return claim.verdict == "Released" or (claim.verdict == "Foreign" and claim.positive)


def was_ours(product: DataProduct) -> bool:
    """Whether the bucket was read back as this product's before, or keys were made for it: also where it is just being made again."""
    storage = product.status.storage
    return storage is not None and (storage.phase != "Creating" or product.status.producer is not None)


def find_loss(wish: Wish, world: ProductWorld) -> MeshError | None:
    """Why a bucket that was this product's is not any more, whatever else keeps the product from being served; None where it is not lost.

    Somebody else's marks, seen once or confirmed; or the tag by which its owner lets it go.
    """
    if isinstance(world.bucket, Unknown) or not was_ours(wish.product):
        return None
    claim = judge(wish.product, wish.name, world)
    return _loss(wish, claim, world) if _is_anothers(claim) else None


def _loss(wish: Wish, claim: Claim, world: ProductWorld) -> MeshError:
    """Why the bucket is not taken for this product's, and what comes of that."""
    if claim.verdict != "Foreign" or not was_ours(wish.product):
        return Terminal(_STOPS[claim.verdict], claim.why)
    if not claim.positive:
        return Terminal(reasons.MARKS_MISSING, f"{claim.why}; credentials are kept, nothing is written")
    doubt = _doubt(wish, world)
    return doubt(claim.why) if doubt is not None else Terminal(reasons.NOT_OWNED, claim.why)


def _doubt(wish: Wish, world: ProductWorld) -> Callable[[str], MeshError] | None:
    """What speaks against believing at once that a bucket is somebody else's now."""
    before = next((c for c in wish.product.status.conditions if c.type == "StorageReady"), None)
    storage = wish.product.status.storage
    since = parse_time(storage.loss_seen_at) if storage is not None and storage.loss_seen_at else None
    seen_twice = since is not None and world.is_time_trusted and world.now - since >= _CONFIRMED
    if before is not None and before.reason == reasons.NOT_OWNED and seen_twice:
        return None  # it was confirmed before
    braked = (storage is not None and storage.loss_braked) or world.losses >= MOST_LOSSES - 1
    if braked and not world.handed_over:
        # Time alone never ends the brake, however many of the others were put right: somebody says what is meant.
        return lambda why: Terminal(
            reasons.STORAGE_LOSS_BRAKE,
            f"{MOST_LOSSES} products of one store, or of several stores, lost their buckets within an hour, so nothing is taken."
            f" {why}; put the tags back, or let this one go with bucket tag"
            f" {marks.RELEASED_TAG}={wish.key.namespace}/{wish.key.name}",
        )
    if seen_twice:
        return None
    return lambda why: Waiting(reasons.LOSS_UNCONFIRMED, f"{why}; it is looked at once more before credentials are taken")


def _plan_lacking(wish: Wish) -> Steps | None:
    missing = features.missing_of(wish.store)
    if wish.storage.lifecycle_rules and b.LIFECYCLE not in features.settings_of(wish.store):
        missing = (*missing, b.LIFECYCLE)
    if not missing:
        return None
    said = features.messages_of(wish.store)
    why = "; ".join(f"{name} ({said.get(name) or 'not found'})" for name in missing)
    return stopped(
        Terminal(
            reasons.CAPABILITY_MISSING,
            f"ObjectStore {wish.store.metadata.name} cannot do what is required: {why}",
        )
    )


def _plan_making(wish: Wish) -> Steps:
    """Recorded, made, marked after one more look, then made safe."""
    fault = _name_fault(wish)
    if fault:
        return stopped(Terminal(reasons.INVALID_SPEC, fault))
    blank = b.Bucket(name=wish.name, policy=(), versioning="Off", lifecycle=())
    want = want_bucket(wish, blank)
    marked = replace(blank, tags=want.tags)
    return Steps((_record(wish), CreateBucket(replace(blank, region=wish.store.spec.region)), MarkBucket(want), *_updates(marked, want)))


def _name_fault(wish: Wish) -> str:
    chosen, prefix = wish.storage.bucket_name, wish.store.spec.bucket_prefix
    if chosen is None:
        return ""
    if not chosen.startswith(f"{prefix}-"):
        why = f"spec.storage.bucketName {chosen} must begin with {prefix}-, the prefix of ObjectStore {wish.store.metadata.name}"
        return f"{why}, since there is no bucket of that name: one without the prefix is adopted, never made"
    if names.is_generated(chosen):
        return f"spec.storage.bucketName {chosen} looks like a generated name; end it with something other than 16 letters and digits"
    return ""


def _record(wish: Wish) -> Record:
    located = {
        "bucket": wish.name,
        "region": wish.store.spec.region,
        **({"regionFrom": "Bucket"} if features.is_aws(wish.store) else {}),
        "endpoint": wish.store.spec.endpoint_url or "",
        "phase": "Creating",
        "ownershipVerified": False,
        **recreated(wish.product),
        **({"storeId": wish.store.status.store_id} if wish.store.status.store_id else {}),
    }
    return Record((("storage", located),))


def recreated(product: DataProduct) -> dict[str, str]:
    """The consent to a loss that is there now: once the bucket was made, it counts no more."""
    told = product.metadata.annotations.get(marks.RECREATE_ANNOTATION, "")[:256]
    return {"lastHandledRecreate": told} if told else {}


def _settle(wish: Wish, bucket: b.Bucket, claim: Claim) -> tuple[Operation, ...]:
    want = want_bucket(wish, bucket)
    updates = _updates(bucket, want)
    if claim.verdict == "Made":
        return (MarkBucket(want), *_updates(replace(bucket, tags=want.tags), want))
    if not claim.takes_over:
        return updates
    note = f"Bucket {bucket.name} existed and is this product's now ({claim.verdict.lower()})"
    marking = UpdateBucket(want, "tags")
    adopting = (AdoptBucket(want, bucket.tags) if update == marking else update for update in updates)
    return (*adopting, Announce(Event("Normal", reasons.ADOPTED, note)))


def _updates(observed: b.Bucket, want: b.Bucket) -> tuple[Operation, ...]:
    """Foreign statements stay and may let everybody in: with public access blocked no such policy is taken, so it is written before."""
    delta = diff_bucket(observed, want)
    if observed.foreign_statements:
        delta = tuple(sorted(delta, key=lambda path: path == "publicAccessBlock"))
    return tuple(UpdateBucket(want, path) for path in delta)


def want_bucket(wish: Wish, observed: b.Bucket) -> b.Bucket:
    """The bucket as it should be, with what is foreign on it carried over."""
    on, kept = features.settings_of(wish.store), _is_lent(wish, observed)
    return replace(
        observed,
        tags=_want_tags(wish, observed, kept=kept),
        public_access_blocked=True if b.BLOCK_PUBLIC_ACCESS in on else None,
        ownership_enforced=True if b.OBJECT_OWNERSHIP in on else None,
        policy=policies.tls_only(wish.name, partition=features.partition_of(wish.store)) if b.TLS_ONLY in on else None,
        encryption=(observed.encryption or "AES256") if b.ENCRYPTION in on else None,
        versioning=lent.versioning(wish.storage, observed, kept=kept) if b.VERSIONING in on else None,
        lifecycle=lent.rules(wish.storage, wish.owner.uid, kept=kept) if b.LIFECYCLE in on else None,
    )


def _is_lent(wish: Wish, observed: b.Bucket) -> bool:
    """Whether the bucket's owner did not say that anything in it may be deleted."""
    return not may_delete(wish.product, observed, wish.store, wish.owner.mesh)


def _find_excess(wish: Wish, observed: b.Bucket) -> MeshError | None:
    """What spec asks for that would remove or replace something of a bucket that is only lent: all else is done, and this is said."""
    asked = lent.find_excess(wish.storage, observed) if _is_lent(wish, observed) else ()
    if not asked:
        return None
    why = f"Bucket {observed.name} was adopted, and its owner's consent does not say that anything of it may be removed or replaced, as"
    way_out = "would; take that out, or have its owner consent with ;may-delete"
    return Terminal(reasons.ADOPTION_BLOCKED, f"{why} {' and '.join(asked)} {way_out}")


def _want_tags(wish: Wish, observed: b.Bucket, *, kept: bool) -> b.Tags:
    if observed.tag(marks.TRANSFER_TAG) not in (None, f"{wish.key.namespace}/{wish.key.name}"):
        return observed.tags  # the platform team hands it over to another: whose tags are written meanwhile is not ours to say
    old = wish.product.status.storage
    formerly_ours = set(old.managed_tags) if old and not kept else set()
    passing = {marks.ADOPT_TAG, marks.TRANSFER_TAG, marks.ADOPTED_TAG}
    foreign = {key: value for key, value in observed.tags if key not in formerly_ours | passing}
    adopted = mark_of(wish.product, observed, wish.store, wish.owner.mesh)
    lasting = {marks.ADOPTED_TAG: adopted} if adopted else {}
    return tuple(sorted({**foreign, **lent.tags(wish.storage, observed, kept=kept), **dict(wish.owner.tags), **lasting}.items()))
