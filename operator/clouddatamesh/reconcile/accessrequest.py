"""An AccessRequest: the order of its steps, and what is read before each plan; leniently, for access must always be able to end."""

from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown, require, value_of
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.settings import Next
from clouddatamesh.model.takeover import FormerUser
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.access import request as planning
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.ending import plan_deletion
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.plan.access.grants import answer_name, answer_of
from clouddatamesh.plan.access.returning import found_again
from clouddatamesh.plan.access.taking import BLOCKED, plan_secret_end, plan_taking, principal_of
from clouddatamesh.plan.secrets import issued_of
from clouddatamesh.plan.takeover import done_at, former_names
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.answers import read_answers
from clouddatamesh.reconcile.domains import find_domain, namespace_uid
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.judging import home_of, judge_object, offer_of
from clouddatamesh.reconcile.parse import is_readable, parse, read_leniently
from clouddatamesh.reconcile.pipeline import Flow, is_store_ready, run, take_all
from clouddatamesh.reconcile.places import Place, cluster_uid, find_other_store, open_place
from clouddatamesh.reconcile.restored import drop_others_record
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.accessrequest import report
from clouddatamesh.status.summarize import is_true

Looked = tuple[Ask, AccessWorld]
"""A request and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Give or take away what one request asks for, or bring its deletion one step on."""
    visit = Visit.of(key, manifest, ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))
    return run(visit, _deletion(visit) if deleting else _keeping(visit), interval=ports.settings.drift_interval)


def _keeping(visit: Visit) -> Flow[Looked]:
    def look() -> Looked:
        drop_others_record(visit)
        ask = _with_record(_with_predecessor(read_request(visit.manifest()), visit), visit)
        world = gather(ask, visit)
        return replace(ask, readable=world.request is not None), world

    return Flow(
        gather=look,
        plan=lambda seen: planning.plan(*seen),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda seen, _: report(*seen, visit.old_status()),
    )


def _with_predecessor(ask: Ask, visit: Visit) -> Ask:
    """A request that was made again while an earlier one of its name went without its finalizer answers for what that one left."""
    left = visit.ports.cluster.departed(ask.key) if ask.place is None else None
    if left is None or left["metadata"]["uid"] == ask.uid:
        return ask
    former = read_request(left)
    return replace(ask, place=former.place, principal=former.principal or ask.principal)


def _with_record(ask: Ask, visit: Visit) -> Ask:
    """A request without record is looked for in the store while nothing new may be given: else its user is an orphan's, and ends."""
    if ask.place is not None:
        return ask
    terms = _gather_allowed(ask, visit)
    decision, store = decide(replace(ask, readable=terms.request is not None), terms), planning.store_name_of(terms)
    withheld = decision.withheld
    if withheld is None or not store:
        return ask
    world = _observe(ask, terms, visit, store)
    if isinstance(world.principal, Unknown):
        why = world.principal.error
        raise type(why)(reasons.PENDING, f"Whether access was given before is not known yet. {why.message}")
    return found_again(ask, world, withheld, decision.others)


def _deletion(visit: Visit) -> Flow[Looked]:
    def look() -> Looked:
        ask = _with_predecessor(read_request(visit.manifest()), visit)
        return ask, gather_deletion(ask, visit)

    def holders() -> tuple[str, ...]:
        return tuple(visit.manifest()["metadata"].get("finalizers") or ())

    return Flow(
        gather=look,
        plan=lambda seen: plan_deletion(*seen, holders(), gives_up=_gives_up(visit), was_blocked=is_true(visit.old_status(), BLOCKED)),
        executor=lambda seen: _executor(visit, seen[1]),
        report=lambda _seen, _: _report_deletion(visit),
    )


def _gives_up(visit: Visit) -> bool:
    """Whether its owner asked that it lets go of what it cannot reach."""
    found = visit.ports.cluster.get(visit.key)
    return found is not None and marks.is_let_go(found)


def _report_deletion(visit: Visit) -> Outcome:
    """What is recorded stays recorded until the object goes."""
    kept = {name: value for name, value in visit.old_status().items() if name not in ("conditions", "observedGeneration")}
    return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "What was given is being taken away"), fields=kept)


def _executor(visit: Visit, world: AccessWorld) -> Executor:
    target = Target(visit.key, visit.uid, visit.ports.cluster, visit.write_record, world.now, looks=visit.looks)
    place = open_place(world.store, visit) if world.store is not None else None
    return Executor(replace(target, identities=place.identities, explain=place.explain) if isinstance(place, Place) else target)


