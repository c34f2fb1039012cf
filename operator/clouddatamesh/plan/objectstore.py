"""An ObjectStore's plan: the marks by which it is known again, the probe of what it can do, and principals that nobody owns."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.bucket import IDENTITIES, PREFIX, Bucket, Tags
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.operations import HoldObject, Record
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, stopped
from clouddatamesh.model.store_operations import CreateBucket, CreatePrincipal, DeleteKey, DeletePolicy, MarkBucket, UpdateBucket
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.binding import surplus_rights
from clouddatamesh.plan.probe import plan_probe
from clouddatamesh.plan.sweep import plan_sweep
from clouddatamesh.plan.takeover import UNCLAIMED, plan_unclaimed

IDENTIFIED: Final = "Identified"
CREDENTIALS: Final = "CredentialsValid"


def plan(store: ObjectStore, world: StoreWorld) -> Plan:
    """Hold the object, see that this is the store that it was, probe, sweep."""
    if isinstance(world.account, Unknown):
        return Plan((Part("account", stopped(world.account.error), CREDENTIALS),))
    strange = find_strangeness(store, world)
    if strange is not None:
        return Plan((Part("account", stopped(strange), IDENTIFIED),))
    if world.unreadable is not None:
        return Plan((Part("spec", stopped(world.unreadable)),))
    hold = Steps(() if marks.is_held(store.metadata.finalizers) else (HoldObject(),))
    bucket, marker = _plan_mesh_bucket(store, world), _plan_marker(store, world)
    return Plan(
        (
            Part("hold", hold),
            Part("bucket", bucket, IDENTIFIED, after=("hold",)),
            Part("marker", marker, IDENTIFIED, after=("hold", "bucket")),
            Part("probe", plan_probe(store, world), after=("hold", "bucket")),
            *(plan_sweep(store, world) if bucket == marker == Steps() else ()),
            Part("unclaimed", plan_unclaimed(store, world), UNCLAIMED, after=("bucket", "marker"), each=True, minor=True),
        )
    )


def is_marked(store: ObjectStore, world: StoreWorld) -> bool:
    """Whether the marks by which the store is known again are as they are to be."""
    return _plan_mesh_bucket(store, world) == _plan_marker(store, world) == Steps()


def find_strangeness(store: ObjectStore, world: StoreWorld) -> MeshError | None:
    """Why this is not the store, or not the mesh, that status speaks of: then nothing is made, marked or taken."""
    recorded, name = store.status.bucket, mesh_bucket_of(store, world)
    if recorded is not None and store.status.bucket_phase == "Owned" and recorded != name:
        whose = f" {store.status.mesh}" if store.status.mesh else ""
        why = (
            f"ObjectStore {store.metadata.name} belongs to mesh{whose} (bucket {recorded}), and this operator serves {world.settings.mesh}"
        )
        return Terminal(reasons.OTHER_MESH, f"{why}; set the operator's mesh back, or make another ObjectStore")
    return find_other_account(store, world.account.value if not isinstance(world.account, Absent | Unknown) else "")


def find_other_account(store: ObjectStore, account: str) -> MeshError | None:
    """The error where credentials are of another account than the one in which everything was made."""
    recorded = store.status.account
    if not recorded or not account or account in (recorded, store.metadata.annotations.get(marks.ACCOUNT_ANNOTATION)):
        return None
    why = f"The credentials of ObjectStore {store.metadata.name} are of account {account}, and its buckets are of account {recorded}"
    return Terminal(
        reasons.NOT_THE_SAME_STORE,
        f"{why}; set the Secret back, or accept the account with annotation {marks.ACCOUNT_ANNOTATION}={account}",
    )


def mesh_bucket_of(store: ObjectStore, world: StoreWorld) -> str:
    """The name of the mesh's own bucket in a store."""
    return names.mesh_bucket_name(store.spec.bucket_prefix, world.settings.mesh)


def mesh_tags(mesh: str, cluster: str, **more: str) -> Tags:
    """The tags of the mesh's own bucket, and of its marker."""
    return tuple(sorted({marks.MESH_TAG: mesh, marks.CLUSTER_TAG: cluster, marks.ROLE_TAG: "mesh", **more}.items()))


def store_id_of(store: ObjectStore, world: StoreWorld) -> str:
    """Which store this is: as it was recorded, as its bucket says, or from now on as the ObjectStore that first led to it.

    What a bucket says counts against the record only as `is_same_store` says.
    """
    seen = world.mesh_bucket.value.tag(marks.STORE_TAG) if isinstance(world.mesh_bucket, Present) else None
    recorded = store.status.store_id
    if seen is None and recorded is not None and is_begun_again(store, world) and not world.is_marked_still:
        return f"{store.metadata.uid}-{names.hash80('store', recorded, store.metadata.annotations[marks.RECREATE_ANNOTATION])}"
    return (seen or recorded if is_same_store(store, world) else recorded or seen) or store.metadata.uid


