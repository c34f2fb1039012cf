"""Taking over a bucket that the mesh never had: which names may be, what it would change and for whom, who has to agree, and what it may
never become. Nothing of such a bucket is destroyed unless its owner's consent says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.bucket import Bucket, LifecycleRule, Openings
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks, moments, names

_MOST_LINES: Final = 64
_LONGEST_LINE: Final = 1024
_OF_THE_MESH: Final = (marks.ROLE_TAG, marks.STORE_TAG, marks.MARKER_TAG, marks.PROBE_TAG)


def may_be_adopted(product: DataProduct, bucket: Bucket) -> bool:
    """Whether the bucket's owner consents to something; whose it is, and whether it may be, is for the plan to say."""
    storage = product.status.storage
    is_new = storage is None or storage.phase == "Creating"
    return is_new and bucket.tag(marks.ADOPT_TAG) is not None and not bucket.is_of_other_account


def find_name_fault(bucket: Bucket, product: DataProduct, store: ObjectStore, mesh: str) -> str:
    """Why a bucket of this name, or with these tags, is never adopted; empty where it may be."""
    own = names.bucket_name(store.spec.bucket_prefix, mesh, Key("DataProduct", product.metadata.namespace, product.metadata.name))
    if any(bucket.tag(tag) is not None for tag in _OF_THE_MESH):
        return f"Bucket {bucket.name} is a mesh's own and is never adopted"
    if bucket.name == own or is_made_here(bucket.name, store):
        return ""
    if names.is_generated(bucket.name):
        return f"Bucket {bucket.name} has a generated name, as other products' buckets have, and is never adopted"
    if not any(names.is_like(bucket.name, pattern) for pattern in store.spec.adoptable_buckets):
        listed = f"spec.adoptableBuckets of ObjectStore {store.metadata.name}"
        return f"Bucket {bucket.name} exists and {listed} does not list its name; have the platform team add it, or choose another name"
    return ""


def is_made_here(name: str, store: ObjectStore) -> bool:
    """Whether a bucket of that name could have been made by a product of the store, which chose its name."""
    return name.startswith(f"{store.spec.bucket_prefix}-") and not names.is_generated(name)


# What may become of it.


def was_adopted(product: DataProduct, bucket: Bucket, store: ObjectStore) -> bool:
    """Whether the bucket existed before the mesh had it, or is about to be adopted, as its tags, its name and status say."""
    storage = product.status.storage
    if bucket.tag(marks.ADOPTED_TAG) is not None or not bucket.name.startswith(f"{store.spec.bucket_prefix}-"):
        return True
    if storage is None or storage.phase == "Creating":
        return bucket.tag(marks.ADOPT_TAG) is not None
    return storage.may_delete is False or (storage.may_delete is None and storage.phase == "Adopted")


def may_delete(product: DataProduct, bucket: Bucket, store: ObjectStore, mesh: str) -> bool:
    """Whether the bucket may be destroyed at all: the mesh made it, or its owner's consent says so. In doubt it may not."""
    consent = f"{mesh}/{product.metadata.namespace}/{product.metadata.name}"
    if marks.consents(bucket.tag(marks.ADOPT_TAG), consent) == marks.MAY_DELETE:
        return True
    told, storage = bucket.tag(marks.ADOPTED_TAG), product.status.storage
    if told is not None:
        # The consent named one product: whom the bucket is handed to has not got it.
        named = (bucket.tag(marks.NAMESPACE_TAG), bucket.tag(marks.NAME_TAG)) == (product.metadata.namespace, product.metadata.name)
        return told == marks.MAY_DELETE and named
    if storage is not None and storage.may_delete is not None:
        return storage.may_delete
    return not was_adopted(product, bucket, store)