def gather(ask: Ask, visit: Visit) -> AccessWorld:
    """Everything that the decision rests on, and what is in the store; the store is asked only where something is there or is given."""
    ports = visit.ports
    kept, left = _observe_left(ask, visit)
    world = replace(_gather_allowed(ask, visit), left=left)
    gives = decide(replace(ask, readable=world.request is not None), world).gives
    if ask.place is None and not gives:
        world = replace(world, secret=_observe_secret(ask, ports)) if ask.secret else world
        if isinstance(left, Present):
            return replace(world, store=kept, principal=left)
        return _observe_formers(ask, world, visit)
    name = ask.place.store if ask.place else planning.store_name_of(world)
    obstacle = None
    if not is_store_ready(name, ports):
        obstacle = Waiting(reasons.STORE_NOT_READY, f"ObjectStore {name} is not Ready")
    return _observe(ask, replace(world, obstacle=obstacle), visit, name)


def _gather_allowed(ask: Ask, visit: Visit) -> AccessWorld:
    """What the decision rests on, with what policies say of the request, and of the grant that the port would make."""
    terms = replace(gather_terms(ask, visit.ports), refusal=visit.judgement().denial)
    decision = decide(replace(ask, readable=terms.request is not None), terms)
    if not decision.answer or decision.port is None or terms.answer_exists:
        return terms
    draft = answer_of(ask, decision.port, terms)
    return replace(terms, refusal=judge_object(key_of(draft), visit.ports, draft).denial)


def gather_terms(ask: Ask, ports: Ports) -> AccessWorld:
    """What the decision rests on, from the cache alone."""
    cluster = ports.cluster
    product, own = _find(ask.product, ask, cluster), cluster.get(ask.key)
    consumer = _find(ask.consumer, ask, cluster)
    return AccessWorld(
        now=ports.clock.now(),
        settings=ports.settings,
        is_time_trusted=ports.clock.is_trusted(),
        cluster=cluster_uid(ports),
        offer=replace(offer_of(product, ports), readable=is_readable(DataProduct, product)) if product else None,
        product_home=home_of(ask.product.namespace, ports),
        consumer_exists=consumer is not None,
        consumer_deleting=consumer is not None and bool(consumer["metadata"].get("deletionTimestamp")),
        consumer_home=find_domain(ask.key.namespace, cluster),
        namespace_uid=namespace_uid(ask.key.namespace, cluster),
        answers=tuple(read_answers(ask, ports)),
        answer_exists=cluster.get(Key("AccessGrant", ask.product.namespace, answer_name(ask, ports.settings.mesh))) is not None,
        request=_parsed(own),
    )


def _find(key: Key, ask: Ask, cluster: Cluster) -> Manifest | None:
    """From the cache; before something is taken because an object is absent, it is read live: a cache may be behind."""
    found = cluster.get(key)
    return require(cluster.read(key)) if found is None and ask.place is not None else found


def _parsed(manifest: Manifest | None) -> AccessRequest | None:
    """The whole request, None where it cannot be read."""
    try:
        return parse(AccessRequest, manifest) if manifest is not None else None
    except Terminal:
        return None


def _observe_secret(ask: Ask, ports: Ports) -> Seen[Manifest]:
    name = ask.secret_name or ask.secret
    return ports.cluster.read_metadata(Key("Secret", ask.key.namespace, name)) if name else Absent()


def _observe(ask: Ask, world: AccessWorld, visit: Visit, name: str) -> AccessWorld:
    """What is in the store, and the Secret's metadata. A store that is gone, or given up, shows nothing."""
    manifest = visit.ports.cluster.get(Key("ObjectStore", "", name))
    world = replace(world, secret=_observe_secret(ask, visit.ports))
    if manifest is None:
        gone = Waiting(reasons.STORE_NOT_FOUND, f"ObjectStore {name} does not exist")
        return replace(world, principal=Unknown(gone), obstacle=gone)
    store = read_leniently(ObjectStore, manifest)
    if marks.is_given_up(store):
        return replace(world, store=store, abandoned=True)
    place = _find_moved(ask, store) or open_place(store, visit)
    if isinstance(place, MeshError) and place.reason == reasons.NOT_THE_SAME_STORE and _lets_go(ask, store, visit):
        return replace(world, store=store, abandoned=True)
    if isinstance(place, MeshError):
        return replace(world, store=store, principal=Unknown(place), obstacle=world.obstacle or place)
    user = principal_of(ask, world, store)
    formers = place.observe_formers(ask.key, user, ask.take_over)
    unseen = world.left if isinstance(world.left, Unknown) and ask.place is None and name == ask.abandoned else None
    issued = ask.rotated_at or issued_of(value_of(world.secret), ask.key, ask.uid)  # of the Secret, which is others' to write, a first key
    return replace(world, store=store, principal=unseen or place.observe_own(user, issued), formers=formers)


