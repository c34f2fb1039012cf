"""An ObjectStore's plan: the mesh's own bucket in it, which says whose store it is, and the probe of what it can do."""

from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal, Waiting
from clouddatamesh.model.bucket import Bucket, Tags
from clouddatamesh.model.objects import Event
from clouddatamesh.model.plan import (
    Announce,
    CreateBucket,
    HoldObject,
    Operation,
    Plan,
    ProbeStore,
    Record,
    ReleaseObject,
    UpdateBucket,
    stopped,
)
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.sweep import plan_sweep

_SHOWN: Final = 5
_ROLE_TAG: Final = f"{marks.GROUP}/role"


def plan(store: ObjectStore, world: StoreWorld) -> Plan:
    """Hold the object, find or make the mesh's bucket, probe, sweep."""
    hold = Plan() if marks.is_held(store.metadata.finalizers) else Plan((HoldObject(),))
    return hold + _plan_mesh_bucket(store, world) + _plan_probe(store, world) + plan_sweep(store, world)


def mesh_bucket_of(store: ObjectStore, world: StoreWorld) -> str:
    """The name of the mesh's own bucket in a store."""
    return names.mesh_bucket_name(store.spec.bucket_prefix, world.settings.mesh)


def _plan_mesh_bucket(store: ObjectStore, world: StoreWorld) -> Plan:
    name = mesh_bucket_of(store, world)
    want = Bucket(name=name, region=store.spec.region, tags=_mesh_tags(world))
    if world.mesh_bucket is None:
        return _plan_making(store, want)
    tags = dict(world.mesh_bucket.tags)
    if tags.get(marks.MESH_TAG) == world.settings.mesh and tags.get(marks.CLUSTER_TAG) == world.cluster_uid:
        return Plan()
    return _plan_claim(store, world.mesh_bucket, want, world)


def _plan_making(store: ObjectStore, want: Bucket) -> Plan:
    recreate = store.metadata.annotations.get(marks.RECREATE_ANNOTATION) == want.name
    if store.status.bucket == want.name and store.status.bucket_phase == "Owned" and not recreate:
        why = (
            f"Bucket {want.name} of this mesh is not at this endpoint, so it is not the store that it was: set spec.endpointUrl back, or,"
            f" where its data is lost, annotate {marks.RECREATE_ANNOTATION}={want.name}"
        )
        return stopped(Terminal(reasons.NOT_THE_SAME_STORE, why))
    return Plan((_record(want, "Creating"), CreateBucket(want), UpdateBucket(want, "tags")))


def _record(want: Bucket, phase: str) -> Record:
    return Record((("bucket", want.name), ("bucketPhase", phase)))


def _plan_claim(store: ObjectStore, observed: Bucket, want: Bucket, world: StoreWorld) -> Plan:
    """The bucket exists and does not carry this cluster's mark: interrupted by ourselves, a rebuilt cluster, or somebody else."""
    tags = dict(observed.tags)
    other = tags.get(marks.CLUSTER_TAG)
    interrupted = not tags and store.status.bucket == want.name and store.status.bucket_phase == "Creating"
    rebuilt = tags.get(marks.MESH_TAG) == world.settings.mesh and other is not None and store.spec.take_over_from == other
    if interrupted or rebuilt:
        return Plan((UpdateBucket(want, "tags"),))
    if other is not None:
        why = (
            f"Bucket {want.name} says that this mesh is served by the cluster with UID {other}; where that cluster is gone for good,"
            f" set spec.takeOverFrom to {other}; else give this operator another mesh name"
        )
        return stopped(Terminal(reasons.STORE_IN_USE, why))
    why = f"Bucket {want.name} exists and carries no mark of this mesh; remove it or choose another spec.bucketPrefix"
    return stopped(Terminal(reasons.NOT_OWNED, why))


def _mesh_tags(world: StoreWorld) -> Tags:
    tags = {marks.MESH_TAG: world.settings.mesh, marks.CLUSTER_TAG: world.cluster_uid, _ROLE_TAG: "mesh"}
    return tuple(sorted(tags.items()))


def _plan_probe(store: ObjectStore, world: StoreWorld) -> Plan:
    probe: tuple[Operation, ...] = (
        ProbeStore(names.scratch_bucket_name(store.spec.bucket_prefix, world.settings.mesh, store.metadata.name)),
    )
    return Plan(probe) if is_probe_due(store, world) else Plan()


def is_probe_due(store: ObjectStore, world: StoreWorld) -> bool:
    """Once per generation and operator version, and when the last one is a day old."""
    status = store.status
    if not world.capabilities or status.probed_generation != store.metadata.generation or status.probed_version != world.settings.version:
        return not world.freshly_probed
    oldest = min((found.checked_at for found in status.capabilities if found.checked_at), default="")
    return not world.freshly_probed and (not oldest or world.now - datetime.fromisoformat(oldest) > world.settings.probe_interval)


def plan_deletion(store: ObjectStore, world: StoreWorld) -> Plan:
    """Wait for those who use the store; its buckets stay, the mesh's own too, which keeps other clusters off what is retained."""
    if not marks.is_held(store.metadata.finalizers):
        return Plan()
    if not world.users:
        return Plan((ReleaseObject(),))
    shown = ", ".join(str(key) for key in sorted(world.users)[:_SHOWN])
    more = f" and {len(world.users) - _SHOWN} more" if len(world.users) > _SHOWN else ""
    if store.metadata.annotations.get(marks.FORCE_ANNOTATION) != store.metadata.name:
        why = (
            f"Deletion waits for {shown}{more}; delete these first, or leave their buckets and keys behind with annotation"
            f" {marks.FORCE_ANNOTATION}={store.metadata.name}"
        )
        return stopped(Waiting(reasons.IN_USE, why, condition="DeletionBlocked"))
    left = f"Left behind in the store, with their keys: the buckets of {shown}{more}"
    return Plan((Announce(Event("Warning", reasons.RETAINED, left)), ReleaseObject()))
