"""An AccessGrant's status: whether access rests on it, and if not, why not."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Answer, Ask, Decision
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.words import some
from clouddatamesh.model.world import GrantWorld
from clouddatamesh.plan import moments
from clouddatamesh.plan.access import terms
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.grants import cap_of, is_in_use
from clouddatamesh.status.accessrequest import left_in
from clouddatamesh.status.reassessment import with_reassessment

_DELETABLE: Final = "; it can be deleted"


def report(answer: Answer, world: GrantWorld) -> Outcome:
    """The outcome when nothing more is to be done for a grant itself."""
    return with_reassessment(_report_whole(answer, world), answer, world)


def _report_whole(answer: Answer, world: GrantWorld) -> Outcome:
    found = _report(answer, world)
    ask = world.ask
    if ask is not None and ask.abandoned and answer.decision == "Approve" and not answer.superseded:
        return _as_ending(found, left_in(ask))
    ends = ask is not None and is_in_use(answer, ask) and not decide(ask, world.access).gives
    return _as_ending(found, "The access that rests on this grant is being taken away; its key may work until then") if ends else found


def _as_ending(outcome: Outcome, what: str) -> Outcome:
    """Access that is to end and was not seen to be gone: nobody is told that its key does not work."""
    effect = next(finding for finding in outcome.findings if finding.type == "InEffect")
    if effect.status != "False":
        return outcome
    why = f"{effect.message.removesuffix(_DELETABLE)}. {what}"
    others = tuple(finding for finding in outcome.findings if finding.type != "InEffect")
    ready = replace(outcome.ready, status="Unknown", message=why)
    return replace(outcome, ready=ready, findings=(replace(effect, status="Unknown", message=why), *others), stalled=False)


def _report(answer: Answer, world: GrantWorld) -> Outcome:
    ask = world.ask
    if not answer.readable and answer.decision == "Approve":
        return _outcome(_unreadable(), {}, stalled=True)
    if answer.request is None:
        return _outcome(_report_ban(answer, world), {})
    if ask is None:
        return _report_without_request(answer, world)
    fields = _recorded(answer, ask)
    fault = _find_fault(answer, ask, world)
    if fault is not None:
        return _outcome(fault, fields, stalled=True)
    if answer.decision == "Deny":
        return _outcome(_denial(ask), fields)
    return _report_approval(answer, ask, world, fields)


def _recorded(answer: Answer, ask: Ask) -> dict[str, Any]:
    """What was recorded once, as it is; and which request this is about."""
    cap = {"maxDuration": cap_of(answer.cap)} if answer.cap is not None else {}
    numbers = {"approvals": answer.approvals, "requiredApprovals": answer.required}
    return {"requestDigest": terms.digest(ask), **cap, **{name: number for name, number in numbers.items() if number > 1}}


def _find_fault(answer: Answer, ask: Ask, world: GrantWorld) -> Finding | None:
    """Why a grant has no effect whatever else holds: it was given to somebody else, or answers something else."""
    differences = tuple(terms.find_differences(answer, ask))
    if terms.is_for_others(answer, world.access):
        return _changed_hands(answer)
    return _mismatch(differences) if differences else None


def _report_without_request(answer: Answer, world: GrantWorld) -> Outcome:
    """A grant that has ended says so, whoever asked for it."""
    asked = f"{answer.request.namespace}/{answer.request.name}" if answer.request else ""
    if answer.decision == "Approve" and answer.ends is not None and not answer.permanent and _is_past(answer.ends, world):
        over = Finding("Expired", "True", reasons.EXPIRED, "Its end has passed")
        fields = {"validUntil": moments.text(answer.ends)}
        return _outcome(Finding("Ready", "True", reasons.EXPIRED, f"Its end has passed{_DELETABLE}"), fields, over)
    return _outcome(Finding("Ready", "Unknown", reasons.REQUEST_NOT_FOUND, f"AccessRequest {asked} does not exist"), {})


def _unreadable() -> Finding:
    why = "The grant cannot be read by this version of the operator, so it gives nothing new; write it again"
    return Finding("Ready", "False", reasons.UNREADABLE, why)


def _mismatch(differences: tuple[terms.Difference, ...]) -> Finding:
    named = "; ".join(f"spec.{one.field} is {one.said or 'not given'}, the request asks for {one.asked}" for one in differences)
    why = f"The grant has no effect: {named}. Create a grant that says the same as the request"
    return Finding("Ready", "False", reasons.GRANT_MISMATCH, why)


def _changed_hands(answer: Answer) -> Finding:
    why = f"The grant has no effect: it was given to Domain {answer.given_domain}, whose namespace of this name is gone. Create a new grant"
    return Finding("Ready", "False", reasons.GRANT_MISMATCH, why)


def _denial(ask: Ask) -> Finding:
    left = _left_of(ask)
    if left:
        return Finding("Ready", "Unknown", reasons.DENIED, f"The request is refused. {left}")
    return Finding("Ready", "True", reasons.DENIED, "The request is refused, and the store has no user for it")


def _left_of(ask: Ask) -> str:
    """What may still work of a request that is refused; empty where that was seen to be gone."""
    if ask.abandoned:
        return left_in(ask)
    left = ask.grant_uid or ask.place is not None or ask.is_in_doubt or ask.is_provisioned
    return "Its access is being taken away; its key may work until then" if left else ""


def _report_ban(answer: Answer, world: GrantWorld) -> Finding:
    """A refusal of a whole namespace: what it refuses, and what of that may still work."""
    offer, where, product = world.access.offer, answer.consumer_namespace, f"{answer.key.namespace}/{answer.product}"
    if offer is None:
        why = f"DataProduct {product} does not exist, so the grant refuses nothing. Correct spec.dataProductRef, or create the product"
        return Finding("Ready", "Unknown", reasons.PRODUCT_NOT_FOUND, why)
    known = {(port.name, port.major) for port in (*offer.ports, *offer.former_ports)}
    if answer.port is not None and answer.port not in known and not world.refused:
        offered = ", ".join(f"{port.name} {port.version}" for port in offer.ports) or "none"
        why = f"DataProduct {product} has no output port {answer.port[0]} of version {answer.port[1]}.x, so the grant refuses nothing"
        return Finding("Ready", "Unknown", reasons.PORT_NOT_FOUND, f"{why}. Correct spec.outputPort: its ports are {offered}")
    asked = f"port {answer.port[0]} {answer.port[1]}.x of {product}" if answer.port else f"DataProduct {product}"
    what = f"Every request from namespace {where} for {asked} is refused"
    left = [ask for ask in world.refused if _left_of(ask)]
    if not left:
        return Finding("Ready", "True", reasons.DENIED, f"{what}, and there is nothing in a store for any of them")
    shown = some(ask.key.name for ask in left)
    return Finding("Ready", "Unknown", reasons.DENIED, f"{what}. Keys of {shown} may still work: {_left_of(left[0])}")


def _report_approval(answer: Answer, ask: Ask, world: GrantWorld, fields: dict[str, Any]) -> Outcome:
    if answer.superseded or any(other.uid == answer.uid for other in decide(ask, world.access).superseded):
        ready = Finding("Ready", "True", reasons.SUPERSEDED, "A grant that was made later came into effect; this one never gives again")
        return _outcome(ready, fields)
    port = terms.port_of(ask, world.access.offer)
    end = terms.end_of(answer, port, ask) if port else answer.ends
    if end is not None:
        fields = {**fields, "validUntil": moments.text(end)}
    if answer.ended:
        why = "Access on this grant ended by its port's terms; to give access again, change spec.validUntil, or create a new grant"
        kept = {name: value for name, value in fields.items() if name != "validUntil" or (end is not None and end <= world.access.now)}
        return _outcome(Finding("Ready", "True", reasons.EXPIRED, why), kept, Finding("Expired", "True", reasons.EXPIRED, why))
    if port is not None and terms.is_endless(answer, port, ask):
        why = "The port allows no access without end; give spec.validUntil instead of permanent"
        return _outcome(Finding("Ready", "False", reasons.PERMANENT_NOT_ALLOWED, why), fields, stalled=True)
    if end is not None and _is_past(end, world):
        over = Finding("Expired", "True", reasons.EXPIRED, "Its end has passed")
        return _outcome(Finding("Ready", "True", reasons.EXPIRED, f"Its end has passed{_DELETABLE}"), fields, over)
    if ask.was_given and not decide(ask, world.access).gives:
        fields = {name: value for name, value in fields.items() if name != "validUntil"}  # what has ended shows no end in the future
    found = _report_living(answer, ask, world)
    return replace(found, fields={**fields, **found.fields}, due=end if end is not None and end > world.access.now else None)


def _is_past(end: datetime, world: GrantWorld) -> bool:
    """Whether an end has passed; by a clock that is not trusted none has."""
    return world.access.is_time_trusted and end <= world.access.now


def _given_to(world: GrantWorld) -> dict[str, Any]:
    """To whom it gives: remembered, so that nobody inherits it with the name of a namespace."""
    home = world.access.consumer_home
    return {"consumer": {"domain": home.name, "namespaceUid": world.access.namespace_uid}} if home and world.access.namespace_uid else {}


def _report_living(answer: Answer, ask: Ask, world: GrantWorld) -> Outcome:
    decision = decide(ask, world.access)
    chosen = decision.rests_on(answer)
    if chosen and is_in_use(answer, ask) and decision.trouble is not None:
        return _outcome(Finding("Ready", "False", decision.trouble.reason, decision.trouble.message), {}, in_effect=True, stalled=True)
    if chosen and is_in_use(answer, ask) and ask.is_provisioned:
        return _outcome(Finding("Ready", "True", reasons.GRANTED, "Access rests on this grant"), _given_to(world), in_effect=True)
    if chosen and is_in_use(answer, ask) and ask.was_given:
        why = "Access was given on this grant, and could not be read back just now; its key may work"
        return _outcome(Finding("Ready", "Unknown", reasons.GRANTED, why), {}, in_effect=None)
    if chosen:
        return _outcome(Finding("Ready", "Unknown", reasons.GRANTED, "The access is being made"), {})
    port = terms.port_of(ask, world.access.offer)
    if port is not None and port.approvals is not None and _needs_others(answer, decision, port.approvals):
        return _report_waiting(answer, port.approvals)
    if obstacle := decision.behind:
        rests = f"Access goes on on {terms.name_of(decision.grants[-1])}, and ends with that one"
        why = f"It approves, and nothing new is given: {obstacle.message}. {rests}"
        return _outcome(Finding("Ready", "False" if obstacle.stalled else "Unknown", obstacle.reason, why), {}, stalled=obstacle.stalled)
    if decision.gives:
        why = "Another grant of the same request lasts longer; this one gives when that one ends or is deleted"
        return _outcome(Finding("Ready", "True", reasons.OUTLASTED, why), {})
    found = Finding("Ready", "False" if decision.stalled else "Unknown", decision.reason, decision.message)
    return _outcome(found, {}, stalled=decision.stalled)


def _needs_others(answer: Answer, decision: Decision, asked: int) -> bool:
    """Whether nothing keeps an approval from giving but that others are missing, or that it names no approver."""
    required = max(asked, answer.required)
    if required == 1:
        return False
    too_few = decision.reason in (reasons.AWAITING_GRANT, reasons.EXPIRED) or decision.required < required
    return (decision.gives and not answer.approver) or too_few


def _report_waiting(answer: Answer, asked: int) -> Outcome:
    if not answer.approver:
        why = "The port asks for the approvals of several people, and this grant names none; create another grant with spec.approver"
        return _outcome(Finding("Ready", "False", reasons.NO_APPROVER, why), {}, stalled=True)
    why = "The port asks for the approvals of further people; status.approvals of the request counts them"
    if answer.required > asked:
        before = f"The port asked for the approvals of {answer.required} people when this grant was made, so it gives only with so many"
        why = f"{before}; to approve as the port asks now, create another grant"
    return _outcome(Finding("Ready", "Unknown", reasons.AWAITING_APPROVERS, why), {})


def _outcome(ready: Finding, fields: dict[str, Any], *more: Finding, in_effect: bool | None = False, stalled: bool = False) -> Outcome:
    """`in_effect` None: not known."""
    effect = Finding("InEffect", "Unknown" if in_effect is None else "True" if in_effect else "False", ready.reason, ready.message)
    return Outcome(ready, (effect, *more), fields, stalled=stalled)