def is_begun_again(store: ObjectStore, world: StoreWorld) -> bool:
    """Whether somebody accepted the loss of the mesh's bucket and it is not made and marked again yet, or is a lost cluster's still.

    Then what is there may be another store, in which nothing of what was recorded is: it gets an id of its own.
    """
    going = isinstance(world.mesh_bucket, Absent) or store.status.bucket_phase == "Creating" or _is_of_lost(store, world)
    return going and _is_accepted(store, mesh_bucket_of(store, world))


def recorded_marker(store: ObjectStore, world: StoreWorld) -> str | None:
    """The marker of the recorded store, where it would prove that a lost bucket is all that is lost: IAM and S3 are at one place."""
    spec, recorded = store.spec, store.status.store_id
    is_one_place = spec.iam_endpoint_url in (None, spec.endpoint_url)
    if recorded is None or not is_one_place or not is_begun_again(store, world):
        return None
    return names.marker_name(world.settings.mesh, world.cluster, recorded)


def marker_of(store: ObjectStore, world: StoreWorld) -> str:
    """The name of the user that marks the IAM endpoint of this store; another store of the mesh has another."""
    return names.marker_name(world.settings.mesh, world.cluster, store_id_of(store, world))


def _bucket_tags(store: ObjectStore, world: StoreWorld) -> Tags:
    """What the mesh's bucket is to say: whose it is, which store, and which marker belongs to it once that was seen."""
    marker = marker_of(store, world)
    told = {marks.STORE_TAG: store_id_of(store, world), **({marks.MARKER_TAG: marker} if _is_marker_seen(world) else {})}
    return mesh_tags(world.settings.mesh, world.cluster, **told)


def is_mesh_bucket(bucket: Bucket, mesh: str, cluster: str) -> bool:
    """Whether a bucket says that it is the mesh's own, and this cluster's."""
    return bucket.tag(marks.MESH_TAG) == mesh and bucket.tag(marks.CLUSTER_TAG) == cluster


def is_marker(principal: Principal, mesh: str, cluster: str) -> bool:
    """Whether a user is the marker: its path says of which mesh and cluster."""
    return principal.path == names.principal_path(mesh, cluster)


def _plan_mesh_bucket(store: ObjectStore, world: StoreWorld) -> Steps:
    name = mesh_bucket_of(store, world)
    want = Bucket(name=name, region=store.spec.region, tags=_bucket_tags(store, world))
    if isinstance(world.mesh_bucket, Unknown):
        return stopped(world.mesh_bucket.error)
    if isinstance(world.mesh_bucket, Absent):
        return _plan_making(store, want)
    observed = world.mesh_bucket.value
    ours = is_mesh_bucket(observed, world.settings.mesh, world.cluster)
    if not ours and not _is_of_lost(store, world):
        return _plan_claim(store, observed, want, world)
    if not is_same_store(store, world):
        told = f"says that this is store {observed.tag(marks.STORE_TAG)}" if observed.tag(marks.STORE_TAG) else "is a lost cluster's"
        why = f"Bucket {want.name} {told}, and this mesh's buckets are in store {store.status.store_id}"
        way_out = f"set the endpoints back, or, where its data is lost, annotate {marks.next_consent(store.metadata, want.name)}"
        return stopped(Terminal(reasons.NOT_THE_SAME_STORE, f"{why}: {way_out}"))
    if not ours:
        return _plan_claim(store, observed, want, world)
    lacking = dict(want.tags).items() - dict(observed.tags).items()
    whole = replace(want, tags=tuple(sorted({**dict(observed.tags), **dict(want.tags)}.items())))
    return Steps((UpdateBucket(whole, "tags", observed.tags),)) if lacking else Steps()


def is_same_store(store: ObjectStore, world: StoreWorld) -> bool:
    """Whether the mesh's bucket does not show that this is another store than the recorded one, or that was accepted.

    An ObjectStore that was made again, led elsewhere and was set back is at home where its users' records are, and none is elsewhere.
    """
    other = world.mesh_bucket.value.tag(marks.STORE_TAG) if isinstance(world.mesh_bucket, Present) else None
    recorded, users = store.status.store_id, world.recorded_stores
    if recorded in (None, other) or _is_accepted(store, mesh_bucket_of(store, world)):
        return True
    if other is None:
        return not _is_of_lost(store, world)
    return other in users and recorded not in users


def _is_of_lost(store: ObjectStore, world: StoreWorld) -> bool:
    """Whether the mesh's bucket is a lost cluster's still: nothing that this cluster recorded as made is in its store."""
    tags = dict(world.mesh_bucket.value.tags) if isinstance(world.mesh_bucket, Present) else {}
    return tags.get(marks.MESH_TAG) == world.settings.mesh and tags.get(marks.CLUSTER_TAG) in store.spec.take_over_from


