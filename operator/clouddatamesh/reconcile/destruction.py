"""The last question before data is destroyed: read live, not from a cache that may be behind."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Waiting
from clouddatamesh.model.evidence import Present, require
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.adoption import why_kept
from clouddatamesh.plan.fates import agreed_fate
from clouddatamesh.plan.ownership import judge, others_marks
from clouddatamesh.plan.wish import bucket_of
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.places import Place
from clouddatamesh.reconcile.visit import Visit


def check_destruction(visit: Visit, place: Place, world: ProductWorld) -> Callable[[bool], None]:
    """A check that raises where the bucket of a deleted product must not be deleted, or emptied where it is told so, now.

    `world` is as the plan was made of it; the product, its namespace and store, and the bucket are read again.
    """

    def check(empties: bool) -> None:
        fault = _find_fault(visit, place, world, empties=empties)
        if fault is not None:
            raise fault

    return check


def _find_fault(visit: Visit, place: Place, world: ProductWorld, *, empties: bool) -> MeshError | None:
    cluster, key = visit.ports.cluster, visit.key
    product = require(cluster.read(key))
    namespace = require(cluster.read(Key("Namespace", "", key.namespace)))
    if product is None or product["metadata"]["uid"] != visit.uid or not product["metadata"].get("deletionTimestamp"):
        return _keep("the product is not the one that is being deleted")
    if namespace is None or namespace["metadata"].get("deletionTimestamp"):
        return _keep("its namespace is being deleted as a whole", reasons.NAMESPACE_TERMINATING)
    read = parse(DataProduct, product)
    if read.spec.storage is None or read.spec.mode != "Manage" or not _may_go(read, empties=empties):
        return _keep("spec does not say that it may be deleted")
    store = require(cluster.read(Key("ObjectStore", "", read.spec.storage.store_ref.name)))
    if store is None or not _may_delete(store):
        return _keep("its ObjectStore has deletionEnabled: false, or was given up with its contents", reasons.DELETION_DISABLED)
    return _find_other_owner(read, parse(ObjectStore, store), place, world)


def _may_go(product: DataProduct, *, empties: bool) -> bool:
    """Whether the product as it is now lets its bucket go, with what is in it where that is to go."""
    fate = agreed_fate(product)
    wanted = fate == "Destroy" if empties else fate != "Retain"
    return wanted and not product.spec.suspend and not marks.is_orphaned(product.metadata)


def _may_delete(store: Manifest) -> bool:
    """A store that is being deleted waits for its products, so it must not keep them from going."""
    return (store.get("spec") or {}).get("deletionEnabled") is True and not marks.is_given_up(parse(ObjectStore, store))


def _find_other_owner(read: DataProduct, store: ObjectStore, place: Place, world: ProductWorld) -> MeshError | None:
    """By the rule of the plan, on what is there now. It is destroyed on positive evidence alone; a mark that is missing is none."""
    name = bucket_of(read, store, world.settings.mesh)
    world = replace(world, store=store, bucket=place.buckets.observe_marks(name))
    if judge(read, name, world).verdict == "MarksMissing":
        world = replace(world, bucket=place.buckets.observe(name))  # the witness is among the lifecycle rules
    if not isinstance(world.bucket, Present) or world.bucket.value.is_of_other_account:
        return _keep("the bucket was not read as this product's")
    bucket, verdict = world.bucket.value, judge(read, name, world).verdict
    if verdict == "Released":
        return _keep("its owner let the bucket go")
    if verdict not in ("Mine", "Made"):
        way_out = f"put its tags back, or keep the bucket with annotation {marks.ORPHAN_ANNOTATION}={read.metadata.name}"
        alien = others_marks(read, bucket, world)
        return _keep(f"its {_tags(alien)} not this product's; {way_out}" if alien else f"nothing on it proves whose it is; {way_out}")
    why = why_kept(read, bucket, store, world.settings.mesh)
    return _keep(why) if why else None


def _tags(found: Sequence[str]) -> str:
    return f"tag{'s' if len(found) > 1 else ''} {', '.join(found)} {'are' if len(found) > 1 else 'is'}"


def _keep(why: str, reason: str = reasons.CONFLICT) -> MeshError:
    return Waiting(reason, f"The bucket is kept for now: {why}")
