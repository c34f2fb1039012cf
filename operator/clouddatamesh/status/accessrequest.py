"""An AccessRequest's status from the decision and from what was read back of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import terms
from clouddatamesh.plan.access import Decision, decide
from clouddatamesh.plan.accessrequest import Gift, gift_of, rotate_token, rotates_at
from clouddatamesh.plan.binding import good_key


def report(request: AccessRequest, world: AccessWorld) -> Outcome:
    """The outcome when nothing more is to be done: what is given stands, or nothing stands any more."""
    decision = decide(request, world)
    gift = gift_of(request, world, decision)
    if gift is not None:
        return _report_given(gift, world)
    return _report_nothing(request, decision)


def _report_given(gift: Gift, world: AccessWorld) -> Outcome:
    request, decision = gift.request, gift.decision
    findings = (
        Finding("Approved", "True", reasons.GRANTED, decision.message),
        Finding("Provisioned", "True", reasons.READY, "Principal, policy, key and Secret were read back"),
        Finding("DriftDetected", "False", reasons.IN_SYNC, "What was read is what was asked for"),
        *_expiring(gift, world),
    )
    ready = Finding("Ready", "True", reasons.GRANTED, f"Secret {request.spec.secret_name} gives access {_span(decision.until)}")
    return Outcome(ready, findings, _fields_given(gift, world), due=_due(gift, world))


def _span(until: datetime | None) -> str:
    return f"until {_text(until)}" if until else "without end"


def _expiring(gift: Gift, world: AccessWorld) -> Iterator[Finding]:
    grant, port = gift.decision.grant, gift.decision.port
    if grant is not None and port is not None and terms.is_expiring(grant, port, world.now):
        why = f"Access ends {_span(gift.decision.until).removeprefix('until ')}; ask for more time with spec.renewal"
        yield Finding("Expiring", "True", reasons.EXPIRING, why)


def _fields_given(gift: Gift, world: AccessWorld) -> dict[str, Any]:
    request, grant = gift.request, gift.decision.grant
    key_id = good_key(world.principal, world.secret)
    assert grant is not None  # noqa: S101 - a gift rests on a grant
    fields: dict[str, Any] = {
        "digest": terms.digest(request),
        **gift.record,
        "accessKeyId": key_id,
        "binding": {"name": request.spec.secret_name},
        "validFrom": _text(terms.created_at(grant)),
        "decidedAt": _text(terms.created_at(grant)),
        "rotatedAt": request.status.rotated_at if request.status.access_key_id == key_id else _text(world.now),
    }
    if gift.decision.until is not None:
        fields["validUntil"] = _text(gift.decision.until)
    if grant.spec.note:
        fields["decisionNote"] = grant.spec.note
    return {**fields, **_rotation(request, world)}


def _rotation(request: AccessRequest, world: AccessWorld) -> dict[str, Any]:
    """The old key is shown while it lives."""
    fields: dict[str, Any] = {}
    rotation, token = request.status.rotation, rotate_token(request)
    if rotation is not None and parse_time(rotation.until) > world.now:
        fields["rotation"] = rotation.model_dump(by_alias=True)
    if token:
        fields["lastHandledRotate"] = token
    return fields


def _due(gift: Gift, world: AccessWorld) -> datetime | None:
    """The next moment at which something changes by time alone."""
    grant, port, rotation = gift.decision.grant, gift.decision.port, gift.request.status.rotation
    assert grant is not None and port is not None  # noqa: S101 - a gift rests on both
    moments = [
        gift.decision.until,
        terms.warns_at(grant, port),
        rotates_at(gift.request, gift.decision),
        parse_time(rotation.until) if rotation else None,
    ]
    return min((moment for moment in moments if moment is not None and moment > world.now), default=None)


def _report_nothing(request: AccessRequest, decision: Decision) -> Outcome:
    """Nothing stands. What stood before was taken away, and read back as gone."""
    had = request.status.grant_ref is not None or any(found.type == "Provisioned" for found in request.status.conditions)
    revoked = had and decision.reason == reasons.AWAITING_GRANT
    reason = reasons.REVOKED if revoked else decision.reason
    message = f"Access was taken away, as its grant is gone. {_way_on(request, decision)}" if revoked else decision.message
    findings = (
        *_refusals(decision),
        *([Finding("Provisioned", "False", _gone(decision), "Nothing stands in the store any more")] if had else []),
    )
    ready = Finding("Ready", "False" if decision.stalled or revoked else "Unknown", reason, message)
    return Outcome(ready, findings, _fields_nothing(request), stalled=decision.stalled or revoked)


def _way_on(request: AccessRequest, decision: Decision) -> str:
    """The owners see a request whose grant they took back only once a renewal is asked."""
    asked, decided = request.spec.renewal, request.status.decided_at
    seen = asked is not None and decided is not None and parse_time(asked.requested_at) > parse_time(decided)
    return decision.message if seen or decision.answer else "To ask the owners again, set spec.renewal"


def _gone(decision: Decision) -> str:
    return reasons.EXPIRED if decision.reason == reasons.EXPIRED else reasons.REVOKED


def _refusals(decision: Decision) -> Iterator[Finding]:
    if decision.reason == reasons.DENIED:
        yield Finding("Denied", "True", reasons.DENIED, decision.message)
    if decision.reason == reasons.EXPIRED:
        yield Finding("Expired", "True", reasons.EXPIRED, decision.message)


def _fields_nothing(request: AccessRequest) -> dict[str, Any]:
    old = request.status.model_dump(by_alias=True, exclude_none=True)
    return {"digest": terms.digest(request), **{field: old[field] for field in _KEPT if field in old}}


_KEPT: Final[tuple[str, ...]] = ("validFrom", "validUntil", "decidedAt", "decisionNote")
"""What is still told of access that ended."""


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
