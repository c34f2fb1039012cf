"""A DataProduct: the order of its steps, and what is read before each plan."""

from dataclasses import replace
from typing import TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.governance.live import bucket_facts
from clouddatamesh.model.bucket import Bucket, Openings
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown, require, value_of
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import dataproduct as planning
from clouddatamesh.plan import marks, selectors
from clouddatamesh.plan.access.facts import asked_product, consumer_key, moment
from clouddatamesh.plan.access.inbox import KIND as INBOX
from clouddatamesh.plan.adoption import may_be_adopted
from clouddatamesh.plan.credentials import issued_at, plan_removal, principal_of
from clouddatamesh.plan.deletion import plan_deletion
from clouddatamesh.plan.fates import fate_of
from clouddatamesh.plan.inputs import find_missing_inputs
from clouddatamesh.plan.namespaces import why_homeless
from clouddatamesh.plan.ownership import shows_others, was_ours
from clouddatamesh.plan.regions import asks_region
from clouddatamesh.plan.takeover import recorded
from clouddatamesh.plan.wish import bucket_of
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.destruction import check_destruction
from clouddatamesh.reconcile.domains import namespace_uid
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.judging import home_of
from clouddatamesh.reconcile.lineage import gather_lineage
from clouddatamesh.reconcile.parse import is_readable, parse, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, is_store_ready, run, take_all
from clouddatamesh.reconcile.places import Place, cluster_uid, find_other_store, open_place
from clouddatamesh.reconcile.restored import drop_others_record
from clouddatamesh.reconcile.siblings import count_losses, find_rival, is_handed_over, lives_elsewhere
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.dataproduct import loss_fields, report
from clouddatamesh.status.producer import last_producer_fields

