"""An ObjectStore: the order of its steps. It is looked at more often than the rest, since its Secret is not watched."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Transient, Waiting
from clouddatamesh.model.bucket import Capability
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import objectstore as planning
from clouddatamesh.plan.consumers import holds_principal
from clouddatamesh.plan.names import principal_path
from clouddatamesh.plan.sweep import due_orphans, find_orphans
from clouddatamesh.ports import BucketStore, Ports
from clouddatamesh.reconcile.connect import connection_of
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.pipeline import Flow, Visit, is_settled, run
from clouddatamesh.status.objectstore import report

INTERVAL = 30.0
"""Seconds; with the age of a cached Secret, a rotated one is picked up within a minute."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one store to what it should be, or its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    if manifest["metadata"].get("deletionTimestamp"):
        return run(visit, _deletion(visit), interval=INTERVAL)
    after = run(visit, _Keeping(visit).flow(), interval=INTERVAL)
    return after if after.backoff else Next(after=min(after.after or INTERVAL, INTERVAL))


class _Keeping:
    """One visit to a living store: the probe's answer goes from one pass into the next."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._executor: Executor | None = None
        self._account = ""

    def flow(self) -> Flow[StoreWorld]:
        return Flow(
            gather=self._gather,
            plan=lambda world: planning.plan(self._store(), world),
            executor=lambda _: self._open_executor(),
            report=lambda world, _: report(self._store(), world),
        )

    def _store(self) -> ObjectStore:
        """The store as the cache has it, with what this visit found of its account and abilities."""
        store = _store(self._visit)
        if self._executor is None or not self._executor.probed:
            return _with_status(store, account=self._account)
        found = [_capability(capability, self._now()) for capability in self._executor.probed]
        facts = {
            "capabilities": found,
            "probedGeneration": store.metadata.generation,
            "probedVersion": self._visit.ports.settings.version,
        }
        return _with_status(store, account=self._account, **facts)

    def _now(self) -> str:
        return self._visit.ports.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _buckets(self) -> BucketStore:
        store = _store(self._visit)
        return self._visit.ports.stores.buckets(connection_of(store, self._visit.ports.cluster))

    def _open_executor(self) -> Executor:
        probed = self._executor.probed if self._executor else ()
        visit = self._visit
        connection = connection_of(_store(visit), visit.ports.cluster)
        buckets, identities = visit.ports.stores.buckets(connection), visit.ports.stores.identities(connection)
        self._executor = Executor(Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record, buckets, identities))
        self._executor.probed = probed
        return self._executor

    def _gather(self) -> StoreWorld:
        buckets = self._buckets()
        try:
            self._account = buckets.account().id
        except MeshError as error:
            raise error.during("CredentialsValid") from error
        store, ports = self._store(), self._visit.ports
        world = StoreWorld(
            now=ports.clock.now(),
            settings=ports.settings,
            cluster_uid=_cluster_uid(ports),
            users=_users(store, ports),
            capabilities=tuple(Capability(c.name, c.supported, c.message or "") for c in store.status.capabilities),
            freshly_probed=self._executor is not None and bool(self._executor.probed),
        )
        mesh_bucket = buckets.observe(planning.mesh_bucket_of(store, world))
        return self._gather_orphans(replace(world, mesh_bucket=mesh_bucket))

    def _gather_orphans(self, world: StoreWorld) -> StoreWorld:
        """Principals without a living owner; asked for only where the store is ours and keeps identities."""
        store, ports = self._store(), self._visit.ports
        if not is_settled(ports.cluster.get(self._visit.key) or {"metadata": {}}):
            return world
        identities = ports.stores.identities(connection_of(store, ports.cluster))
        orphans = find_orphans(identities.list(principal_path(ports.settings.mesh)), _owners(ports), ports.settings.mesh)
        seen = (identities.observe(name) for name in due_orphans(store, orphans, world.now))
        return replace(world, orphans=orphans, due_orphans=tuple(found for found in seen if found is not None))


def _owners(ports: Ports) -> Iterator[Key]:
    """Whose principals belong in the store; of requests those with a record, which a restored backup does not bring back."""
    yield from (key_of(product) for product in ports.cluster.list("DataProduct"))
    yield from (key_of(request) for request in ports.cluster.list("AccessRequest") if holds_principal(request))


def _deletion(visit: Visit) -> Flow[StoreWorld]:
    ports = visit.ports

    def gather() -> StoreWorld:
        return StoreWorld(ports.clock.now(), ports.settings, _cluster_uid(ports), _users(_store(visit), ports))

    def finished(_world: StoreWorld, _plan: Plan) -> Outcome:
        return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "Nothing uses the store any more"))

    return Flow(
        gather=gather,
        plan=lambda world: planning.plan_deletion(_store(visit), world),
        executor=lambda _: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record)),
        report=finished,
    )


def _store(visit: Visit) -> ObjectStore:
    manifest = visit.ports.cluster.get(visit.key)
    if manifest is None or manifest["metadata"]["uid"] != visit.uid:
        raise Waiting(reasons.DELETING, "The object is gone")
    return parse(ObjectStore, manifest)


def _with_status(store: ObjectStore, **facts: Any) -> ObjectStore:
    status = store.status.model_dump(by_alias=True, exclude_none=True)
    return store.model_copy(update={"status": type(store.status).model_validate({**status, **facts})})


def _capability(found: Capability, now: str) -> dict[str, Any]:
    return {"name": found.name, "supported": found.supported, "message": found.message, "checkedAt": now}


def _cluster_uid(ports: Ports) -> str:
    system = ports.cluster.get(Key("Namespace", "", "kube-system"))
    if system is None:
        raise Transient(reasons.CLUSTER_UNAVAILABLE, "Namespace kube-system, whose UID names this cluster, was not seen yet")
    return str(system["metadata"]["uid"])


def _users(store: ObjectStore, ports: Ports) -> tuple[Key, ...]:
    """Products that name the store, and requests whose principals stand in it."""
    key = Key("ObjectStore", "", store.metadata.name)
    return tuple(key_of(user) for kind in ("DataProduct", "AccessRequest") for user in ports.cluster.referring(key, kind))


def store_name_of(product: Manifest) -> str | None:
    """The ObjectStore that a product's manifest names, None where it names none."""
    return (((product.get("spec") or {}).get("storage") or {}).get("storeRef") or {}).get("name")