def why_kept(product: DataProduct, bucket: Bucket, store: ObjectStore, mesh: str) -> str:
    """Why a bucket of this product's is not destroyed whatever its policy says; empty where nothing speaks for it."""
    heir = bucket.tag(marks.TRANSFER_TAG)
    if heir not in (None, f"{product.metadata.namespace}/{product.metadata.name}"):
        return f"it is handed over to {heir}"
    if not may_delete(product, bucket, store, mesh):
        return "it was adopted, and its owner's consent does not say that it may be deleted"
    return ""


def mark_of(product: DataProduct, bucket: Bucket, store: ObjectStore, mesh: str) -> str | None:
    """The value of the tag that tells of an adoption for good; None for a bucket that the mesh made."""
    if not was_adopted(product, bucket, store):
        return None
    return marks.MAY_DELETE if may_delete(product, bucket, store, mesh) else marks.KEEP


# The plan.


@dataclass(frozen=True)
class Adoption:
    """What an adoption changes, in words, and why it is not done now; None: it is."""

    bucket: str
    lines: tuple[str, ...]
    planned_at: datetime | None
    """Since when it is as it is; None: that does not count yet."""
    stop: MeshError | None = None


def plan_adoption(product: DataProduct, observed: Bucket, want: Bucket, world: ProductWorld) -> Adoption:
    """What would be done, and whether somebody said that it shall be."""
    lines = tuple(line[:_LONGEST_LINE] for line in _lines(product, observed, want, world))[:_MOST_LINES]
    since = _since(product, observed.name, lines, world)
    blocked = _find_block(observed, want, world.openings)
    waits = None if _is_agreed(product, observed.name, since, world) else _ask(product, observed.name, lines)
    return Adoption(observed.name, lines, since, blocked or waits)


def _since(product: DataProduct, name: str, lines: tuple[str, ...], world: ProductWorld) -> datetime | None:
    """A plan that changed is a new one."""
    told = product.status.adoption
    same = told is not None and told.bucket == name and tuple(product.status.plan) == lines
    return moments.begun(parse_time(told.planned_at) if same and told is not None else None, world)


def due_at(product: DataProduct, since: datetime | None) -> datetime | None:
    """When time alone agrees; None where it never does, or does not count yet."""
    delay = product.spec.storage.adoption_delay if product.spec.storage else None
    return since + parse_duration(delay) if delay and since is not None else None


def _is_agreed(product: DataProduct, name: str, since: datetime | None, world: ProductWorld) -> bool:
    if product.metadata.annotations.get(marks.APPLY_PLAN_ANNOTATION) == name:
        return True
    due = due_at(product, since)
    return due is not None and world.is_time_trusted and product.status.adoption is not None and due <= world.now


def _ask(product: DataProduct, name: str, lines: tuple[str, ...]) -> MeshError:
    cut = [line for line in lines if line.startswith(_CUTS)]
    loss = f"; {'; '.join(cut[:5])}" if cut else ""
    why = f"Bucket {name} consents to adoption, and nothing was changed yet: status.plan lists {len(lines)} changes{loss}"
    return Terminal(reasons.ADOPTION_PLANNED, f"{why}; {_way_on(product, name)}")


def _way_on(product: DataProduct, name: str) -> str:
    """Nobody is told to wait for what is not done whatever time passes."""
    word, storage = f"annotation {marks.APPLY_PLAN_ANNOTATION}={name}", product.spec.storage
    held = "spec.suspend is true" if product.spec.suspend else ""
    held = f"spec.mode is {product.spec.mode}" if product.spec.mode != "Manage" else held
    if held:
        return f"none is made while {held}, and then {word} has them made"
    wait = f", or wait for spec.storage.adoptionDelay ({storage.adoption_delay}) to pass" if storage and storage.adoption_delay else ""
    return f"have them made with {word}{wait}"


