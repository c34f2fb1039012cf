"""An AccessRequest: the order of its steps, and what is read before each plan."""

from collections.abc import Iterator
from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import accessrequest as planning
from clouddatamesh.plan.access import decide
from clouddatamesh.plan.terms import consumer_of
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.connect import connection_of
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.execute import PROVISIONED, Executor, Target
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.pipeline import Flow, Visit, is_settled, run
from clouddatamesh.status.accessrequest import report

Seen = tuple[AccessRequest, AccessWorld]
"""A request and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Give or take away what one request asks for, or bring its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))

    def look() -> Seen:
        request = request_of(visit)
        return request, (gather_deletion if deleting else gather)(request, ports)

    flow = Flow(
        gather=look,
        plan=lambda seen: (planning.plan_deletion if deleting else planning.plan)(*seen),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda seen, _: _gone() if deleting else report(*seen),
    )
    return run(visit, flow, interval=ports.settings.drift_interval.total_seconds())


def _gone() -> Outcome:
    return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "Everything that had to go is gone"))


def request_of(visit: Visit) -> AccessRequest:
    """The request as the cache has it now."""
    manifest = visit.ports.cluster.get(visit.key)
    if manifest is None or manifest["metadata"]["uid"] != visit.uid:
        raise Waiting(reasons.DELETING, "The object is gone")
    return parse(AccessRequest, manifest)


def _executor(visit: Visit, world: AccessWorld) -> Executor:
    target = Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record)
    if world.store is None:
        return Executor(target)
    identities = visit.ports.stores.identities(connection_of(world.store, visit.ports.cluster))
    return Executor(replace(target, identities=identities))


def gather(request: AccessRequest, ports: Ports) -> AccessWorld:
    """Everything that the decision rests on, and what stands in the store; the store is asked only where something stands or is given."""
    world = gather_terms(request, ports)
    gives = decide(request, world).gives
    if request.status.place is None and not gives:
        return world
    name = request.status.place.store if request.status.place else planning.store_name_of(world)
    store = _store(name, ports.cluster)
    if gives and not is_settled(ports.cluster.get(Key("ObjectStore", "", name)) or {"metadata": {}}):
        raise Waiting(reasons.STORE_NOT_READY, f"ObjectStore {name} is not Ready", condition=PROVISIONED)
    return _observe(request, replace(world, store=store), ports)


def gather_terms(request: AccessRequest, ports: Ports) -> AccessWorld:
    """What the decision rests on, from the cache alone."""
    cluster, asked = ports.cluster, request.spec.data_product_ref
    product = cluster.get(Key("DataProduct", asked.namespace, asked.name))
    return AccessWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        product=_parse_product(product) if product else None,
        product_domain=find_domain(asked.namespace, cluster),
        consumer_exists=cluster.get(consumer_of(request)) is not None,
        consumer_domain=find_domain(request.metadata.namespace, cluster),
        grants=tuple(_grants(request, cluster)),
    )


def _parse_product(manifest: Manifest) -> DataProduct:
    try:
        return parse(DataProduct, manifest)
    except Terminal as error:
        raise Waiting(reasons.PRODUCT_NOT_READY, "The product's manifest does not say something that can be done") from error


def _grants(request: AccessRequest, cluster: Cluster) -> Iterator[AccessGrant]:
    """Living grants of the product's namespace that name this request or its namespace. One that cannot be read gives nothing."""
    named = cluster.referring(planning.key_of_request(request), "AccessGrant")
    refused = cluster.referring(Key("Namespace", "", request.metadata.namespace), "AccessGrant")
    for manifest in (*named, *refused):
        metadata = manifest["metadata"]
        if metadata["namespace"] != request.spec.data_product_ref.namespace or metadata.get("deletionTimestamp"):
            continue
        try:
            yield parse(AccessGrant, manifest)
        except Terminal:
            continue


def _observe(request: AccessRequest, world: AccessWorld, ports: Ports) -> AccessWorld:
    assert world.store is not None  # noqa: S101 - just found
    name = planning.principal_of(request, ports.settings.mesh)
    try:
        principal = ports.stores.identities(connection_of(world.store, ports.cluster)).observe(name)
        made_before = principal is not None or request.status.binding is not None
        secret = ports.cluster.get_metadata(_secret_key(request)) if made_before else None
    except MeshError as error:
        raise error.during(PROVISIONED) from error
    return replace(world, principal=principal, secret=secret)


def _secret_key(request: AccessRequest) -> Key:
    return Key("Secret", request.metadata.namespace, request.spec.secret_name)


def _store(name: str, cluster: Cluster) -> ObjectStore:
    manifest = cluster.get(Key("ObjectStore", "", name))
    if manifest is None:
        raise Waiting(reasons.STORE_NOT_FOUND, f"ObjectStore {name} does not exist", condition=PROVISIONED)
    return parse(ObjectStore, manifest)


def gather_deletion(request: AccessRequest, ports: Ports) -> AccessWorld:
    """What stands of a request that goes. Where nothing was ever made, or it is forced past a store that is gone, no store is asked."""
    world = AccessWorld(now=ports.clock.now(), settings=ports.settings)
    if request.status.place is None:
        return world
    try:
        return _observe(request, replace(world, store=_store(request.status.place.store, ports.cluster)), ports)
    except MeshError as error:
        if planning.is_forced(request):
            return world
        way_out = f"to let go and leave the principal to the sweep, annotate clouddatamesh.dev/force-delete={request.metadata.name}"
        kind = Transient if isinstance(error, Transient) else Waiting
        raise kind(error.reason, f"{error.message}; {way_out}", condition="DeletionBlocked") from error
