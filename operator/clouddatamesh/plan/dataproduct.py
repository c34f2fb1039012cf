"""A DataProduct's plan: hold the object, then its bucket, then its producer's credentials; and all of it backwards when it goes."""

from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Terminal, Waiting
from clouddatamesh.model.objects import Event, Key, key_of
from clouddatamesh.model.plan import (
    TAKES_AWAY,
    Announce,
    DeleteBucket,
    EmptyBucket,
    HoldObject,
    Plan,
    ReleaseObject,
    stopped,
)
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.consumers import has_access
from clouddatamesh.plan.credentials import plan_credentials, plan_credentials_removal
from clouddatamesh.plan.ownership import judge
from clouddatamesh.plan.storage import Wish, plan_storage, wish_of

_SHOWN = 5


def plan(product: DataProduct, world: ProductWorld) -> Plan:
    """Everything that differs, whatever the mode; what of it is carried out is `carried_out`'s to say."""
    if product.spec.lifecycle == "proposed" or world.store is None:
        return Plan()
    wish = wish_of(product, world.store, world.settings.mesh)
    if wish is None:
        return Plan()
    if world.domain is not None and world.domain.spec.cordoned and product.status.storage is None:
        return stopped(Waiting(reasons.CORDONED, f"Domain {world.domain.metadata.name} is cordoned and takes no new products"))
    hold = Plan() if marks.is_held(product.metadata.finalizers) else Plan((HoldObject(),))
    storage = plan_storage(wish, world)
    if storage.stop is not None and storage.stop.reason == reasons.NOT_OWNED:
        # The bucket is somebody else's: keys that were made while it was ours must not open it.
        storage = plan_credentials_removal(wish.key, product.metadata.uid, world) + storage
    return hold + storage + plan_credentials(wish, world)


def carried_out(product: DataProduct, full: Plan) -> Plan:
    """What of a plan the product's mode and suspend leave to be done."""
    if product.spec.mode != "Manage":
        return replace(full, operations=())
    if product.spec.suspend:
        return replace(full, operations=tuple(operation for operation in full.operations if isinstance(operation, TAKES_AWAY)))
    return full


def is_forced(product: DataProduct) -> bool:
    """Whether the owner asked that the object goes though something is left behind."""
    return product.metadata.annotations.get(marks.FORCE_ANNOTATION) == product.metadata.name


def plan_deletion(product: DataProduct, world: ProductWorld) -> Plan:
    """Access and credentials first, then the bucket by its policy, then the object."""
    if not marks.is_held(product.metadata.finalizers):
        return Plan()
    if product.spec.suspend and not is_forced(product):
        why = "The product is suspended; set spec.suspend to false to let its deletion go on"
        return stopped(Waiting(reasons.SUSPENDED, why, condition="DeletionBlocked"))
    release = Plan((ReleaseObject(),))
    users = _plan_users_end(product, world)
    if users is not None:
        return users
    wish = wish_of(product, world.store, world.settings.mesh) if world.store else None
    if wish is None:
        return release
    blocker = _blocker(wish, world)
    if blocker is not None and not is_forced(product):
        return stopped(blocker)
    return plan_credentials_removal(wish.key, product.metadata.uid, world) + _plan_bucket_end(wish, world) + release


def _plan_users_end(product: DataProduct, world: ProductWorld) -> Plan | None:
    """Deletion waits for those who have access; forced, until it was taken from them, where the store can still be asked."""
    users = sorted(str(key_of(request)) for request in world.requests if has_access(request))
    if not users or (is_forced(product) and world.store is None):
        return None
    more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
    way_out = (
        "their access is being taken away"
        if is_forced(product)
        else f"have them end, revoke their grants, or cut them off with annotation {marks.FORCE_ANNOTATION}={product.metadata.name}"
    )
    why = f"Access of {', '.join(users[:_SHOWN])}{more}: {way_out}"
    return stopped(Waiting(reasons.IN_USE, why, condition="DeletionBlocked"))


def _blocker(wish: Wish, world: ProductWorld) -> Terminal | None:
    """Why a bucket that is to be deleted cannot be; asked before anything is taken away."""
    if not _is_to_be_deleted(wish, world):
        return None
    if not wish.store.spec.deletion_enabled:
        return _blocked(
            reasons.DELETION_DISABLED,
            f"ObjectStore {wish.store.metadata.name} has deletionEnabled: false, so bucket {wish.name} stays;"
            f" set spec.storage.deletionPolicy to Retain, or keep the bucket with {_force(wish)}",
        )
    contents = world.contents
    if contents is not None and not contents.empty and not wish.storage.force_destroy:
        more = " or more" if contents.more else ""
        return _blocked(
            reasons.BUCKET_NOT_EMPTY,
            f"Bucket {wish.name} holds {contents.versions}{more} versions, {contents.delete_markers} delete markers and"
            f" {contents.uploads} unfinished uploads; empty it, set spec.storage.forceDestroy or deletionPolicy: Retain,"
            f" or keep the bucket with {_force(wish)}",
        )
    return None


def _blocked(reason: str, message: str) -> Terminal:
    return Terminal(reason, message, condition="DeletionBlocked")


def _force(wish: Wish) -> str:
    return f"annotation {marks.FORCE_ANNOTATION}={wish.key.name}"


def _is_to_be_deleted(wish: Wish, world: ProductWorld) -> bool:
    """Only with the policy, in mode Manage, outside a namespace that goes as a whole, and only a bucket that is this product's now."""
    return (
        wish.storage.deletion_policy == "Delete"
        and wish.product.spec.mode == "Manage"
        and not world.namespace_terminating
        and world.bucket is not None
        and judge(wish.product, wish.name, world).verdict in ("Mine", "Made")
    )


def _plan_bucket_end(wish: Wish, world: ProductWorld) -> Plan:
    if world.bucket is None:
        return Plan()
    if is_forced(wish.product) or not _is_to_be_deleted(wish, world):
        return Plan((Announce(Event("Normal", reasons.RETAINED, f"Bucket {wish.name} stays")),))
    if world.contents is None or not world.contents.empty:
        return stopped(Waiting(reasons.EMPTYING, f"Bucket {wish.name} is being emptied"), EmptyBucket(wish.name))
    return Plan((DeleteBucket(wish.name),))


def key_of_product(product: DataProduct) -> Key:
    """The key of a parsed product."""
    return Key("DataProduct", product.metadata.namespace, product.metadata.name)
