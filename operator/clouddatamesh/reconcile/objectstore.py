"""An ObjectStore: the order of its steps. It is looked at more often than the rest, since its Secret is not watched."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError
from clouddatamesh.model.bucket import IDENTITIES, Bucket, Capability
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown, require, value_of
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks, moments, names
from clouddatamesh.plan import objectstore as planning
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.plan.probe import merge_probe, place_of
from clouddatamesh.plan.references import STORE_ID
from clouddatamesh.plan.store_deletion import plan_deletion
from clouddatamesh.plan.sweep import due_orphans, find_orphans
from clouddatamesh.plan.takeover import MOST, ended_cluster, unclaimed_of
from clouddatamesh.ports import Identities, Ports
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.indexes import UNHELD, find_newcomers
from clouddatamesh.reconcile.owners import OWNERS, ends_former, is_any_recorded, owned_of, stores_elsewhere, users_of
from clouddatamesh.reconcile.parse import find_unreadable, is_readable, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.places import cluster_uid, connection_of
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.objectstore import report, report_deletion

INTERVAL: Final = timedelta(seconds=30)
"""With the age of a cached Secret, a rotated one is picked up within a minute."""
Looked: TypeAlias = tuple[ObjectStore, StoreWorld]
"""A store, with what this visit found out of it, and its world."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one store to what it should be, or its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    if manifest["metadata"].get("deletionTimestamp"):
        return run(visit, _deletion(visit), interval=INTERVAL)
    after = run(visit, _Keeping(visit).flow(), interval=INTERVAL)
    return replace(after, after=min(after.after or 0.0, INTERVAL.total_seconds()))


class _Keeping:
    """One visit to a living store: the probe's answer goes from one pass into the next."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._ports = visit, visit.ports
        self._probed: tuple[Capability, ...] = ()
        self._executor: Executor | None = None

    def flow(self) -> Flow[Looked]:
        return Flow(
            gather=self.look,
            plan=lambda seen: planning.plan(*seen),
            executor=self._open_executor,
            report=lambda seen, _: report(*seen),
        )

    def look(self) -> Looked:
        """The store as it is now."""
        if self._executor is not None and self._executor.probed:
            self._probed = self._executor.probed
        manifest = self._visit.manifest()
        store = read_leniently(ObjectStore, manifest)
        world = StoreWorld(
            now=self._ports.clock.now(),
            settings=self._ports.settings,
            cluster=cluster_uid(self._ports),
            is_time_trusted=self._ports.clock.is_trusted(),
            account=_observe_account(store, self._ports),
            users=users_of(store.metadata.name, self._ports),
            unreadable=find_unreadable(ObjectStore, manifest),
            freshly_probed=bool(self._probed),
        )
        store = self._with_probe(store, world)
        able = tuple(Capability(c.name, "Yes" if c.supported else "No") for c in store.status.capabilities)
        return store, self._observe(store, replace(world, capabilities=able))

    def _with_probe(self, store: ObjectStore, world: StoreWorld) -> ObjectStore:
        """The store with what the probe of this visit found."""
        if not self._probed:
            return store
        now = self._ports.clock.now()
        return _with_status(
            store,
            capabilities=list(merge_probe(store, self._probed, now, place=place_of(store, world))),
            probedPlace=place_of(store, world),
            probeUnclear=next((found.message[:1024] for found in self._probed if found.verdict == "Unclear"), None),
            probedAt=moments.text(now),
            probedGeneration=store.metadata.generation,
            probedVersion=self._ports.settings.version,
        )

    def _observe(self, store: ObjectStore, world: StoreWorld) -> StoreWorld:
        """Whose the credentials are comes first: nothing that another account answers is of use."""
        if world.unreadable or isinstance(world.account, Unknown) or planning.find_strangeness(store, world) is not None:
            return world
        return self._observe_marks(store, world, connection_of(store, self._ports.cluster))

    def _observe_marks(self, store: ObjectStore, world: StoreWorld, connection: Connection) -> StoreWorld:
        """The mesh's bucket, its marker, and the principals that nobody owns."""
        mesh_bucket: Seen[Bucket] = self._ports.stores.buckets(connection).observe(planning.mesh_bucket_of(store, world))
        world = replace(world, mesh_bucket=mesh_bucket, recorded_stores=frozenset(self._recorded_elsewhere(store, mesh_bucket)))
        if not any(found.name == IDENTITIES and found.verdict == "Yes" for found in world.capabilities):
            return world
        identities = self._ports.stores.identities(connection)
        former = planning.recorded_marker(store, world)
        world = replace(world, is_marked_still=former is not None and _is_there(identities.observe(former), world))
        world = replace(world, marker=identities.observe(planning.marker_of(store, world)))
        return self._observe_principals(store, world, identities)

    def _recorded_elsewhere(self, store: ObjectStore, mesh_bucket: Seen[Bucket]) -> Iterator[str]:
        """What its users recorded, which is asked for only where the bucket names another store than status does."""
        seen = mesh_bucket.value.tag(marks.STORE_TAG) if isinstance(mesh_bucket, Present) else None
        if seen is not None and seen != store.status.store_id:
            yield from _recorded_stores(store, self._ports)

    def _observe_principals(self, store: ObjectStore, world: StoreWorld, identities: Identities) -> StoreWorld:
        mesh, own = world.settings.mesh, names.principal_path(world.settings.mesh, world.cluster)
        try:
            found = set(identities.list(own))
            listed = {name for name in found if not names.is_marker_name(name)}
            if isinstance(world.marker, Absent):
                known = is_any_recorded(listed or identities.list(names.mesh_path(mesh)), store.metadata.name, self._ports)
                return replace(world, known_principal=known)
            world = self._observe_lost(store, world, identities)
        except MeshError as error:
            return replace(world, marker=Unknown(error))
        orphans = find_orphans(
            listed, owned_of(listed, set(stores_elsewhere(store.metadata.name, found, self._ports)), self._ports, world.cluster)
        )
        known = is_any_recorded(listed, store.metadata.name, self._ports)
        world = replace(world, known_principal=known, principals=len(listed), orphans=orphans)
        seen = (value_of(identities.observe(name)) for name in due_orphans(store, world))
        return replace(world, due_orphans=tuple(found for found in seen if isinstance(found, Principal)))

    def _observe_lost(self, store: ObjectStore, world: StoreWorld, identities: Identities) -> StoreWorld:
        """What clusters that are gone left here; those of its users that nobody owns are read where they are to end."""
        mesh, cluster = world.settings.mesh, self._ports.cluster
        if not store.spec.take_over_from:
            return world
        here = Key("ObjectStore", "", store.metadata.name)
        claimants = [key for kind in OWNERS for key in cluster.naming(here, kind)]
        lost = tuple(
            unclaimed_of(identities.list(names.principal_path(mesh, uid)), uid, mesh, claimants, partial(self._ends, store, uid))
            for uid in store.spec.take_over_from
            if uid != world.cluster
        )
        due = next((one.unclaimed[:MOST] for one in lost if one.uid == ended_cluster(store)), ())
        seen = (value_of(identities.observe(name)) for name in due)
        return replace(world, lost_clusters=lost, due_unclaimed=tuple(user for user in seen if isinstance(user, Principal)))

    def _ends(self, store: ObjectStore, lost: str, key: Key) -> bool:
        return ends_former(key, lost, store, self._ports)

    def _open_executor(self, seen: Looked) -> Executor:
        self._executor = _executor_for(self._visit, *seen)
        return self._executor