Looked: TypeAlias = tuple[DataProduct, ProductWorld]
"""A product and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Bring one product to what it should be, or its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))
    return run(visit, _deletion(visit) if deleting else _keeping(visit), interval=ports.settings.drift_interval)


def _keeping(visit: Visit) -> Flow[Looked]:
    def look() -> Looked:
        drop_others_record(visit)
        product = parse(DataProduct, visit.manifest())
        return product, gather(product, visit)

    return Flow(
        gather=look,
        plan=lambda seen: planning.plan(*seen),
        permitted=lambda seen, full: planning.permitted(seen[0], full),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda seen, full: report(*seen, full),
    )


def _deletion(visit: Visit) -> Flow[Looked]:
    def look() -> Looked:
        manifest = visit.manifest()
        product = read_leniently(DataProduct, manifest)
        return product, replace(gather_deletion(product, visit), is_readable=is_readable(DataProduct, manifest))

    return Flow(
        gather=look,
        plan=lambda seen: plan_deletion(*seen),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda seen, _plan: _report_deletion(visit, *seen),
    )


def _report_deletion(visit: Visit, product: DataProduct, world: ProductWorld) -> Outcome:
    """What is recorded stays recorded until the object goes; a lost bucket and a replaced key are told of as of a product that lives."""
    kept = {name: value for name, value in visit.old_status().items() if name not in ("conditions", "observedGeneration")}
    if "storage" in kept:
        kept["storage"] = {
            **{name: value for name, value in kept["storage"].items() if name != "lossSeenAt"},
            **loss_fields(product, world),
        }
    kept |= last_producer_fields(product, world)
    due = moment(kept.get("producer", {}).get("rotation", {}).get("until"))
    return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "What was made is being taken away"), fields=kept, due=due)


def _executor(visit: Visit, world: ProductWorld) -> Executor:
    target = Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record, world.now, looks=visit.looks)
    place = open_place(world.store, visit) if world.store is not None else None
    if not isinstance(place, Place):
        return Executor(target)
    check = check_destruction(visit, place, world)
    target = replace(target, buckets=place.buckets, identities=place.identities, check_destruction=check)
    return Executor(replace(target, explain=place.explain))


def gather(product: DataProduct, visit: Visit) -> ProductWorld:
    """Everything that the plan of a living product rests on; what prevents making is part of it."""
    ports, namespace = visit.ports, product.metadata.namespace
    world = _gather_around(product, visit)
    if product.spec.storage is None or product.spec.lifecycle == "proposed":
        return world
    home = world.home
    world = replace(world, obstacle=(denial := visit.judgement().denial), denied=denial is not None)
    if home is None:
        world = replace(world, obstacle=Waiting(reasons.DOMAIN_NOT_FOUND, why_homeless(namespace)))
    store = _find_store(product, ports)
    if isinstance(store, MeshError):
        return replace(world, obstacle=world.obstacle or store, bucket=Unknown(store), principal=Unknown(store))
    world = replace(world, store=store, obstacle=world.obstacle or _find_obstacle(product, store, world, ports))
    return _observe(product, world, store, visit)


def _gather_around(product: DataProduct, visit: Visit) -> ProductWorld:
    """What the cache tells: where the product lives, who asks for it, what it is made of, and what is made of it."""
    ports, key, cluster = visit.ports, planning.key_of_product(product), visit.ports.cluster
    around = cluster.referring(key, "AccessRequest")
    asked = tuple(request for request in around if consumer_key(request) == key)
    return ProductWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        is_time_trusted=ports.clock.is_trusted(),
        cluster=cluster_uid(ports),
        home=home_of(key.namespace, ports),
        namespace_uid=namespace_uid(key.namespace, cluster),
        inputs=find_missing_inputs(product, asked),
        requests=tuple(request for request in around if asked_product(request) == key),
        lineage=gather_lineage(key, cluster),
        inbox=cluster.get(Key(INBOX, key.namespace, key.name)),
    )


def _find_obstacle(product: DataProduct, store: ObjectStore, world: ProductWorld, ports: Ports) -> MeshError | None:
    name, storage = store.metadata.name, product.status.storage
    if world.home is not None and not selectors.matches(store.spec.allowed_domains, world.home.labels):
        kept = f"; bucket {storage.bucket} and the access to it are kept, and nothing new is given" if storage is not None else ""
        why = f"ObjectStore {name} does not serve Domain {world.home.name}; its spec.allowedDomains selects others{kept}"
        return Terminal(reasons.NOT_ALLOWED, why)
    if not is_store_ready(name, ports):
        return Waiting(reasons.STORE_NOT_READY, f"ObjectStore {name} is not Ready")
    return None


def _observe(product: DataProduct, world: ProductWorld, store: ObjectStore, visit: Visit) -> ProductWorld:
    """The bucket, the principal and the Secrets; where the store is not asked, nothing of them is known."""
    place = _find_moved(product, store) or open_place(store, visit)
    secret, former = _observe_secrets(product, visit.ports)
    world = replace(world, secret=secret, former_secret=former)
    if isinstance(place, MeshError):
        unknown: Unknown = Unknown(_about_the_store(place, store))
        return replace(world, bucket=unknown, principal=unknown)
    name = bucket_of(product, store, visit.ports.settings.mesh)
    bucket = place.observe_bucket(name, lambda seen: shows_others(product, seen, world))
    user = principal_of(product, world.settings.mesh, world.cluster)
    found = value_of(bucket)
    if found is not None and was_ours(product):
        visit.ports.memory.note(visit.key, visit.uid, bucket_facts(found))
    alien = found is not None and shows_others(product, found, world)
    return replace(
        world,
        is_store_ready=is_store_ready(store.metadata.name, visit.ports),
        bucket=bucket,
        contents=place.count(name) if found is not None and _is_unmarked_making(product, found) else Absent(),
        region=place.find_region(name) if found is not None and _asks_region(product, store, found) else None,
        openings=place.find_openings(name) if found is not None and may_be_adopted(product, found) else Openings(),
        principal=place.observe_own(user, *issued_at(product, secret, former)),
        formers=place.observe_formers(planning.key_of_product(product), user, recorded(product.status.take_over)),
        rival=find_rival(product, visit.ports.cluster),
        uid_lives=found is not None and lives_elsewhere(found.tag(marks.UID_TAG), product, visit.ports.cluster),
        handed_over=alien and is_handed_over(name, store.metadata.name, product.metadata.uid, visit.ports.cluster),
        losses=count_losses(product, visit.ports.cluster, visit.ports.clock) if alien else 0,
    )


def _find_moved(product: DataProduct, store: ObjectStore) -> MeshError | None:
    """Why the store is not asked: the bucket was made in another one, and nobody accepted its loss."""
    storage = product.status.storage
    if storage is None or marks.accepts_loss(product.metadata, storage.bucket, storage.last_handled_recreate):
        return None
    error = find_other_store(store, storage.store_id)
    if error is None:
        return None
    return Terminal(
        error.reason, f"{error.message}, or accept the loss with annotation {marks.next_consent(product.metadata, storage.bucket)}"
    )


def _is_unmarked_making(product: DataProduct, bucket: Bucket) -> bool:
    storage = product.status.storage
    return storage is not None and storage.phase == "Creating" and not bucket.tags and not bucket.is_of_other_account


def _asks_region(product: DataProduct, store: ObjectStore, bucket: Bucket) -> bool:
    return asks_region(product, store, bucket) and not bucket.is_of_other_account


def _about_the_store(error: MeshError, store: ObjectStore) -> MeshError:
    """What is wrong with the store's credentials is the store's to tell; whoever uses it waits for that."""
    if isinstance(error, Transient) or error.reason not in ABOUT_THE_STORE or "this was made in" in error.message:
        return error
    return Waiting(reasons.STORE_NOT_READY, f"ObjectStore {store.metadata.name} is not Ready: {error.message}")


ABOUT_THE_STORE = (reasons.CREDENTIALS_INVALID, reasons.CERTIFICATE_INVALID, reasons.CREDENTIALS_MISSING, reasons.NOT_THE_SAME_STORE)


def _observe_secrets(product: DataProduct, ports: Ports) -> tuple[Seen[Manifest], Seen[Manifest]]:
    wanted = product.spec.producer.secret_name if product.spec.producer else None
    former = product.status.binding.name if product.status.binding else None
    namespace = product.metadata.namespace
    secret = ports.cluster.read_metadata(Key("Secret", namespace, wanted)) if wanted else Absent()
    old = ports.cluster.read_metadata(Key("Secret", namespace, former)) if former and former != wanted else Absent()
    return secret, old


def _find_store(product: DataProduct, ports: Ports) -> ObjectStore | MeshError:
    assert product.spec.storage is not None  # noqa: S101 - asked for only then
    name = product.spec.storage.store_ref.name
    manifest = ports.cluster.get(Key("ObjectStore", "", name))
    if manifest is None:
        return Waiting(reasons.STORE_NOT_FOUND, f"ObjectStore {name}, named in spec.storage.storeRef, does not exist")
    try:
        return read_leniently(ObjectStore, manifest)
    except Terminal as error:
        return Waiting(reasons.STORE_NOT_READY, f"ObjectStore {name} cannot be read: {error.message}")


# Deletion.


def gather_deletion(product: DataProduct, visit: Visit) -> ProductWorld:
    """What a deletion rests on. Where nothing was ever made, or the store was given up, no store is asked."""
    ports = visit.ports
    namespace = ports.cluster.get(Key("Namespace", "", product.metadata.namespace))
    terminating = namespace is None or bool(namespace["metadata"].get("deletionTimestamp"))
    world = replace(_gather_around(product, visit), namespace_terminating=terminating, denied=True)
    if product.spec.storage is None or (product.status.storage is None and product.status.producer is None):
        return world
    store = _find_store(product, ports)
    if isinstance(store, MeshError):
        secret, former = _observe_secrets(product, ports)
        unknown: Unknown = Unknown(_blocking(store, product))
        known = product.status.storage is not None and product.status.storage.abandoned is True
        return replace(world, bucket=unknown, principal=unknown, secret=secret, former_secret=former, abandoned=known)
    if marks.is_given_up(store):
        secret, former = _observe_secrets(product, ports)
        return replace(world, store=store, abandoned=True, secret=secret, former_secret=former)
    return _observe_remains(product, _observe(product, replace(world, store=store), store, visit), store, visit)


def _observe_remains(product: DataProduct, world: ProductWorld, store: ObjectStore, visit: Visit) -> ProductWorld:
    place = open_place(store, visit)
    found = world.bucket if fate_of(product) != "Retain" else Absent()
    contents = place.count(found.value.name) if isinstance(found, Present) and isinstance(place, Place) else Absent()
    bucket, principal = (
        Unknown(_blocking(seen.error, product)) if isinstance(seen, Unknown) else seen for seen in (world.bucket, world.principal)
    )
    return replace(world, bucket=bucket, principal=principal, contents=contents)  # type: ignore[arg-type]


def _blocking(error: MeshError, product: DataProduct) -> MeshError:
    """A deletion that cannot go on says so, and the way out. A store that is away is waited for."""
    way_out = f"to release the product and leave bucket and keys behind, annotate {marks.ORPHAN_ANNOTATION}={product.metadata.name}"
    kind = type(error) if isinstance(error, Transient) else Waiting
    return kind(error.reason, f"{error.message}; {way_out}")


# What went without us.


def clear(manifest: Manifest, visit: Visit) -> Next:
    """A product that vanished without its finalizer: its producer's credentials go, its bucket stays."""
    if require(visit.ports.cluster.read(visit.key)) is not None:
        return Next()
    product = read_leniently(DataProduct, manifest)

    def look() -> tuple[Steps, Executor]:
        world = gather_deletion(product, visit)
        return plan_removal(product, world), _executor(visit, world)

    take_all(look)
    return Next()
