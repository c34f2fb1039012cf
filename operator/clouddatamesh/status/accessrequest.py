"""An AccessRequest's status from the decision and from what was read back of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Ask, Decision
from clouddatamesh.model.evidence import Absent, Present, Unknown, value_of
from clouddatamesh.model.identity import AccessKey
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding, keys, moments
from clouddatamesh.plan.access import terms
from clouddatamesh.plan.access.approvers import approvals_of
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.access.request import Giving, giving_of, moment_of
from clouddatamesh.plan.access.taking import RECORD, is_secret_gone, own_principal, principal_of, recorded_principal
from clouddatamesh.plan.takeover import counted_here, end_of_formers, living, take_over_fields
from clouddatamesh.status.escalation import with_escalation
from clouddatamesh.status.keys import told_of_keys
from clouddatamesh.status.summarize import is_true

Status = Mapping[str, Any]


def report(ask: Ask, world: AccessWorld, old: Status) -> Outcome:
    """The outcome as far as nothing failed: what is given is there, what is kept is told of, or nothing is there any more."""
    outcome = _report_access(ask, world, old)
    served = any(found.type == "Provisioned" and found.status == "True" for found in outcome.findings)
    record = counted_here(ask.take_over, world.cluster, recorded_principal(ask, world, world.store), world.store)
    took = take_over_fields(record, world.formers, world, world.settings, cluster=world.cluster, served=served)
    if "rotation" in outcome.fields:
        took = {**took, "rotation": keys.counted(outcome.fields["rotation"], moment_of(world))}
    due = min((moment for moment in (outcome.due, end_of_formers(took, world.now)) if moment is not None), default=None)
    findings, fields = (*outcome.findings, *_past_end(ask, outcome), *_renewal(ask, world)), {**outcome.fields, **took}
    told = replace(outcome, findings=findings, fields={**fields, **_approvals(ask, world)}, due=due)
    return with_escalation(told, decide(ask, world), ask, world, old)


def _approvals(ask: Ask, world: AccessWorld) -> dict[str, Any]:
    """Who has approved, where the port asks for several people."""
    found = approvals_of(ask, world)
    if found is None:
        return {}
    required, people = found
    return {"approvals": {"required": required, "given": len(people), "approvedBy": list(people[:_MOST_NAMED])}}


_MOST_NAMED: Final = 16
"""Of more approvers no more are named; the number counts all."""


def _report_access(ask: Ask, world: AccessWorld, old: Status) -> Outcome:
    decision = decide(ask, world)
    giving = giving_of(ask, world, decision)
    if decision.gives and decision.trouble is not None:
        return _report_kept(decision, decision.trouble, ask, world, old)
    if giving is not None:
        return _report_given(giving, world, old)
    return _report_nothing(ask, decision, world, old)


def _past_end(ask: Ask, outcome: Outcome) -> Iterator[Finding]:
    """That access ended by time is remembered until it is given again, whatever comes between: else an Auto port would answer."""
    told = {found.type for found in outcome.findings}
    if ask.has_expired and not {"Approved", "Expired"} & told:
        yield Finding("Expired", "True", reasons.EXPIRED, _PAST)


_PAST: Final = "The end of an earlier grant has passed"


def _renewal(ask: Ask, world: AccessWorld) -> Iterator[Finding]:
    """The consumer sees that the wish for more time was noticed, and where the owners see it."""
    if ask.renewal_at is not None and terms.is_renewal_pending(ask, world):
        where = f"the owners of {ask.product} see it in AccessInbox {ask.product.name}"
        yield Finding("RenewalPending", "True", reasons.AWAITING_GRANT, f"Renewal was requested at {moments.text(ask.renewal_at)}; {where}")


def _report_given(giving: Giving, world: AccessWorld, old: Status) -> Outcome:
    decision = giving.decision
    findings = (
        Finding("Approved", "True", reasons.GRANTED, decision.message),
        _provisioned(giving, world),
        *_expiring(giving, world, old),
    )
    ready = Finding("Ready", "True", reasons.GRANTED, f"Secret {giving.ask.secret_name} gives access {_span(decision.until)}")
    drift = Finding("DriftDetected", "False", reasons.IN_SYNC, "What was read is what was asked for")
    if findings[1].status != "True":
        ready = Finding("Ready", "Unknown", reasons.RECONCILING, "The access is being made")
        drift = Finding("DriftDetected", "Unknown", reasons.RECONCILING, findings[1].message)
    findings = (*findings, drift)
    return Outcome(ready, findings, _fields_given(giving, world, old), due=_due(giving, world))


def _provisioned(giving: Giving, world: AccessWorld) -> Finding:
    principal, secret = value_of(world.principal), value_of(world.secret)
    if not _has_policy(giving, world) or not keys.good_key(principal, secret, giving.history):
        return Finding("Provisioned", "Unknown", reasons.RECONCILING, "Principal, policy, key and Secret were not all read back")
    return Finding("Provisioned", "True", *told_of_keys(giving.history, moment_of(world)))


def _has_policy(giving: Giving, world: AccessWorld) -> bool:
    """Whether what is to be given was read back, and so may be recorded as what there is."""
    principal = value_of(world.principal)
    return principal is not None and binding.has_policy(giving.binding, principal)


def _report_kept(decision: Decision, trouble: Decision, ask: Ask, world: AccessWorld, old: Status) -> Outcome:
    """Access is kept as it is, and something is wrong with it that somebody must see to."""
    findings = (
        Finding("Approved", "True", reasons.GRANTED, decision.message),
        Finding("Provisioned", "Unknown", trouble.reason, f"Kept as it was. {trouble.message}"),
    )
    ready = Finding("Ready", "False" if trouble.stalled else "Unknown", trouble.reason, trouble.message)
    return Outcome(ready, findings, _kept(old, ask), stalled=trouble.stalled, due=_later(decision.until, world=world))


def _span(until: datetime | None) -> str:
    return f"until {moments.text(until)}" if until else "without end"


def _expiring(giving: Giving, world: AccessWorld, old: Status) -> Iterator[Finding]:
    """By a clock that is not trusted nothing begins to be near its end."""
    grant, port = giving.decision.grant, giving.decision.port
    near = is_true(old, "Expiring")
    if world.is_time_trusted:
        near = grant is not None and port is not None and terms.is_expiring(grant, port, giving.ask, world.now)
    if near:
        why = f"Access ends {_span(giving.decision.until).removeprefix('until ')}; ask for more time with spec.renewal"
        yield Finding("Expiring", "True", reasons.EXPIRING, why)


def _fields_given(giving: Giving, world: AccessWorld, old: Status) -> dict[str, Any]:
    request, grant = giving.request, giving.decision.grant
    key_id = keys.good_key(value_of(world.principal), value_of(world.secret), giving.history)
    assert grant is not None  # noqa: S101 - it rests on a grant
    fields: dict[str, Any] = {
        "digest": terms.digest(giving.ask),
        **{name: value for name, value in giving.record.items() if value is not None},
        "binding": {"name": giving.ask.secret_name},
        "validFrom": moments.text(max(one.created for one in giving.decision.grants)),
        "decidedAt": moments.text(min(one.created for one in giving.decision.grants)),
    }
    if "place" in old and not _has_policy(giving, world):
        fields["place"] = old["place"]
    fields |= _left(giving.ask, world)
    if not key_id:
        return {**_kept(old, giving.ask), "digest": fields["digest"]}
    fields["accessKeyId"] = key_id
    rotated = moments.begun(moment(request.status.rotated_at) if request.status.access_key_id == key_id else None, world)
    if rotated is not None:
        fields["rotatedAt"] = moments.text(rotated)
    if giving.decision.until is not None:
        fields["validUntil"] = moments.text(giving.decision.until)
    if grant.note:
        fields["decisionNote"] = grant.note
    return {**fields, **_rotation(giving, world, key_id)}


def _rotation(giving: Giving, world: AccessWorld, key_id: str) -> dict[str, Any]:
    """The old key is shown while it lives. A token counts as handled once it was recorded with a rotation, or a fresh key came anyway."""
    fields: dict[str, Any] = {}
    status = giving.request.status
    rotation = status.rotation
    token = giving.history.token if status.access_key_id != key_id else status.last_handled_rotate
    lives = rotation is not None and any(key.id == rotation.access_key_id for key in _keys_of(world))
    if rotation is not None and (lives or giving.history.works_on(moment_of(world))):
        fields["rotation"] = rotation.model_dump(by_alias=True)
    if token:
        fields["lastHandledRotate"] = token
    return fields


def _keys_of(world: AccessWorld) -> tuple[AccessKey, ...]:
    principal = value_of(world.principal)
    return principal.keys if principal is not None else ()


def _due(giving: Giving, world: AccessWorld) -> datetime | None:
    """The next moment at which something changes by time alone."""
    grant, port = giving.decision.grant, giving.decision.port
    assert grant is not None and port is not None  # noqa: S101 - it rests on both
    warns = terms.warns_at(grant, port, giving.ask)
    return _later(giving.decision.until, warns, giving.history.rotates_at, giving.history.until, world=world)


def _later(*found: datetime | None, world: AccessWorld) -> datetime | None:
    """The first of these that is yet to come."""
    return min((at for at in found if at is not None and at > world.now), default=None)


def _report_nothing(ask: Ask, decision: Decision, world: AccessWorld, old: Status) -> Outcome:
    """Nothing is given. What there was before is told as gone only where that was seen, or was given up; else its record stays."""
    gone, left = _is_gone(ask, world), _left(ask, world)
    had = "validFrom" in old
    revoked = had and decision.reason == reasons.AWAITING_GRANT
    reason = reasons.REVOKED if revoked else decision.reason
    message = f"Access was taken away, as its grant is gone. {_way_on(ask, decision)}" if revoked else decision.message
    told = Finding("Provisioned", "False", _gone(decision), _told_gone(ask, world))
    if left:
        told = Finding("Provisioned", "Unknown", reasons.ABANDONED, left_in(ask))
        reason = reasons.ABANDONED if revoked else reason
        message = f"Nothing is given any more. {left_in(ask)}. {_way_on(ask, decision)}" if revoked else f"{message}. {left_in(ask)}"
    if not gone:
        whose = "What a lost cluster gave" if _has_formers(ask, world) else "What was given"
        told = Finding("Provisioned", "Unknown", _gone(decision), f"{whose} was not seen to be gone yet")
        ready = Finding("Ready", "Unknown", reason, message)
        return Outcome(ready, (*_refusals(decision), told), {**_kept(old, ask), "digest": terms.digest(ask)})
    findings = (*_refusals(decision), *([told] if had or left else []))
    ready = Finding("Ready", "False" if decision.stalled or revoked else "Unknown", reason, message)
    # While an older approval does not remember that it was overtaken, the newer one stays held: else the older would give again.
    bound_by = {name: old[name] for name in ("grantRef", "countedGrants") if decision.superseded and name in old}
    bound = {"binding": old["binding"]} if "binding" in old and not is_secret_gone(ask, world) else {}
    fields = {**_fields_nothing(ask, decision, old), **left, **bound, **bound_by}
    return Outcome(ready, findings, fields, stalled=decision.stalled or revoked)


def _told_gone(ask: Ask, world: AccessWorld) -> str:
    unread = f"; {world.secret.error.message}" if ask.secret and isinstance(world.secret, Unknown) else ""
    return f"The store has no user {principal_of(ask, world)} of this request any more{unread}"


def left_in(ask: Ask) -> str:
    """What is said of a principal that was left in a store."""
    return f"ObjectStore {ask.abandoned} was given up while the principal was in it; its key may work"


def _left(ask: Ask, world: AccessWorld) -> dict[str, str]:
    """What is remembered of a store that was given up, until the principal was seen to be gone there, or is told of again."""
    place = ask.place
    again = place is not None and place.store == ask.abandoned and ask.abandoned_id in ("", place.store_id)
    if not ask.abandoned or isinstance(world.left, Absent) or again:
        return {}
    return {"abandoned": ask.abandoned, **({"abandonedStoreId": ask.abandoned_id} if ask.abandoned_id else {})}


def _is_gone(ask: Ask, world: AccessWorld) -> bool:
    if _has_formers(ask, world):
        return False
    if ask.place is None or isinstance(world.principal, Absent):
        return True
    return isinstance(world.principal, Present) and own_principal(ask, world) is None


def _has_formers(ask: Ask, world: AccessWorld) -> bool:
    """Whether a lost cluster's user for this request is there, or may be."""
    return any(isinstance(former.seen, Unknown) or living(former, world.settings.mesh, ask.key) is not None for former in world.formers)