def has_identities(world: StoreWorld) -> bool:
    """Whether the store has users."""
    return any(found.name == IDENTITIES and found.verdict == "Yes" for found in world.capabilities)


def _is_accepted(store: ObjectStore, name: str) -> bool:
    return marks.accepts_loss(store.metadata, name, store.status.last_handled_recreate)


def _plan_making(store: ObjectStore, want: Bucket) -> Steps:
    if store.status.bucket == want.name and store.status.bucket_phase == "Owned" and not _is_accepted(store, want.name):
        why = (
            f"Bucket {want.name} of this mesh is not at this endpoint, so it is not the store that it was: set spec.endpointUrl back, or,"
            f" where its data is lost, annotate {marks.next_consent(store.metadata, want.name)}"
        )
        return stopped(Terminal(reasons.NOT_THE_SAME_STORE, why))
    return Steps((_record(want, "Creating"), CreateBucket(want), MarkBucket(want)))


def _record(want: Bucket, phase: str) -> Record:
    return Record((("bucket", want.name), ("bucketPhase", phase)))


def _plan_claim(store: ObjectStore, observed: Bucket, want: Bucket, world: StoreWorld) -> Steps:
    """The bucket exists and lacks this cluster's mark: interrupted by ourselves, stripped, a rebuilt cluster, or somebody else's."""
    tags = dict(observed.tags)
    other = tags.get(marks.CLUSTER_TAG)
    recorded = store.status.bucket == want.name and not observed.is_of_other_account
    interrupted = not tags and recorded and store.status.bucket_phase == "Creating"
    if interrupted or _is_of_lost(store, world) or (recorded and _is_stripped(tags, world)):
        foreign = {tag: value for tag, value in tags.items() if not tag.startswith(f"{marks.GROUP}/")}
        marked = replace(want, tags=tuple(sorted({**foreign, **dict(want.tags)}.items())))
        return Steps((UpdateBucket(marked, "tags", observed.tags),))
    if other is not None and other != world.cluster:
        why = (
            f"Bucket {want.name} says that this mesh is served by the cluster with UID {other}; where that cluster is gone for good,"
            f" add {other} to spec.takeOverFrom; else give this operator another mesh name"
        )
        return stopped(Terminal(reasons.STORE_IN_USE, why))
    why = f"Bucket {want.name} exists and carries no mark of this mesh; remove it or choose another spec.bucketPrefix"
    return stopped(Terminal(reasons.NOT_OWNED, why))


def _is_stripped(tags: dict[str, str], world: StoreWorld) -> bool:
    """Whether some tool took our marks off, nobody else's are there, and the marker or a recorded principal proves the store."""
    wanted = dict(mesh_tags(world.settings.mesh, world.cluster))
    alien = any(tags.get(tag, value) != value for tag, value in wanted.items())
    return not alien and (_is_marker_seen(world) or world.known_principal)


def _is_marker_seen(world: StoreWorld) -> bool:
    return not isinstance(world.marker, Absent | Unknown) and is_marker(world.marker.value, world.settings.mesh, world.cluster)


def _plan_marker(store: ObjectStore, world: StoreWorld) -> Steps:
    """A user without rights and keys, by which the IAM endpoint is known again; where the store has users at all."""
    if not has_identities(world):
        return Steps()
    name = marker_of(store, world)
    if isinstance(world.marker, Unknown):
        return stopped(world.marker.error)
    if isinstance(world.marker, Present) and _is_marker_seen(world):
        record = Steps(() if store.status.marker == name else (Record((("marker", name),)),))
        return record + Steps(tuple(_disarm(world.marker.value)))
    if not isinstance(world.marker, Absent):
        return stopped(Terminal(reasons.NOT_OWNED, f"IAM user {name} exists and is not of this mesh; remove or rename it"))
    recreate = _is_accepted(store, name) or _is_accepted(store, mesh_bucket_of(store, world))
    told = world.mesh_bucket.value.tag(marks.MARKER_TAG) if isinstance(world.mesh_bucket, Present) else None
    if name in (store.status.marker, told) and not world.known_principal and not recreate:
        why = f"IAM user {name}, by which this mesh knows its IAM endpoint, is not there: set spec.iamEndpointUrl back, or,"
        return stopped(
            Terminal(reasons.NOT_THE_SAME_STORE, f"{why} where its users are lost, annotate {marks.next_consent(store.metadata, name)}")
        )
    path, tags = names.principal_path(world.settings.mesh, world.cluster), mesh_tags(world.settings.mesh, world.cluster)
    return Steps((CreatePrincipal(Principal(name, path, tags)),))


def _disarm(marker: Principal) -> Iterator[Operation]:
    """Rights and keys that somebody gave to the marker, which needs none."""
    if marker.policy is not None:
        yield DeletePolicy(marker.name, PREFIX)
    yield from surplus_rights(marker)
    yield from (DeleteKey(marker.name, key.id) for key in sorted(marker.keys))