def _find_block(observed: Bucket, want: Bucket, openings: Openings) -> MeshError | None:
    """What would leave the adoption half done: grants of an ACL, with which a store refuses to let the owner own every object."""
    if not openings.grants or not want.ownership_enforced or observed.ownership_enforced:
        return None
    why = f"The ACL of bucket {observed.name} gives {', '.join(openings.grants)}, which prevents object ownership"
    return Terminal(reasons.ADOPTION_BLOCKED, f"{why}; take these grants off, as by canned ACL private; nothing was changed")


_CUTS: Final = "cuts off "


def _lines(product: DataProduct, observed: Bucket, want: Bucket, world: ProductWorld) -> Iterator[str]:
    name = observed.name
    yield from _cuts(observed, want, world.openings)
    yield f"take bucket {name}, which existed, for this product: ownership tags are added"
    region = world.region
    if region is not None and world.store is not None and region[0] != world.store.spec.region:
        yield f"the bucket is in region {region[0]}, and the ObjectStore's is {world.store.spec.region}"
    yield from _tag_lines(observed, want)
    yield from _setting_lines(observed, want)
    yield from _rule_lines(observed, want)
    if product.spec.producer is not None:
        yield f"issue credentials to write bucket {name} into Secret {product.spec.producer.secret_name}"
    if world.store is not None and not may_delete(product, observed, world.store, world.settings.mesh):
        yield f"bucket {name} is never emptied or deleted, whatever deletionPolicy says"
    else:
        yield f"bucket {name} may be deleted with this product by its deletionPolicy, as the consent says"


def _cuts(observed: Bucket, want: Bucket, openings: Openings) -> Iterator[str]:
    """Who reads the bucket now and will not: each by what it rests on."""
    closes = bool(want.public_access_blocked) and not observed.public_access_blocked
    if closes or (want.ownership_enforced and not observed.ownership_enforced):
        yield from (f"{_CUTS}those who read by the bucket's ACL: {grant}" for grant in openings.grants)
    if closes:
        yield from (f"{_CUTS}everybody, whom the bucket's policy lets in: statement {sid}" for sid in openings.statements)
    if openings.website and (closes or (want.policy and observed.policy != want.policy)):
        yield f"{_CUTS}those who read the bucket's website"
    yield from (f"{_CUTS}perhaps more, for this could not be read: {what}" for what in openings.unread)


def _tag_lines(observed: Bucket, want: Bucket) -> Iterator[str]:
    """Tags decide costs and, by conditions of policies, access."""
    for key, value in want.tags:
        before = observed.tag(key)
        if not key.startswith(f"{marks.GROUP}/") and before != value:
            yield f"add tag {key}" if before is None else f"replace the value of tag {key}"


def _setting_lines(observed: Bucket, want: Bucket) -> Iterator[str]:
    if want.public_access_blocked and not observed.public_access_blocked:
        yield "block public access"
    if want.ownership_enforced and not observed.ownership_enforced:
        yield "let the bucket's owner own every object: ACLs of objects do not count any more"
    missing = [statement.sid for statement in want.policy or () if statement not in (observed.policy or ())]
    if missing:
        yield f"add to the bucket's policy: {', '.join(missing)}"
    if want.encryption and observed.encryption is None:
        yield f"encrypt new objects with {want.encryption}"
    if want.versioning and want.versioning != observed.versioning:
        yield f"set versioning from {observed.versioning} to {want.versioning}"


def _rule_lines(observed: Bucket, want: Bucket) -> Iterator[str]:
    """Rules remove what is there already, too."""
    for rule in want.lifecycle or ():
        if rule.enabled and rule not in (observed.lifecycle or ()):
            yield f"expire by a lifecycle rule, objects that are there already included: {_age(rule)}"


def _age(rule: LifecycleRule) -> str:
    what = {
        "objects": rule.expire_days,
        "old versions": rule.expire_noncurrent_days,
        "unfinished uploads": rule.abort_uploads_days,
    }
    told = ", ".join(f"{name} after {days}d" for name, days in what.items() if days is not None)
    return f"below {rule.prefix or 'the whole bucket'}: {told}"