def _observe_formers(ask: Ask, world: AccessWorld, visit: Visit) -> AccessWorld:
    """What lost clusters made for a request for which this one made nothing; most stores take over from none, and are not asked."""
    manifest = visit.ports.cluster.get(Key("ObjectStore", "", planning.store_name_of(world)))
    store = read_leniently(ObjectStore, manifest) if manifest is not None else None
    place = open_place(store, visit) if store is not None and store.spec.take_over_from else None
    if store is None or place is None:
        return world
    if isinstance(place, MeshError):
        wanted = former_names(store, world.settings.mesh, ask.key, (*done_at(ask.take_over, store), world.cluster))
        return replace(world, formers=tuple(FormerUser(*former, Unknown(place)) for former in wanted))
    user = principal_of(ask, world, store)
    return replace(world, store=store, formers=place.observe_formers(ask.key, user, ask.take_over))


def _observe_left(ask: Ask, visit: Visit) -> tuple[ObjectStore | None, Seen[Principal] | None]:
    """A store that was given up, and what is left in it. It is asked where that very store is here again; a record may lack its id."""
    manifest = visit.ports.cluster.get(Key("ObjectStore", "", ask.abandoned)) if ask.abandoned else None
    store = read_leniently(ObjectStore, manifest) if manifest is not None else None
    if store is None or marks.is_given_up(store) or ask.abandoned_id not in ("", store.status.store_id):
        return None, None
    place, mesh = open_place(store, visit), visit.ports.settings.mesh
    if isinstance(place, MeshError):
        return None, None
    names_of_it = (names.principal_name(mesh, cluster_uid(visit.ports), ask.key), names.former_principal_name(mesh, ask.key))
    looks = [place.observe_principal(name) for name in names_of_it]
    return store, next((seen for seen in looks if not isinstance(seen, Absent)), Absent() if ask.abandoned_id else None)


def _lets_go(ask: Ask, store: ObjectStore, visit: Visit) -> bool:
    """Whether its owner gives up what is in a store that is not recognised: of a living request only where the ObjectStore leads to another
    one for good, and not back to the one that was given up before."""
    moved = _find_moved(ask, store) is not None and store.status.store_id != ask.abandoned_id
    return _gives_up(visit) and (moved or bool(visit.manifest()["metadata"].get("deletionTimestamp")))


def _find_moved(ask: Ask, store: ObjectStore) -> MeshError | None:
    """Why the store is not asked: what was given is in another one."""
    error = find_other_store(store, ask.place.store_id if ask.place else "")
    way_out = f"or, if that store is lost, release the request with annotation {marks.ORPHAN_ANNOTATION}={ask.key.name}"
    return Waiting(error.reason, f"{error.message}, {way_out}") if error is not None else None


def gather_deletion(ask: Ask, visit: Visit) -> AccessWorld:
    """What there is of a request that goes. Where nothing was ever made no store is asked."""
    ports = visit.ports
    home, place_uid = find_domain(ask.key.namespace, ports.cluster), namespace_uid(ask.key.namespace, ports.cluster)
    world = AccessWorld(
        now=ports.clock.now(), settings=ports.settings, cluster=cluster_uid(ports), consumer_home=home, namespace_uid=place_uid
    )
    if ask.place is None:
        kept, left = _observe_left(ask, visit)
        return replace(world, store=kept, principal=left) if isinstance(left, Present) else world
    world = _observe(ask, world, visit, ask.place.store)
    if not isinstance(world.principal, Unknown):
        return world
    error = world.principal.error
    way_out = f"to release the request and leave the principal behind, annotate {marks.ORPHAN_ANNOTATION}={ask.key.name}"
    kind = type(error) if isinstance(error, Transient) else Waiting
    return replace(world, principal=Unknown(kind(error.reason, f"{error.message}; {way_out}")))


def clear(manifest: Manifest, visit: Visit) -> Next:
    """A request that vanished without its finalizer, and left a record: what was given for it is taken at once, if it is gone indeed."""
    ask = read_request(manifest)
    if ask.place is None or require(visit.ports.cluster.read(ask.key)) is not None:
        return Next()

    def look() -> tuple[Steps, Executor]:
        world = gather_deletion(ask, visit)
        taking, secret = plan_taking(ask, world), plan_secret_end(ask, world)
        return Steps((*taking.operations, *secret.operations), taking.stop), _executor(visit, world)

    take_all(look)
    return Next()