def _way_on(ask: Ask, decision: Decision) -> str:
    """The owners see a request whose grant they took back only once a renewal is asked."""
    seen = ask.renewal_at is not None and ask.decided_at is not None and ask.renewal_at > ask.decided_at
    return decision.message if seen or decision.answer else "To ask the owners again, set spec.renewal"


def _gone(decision: Decision) -> str:
    return reasons.EXPIRED if decision.reason == reasons.EXPIRED else reasons.REVOKED


def _refusals(decision: Decision) -> Iterator[Finding]:
    if decision.reason == reasons.DENIED:
        yield Finding("Denied", "True", reasons.DENIED, decision.message)
    if decision.past:
        yield Finding("Expired", "True", reasons.EXPIRED, decision.message if decision.reason == reasons.EXPIRED else _PAST)


_TOLD: Final[tuple[str, ...]] = ("validFrom", "decidedAt", "decisionNote")
"""What is still told of access that ended; its end too, where that is what ended it."""


def _fields_nothing(ask: Ask, decision: Decision, old: Status) -> dict[str, Any]:
    told = {field: old[field] for field in _TOLD if field in old}
    end = moments.text(decision.until) if decision.until is not None else old.get("validUntil")
    return {"digest": terms.digest(ask), **told, **({"validUntil": end} if decision.reason == reasons.EXPIRED and end else {})}


def _kept(old: Status, ask: Ask) -> dict[str, Any]:
    """The record and what was told of the access, as they are."""
    fields = (*RECORD, "binding", *_TOLD, "validUntil", "lastHandledRotate", "abandoned", "abandonedStoreId")
    return {"digest": terms.digest(ask), **{field: old[field] for field in fields if old.get(field)}}
