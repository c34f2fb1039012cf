"""An AccessGrant: the order of its steps. Everything it reads stands in the cache; what it gives is given by its request."""

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import AccessWorld, GrantWorld
from clouddatamesh.plan import grants as planning
from clouddatamesh.plan import marks
from clouddatamesh.plan.access import decide
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.accessrequest import gather_terms
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.pipeline import Flow, Visit, run
from clouddatamesh.status.grants import report

_RESYNC = 600.0
_PATIENCE = 5.0
"""Seconds that a request may take to give or to take before its grant says that it waits."""
Seen = tuple[AccessGrant, GrantWorld]
"""A grant and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Say what came of one grant, or let it go once nothing rests on it."""
    visit = Visit.of(key, manifest, ports)
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))
    if is_under_way(manifest, ports):
        return Next(after=_PATIENCE)

    def look() -> Seen:
        grant = _grant(visit)
        return grant, _gather(grant, ports)

    flow = Flow(
        gather=look,
        plan=lambda seen: (planning.plan_deletion if deleting else planning.plan)(*seen),
        executor=lambda _: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record)),
        report=lambda seen, _: _gone() if deleting else report(*seen),
    )
    return run(visit, flow, interval=_RESYNC)


def is_under_way(manifest: Manifest, ports: Ports) -> bool:
    """Whether its request is about to give or to take, and will wake it: a moment in which nothing is worth being said."""
    metadata = manifest["metadata"]
    since = metadata.get("deletionTimestamp") or metadata.get("creationTimestamp")
    if since is None or (ports.clock.now() - parse_time(since)).total_seconds() > _PATIENCE:
        return False
    try:
        grant = parse(AccessGrant, manifest)
        world = _gather(grant, ports)
    except MeshError:
        return False
    if world.request is None:
        return False
    used = planning.is_in_use(grant, world.request)
    if metadata.get("deletionTimestamp"):
        return used and marks.is_held(grant.metadata.finalizers)
    chosen = decide(world.request, world.access).grant
    return not used and chosen is not None and chosen.metadata.uid == grant.metadata.uid


def _gone() -> Outcome:
    return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "Nothing rests on it any more"))


def _grant(visit: Visit) -> AccessGrant:
    manifest = visit.ports.cluster.get(visit.key)
    if manifest is None or manifest["metadata"]["uid"] != visit.uid:
        raise Waiting(reasons.DELETING, "The object is gone")
    return parse(AccessGrant, manifest)


def _gather(grant: AccessGrant, ports: Ports) -> GrantWorld:
    request = _request(grant, ports)
    if request is None:
        return GrantWorld(AccessWorld(now=ports.clock.now(), settings=ports.settings))
    return GrantWorld(gather_terms(request, ports), request)


def _request(grant: AccessGrant, ports: Ports) -> AccessRequest | None:
    named = grant.spec.request_ref
    manifest = ports.cluster.get(Key("AccessRequest", named.namespace, named.name)) if named else None
    try:
        return parse(AccessRequest, manifest) if manifest else None
    except Terminal:
        return None
