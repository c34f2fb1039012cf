"""One table from results to kstatus; times move with status only."""

from datetime import UTC, datetime

import pytest

from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.status.summarize import Status, condition_of, summarize
from clouddatamesh.status.transitions import find_events

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
READY = Outcome(Finding("Ready", "True", "Ready", "All there"))
HELD = Outcome(Finding("Ready", "False", "Planned", "2 changes"), stalled=True)


def kstatus(status: Status) -> str:
    """As the kstatus library reads conditions."""
    if condition_of(status, "Stalled"):
        return "Failed"
    ready = condition_of(status, "Ready")
    return "Current" if ready and ready["status"] == "True" and not condition_of(status, "Reconciling") else "InProgress"


@pytest.mark.parametrize(
    ("result", "ready", "verdict"),
    [
        (READY, "True", "Current"),
        (HELD, "False", "Failed"),
        (Terminal("A", "b"), "False", "Failed"),
        (Waiting("A", "b"), "Unknown", "InProgress"),
        (Transient("A", "b"), "False", "InProgress"),
    ],
    ids=["outcome", "held outcome", "terminal", "waiting", "transient"],
)
def test_the_table(result: Outcome | MeshError, ready: str, verdict: str) -> None:
    status = summarize({}, 3, result, NOW)
    found = condition_of(status, "Ready")
    assert found and found["status"] == ready and found["observedGeneration"] == status["observedGeneration"] == 3
    assert kstatus(status) == verdict


def test_an_error_keeps_the_fields_and_marks_its_step() -> None:
    old = summarize({}, 1, Outcome(READY.ready, (Finding("StorageReady", "True", "Ready"),), {"storage": {"bucket": "b"}}), NOW)
    new = summarize(old, 1, Terminal("NotOwned", "Not ours", condition="StorageReady"), LATER)
    assert new["storage"] == {"bucket": "b"}
    assert condition_of(new, "StorageReady") == condition_of(new, "Ready") | {"type": "StorageReady"}  # type: ignore[operator]
    assert kstatus(summarize(new, 1, READY, LATER)) == "Current"


def test_what_blocks_a_deletion_is_true_while_it_blocks() -> None:
    blocked = summarize({}, 1, Terminal("BucketNotEmpty", "3 versions", condition="DeletionBlocked"), NOW)
    found = condition_of(blocked, "DeletionBlocked")
    assert found and found["status"] == "True"
    assert condition_of(summarize(blocked, 1, Transient("X", "y"), NOW), "DeletionBlocked") is None


def test_the_same_result_is_the_same_status_whenever_it_is_found() -> None:
    for result in (READY, HELD, Terminal("A", "b"), Waiting("A", "b"), Transient("A", "b")):
        first = summarize({}, 1, result, NOW)
        assert summarize(first, 1, result, LATER) == first


def test_events_tell_transitions_only() -> None:
    stalled = summarize({}, 1, Terminal("NotOwned", "Not ours"), NOW)
    assert [event.reason for event in find_events({}, stalled)] == ["NotOwned"]
    assert find_events(stalled, stalled) == ()
    assert [event.reason for event in find_events(stalled, summarize(stalled, 1, READY, NOW))] == ["Ready"]
    assert find_events({}, summarize({}, 1, READY, NOW)) == ()
