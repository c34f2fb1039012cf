"""A request that waits for its owners' answer longer than the port promises is escalated: once for each time that it waits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Ask, Decision
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import moments
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.access.terms import port_of
from clouddatamesh.status.summarize import condition_of, is_true

ESCALATED: Final = "Escalated"
SINCE: Final = "pendingSince"


def with_escalation(outcome: Outcome, decision: Decision, ask: Ask, world: AccessWorld, old: Mapping[str, Any]) -> Outcome:
    """The outcome with what is told of waiting. By a clock that is not trusted nothing is late, and what was escalated stays so.

    What keeps a request from being answered for a while, as a product that is not Ready, ends no waiting: else it would be told again.
    """
    port = port_of(ask, world.offer)
    limit, waits = port.answer_within if port is not None else None, _is_pending(outcome)
    if limit is None or not (waits or (SINCE in old and not _is_answered(decision))):
        return outcome
    since = moments.begun(_told_since(ask, old), world)
    if since is None:
        return outcome
    fields, late = {**outcome.fields, SINCE: moments.text(since)}, since + limit
    if is_true(old, ESCALATED) or (waits and world.is_time_trusted and late <= world.now):
        why = f"It waits since {moments.text(since)}, longer than the port's access.answerWithin; ask the owners of {ask.product}"
        return replace(outcome, fields=fields, findings=(*outcome.findings, Finding(ESCALATED, "True", reasons.NOT_ANSWERED, why)))
    due = min((at for at in (outcome.due, late) if at is not None and at > world.now), default=None)
    return replace(outcome, fields=fields, due=due)


def _is_pending(outcome: Outcome) -> bool:
    """Whether owners have something to decide; as `plan.access.consumers.is_pending` reads it from a status."""
    renews = any(found.type == "RenewalPending" and found.status == "True" for found in outcome.findings)
    return outcome.ready.reason == reasons.AWAITING_GRANT or (renews and outcome.ready.reason != reasons.DENIED)


_ANSWERS: Final = (reasons.DENIED, reasons.EXPIRED, reasons.PERMANENT_NOT_ALLOWED)


def _is_answered(decision: Decision) -> bool:
    return decision.gives or decision.withheld is not None or decision.reason in _ANSWERS


def _told_since(ask: Ask, old: Mapping[str, Any]) -> datetime | None:
    """Since when it waits: as it was told, else since it was made, where nothing was decided meanwhile.

    Of a renewal it is the first look that found it. `spec.renewal.requestedAt` is what the consumer wrote, and may be any time.
    """
    told = moment(old.get(SINCE))
    if told is not None:
        return told
    ready = condition_of(old, "Ready") or {}
    is_first = ready.get("reason", reasons.PENDING) in (reasons.PENDING, reasons.AWAITING_GRANT) and "decidedAt" not in old
    return ask.created if is_first else None
