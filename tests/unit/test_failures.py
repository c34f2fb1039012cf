"""What is made of a look that failed: whether it is told at once, which failure counts, and how soon what waits is looked at again."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.reconcile.failures import failed_of, minor_of, only_failed, patience, waits_since

SILENT: Final = Transient(reasons.STORE_UNAVAILABLE, "The store did not answer")
WRONG: Final = Terminal(reasons.INVALID_SPEC, "spec.storage: missing")
WAITS: Final = Waiting(reasons.EMPTYING, "The bucket is being emptied")
READY: Final = Finding("Ready", "True", reasons.READY)


def failing(*errors: MeshError, condition: str = "StorageReady", minor: bool = False) -> Outcome:
    return Outcome(READY, failures=tuple(Failure(f"part-{n}", condition, error, minor) for n, error in enumerate(errors)))


def told(token: str = "", **statuses: str) -> dict[str, Any]:
    """A status of these conditions."""
    return {"conditions": [{"type": name, "status": status} for name, status in statuses.items()], "lastHandledReconcileAt": token}


WELL: Final = told(Ready="True", StorageReady="True", InputsReady="True")


@pytest.mark.parametrize(
    ("result", "new", "expected"),
    [
        (SILENT, told(Ready="False", Reconciling="True", StorageReady="Unknown", InputsReady="Unknown"), True),
        (failing(SILENT), told(Ready="False", Reconciling="True", StorageReady="False", InputsReady="True"), True),
        (failing(SILENT, SILENT), WELL, True),
        (failing(SILENT), told(Ready="False", StorageReady="False", InputsReady="False"), False),
        (failing(SILENT), told(Ready="False", DriftDetected="True"), False),
        (failing(SILENT), told("asked", **{found["type"]: found["status"] for found in WELL["conditions"]}), False),
        (failing(SILENT, WRONG), WELL, False),
        (WRONG, WELL, False),
        (WAITS, WELL, False),
        (failing(), WELL, False),
    ],
    ids=[
        "no answer at all",
        "no answer to one part",
        "no answer to two",
        "another condition fell",
        "another condition came",
        "somebody asked for the look",
        "one part must be corrected",
        "the object must be corrected",
        "it waits",
        "nothing failed",
    ],
)
def test_a_look_only_failed_where_it_found_nothing_else(result: Outcome | MeshError, new: dict[str, Any], expected: bool) -> None:
    assert only_failed(WELL, new, result) is expected


def test_of_an_object_without_conditions_nothing_is_otherwise() -> None:
    assert only_failed({}, {}, SILENT)


@pytest.mark.parametrize(
    ("result", "found", "minor"),
    [
        (WRONG, WRONG, ()),
        (WAITS, None, ()),
        (failing(SILENT, WRONG), WRONG, ()),
        (failing(WAITS), None, ()),
        (failing(SILENT, minor=True), None, (SILENT,)),
        (failing(), None, ()),
    ],
    ids=["an error", "a wait", "the worst of two", "a part that waits", "a part that does not count", "nothing"],
)
def test_which_failure_is_told(result: Outcome | MeshError, found: MeshError | None, minor: tuple[MeshError, ...]) -> None:
    assert failed_of(result) is found
    assert minor_of(result) == minor


NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "shortest", "seconds"),
    [(None, 20, 20), (None, 0, 0), ("2026-01-01T00:00:00Z", 20, 300), ("2026-01-01T00:09:50Z", 20, 20)],
    ids=["it waits for nothing in particular", "it waits for nothing", "for ten minutes", "for a moment"],
)
def test_what_waits_is_looked_at_less_often_the_longer_it_waits(since: str | None, shortest: int, seconds: float) -> None:
    assert patience(since, timedelta(seconds=shortest), NOW) == seconds


DELETED, CHANGED = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"


def waiting(reason: str, **metadata: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "Unknown", "reason": reason, "lastTransitionTime": CHANGED}
    return {"metadata": metadata, "status": {"conditions": [ready]}}


@pytest.mark.parametrize(
    ("manifest", "reason", "since"),
    [
        ({}, "DomainNotFound", None),
        (waiting("InUse", deletionTimestamp=DELETED), "InUse", DELETED),
        (waiting("DomainNotFound"), "DomainNotFound", CHANGED),
        (waiting("StoreNotFound"), "StoreNotFound", CHANGED),
        (waiting("StoreNotReady"), "StoreNotReady", None),
        (waiting("StoreNotReady"), "StoreNotFound", None),
        (waiting("StoreNotFound"), "StoreNotReady", None),
    ],
    ids=["it is gone", "deletion", "no Domain", "no store", "a store that may be Ready soon", "the store just went", "the store just came"],
)
def test_since_when_an_object_waits_for_what_would_wake_it(manifest: dict[str, Any], reason: str, since: str | None) -> None:
    assert waits_since(manifest, [Waiting(reason, "why")]) == since
