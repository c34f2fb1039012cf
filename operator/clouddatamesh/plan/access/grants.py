"""An AccessGrant's plan, and the grant that is made where a port's approval is Auto. What a grant gives is given by its request."""

from datetime import timedelta
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.errors import Waiting
from clouddatamesh.model.access import Answer, Ask, Port
from clouddatamesh.model.objects import Event, Manifest
from clouddatamesh.model.operations import Announce, DeleteChild, ReleaseObject
from clouddatamesh.model.plan import Part, Plan, Steps, stopped
from clouddatamesh.model.world import AccessWorld, GrantWorld
from clouddatamesh.plan import marks, moments, names
from clouddatamesh.plan.access.facts import span

NOTE = "approved by port policy"


def answer_name(ask: Ask, mesh: str) -> str:
    """Name of the grant that a port's policy makes: one per request and renewal."""
    renewal = moments.text(ask.renewal_at) if ask.renewal_at else ""
    tail = names.hash80("answer", mesh, ask.uid, renewal)
    return f"auto-{ask.key.namespace[:60]}-{ask.key.name[:60]}".rstrip("-.") + f"-{tail}"


def answer_of(ask: Ask, port: Port, world: AccessWorld) -> Manifest:
    """The grant that a port with approval Auto gives: for as long as is asked and the port allows, and never for a moment only."""
    terms: dict[str, Any] = {"permanent": True}
    wanted = span(ask.duration)
    if wanted is not None:
        length = min(max(wanted, port.min_duration), port.max_duration or timedelta.max)
        terms = {"validUntil": moments.text(world.now + length)}
    reference = "dataProductRef" if ask.consumer.kind == "DataProduct" else "serviceAccountRef"
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "AccessGrant",
        "metadata": {
            "name": answer_name(ask, world.settings.mesh),
            "namespace": ask.product.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {marks.OWNER_ANNOTATION: _mark(ask)},
        },
        "spec": {
            "decision": "Approve",
            "dataProductRef": {"name": ask.product.name},
            "outputPort": {"name": ask.port[0], "version": ask.version},
            "requestRef": {"namespace": ask.key.namespace, "name": ask.key.name},
            "consumer": {reference: {"name": ask.consumer.name}},
            "mode": ask.mode,
            "note": NOTE,
            **terms,
        },
    }


def cap_of(duration: timedelta) -> str:
    """A cap as it is recorded: whole minutes."""
    minutes = int(duration.total_seconds() // 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"{days}d{rest // 60}h{rest % 60}m"


def _mark(ask: Ask) -> str:
    return marks.owner_reference(ask.key, ask.uid)


def plan(answer: Answer, world: GrantWorld) -> Plan:
    """Let go of a grant on which nothing rests any more; clear away an answer of ours that gives no more."""
    if is_in_use(answer, world.ask):
        return Plan()
    if _is_left_over(answer, world):
        return Plan((Part("clearing", Steps((DeleteChild(answer.key, answer.uid),))),))
    return Plan((Part("release", Steps((ReleaseObject(),))),)) if answer.held else Plan()


def plan_deletion(answer: Answer, world: GrantWorld, *, gives_up: bool) -> Plan:
    """The grant goes once what rests on it was taken away and read back as gone."""
    if not answer.held:
        return Plan()
    if is_in_use(answer, world.ask) and not gives_up:
        steps = stopped(Waiting(reasons.IN_USE, _what_it_waits_for(answer)))
    elif is_in_use(answer, world.ask):
        left = f"Access of {answer.request} still works; it is taken as soon as its store can be asked"
        steps = Steps((Announce(Event("Warning", reasons.ABANDONED, left)), ReleaseObject()))
    else:
        steps = Steps((ReleaseObject(),))
    return Plan((Part("release", steps, "DeletionBlocked"),))


def _what_it_waits_for(answer: Answer) -> str:
    way_out = f"where its store cannot be asked, let this grant go with annotation {marks.ORPHAN_ANNOTATION}={answer.key.name}"
    return f"The access of {answer.request} that rests on this grant is being taken away; {way_out}"


def is_in_use(answer: Answer, ask: Ask | None) -> bool:
    """Whether a request's record names this very grant."""
    return ask is not None and answer.uid in ask.grant_uids


def _is_left_over(answer: Answer, world: GrantWorld) -> bool:
    """An approval that we made, and that never gives again: its request is gone or was made again, a newer one took its place, or it ended.

    What an owner changed to Deny stays, and so does what the request has not taken note of.
    """
    ask = world.ask
    if not answer.owner or answer.decision != "Approve" or answer.request is None:
        return False
    if ask is None or answer.owner != _mark(ask):
        return True
    over = answer.ends is not None and not answer.permanent and answer.ends <= world.access.now and world.access.is_time_trusted
    return answer.superseded or (over and ask.has_expired)