def _executor_for(visit: Visit, store: ObjectStore, world: StoreWorld) -> Executor:
    """Of what is to be done in one store; nothing can be done in one that does not answer."""
    target = Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record, world.now, looks=visit.looks)
    if not isinstance(world.account, Present):
        return Executor(target)
    connection, stores = connection_of(store, visit.ports.cluster), visit.ports.stores
    return Executor(replace(target, buckets=stores.buckets(connection), identities=stores.identities(connection)))


def _is_there(seen: Seen[Principal], world: StoreWorld) -> bool:
    """Whether a marker was seen; what cannot be read is an error, since an id rests on it."""
    found = require(seen)
    return found is not None and planning.is_marker(found, world.settings.mesh, world.cluster)


def _recorded_stores(store: ObjectStore, ports: Ports) -> Iterator[str]:
    """Ids of the stores in which buckets and principals of this ObjectStore's users were made."""
    return (key.name for key in ports.cluster.named(STORE_ID, store.metadata.name))


def _deletion(visit: Visit) -> Flow[Looked]:
    ports = visit.ports

    def gather() -> Looked:
        store = read_leniently(ObjectStore, visit.manifest())
        newcomers = find_newcomers(Key(UNHELD, "", store.metadata.name), store.metadata.deletion_timestamp, ports.cluster)
        users = tuple(key for key in users_of(store.metadata.name, ports) if key not in newcomers)
        if not marks.is_orphaned(store.metadata):
            return store, replace(_Keeping(visit).look()[1], users=users)
        holders, left = _parted(users, ports)
        world = StoreWorld(ports.clock.now(), ports.settings, cluster_uid(ports), users=users, account=Absent())
        return store, replace(world, holders=holders, left=left)

    def finished(seen: Looked, _plan: object) -> Outcome:
        ready = Finding("Ready", "Unknown", reasons.DELETING, "The operator is releasing the store")
        return Outcome(ready, *report_deletion(*seen, visit.old_status()))

    return Flow(
        gather=gather,
        plan=lambda seen: plan_deletion(*seen),
        executor=lambda seen: _executor_for(visit, *seen),
        report=finished,
    )


def _observe_account(store: ObjectStore, ports: Ports) -> Seen[str]:
    """Whose the credentials are; those who let go of the store need it until they have."""
    try:
        return Present(ports.stores.buckets(connection_of(store, ports.cluster)).account().id)
    except MeshError as error:
        return Unknown(error)


def _with_status(store: ObjectStore, **facts: Any) -> ObjectStore:
    status = store.status.model_dump(by_alias=True)
    return store.model_copy(update={"status": type(store.status).model_validate({**status, **facts})})


def _parted(users: tuple[Key, ...], ports: Ports) -> tuple[tuple[Key, ...], tuple[str, ...]]:
    """Those that let go of a store by themselves or have not taken note yet that it is given up, and what the others have in it.

    A product that cannot be read takes note of nothing, and holds up nobody's decision.
    """
    holders, left = [], []
    for key in users:
        manifest = ports.cluster.get(key)
        if manifest is None:
            continue
        storage = part_of(part_of(manifest, "status"), "storage")
        knows = storage.get("abandoned") is True or not storage or not is_readable(DataProduct, manifest)
        if key.kind == "AccessRequest" or manifest["metadata"].get("deletionTimestamp") or not knows:
            holders.append(key)
        else:
            status = part_of(manifest, "status")
            things = {"bucket": part_of(status, "storage").get("bucket"), "principal": part_of(status, "producer").get("principal")}
            told = ", ".join(f"{what} {name}" for what, name in things.items() if name)
            left.append(f"{key}: {told or 'nothing'}")
    return tuple(holders), tuple(left)
