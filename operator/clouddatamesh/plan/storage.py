"""The bucket of a product: what it should be, and the writes that lead there in an order in which it is never reachable and unprotected."""

from dataclasses import dataclass, replace
from math import ceil

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_duration
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.plan import Announce, CreateBucket, Operation, Plan, Record, UpdateBucket, stopped
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import features, marks, names, policies
from clouddatamesh.plan.diff import diff_bucket
from clouddatamesh.plan.ownership import Claim, judge

_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Wish:
    """A product's storage request, taken apart once."""

    product: DataProduct
    storage: Storage
    store: ObjectStore
    name: str
    mesh: str

    @property
    def key(self) -> Key:
        return Key("DataProduct", self.product.metadata.namespace, self.product.metadata.name)


def wish_of(product: DataProduct, store: ObjectStore, mesh: str) -> Wish | None:
    """The wish of a product, None where it asks for no storage."""
    if product.spec.storage is None:
        return None
    return Wish(product, product.spec.storage, store, bucket_of(product, store, mesh), mesh)


def bucket_of(product: DataProduct, store: ObjectStore, mesh: str) -> str:
    """The name of a product's bucket: chosen, or generated."""
    key = Key("DataProduct", product.metadata.namespace, product.metadata.name)
    chosen = product.spec.storage.bucket_name if product.spec.storage else None
    return chosen or names.bucket_name(store.spec.bucket_prefix, mesh, key)


def plan_storage(wish: Wish, world: ProductWorld) -> Plan:
    """Make, take over or repair the bucket; stop where it is not ours."""
    claim = judge(wish.product, wish.name, world)
    if claim.verdict == "Foreign":
        return stopped(Terminal(reasons.NOT_OWNED, claim.why, condition="StorageReady"))
    if claim.verdict == "Missing":
        return stopped(Terminal(reasons.BUCKET_MISSING, claim.why, condition="StorageReady"))
    lacking = _plan_lacking(wish)
    if lacking is not None:
        return lacking
    if claim.verdict == "Absent":
        return _plan_making(wish)
    assert world.bucket is not None  # noqa: S101 - every other verdict was reached by reading it
    return Plan(_settle(wish, world.bucket, claim))


def _plan_lacking(wish: Wish) -> Plan | None:
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
            condition="StorageReady",
        )
    )


def _plan_making(wish: Wish) -> Plan:
    fault = _name_fault(wish)
    if fault:
        return stopped(Terminal(reasons.INVALID_SPEC, fault, condition="StorageReady"))
    blank = b.Bucket(name=wish.name, policy=(), versioning="Off", lifecycle=())
    return Plan(
        (
            _record(wish),
            CreateBucket(replace(blank, region=wish.store.spec.region)),
            *_updates(blank, want_bucket(wish, blank)),
        )
    )


def _name_fault(wish: Wish) -> str:
    chosen, prefix = wish.storage.bucket_name, wish.store.spec.bucket_prefix
    if chosen is None:
        return ""
    if not chosen.startswith(f"{prefix}-"):
        return f"spec.storage.bucketName {chosen} must begin with {prefix}-, the prefix of ObjectStore {wish.store.metadata.name}"
    if names.is_generated(chosen):
        return f"spec.storage.bucketName {chosen} looks like a generated name; end it with something other than 16 letters and digits"
    return ""


def _record(wish: Wish) -> Record:
    located = {
        "bucket": wish.name,
        "region": wish.store.spec.region,
        "endpoint": wish.store.spec.endpoint_url or "",
        "phase": "Creating",
        "ownershipVerified": False,
    }
    return Record((("storage", located),))


def _settle(wish: Wish, bucket: b.Bucket, claim: Claim) -> tuple[Operation, ...]:
    updates = _updates(bucket, want_bucket(wish, bucket))
    if not claim.takes_over:
        return updates
    note = f"Bucket {bucket.name} existed and is this product's now ({claim.verdict.lower()})"
    return (*updates, Announce(Event("Normal", reasons.ADOPTED, note)))


def _updates(observed: b.Bucket, want: b.Bucket) -> tuple[Operation, ...]:
    return tuple(UpdateBucket(want, path) for path in diff_bucket(observed, want))


def want_bucket(wish: Wish, observed: b.Bucket) -> b.Bucket:
    """The bucket as it should be, with what is foreign on it carried over."""
    on = features.settings_of(wish.store)
    return replace(
        observed,
        tags=_want_tags(wish, observed),
        public_access_blocked=True if b.BLOCK_PUBLIC_ACCESS in on else None,
        ownership_enforced=True if b.OBJECT_OWNERSHIP in on else None,
        policy=(policies.tls_only(wish.name),) if b.TLS_ONLY in on else None,
        encryption="AES256" if b.ENCRYPTION in on else None,
        versioning=wish.storage.versioning if b.VERSIONING in on else None,
        lifecycle=_want_rules(wish.storage) if b.LIFECYCLE in on else None,
    )


def _want_tags(wish: Wish, observed: b.Bucket) -> b.Tags:
    old = wish.product.status.storage
    formerly_ours = set(old.managed_tags) if old else set()
    foreign = {key: value for key, value in observed.tags if key not in formerly_ours | {marks.ADOPT_TAG, marks.TRANSFER_TAG}}
    ours = dict(marks.owner_tags(wish.mesh, wish.key, wish.product.metadata.uid))
    return tuple(sorted({**foreign, **wish.storage.tags, **ours}.items()))


def _want_rules(storage: Storage) -> tuple[b.LifecycleRule, ...]:
    return tuple(
        sorted(
            b.LifecycleRule(
                id=f"{b.PREFIX}-{names.hash80(rule.prefix or '')}",
                prefix=rule.prefix or "",
                expire_days=_days(rule.expire_after),
                expire_noncurrent_days=_days(rule.expire_noncurrent_after),
                abort_uploads_days=_days(rule.abort_uploads_after),
            )
            for rule in storage.lifecycle_rules
        )
    )


def _days(duration: str | None) -> int | None:
    return ceil(parse_duration(duration).total_seconds() / _DAY) if duration else None
