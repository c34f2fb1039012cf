"""Every status that the operator can write, as far as its conditions go: one object for each reason and each way in which it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from clouddatamesh import reasons
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.status.summarize import summarize
from tests.support.manifests import API

GENERATION: Final = 3
SENTENCE: Final = "A sentence"
REASONS: Final = tuple(sorted({value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}))
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)

Kstatus = Literal["Current", "Failed", "InProgress", "Terminating"]


@dataclass(frozen=True)
class Case:
    """An object with a status, how kstatus reads it, and the reason of its condition Ready."""

    name: str
    object: Mapping[str, Any]
    kstatus: Kstatus
    reason: str = ""


def every_case() -> Iterator[Case]:
    """What summarize writes of every outcome and error with every reason, and what no operator has reconciled yet."""
    for reason in REASONS:
        for name, outcome, kstatus in _outcomes(reason):
            status = summarize({}, GENERATION, outcome, NOW, interval=timedelta(minutes=5))
            yield Case(f"{reason}-{name}", an_object(status), kstatus, reason)
    yield Case("absent", an_object(None), "Current")
    for kind in KINDS:
        if "spec" in kind.model.model_fields:
            yield Case(f"{kind.kind}-new", an_object(kind.initial_status, kind=kind.kind), "InProgress", "Pending")
    ready = summarize({}, GENERATION, Outcome(Finding("Ready", "True", reasons.READY, SENTENCE)), NOW, interval=timedelta(minutes=5))
    yield Case("edited", an_object(ready, generation=GENERATION + 1), "InProgress")


def deleted(case: Case) -> Case:
    """The same object while it is being deleted."""
    metadata = {**case.object["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["clouddatamesh.dev/cleanup"]}
    return Case(f"{case.name}-deleted", {**case.object, "metadata": metadata}, "Terminating", case.reason)


def an_object(status: Mapping[str, Any] | None, *, kind: str = "DataProduct", generation: int = GENERATION) -> dict[str, Any]:
    """An object of a kind with that status."""
    told = {"status": dict(status)} if status is not None else {}
    return {"apiVersion": API, "kind": kind, "metadata": {"name": "orders", "generation": generation}, "spec": {}, **told}


def _outcomes(reason: str) -> Iterator[tuple[str, Outcome | MeshError, Kstatus]]:
    """Every row of the table in the docstring of summarize."""
    yield "true", Outcome(Finding("Ready", "True", reason, SENTENCE)), "Current"
    yield "stalled", Outcome(Finding("Ready", "False", reason, SENTENCE), stalled=True), "Failed"
    yield "unknown", Outcome(Finding("Ready", "Unknown", reason, SENTENCE)), "InProgress"
    errors: tuple[tuple[MeshError, Kstatus], ...] = (
        (Terminal(reason, SENTENCE), "Failed"),
        (Transient(reason, SENTENCE), "InProgress"),
        (Waiting(reason, SENTENCE), "InProgress"),
    )
    for error, kstatus in errors:
        yield type(error).__name__, error, kstatus
        failed = Outcome(Finding("Ready", "True", reasons.READY, SENTENCE), failures=(Failure("release", "DeletionBlocked", error),))
        yield f"part-{type(error).__name__}", failed, kstatus
