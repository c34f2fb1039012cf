"""An AccessGrant: the order of its steps. Everything it reads is in the cache; what it gives is given by its request."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.errors import MeshError
from clouddatamesh.model.access import Answer
from clouddatamesh.model.evidence import require
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.settings import Next
from clouddatamesh.model.world import AccessWorld, GrantWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.access import grants as planning
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.facts import asked_product, read_grant, read_product, read_request
from clouddatamesh.plan.access.terms import is_answer
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.accessrequest import gather_terms
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.judging import refusal_of
from clouddatamesh.reconcile.parse import is_readable
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.grants import report
from clouddatamesh.status.summarize import condition_of

_RESYNC: Final = timedelta(minutes=10)
_PATIENCE: Final = 5.0
"""Seconds that a request may take to give or to take before its grant says that it waits."""
_TURN: Final = 30.0
"""The same for a request that waits for its turn, as where hundreds were granted at once."""
_UNGRANTED: Final = ("", reasons.PENDING, reasons.AWAITING_GRANT, reasons.REVOKED, reasons.EXPIRED, reasons.DENIED)
"""What a request that waits for its turn still says of its former answers."""
Looked = tuple[Answer, GrantWorld]
"""A grant and its world, as one pass saw them."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Report the result of one grant, or let it go once nothing rests on it."""
    visit = Visit.of(key, manifest, ports)
    if not marks.is_let_go(manifest) and is_under_way(manifest, ports):
        return Next(after=_PATIENCE if _age(manifest, ports) < _PATIENCE else _TURN)

    def look() -> Looked:
        found = visit.manifest()
        answer = replace(read_grant(found), readable=is_readable(AccessGrant, found))
        return answer, _gather(answer, ports)

    flow: Flow[Looked] = Flow(
        gather=look,
        plan=lambda seen: (
            planning.plan_deletion(*seen, gives_up=marks.is_let_go(visit.manifest())) if seen[0].deleting else planning.plan(*seen)
        ),
        executor=lambda seen: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, seen[1].access.now)),
        report=lambda seen, _: _gone() if seen[0].deleting else report(*seen),
    )
    return run(visit, flow, interval=_RESYNC)


def is_under_way(manifest: Manifest, ports: Ports) -> bool:
    """Whether its request is about to give or to take, and will wake it: a moment in which nothing is worth being said."""
    if not -_PATIENCE <= _age(manifest, ports) <= _TURN:
        return False
    try:
        answer = read_grant(manifest)
        world = _gather(answer, ports)
    except MeshError:
        return False
    if world.ask is None or (_age(manifest, ports) > _PATIENCE and not _waits_for_turn(answer, world.ask.key, ports.cluster)):
        return False
    used = planning.is_in_use(answer, world.ask)
    if answer.deleting:
        return used and answer.held
    return not (used and world.ask.is_provisioned) and decide(world.ask, world.access).rests_on(answer)


def _age(manifest: Manifest, ports: Ports) -> float:
    """Seconds since it was made, or since its deletion was asked for; they may be negative."""
    metadata = manifest["metadata"]
    since = metadata.get("deletionTimestamp") or metadata.get("creationTimestamp")
    return (ports.clock.now() - parse_time(since)).total_seconds() if since is not None else _TURN + 1


def _waits_for_turn(answer: Answer, request: Key, cluster: Cluster) -> bool:
    """Whether what the request says is older than what happened to its grant: nothing went wrong, it was not looked at yet."""
    ready = condition_of((cluster.get(request) or {}).get("status") or {}, "Ready") or {}
    return ready.get("status") == "True" if answer.deleting else ready.get("reason", "") in _UNGRANTED


def _gone() -> Outcome:
    return Outcome(Finding("Ready", "Unknown", reasons.DELETING, "Nothing rests on it any more"))


def _gather_ban(answer: Answer, around: AccessWorld, cluster: Cluster) -> GrantWorld:
    """What a refusal of a whole namespace answers: the product's requests from there."""
    product = Key("DataProduct", answer.key.namespace, answer.product)
    found = cluster.get(product)
    asked = (read_request(request) for request in cluster.referring(product, "AccessRequest") if asked_product(request) == product)
    refused = tuple(ask for ask in asked if is_answer(answer, ask))
    return GrantWorld(replace(around, offer=read_product(found) if found is not None else None), refused=refused)


def _gather(answer: Answer, ports: Ports) -> GrantWorld:
    around = AccessWorld(now=ports.clock.now(), settings=ports.settings, is_time_trusted=ports.clock.is_trusted())
    if answer.request is None:
        return _gather_ban(answer, around, ports.cluster)
    request = ports.cluster.get(answer.request)
    if request is None and (answer.held or answer.owner):
        request = require(ports.cluster.read(answer.request))  # a cache may be behind, and by its absence a grant is cleared away
    if request is None:
        return GrantWorld(around)
    ask = read_request(request)
    terms = replace(gather_terms(ask, ports), refusal=refusal_of(request, ports))
    return GrantWorld(terms, replace(ask, readable=terms.request is not None))
