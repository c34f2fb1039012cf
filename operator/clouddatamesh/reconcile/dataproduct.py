"""A DataProduct: the order of its steps, and what is read before each plan."""

from dataclasses import replace
from typing import TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.bucket import Bucket, Contents
from clouddatamesh.model.identity import Connection
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import dataproduct as planning
from clouddatamesh.plan import names, selectors
from clouddatamesh.plan.consumers import asked_product, consumer_key
from clouddatamesh.plan.inputs import find_missing_inputs
from clouddatamesh.plan.storage import bucket_of
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.connect import connection_of
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.execute import CREDENTIALS, STORAGE, Executor, Target
from clouddatamesh.reconcile.lineage import gather_lineage
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.pipeline import Flow, Visit, is_settled, run
from clouddatamesh.status.dataproduct import report

_ABOUT_THE_STORE = (reasons.CREDENTIALS_INVALID, reasons.CERTIFICATE_INVALID, reasons.CREDENTIALS_MISSING)


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one product to what it should be, or its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    interval = ports.settings.drift_interval.total_seconds()
    if manifest["metadata"].get("deletionTimestamp"):
        return run(visit, _deletion(visit), interval=interval)
    return run(visit, _keeping(visit), interval=interval)


Seen: TypeAlias = tuple[DataProduct, ProductWorld]
"""A product and its world, as one pass saw them."""


def _keeping(visit: Visit) -> Flow[Seen]:
    def look() -> Seen:
        product = _product(visit)
        return product, gather(product, visit.ports)

    return Flow(
        gather=look,
        plan=lambda seen: planning.carried_out(seen[0], planning.plan(*seen)),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda seen, withheld: report(*seen, withheld),
        withheld=lambda seen: planning.plan(*seen),
    )


def _deletion(visit: Visit) -> Flow[Seen]:
    def look() -> Seen:
        product = _product(visit)
        return product, gather_deletion(product, visit.ports)

    return Flow(
        gather=look,
        plan=lambda seen: planning.plan_deletion(*seen),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda _seen, _plan: Outcome(Finding("Ready", "Unknown", reasons.DELETING, "Everything that had to go is gone")),
    )


def _product(visit: Visit) -> DataProduct:
    manifest = visit.ports.cluster.get(visit.key)
    if manifest is None or manifest["metadata"]["uid"] != visit.uid:
        raise Waiting(reasons.DELETING, "The object is gone")
    return parse(DataProduct, manifest)


def _executor(visit: Visit, world: ProductWorld) -> Executor:
    target = Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record)
    if world.store is None:
        return Executor(target)
    connection = connection_of(world.store, visit.ports.cluster)
    stores = visit.ports.stores
    return Executor(replace(target, buckets=stores.buckets(connection), identities=stores.identities(connection)))


def gather(product: DataProduct, ports: Ports) -> ProductWorld:
    """Everything that the plan of a living product rests on. Waits for its domain and its store."""
    world = _gather_users(product, ProductWorld(now=ports.clock.now(), settings=ports.settings), ports)
    if product.spec.storage is None or product.spec.lifecycle == "proposed":
        return world
    domain = _domain_of(product.metadata.namespace, ports)
    store = _store_of(product, domain, ports)
    if not is_settled(ports.cluster.get(Key("ObjectStore", "", store.metadata.name)) or {"metadata": {}}):
        raise Waiting(reasons.STORE_NOT_READY, f"ObjectStore {store.metadata.name} is not Ready", condition=STORAGE)
    world = replace(world, domain=domain, store=store, living_uids=_living_uids(product, ports))
    return _observe(product, world, store, ports)


def _gather_users(product: DataProduct, world: ProductWorld, ports: Ports) -> ProductWorld:
    """Who asks for the product, what it is made of, and what is made of it."""
    key = planning.key_of_product(product)
    around = ports.cluster.referring(key, "AccessRequest")
    asking = tuple(request for request in around if asked_product(request) == key)
    asked = tuple(request for request in around if consumer_key(request) == key)
    return replace(world, inputs=find_missing_inputs(product, asked), requests=asking, lineage=gather_lineage(key, ports.cluster))


def _observe(product: DataProduct, world: ProductWorld, store: ObjectStore, ports: Ports) -> ProductWorld:
    try:
        connection = connection_of(store, ports.cluster)
        bucket = _observe_bucket(product, store, connection, ports)
        contents = _count_if_unmarked(bucket, connection, ports)
        principal = ports.stores.identities(connection).observe(_principal_of(product, ports))
    except Terminal as error:
        if error.reason not in _ABOUT_THE_STORE:
            raise
        raise Waiting(reasons.STORE_NOT_READY, error.message, condition=STORAGE) from error
    made_before = principal is not None or product.status.binding is not None
    secret, former = _observe_secrets(product, ports) if made_before else (None, None)
    return replace(world, bucket=bucket, contents=contents, principal=principal, secret=secret, former_secret=former)


