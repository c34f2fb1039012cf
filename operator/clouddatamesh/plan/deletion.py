"""A DataProduct's deletion: what it waits for, and the order in which access, credentials, bucket and object go."""

from dataclasses import replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Absent, Present, Unknown, value_of
from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce, ReleaseObject
from clouddatamesh.model.plan import Part, Plan, Steps, stopped
from clouddatamesh.model.store_operations import CheckDestruction, DeleteBucket, EmptyBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks, selectors
from clouddatamesh.plan.access.consumers import has_access, may_have_access
from clouddatamesh.plan.access.facts import words_of
from clouddatamesh.plan.access.inbox import plan_inbox
from clouddatamesh.plan.adoption import why_kept
from clouddatamesh.plan.credentials import CONDITION, plan_credentials, plan_removal, plan_surplus
from clouddatamesh.plan.dataproduct import STORAGE_READY, is_as_it_was, plan_formers, plan_kept, plan_taking
from clouddatamesh.plan.fates import agreed_fate, fate_of, is_refused_for_long
from clouddatamesh.plan.losses import find_loss, is_lost
from clouddatamesh.plan.ownership import judge
from clouddatamesh.plan.takeover import plan_former
from clouddatamesh.plan.wish import Wish, wish_of

BLOCKED: Final = "DeletionBlocked"
ENDING: Final = "deletion"
_FOREGROUND: Final = "foregroundDeletion"
"""The finalizer of the cluster's garbage collector."""
_DOUBT: Final = "either the store did not answer for them yet, or what a lost cluster gave them works on"


def is_cut_off(product: DataProduct) -> bool:
    """Whether the owner ends the consumers' access."""
    annotations = product.metadata.annotations
    return product.metadata.name in (*words_of(annotations.get(marks.CUT_OFF_ANNOTATION)), annotations.get(marks.FORCE_ANNOTATION))


def plan_deletion(product: DataProduct, world: ProductWorld) -> Plan:
    """Access and credentials first, then the bucket by its policy, then the object."""
    if not marks.is_held(product.metadata.finalizers):
        return Plan()
    users, end = _plan_users_end(product, world), _plan_end(product, world)
    abandons = (Part("abandoning", _plan_abandoning(product, world), BLOCKED, after=("users",), instead_of=ENDING),)
    waits = users.stop is not None or any(part.name == ENDING and part.stop is not None and not part.operations for part in end)
    return Plan(
        (
            *(_plan_waiting(product, world) if waits else ()),
            Part("inbox", plan_inbox(product, world) if world.inbox is not None else Steps()),
            Part("users", users, BLOCKED),
            *end,
            *(abandons if _gives_up(product, world) and _was_blocked(product) else ()),
        )
    )


def _plan_waiting(product: DataProduct, world: ProductWorld) -> tuple[Part, ...]:
    """However long a deletion waits, its data and its consumers live: what ends is taken, and the bucket is protected as before.

    Keys do not open a bucket that is another's meanwhile; its consumers read that in StorageReady.
    """
    wish = wish_of(product, world)
    if wish is None:
        return ()
    loss = find_loss(wish, world)
    repairs = product.spec.mode == "Manage" and not product.spec.suspend
    storage = stopped(loss) if loss is not None else plan_kept(wish, world) if repairs else Steps()
    # What cannot be read is not for that reason unwanted.
    taking = plan_taking(wish, world) if world.is_readable or is_lost(wish, world) else plan_surplus(wish, world)
    return (
        Part("taking", taking, CONDITION, each=True),
        Part("taken over", plan_formers(wish, world), CONDITION, each=True),
        Part("storage", storage, STORAGE_READY, minor=loss is None),
        Part(
            "kept credentials", _plan_kept_credentials(wish, world) if repairs and loss is None else Steps(), CONDITION, after=("storage",)
        ),
    )


def _plan_kept_credentials(wish: Wish, world: ProductWorld) -> Steps:
    """Those who write go on as long as the deletion waits: a Secret that went is back, where its user is there and its bucket is as it was.

    The garbage collector takes the Secret in a foreground deletion, and again until it has removed its own finalizer.
    """
    served = world.home is not None and selectors.matches(wish.store.spec.allowed_domains, world.home.labels)
    ends = world.namespace_terminating or _FOREGROUND in wish.product.metadata.finalizers
    if ends or not served or not isinstance(world.principal, Present):
        return Steps()
    return plan_credentials(wish, world, is_safe=is_as_it_was(wish, world))


