"""The one place where conditions are made: kstatus from an outcome or an error.

| result    | Ready   | besides          | kstatus    |
|-----------|---------|------------------|------------|
| Outcome   | True    |                  | Current    |
| Outcome, stalled | False | Stalled     | Failed     |
| Outcome   | Unknown | Reconciling      | InProgress |
| Terminal  | False   | Stalled          | Failed     |
| Waiting   | Unknown | Reconciling      | InProgress |
| Transient | False   | Reconciling      | InProgress |
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.outcome import Finding, Outcome

Status: TypeAlias = Mapping[str, Any]
"""A status as JSON."""

_RAISED_BY_ERRORS: Final = frozenset({"DeletionBlocked"})
"""Conditions that are True when something is wrong."""
_MESSAGE_LENGTH: Final = 1024


def summarize(old: Status, generation: int, outcome: Outcome | MeshError, now: datetime) -> Status:
    """The new status. After an error the fields stand as they were; a condition's time moves only with its status."""
    if isinstance(outcome, MeshError):
        fields = {name: value for name, value in old.items() if name not in ("conditions", "observedGeneration")}
        findings = _after_error(old, outcome)
    else:
        fields = dict(outcome.fields)
        findings = _after_outcome(outcome)
    return {**fields, "observedGeneration": generation, "conditions": _build_conditions(old, generation, findings, now)}


def _after_outcome(outcome: Outcome) -> tuple[Finding, ...]:
    stalled = (Finding("Stalled", "True", outcome.ready.reason, outcome.ready.message),) if outcome.stalled else ()
    waits = outcome.ready.status == "Unknown" and not outcome.stalled
    reconciling = (Finding("Reconciling", "True", outcome.ready.reason, outcome.ready.message),) if waits else ()
    return (*outcome.findings, *stalled, *reconciling, outcome.ready)


def _after_error(old: Status, error: MeshError) -> tuple[Finding, ...]:
    settled = {"Ready", "Stalled", "Reconciling", "DeletionBlocked", error.condition}
    kept = [_finding_of(condition) for condition in old.get("conditions") or () if condition["type"] not in settled]
    unknown = isinstance(error, Waiting)
    if error.condition in _RAISED_BY_ERRORS:
        kept.append(Finding(error.condition, "True", error.reason, error.message))
    elif error.condition:
        kept.append(Finding(error.condition, "Unknown" if unknown else "False", error.reason, error.message))
    kept.append(Finding("Stalled" if isinstance(error, Terminal) else "Reconciling", "True", error.reason, error.message))
    return (*kept, Finding("Ready", "Unknown" if unknown else "False", error.reason, error.message))


def _finding_of(condition: Mapping[str, Any]) -> Finding:
    return Finding(condition["type"], condition["status"], condition["reason"], condition.get("message", ""))


def _build_conditions(old: Status, generation: int, findings: Iterable[Finding], now: datetime) -> list[dict[str, Any]]:
    before = {condition["type"]: condition for condition in old.get("conditions") or ()}
    return [_build_condition(before.get(found.type), generation, found, now) for found in sorted(findings, key=lambda f: f.type)]


def _build_condition(before: Mapping[str, Any] | None, generation: int, found: Finding, now: datetime) -> dict[str, Any]:
    unmoved = before is not None and before["status"] == found.status
    return {
        "type": found.type,
        "status": found.status,
        "reason": found.reason,
        "message": found.message[:_MESSAGE_LENGTH],
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if unmoved and before else now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def condition_of(status: Status, type_: str) -> Mapping[str, Any] | None:
    """One condition of a status, None where it is absent."""
    return next((condition for condition in status.get("conditions") or () if condition["type"] == type_), None)


def is_true(status: Status, type_: str) -> bool:
    """Whether a condition stands and is True."""
    condition = condition_of(status, type_)
    return condition is not None and condition["status"] == "True"