def gather_deletion(product: DataProduct, ports: Ports) -> ProductWorld:
    """What a deletion rests on. Where nothing was ever made, or it is forced past a store that is gone, no store is asked."""
    namespace = ports.cluster.get(Key("Namespace", "", product.metadata.namespace))
    terminating = namespace is None or bool(namespace["metadata"].get("deletionTimestamp"))
    world = ProductWorld(now=ports.clock.now(), settings=ports.settings, namespace_terminating=terminating)
    world = _gather_users(product, world, ports)
    if product.spec.storage is None or product.status.storage is None:
        return world
    try:
        store = _existing_store(product, ports)
        connection = connection_of(store, ports.cluster)
        world = replace(world, store=store, living_uids=_living_uids(product, ports))
        return _observe_remains(product, world, connection, ports)
    except MeshError as error:
        if planning.is_forced(product):
            return replace(world, store=None)
        raise _blocking(error, product) from error


def _observe_remains(product: DataProduct, world: ProductWorld, connection: Connection, ports: Ports) -> ProductWorld:
    assert world.store is not None  # noqa: S101 - just found
    bucket = _observe_bucket(product, world.store, connection, ports)
    principal = ports.stores.identities(connection).observe(_principal_of(product, ports))
    storage = product.spec.storage
    counted = bucket is not None and storage is not None and storage.deletion_policy == "Delete"
    contents = ports.stores.buckets(connection).count(bucket.name) if counted and bucket else None
    secret, former = _observe_secrets(product, ports)
    return replace(world, bucket=bucket, principal=principal, contents=contents, secret=secret, former_secret=former)


def _blocking(error: MeshError, product: DataProduct) -> MeshError:
    """A deletion that cannot go on says so, and how to force it. A store that is away is waited for."""
    way_out = f"to let go and leave bucket and keys behind, annotate clouddatamesh.dev/force-delete={product.metadata.name}"
    kind = Transient if isinstance(error, Transient) else Waiting
    return kind(error.reason, f"{error.message}; {way_out}", condition="DeletionBlocked")


def _observe_bucket(product: DataProduct, store: ObjectStore, connection: Connection, ports: Ports) -> Bucket | None:
    try:
        return ports.stores.buckets(connection).observe(bucket_of(product, store, ports.settings.mesh))
    except MeshError as error:
        raise error.during(STORAGE) from error


def _count_if_unmarked(bucket: Bucket | None, connection: Connection, ports: Ports) -> Contents | None:
    return ports.stores.buckets(connection).count(bucket.name) if bucket is not None and not bucket.tags else None


def _principal_of(product: DataProduct, ports: Ports) -> str:
    return names.principal_name(ports.settings.mesh, planning.key_of_product(product))


def _observe_secrets(product: DataProduct, ports: Ports) -> tuple[Manifest | None, Manifest | None]:
    wanted = product.spec.producer.secret_name if product.spec.producer else None
    former = product.status.binding.name if product.status.binding else None
    namespace = product.metadata.namespace
    try:
        secret = ports.cluster.get_metadata(Key("Secret", namespace, wanted)) if wanted else None
        old = ports.cluster.get_metadata(Key("Secret", namespace, former)) if former and former != wanted else None
    except MeshError as error:
        raise error.during(CREDENTIALS) from error
    return secret, old


def _domain_of(namespace: str, ports: Ports) -> Domain:
    found = find_domain(namespace, ports.cluster)
    if found is None:
        why = f"Namespace {namespace} belongs to no Domain yet; name it in a Domain's spec.namespaces"
        raise Waiting(reasons.DOMAIN_NOT_FOUND, why)
    return found


def _existing_store(product: DataProduct, ports: Ports) -> ObjectStore:
    assert product.spec.storage is not None  # noqa: S101 - asked for only then
    name = product.spec.storage.store_ref.name
    manifest = ports.cluster.get(Key("ObjectStore", "", name))
    if manifest is None:
        raise Waiting(
            reasons.STORE_NOT_FOUND,
            f"ObjectStore {name}, named in spec.storage.storeRef, does not exist",
            condition=STORAGE,
        )
    return parse(ObjectStore, manifest)


def _store_of(product: DataProduct, domain: Domain, ports: Ports) -> ObjectStore:
    store = _existing_store(product, ports)
    if not selectors.matches(store.spec.allowed_domains, domain.metadata.labels):
        why = f"ObjectStore {store.metadata.name} does not serve Domain {domain.metadata.name}; its spec.allowedDomains selects others"
        raise Terminal(reasons.NOT_ALLOWED, why, condition=STORAGE)
    return store


def _living_uids(product: DataProduct, ports: Ports) -> frozenset[str]:
    others = ports.cluster.list("DataProduct")
    return frozenset(other["metadata"]["uid"] for other in others) - {product.metadata.uid}