def _was_blocked(product: DataProduct) -> bool:
    """Whether the look before could not end it either: nothing is left behind for one call that failed."""
    return any(found.type == BLOCKED and found.status == "True" for found in product.status.conditions)


def _gives_up(product: DataProduct, world: ProductWorld) -> bool:
    """Whether the product goes although something may be left in its store."""
    return world.abandoned or marks.is_orphaned(product.metadata)


def _plan_end(product: DataProduct, world: ProductWorld) -> tuple[Part, ...]:
    """One part that says what is waited for; else what may still be destroyed is checked, credentials go, then bucket and object."""
    gives_up = _gives_up(product, world)
    wish = wish_of(product, world)
    blocker = _blocker(wish, world) if wish is not None else _unreached(product, world)
    if product.spec.suspend and not gives_up:
        why = "The product is suspended; set spec.suspend to false to let its deletion go on"
        return _ending(stopped(Waiting(reasons.SUSPENDED, why)))
    if gives_up and not _is_reached(world):
        return _ending(_plan_abandoning(product, world))
    if product.status.storage is None and product.status.producer is None:
        return _ending(Steps((ReleaseObject(),)))
    if wish is None or (blocker is not None and not gives_up):
        assert blocker is not None  # noqa: S101 - without a wish there is one
        return _ending(stopped(blocker))
    destroys = not gives_up and _is_to_be_deleted(wish, world)
    return _plan_removal(wish, world, destroys=destroys, gives_up=gives_up)


def _ending(steps: Steps, *after: str) -> tuple[Part, ...]:
    return (Part(ENDING, steps, BLOCKED, after=("users", *after)),)


def _plan_removal(wish: Wish, world: ProductWorld, *, destroys: bool, gives_up: bool) -> tuple[Part, ...]:
    """Nothing is taken for a bucket that turns out to stay; and the bucket goes only once nobody has keys to it."""
    contents = value_of(world.contents)
    empties = contents is not None and not contents.empty
    credentials = plan_removal(wish.product, world)
    former = plan_former(world.formers, world.settings.mesh, wish.key, ends=True)
    takes = bool(credentials.operations or former.operations)
    check = Steps((CheckDestruction(wish.name, empties),)) if destroys and takes else Steps()
    last = Steps() if takes else _plan_bucket_end(wish, world, gives_up=gives_up)
    return (
        Part("check", check, BLOCKED, after=("users",)),
        Part("credentials", credentials, BLOCKED, after=("users", "check"), each=True),
        Part("former", former, BLOCKED, after=("users", "check"), each=True),
        *_ending(last, "check", "credentials", "former"),
    )


def _unreached(product: DataProduct, world: ProductWorld) -> MeshError:
    """Why nothing is known of what was made: its ObjectStore is gone or cannot be read, or spec does not say which one it is."""
    if isinstance(world.bucket, Unknown):
        return world.bucket.error
    why = "spec.storage cannot be read, and something was made for it; correct it, or, to leave bucket and keys behind, annotate"
    return Waiting(reasons.UNREADABLE, f"{why} {marks.ORPHAN_ANNOTATION}={product.metadata.name}")


def _is_reached(world: ProductWorld) -> bool:
    """Whether the store was asked and answered for everything that may be left there."""
    return not world.abandoned and world.store is not None and not isinstance(world.principal, Unknown)


def _plan_abandoning(product: DataProduct, world: ProductWorld) -> Steps:
    """The store is given up: what may be left in it is listed, what is in the cluster goes."""
    removal = Steps(plan_removal(product, replace(world, principal=Absent())).operations)
    left = []
    if product.status.storage is not None:
        left.append(f"bucket {product.status.storage.bucket}")
    if product.status.producer is not None:
        left.append(f"principal {product.status.producer.principal} with its keys")
    told = (Announce(Event("Warning", reasons.ABANDONED, f"Left in the store: {' and '.join(left)}")),) if left else ()
    return removal + Steps((*told, ReleaseObject()))


def _plan_users_end(product: DataProduct, world: ProductWorld) -> Steps:
    """Deletion waits for those who have access; cut off, until it was taken from them. Who they are is for the inbox's readers.
    A suspended product waits for that first. One that is given up waits only for those of whom access is known, in a store that answers.
    """
    count, maybe = sum(map(has_access, world.requests)), sum(map(may_have_access, world.requests))
    gives_up, name = _gives_up(product, world), product.metadata.name
    if not maybe or (gives_up and not (count and _is_reached(world))) or (product.spec.suspend and not gives_up):
        return Steps()
    if not count:
        return stopped(Waiting(reasons.IN_USE, f"{maybe} requests may still have access: {_DOUBT}. {_ways_out(product)}"))
    way_out = (
        "their access is being taken away"
        if is_cut_off(product)
        else f"have them end, revoke their grants, or cut them off with annotation {marks.CUT_OFF_ANNOTATION}={name}"
    )
    return stopped(
        Waiting(reasons.IN_USE, f"{count} requests still have access, which AccessInbox {product.metadata.name} lists: {way_out}")
    )


