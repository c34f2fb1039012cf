"""The one place where conditions are made: kstatus from an outcome or an error.

| result            | Ready   | besides     | kstatus    |
|-------------------|---------|-------------|------------|
| Outcome           | True    |             | Current    |
| Outcome, stalled  | False   | Stalled     | Failed     |
| Outcome           | Unknown | Reconciling | InProgress |
| worst a Terminal  | False   | Stalled     | Failed     |
| worst a Transient | False   | Reconciling | InProgress |
| worst a Waiting   | Unknown | Reconciling | InProgress |

The last three for the failures of parts, and likewise for an error that ended the whole look.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.plan import moments

Status: TypeAlias = Mapping[str, Any]
"""A status as JSON."""

_RAISED_BY_ERRORS: Final = frozenset({"DeletionBlocked", "PrincipalsOrphaned", "PrincipalsUnclaimed"})
"""Conditions that are True when something is wrong."""
_HISTORY: Final = frozenset(
    {
        "Escalated",
        "Expired",
        "Denied",
        "Approved",
        "Superseded",
        "Expiring",
        "FormerMembers",
        "PrincipalsOrphaned",
        "ReassessmentDue",
        "RenewalPending",
        "TrainingOverdue",
    }
)
"""Conditions that tell of what was decided, and hold until something else is."""
_STICKY_CONDITIONS: Final = frozenset({"Superseded"})
_STICKY_FIELDS: Final = ("maxDuration", "approvals", "requiredApprovals", "data", "consumer", "endedGeneration", "endedUid", "endedSpec")
"""What was once written for good: no later look takes it back, whatever it was computed from."""
_SEVERITY: Final = (Terminal, Transient, Waiting)
_MESSAGE_LENGTH: Final = 1024


def summarize(
    old: Status, generation: int, outcome: Outcome | MeshError, now: datetime, *, interval: timedelta, further: Sequence[Finding] = ()
) -> Status:
    """The new status. After an error the fields are as they were; a condition's time moves only with its status.

    `interval` is how long it takes at most until the object is looked at again; `further` replaces what was found of its conditions.
    """
    if isinstance(outcome, MeshError):
        fields = {name: value for name, value in old.items() if name not in ("conditions", "observedGeneration")}
        findings = _after_error(old, outcome)
    else:
        fields = {**{name: old[name] for name in _STICKY_FIELDS if name in old}, **outcome.fields}
        findings = (*_after_outcome(_with_failures(outcome)), *_sticky(old, outcome))
    kept = (found for found in findings if all(found.type != other.type for other in further))
    told = tuple(_tell_when(found, findings, interval) for found in (*kept, *further))
    status = {**fields, "observedGeneration": generation, "conditions": _build_conditions(old, generation, told, now)}
    return {name: _as_json(value) for name, value in status.items()}


def _as_json(value: Any) -> Any:
    """As the API server hands it back, which knows no tuples: else a status that says the same is written in every look."""
    if isinstance(value, dict):
        return {name: _as_json(inner) for name, inner in value.items()}
    return [_as_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def worst(errors: Iterable[MeshError]) -> MeshError | None:
    """The error that decides: what somebody must act on before what may pass, and that before what is waited for; of equals the first.

    What is merely not granted to an adopted bucket hides no fault of the bucket.
    """
    listed = list(errors)
    found = [error for error in listed if error.reason != reasons.ADOPTION_BLOCKED] or listed
    return next((error for kind in _SEVERITY for error in found if isinstance(error, kind)), None)


def _with_failures(outcome: Outcome) -> Outcome:
    """The outcome with each failed part telling of its condition, and the worst failure of Ready."""
    told = _told_by_parts(outcome)
    kept = tuple(found for found in outcome.findings if found.type not in told)
    outcome = replace(outcome, findings=(*kept, *told.values()))
    error = worst(failure.error for failure in outcome.failures if not failure.minor)
    if error is None:
        return outcome
    stalled = outcome.stalled and outcome.ready.status == "False"
    if stalled and not isinstance(error, Terminal):
        return outcome
    return replace(outcome, ready=_finding_of_error("Ready", error), stalled=isinstance(error, Terminal))


def _told_by_parts(outcome: Outcome) -> dict[str, Finding]:
    told: dict[str, Finding] = {}
    for condition in dict.fromkeys(failure.condition for failure in outcome.failures if failure.condition):
        why = worst(failure.error for failure in outcome.failures if failure.condition == condition)
        assert why is not None  # noqa: S101 - a failure has an error
        told[condition] = _finding_of_error(condition, why)
        found = next((found for found in outcome.findings if found.type == condition), None)
        if found is not None and all(failure.minor for failure in outcome.failures if failure.condition == condition):
            told[condition] = replace(found, reason=why.reason, message=f"{found.message}; {why.message}")
    return told


def _finding_of_error(condition: str, error: MeshError) -> Finding:
    if condition in _RAISED_BY_ERRORS:
        return Finding(condition, "True", error.reason, error.message)
    return Finding(condition, "Unknown" if isinstance(error, Waiting) else "False", error.reason, error.message)


def _after_outcome(outcome: Outcome) -> tuple[Finding, ...]:
    stalled = (Finding("Stalled", "True", outcome.ready.reason, outcome.ready.message),) if outcome.stalled else ()
    waits = outcome.ready.status != "True" and not outcome.stalled
    reconciling = (Finding("Reconciling", "True", outcome.ready.reason, outcome.ready.message),) if waits else ()
    return (*outcome.findings, *stalled, *reconciling, outcome.ready)


def _after_error(old: Status, error: MeshError) -> tuple[Finding, ...]:
    """A look that failed as a whole saw nothing: what it would have found is Unknown."""
    settled = {"Ready", "Stalled", "Reconciling", "DeletionBlocked"}
    before = [condition for condition in old.get("conditions") or () if condition["type"] not in settled]
    kept = [
        _finding_of(condition) if condition["type"] in _HISTORY else Finding(condition["type"], "Unknown", error.reason, error.message)
        for condition in before
    ]
    besides = Finding("Stalled" if isinstance(error, Terminal) else "Reconciling", "True", error.reason, error.message)
    return (*kept, besides, _finding_of_error("Ready", error))


def _sticky(old: Status, outcome: Outcome) -> tuple[Finding, ...]:
    found = {finding.type for finding in outcome.findings}
    before = (
        c for c in old.get("conditions") or () if c["type"] in _STICKY_CONDITIONS and c["status"] == "True" and c["type"] not in found
    )
    return tuple(map(_finding_of, before))


def _tell_when(found: Finding, findings: Sequence[Finding], interval: timedelta) -> Finding:
    """Stalled means that somebody must act, not that nobody looks: the message says when that is seen."""
    if found.type not in ("Ready", "Stalled") or not any(other.type == "Stalled" for other in findings):
        return found
    message = found.message[: _MESSAGE_LENGTH - 80]
    return replace(found, message=f"{message}; checked again within {_in_words(interval)} and when this object changes")


def _in_words(interval: timedelta) -> str:
    seconds = int(interval.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def _finding_of(condition: Mapping[str, Any]) -> Finding:
    return Finding(condition["type"], condition["status"], condition["reason"], condition.get("message", ""))


def _build_conditions(old: Status, generation: int, findings: Iterable[Finding], now: datetime) -> list[dict[str, Any]]:
    judged = old.get("observedGeneration", -1) > 0  # else they are the schema's, of no time
    before = {condition["type"]: condition for condition in old.get("conditions") or () if judged}
    return [_build_condition(before.get(found.type), generation, found, now) for found in sorted(findings, key=lambda f: f.type)]


def _build_condition(before: Mapping[str, Any] | None, generation: int, found: Finding, now: datetime) -> dict[str, Any]:
    unmoved = before is not None and before["status"] == found.status
    return {
        "type": found.type,
        "status": found.status,
        "reason": found.reason,
        "message": found.message[:_MESSAGE_LENGTH],
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if unmoved and before else moments.text(now),
    }


def replace_condition(status: Status, generation: int, type_: str, found: Sequence[Finding], now: datetime) -> Status:
    """The status with one condition as it is found now for a generation, or without it; all else stays as it was."""
    before = condition_of(status, type_)
    others = [one for one in status.get("conditions") or () if one["type"] != type_]
    built = [_build_condition(before, generation, one, now) for one in found]
    return {**status, "conditions": sorted([*others, *built], key=lambda one: str(one["type"]))}


def condition_of(status: Status, type_: str) -> Mapping[str, Any] | None:
    """One condition of a status, None where it is absent."""
    return next((condition for condition in status.get("conditions") or () if condition["type"] == type_), None)


def is_true(status: Status, type_: str) -> bool:
    """Whether a condition is there and True."""
    condition = condition_of(status, type_)
    return condition is not None and condition["status"] == "True"
