"""The bucket of a product: what it should be, and the writes that lead there in an order in which it is never reachable and unprotected."""

from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Present, Unknown, value_of
from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce, HoldObject, Record
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.store_operations import CreateBucket, MarkBucket, UpdateBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import features, lent, marks, names, policies
from clouddatamesh.plan.adoption import Adoption, mark_of, may_delete, plan_adoption
from clouddatamesh.plan.cautious import cautious
from clouddatamesh.plan.diff import diff_bucket
from clouddatamesh.plan.losses import STOPS, explain_loss
from clouddatamesh.plan.ownership import Claim, judge
from clouddatamesh.plan.wish import Wish


def plan_storage(wish: Wish, world: ProductWorld) -> Steps:
    """Make, take over or repair the bucket; stop where it is not ours, or not seen."""
    if isinstance(world.bucket, Unknown):
        return stopped(world.bucket.error)
    claim = judge(wish.product, wish.name, world)
    if claim.verdict in STOPS:
        return stopped(explain_loss(wish, claim, world))
    lacking = _plan_lacking(wish)
    if lacking is not None:
        # A store that became unable to do one thing still protects by the others what is there.
        return Steps(_settle(wish, had, claim, world) if (had := had_bucket(wish, world)) else ()) + lacking
    if claim.verdict == "Absent":
        return _plan_making(wish)
    assert isinstance(world.bucket, Present)  # noqa: S101 - every other verdict was reached by reading it
    adoption = planned_adoption(wish, world)
    if adoption is not None and adoption.stop is not None:
        return stopped(adoption.stop)
    return Steps(_settle(wish, world.bucket.value, claim, world))


def had_bucket(wish: Wish, world: ProductWorld) -> b.Bucket | None:
    """The bucket that is there, where it is the product's and was made or adopted to its end before."""
    told, bucket = wish.product.status.storage, value_of(world.bucket)
    is_had = bucket is not None and told is not None and told.phase != "Creating"
    return bucket if is_had and judge(wish.product, wish.name, world).verdict == "Mine" else None


def plan_hold(product: DataProduct, storage: Steps) -> Steps:
    """The finalizer, before the first outside write and for as long as there is a record."""
    wanted = bool(storage.operations) or product.status.storage is not None
    return Steps((HoldObject(),)) if wanted and not marks.is_held(product.metadata.finalizers) else Steps()


def plan_excess(wish: Wish, world: ProductWorld) -> Steps:
    """What spec asks for beyond what may be done to a bucket that is only lent. It is told, and keeps nothing else from being done."""
    if not isinstance(world.bucket, Present) or judge(wish.product, wish.name, world).verdict != "Mine":
        return Steps()
    return Steps((), _find_excess(wish, world.bucket.value))


def planned_adoption(wish: Wish, world: ProductWorld) -> Adoption | None:
    """The plan of an adoption, None where the bucket is not one that consents and never was the mesh's."""
    if not isinstance(world.bucket, Present) or not judge(wish.product, wish.name, world).is_new:
        return None
    return plan_adoption(wish.product, world.bucket.value, want_bucket(wish, world.bucket.value), world)


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
        "uid": wish.product.metadata.uid,
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


def _settle(wish: Wish, bucket: b.Bucket, claim: Claim, world: ProductWorld) -> tuple[Operation, ...]:
    want = want_bucket(wish, bucket)
    if world.denied:
        want = cautious(want, bucket)
    updates = _updates(bucket, want)
    if claim.verdict == "Made":
        return (MarkBucket(want), *_updates(replace(bucket, tags=want.tags), want))
    if not claim.takes_over:
        return updates
    note = f"Bucket {bucket.name} existed and is this product's now ({claim.verdict.lower()})"
    return (*updates, Announce(Event("Normal", reasons.ADOPTED, note)))


def _updates(observed: b.Bucket, want: b.Bucket) -> tuple[Operation, ...]:
    """Foreign statements stay and may let everybody in: with public access blocked no such policy is taken, so it is written before."""
    delta = diff_bucket(observed, want)
    if observed.foreign_statements:
        delta = tuple(sorted(delta, key=lambda path: path == "publicAccessBlock"))
    return tuple(UpdateBucket(want, path, observed.tags if path == "tags" else None) for path in delta)


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