def _ways_out(product: DataProduct) -> str:
    name, orphan = product.metadata.name, f"to leave behind what may be there, annotate {marks.ORPHAN_ANNOTATION}={product.metadata.name}"
    if is_cut_off(product):
        return f"That is being ended; {orphan}"
    return f"The store is asked again by itself; to end it now, annotate {marks.CUT_OFF_ANNOTATION}={name}; {orphan}"


def _blocker(wish: Wish, world: ProductWorld) -> MeshError | None:
    """Why a bucket that is to be deleted cannot be; asked before anything is taken away."""
    if isinstance(world.bucket, Unknown) and agreed_fate(wish.product) != "Retain":
        return world.bucket.error
    if not _is_to_be_deleted(wish, world):
        return None
    if not wish.store.spec.deletion_enabled:
        return Terminal(
            reasons.DELETION_DISABLED,
            f"ObjectStore {wish.store.metadata.name} has deletionEnabled: false, so bucket {wish.name} stays;"
            f" set spec.storage.deletionPolicy to Retain, or keep the bucket with {_orphan(wish)}",
        )
    if isinstance(world.contents, Unknown):
        return world.contents.error
    contents = value_of(world.contents)
    if contents is not None and not contents.empty and agreed_fate(wish.product) != "Destroy":
        more = " or more" if contents.more else ""
        return Terminal(
            reasons.BUCKET_NOT_EMPTY,
            f"Bucket {wish.name} holds {contents.versions}{more} versions, {contents.delete_markers} delete markers and"
            f" {contents.uploads} unfinished uploads; empty it, set spec.storage.deletionPolicy to Retain, or keep the bucket with"
            f" {_orphan(wish)} (spec.storage.forceDestroy counts only if it was set before the deletion)",
        )
    return None


def _orphan(wish: Wish) -> str:
    return f"annotation {marks.ORPHAN_ANNOTATION}={wish.key.name}"


def _is_to_be_deleted(wish: Wish, world: ProductWorld) -> bool:
    """Only with the policy, in mode Manage, outside a namespace that goes as a whole, and only a bucket that is this product's now."""
    return (
        agreed_fate(wish.product) != "Retain"
        and wish.product.spec.mode == "Manage"
        and not world.namespace_terminating
        and isinstance(world.bucket, Present)
        and judge(wish.product, wish.name, world).verdict in ("Mine", "Made")
        and not why_kept(wish.product, world.bucket.value, wish.store, wish.owner.mesh)
    )


def _plan_bucket_end(wish: Wish, world: ProductWorld, *, gives_up: bool) -> Steps:
    if isinstance(world.bucket, Absent):
        return Steps((ReleaseObject(),))
    if gives_up or not _is_to_be_deleted(wish, world):
        kept = value_of(world.bucket)
        why = _why_kept(wish, kept, world) if kept and not gives_up and fate_of(wish.product) != "Retain" else ""
        return Steps((Announce(Event("Normal", reasons.RETAINED, f"Bucket {wish.name} stays{why and f': {why}'}")), ReleaseObject()))
    contents = value_of(world.contents)
    if contents is None or not contents.empty:
        return stopped(Waiting(reasons.EMPTYING, f"Bucket {wish.name} is being emptied"), EmptyBucket(wish.name))
    way_out = f"keep the bucket with {_orphan(wish)}" if is_refused_for_long(wish.product, world.now) else ""
    return Steps((DeleteBucket(wish.name, way_out), ReleaseObject()))


def _why_kept(wish: Wish, bucket: Bucket, world: ProductWorld) -> str:
    """What keeps a bucket that spec wants deleted: whose it is, who gave it, or that spec came too late."""
    claim = judge(wish.product, wish.name, world)
    if why := claim.why or why_kept(wish.product, bucket, wish.store, wish.owner.mesh):
        return why
    late = "spec.storage.deletionPolicy was not in effect yet, as the edit was refused by a policy or had not been looked at"
    return late if agreed_fate(wish.product) == "Retain" else ""
