"""One table from results to kstatus; parts that failed tell of their own conditions; times move with status only."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.status import summarize as summaries
from clouddatamesh.status.summarize import Status, condition_of, is_true, worst
from clouddatamesh.status.transitions import find_events

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
LATER: Final = datetime(2026, 1, 2, tzinfo=UTC)
READY: Final = Outcome(Finding("Ready", "True", "Ready", "All there"))
HELD: Final = Outcome(Finding("Ready", "False", "Planned", "2 changes"), stalled=True)
GOOD: Final = Finding("StorageReady", "True", "Ready", "Read back")
INTERVAL: Final = timedelta(minutes=5)
AGAIN: Final = "; checked again within 5m and when this object changes"


def summarize(old: Status, outcome: Outcome | MeshError, now: datetime = NOW, *, generation: int = 1) -> Status:
    """As the pipeline calls it."""
    return summaries.summarize(old, generation, outcome, now, interval=INTERVAL)


def kstatus(status: Status) -> str:
    """As the kstatus library reads conditions."""
    if condition_of(status, "Stalled"):
        return "Failed"
    ready = condition_of(status, "Ready")
    return "Current" if ready and ready["status"] == "True" and not condition_of(status, "Reconciling") else "InProgress"


def told(status: Status, type_: str) -> tuple[str, str]:
    """Status and reason of a condition, empty where there is none."""
    found = condition_of(status, type_) or {"status": "", "reason": ""}
    return found["status"], found["reason"]


def failing(*errors: tuple[str, str, MeshError], ready: Finding = READY.ready, stalled: bool = False) -> Outcome:
    """An outcome of which these parts stopped: name, condition, why."""
    failures = tuple(Failure(part, condition, error) for part, condition, error in errors)
    return Outcome(ready, (GOOD, Finding("CredentialsReady", "True", "Ready")), {"storage": {"bucket": "b"}}, stalled, failures=failures)


RESULTS: Final[tuple[tuple[str, Outcome | MeshError, str, str], ...]] = (
    ("outcome", READY, "True", "Current"),
    ("held outcome", HELD, "False", "Failed"),
    ("work goes on", Outcome(Finding("Ready", "Unknown", "Reconciling")), "Unknown", "InProgress"),
    ("terminal", Terminal("A", "b"), "False", "Failed"),
    ("waiting", Waiting("A", "b"), "Unknown", "InProgress"),
    ("transient", Transient("A", "b"), "False", "InProgress"),
    ("a part is terminal", failing(("storage", "StorageReady", Terminal("A", "b"))), "False", "Failed"),
    ("a part waits", failing(("storage", "StorageReady", Waiting("A", "b"))), "Unknown", "InProgress"),
    ("a part is transient", failing(("storage", "StorageReady", Transient("A", "b"))), "False", "InProgress"),
    ("a part without condition is terminal", failing(("inbox", "", Terminal("A", "b"))), "False", "Failed"),
)


@pytest.mark.parametrize(("result", "ready", "verdict"), [row[1:] for row in RESULTS], ids=[row[0] for row in RESULTS])
def test_the_table(result: Outcome | MeshError, ready: str, verdict: str) -> None:
    status = summarize({}, result, generation=3)
    found = condition_of(status, "Ready")
    assert found and found["status"] == ready and found["observedGeneration"] == status["observedGeneration"] == 3
    assert kstatus(status) == verdict
    assert not (condition_of(status, "Stalled") and condition_of(status, "Reconciling"))


def test_a_part_that_failed_tells_of_its_own_condition_and_of_no_other() -> None:
    status = summarize({}, failing(("credentials", "CredentialsReady", Terminal("NotOwned", "Not ours"))))
    assert told(status, "CredentialsReady") == told(status, "Ready") == ("False", "NotOwned")
    assert told(status, "StorageReady") == ("True", "Ready")
    assert status["storage"] == {"bucket": "b"}


def test_of_two_parts_that_failed_each_tells_of_its_own_and_the_worst_of_ready() -> None:
    errors = (("storage", "StorageReady", Waiting("W", "w")), ("credentials", "CredentialsReady", Terminal("T", "t")))
    for order in (errors, errors[::-1]):
        status = summarize({}, failing(*order))
        assert (told(status, "StorageReady"), told(status, "CredentialsReady"), told(status, "Ready")) == (
            ("Unknown", "W"),
            ("False", "T"),
            ("False", "T"),
        )


def test_of_two_parts_with_one_condition_the_worst_tells() -> None:
    taking, giving = ("taking", "CredentialsReady", Transient("X", "x")), ("credentials", "CredentialsReady", Terminal("T", "t"))
    assert told(summarize({}, failing(taking, giving)), "CredentialsReady") == ("False", "T")


def test_what_is_minor_is_told_by_its_condition_and_not_by_ready() -> None:
    orphans = Finding("PrincipalsOrphaned", "True", "Orphaned", "Principals without a living owner: x")
    minor = Failure("sweep x", "PrincipalsOrphaned", Terminal("Conflict", "DeleteUser of user x failed: DeleteConflict"), minor=True)
    status = summarize({}, Outcome(READY.ready, (orphans,), failures=(minor,)))
    assert (told(status, "Ready"), kstatus(status)) == (("True", "Ready"), "Current")
    found = condition_of(status, "PrincipalsOrphaned")
    assert found and (found["status"], found["reason"]) == ("True", "Conflict")
    assert found["message"] == "Principals without a living owner: x; DeleteUser of user x failed: DeleteConflict"
    major = Failure("bucket", "Identified", Waiting("W", "w"))
    assert told(summarize({}, Outcome(READY.ready, (orphans,), failures=(minor, major))), "Ready") == ("Unknown", "W")
    alone = summarize({}, Outcome(READY.ready, failures=(minor,)))
    assert told(alone, "PrincipalsOrphaned") == ("True", "Conflict")


def test_the_worst_is_what_somebody_must_act_on_and_of_equals_the_first() -> None:
    first, second, passes, waits = Terminal("A", "a"), Terminal("B", "b"), Transient("C", "c"), Waiting("D", "d")
    assert worst([waits, passes, first, second]) is first
    assert worst([waits, passes]) is passes
    assert worst([waits]) is waits
    assert worst([]) is None


def test_what_an_adopted_bucket_is_not_granted_hides_no_fault_of_the_bucket() -> None:
    blocked, fault = Terminal("AdoptionBlocked", "a"), Waiting("StoreNotReady", "b")
    assert worst([blocked, fault]) is worst([fault, blocked]) is fault
    assert worst([blocked]) is blocked


def test_what_is_stalled_already_is_not_excused_by_a_part_that_may_pass() -> None:
    denied = Finding("Ready", "False", "Denied", "Refused")
    status = summarize({}, failing(("taking", "Provisioned", Transient("StoreUnavailable", "x")), ready=denied, stalled=True))
    assert (told(status, "Ready"), told(status, "Provisioned"), kstatus(status)) == (
        ("False", "Denied"),
        ("False", "StoreUnavailable"),
        "Failed",
    )
    worse = summarize({}, failing(("taking", "Provisioned", Terminal("NotOwned", "x")), ready=denied, stalled=True))
    assert told(worse, "Ready") == ("False", "NotOwned")
    passing = summarize({}, failing(("taking", "Provisioned", Transient("StoreUnavailable", "x")), ready=denied))
    assert (told(passing, "Ready"), kstatus(passing)) == (("False", "StoreUnavailable"), "InProgress")


def test_a_look_that_failed_as_a_whole_saw_nothing_and_keeps_the_fields() -> None:
    old = summarize({}, Outcome(READY.ready, (GOOD,), {"storage": {"bucket": "b"}}))
    new = summarize(old, Transient("StoreUnavailable", "It does not answer"), LATER)
    assert new["storage"] == {"bucket": "b"}
    assert told(new, "StorageReady") == ("Unknown", "StoreUnavailable")
    assert told(new, "Ready") == ("False", "StoreUnavailable")
    assert kstatus(summarize(new, READY, LATER)) == "Current"


@pytest.mark.parametrize("type_", ["Expired", "Denied", "Approved", "Superseded", "Expiring"])
def test_what_was_decided_is_still_told_after_a_look_that_failed(type_: str) -> None:
    old = summarize({}, Outcome(READY.ready, (Finding(type_, "True", "Because", "Of old"),)))
    new = summarize(old, Transient("X", "y"), LATER)
    assert condition_of(new, type_) == condition_of(old, type_)


def test_no_condition_outlives_what_it_speaks_of() -> None:
    old = summarize({}, Outcome(READY.ready, (GOOD, Finding("DriftDetected", "False", "InSync"))))
    new = summarize(old, READY, LATER)
    assert [condition["type"] for condition in new["conditions"]] == ["Ready"]


def test_what_blocks_a_deletion_is_true_while_it_blocks() -> None:
    blocked = summarize({}, failing(("deletion", "DeletionBlocked", Terminal("BucketNotEmpty", "3 versions"))))
    assert told(blocked, "DeletionBlocked") == ("True", "BucketNotEmpty")
    waits = summarize({}, failing(("deletion", "DeletionBlocked", Waiting("InUse", "x"))))
    assert (told(waits, "DeletionBlocked"), kstatus(waits)) == (("True", "InUse"), "InProgress")
    assert condition_of(summarize(blocked, Transient("X", "y")), "DeletionBlocked") is None


# What was written for good.


def test_a_grant_that_was_superseded_stays_so_whatever_a_later_look_computes() -> None:
    old = summarize({}, Outcome(READY.ready, (Finding("Superseded", "True", "Superseded", "By another"),), {"maxDuration": "30d"}))
    new = summarize(old, Outcome(READY.ready, (), {}), LATER)
    assert (is_true(new, "Superseded"), new["maxDuration"]) == (True, "30d")
    again = summarize(new, Outcome(READY.ready, (Finding("Superseded", "True", "Superseded", "By a third"),), {}), LATER)
    assert len([condition for condition in again["conditions"] if condition["type"] == "Superseded"]) == 1
    assert is_true(summarize(new, Transient("X", "y")), "Superseded")


def test_what_is_not_superseded_does_not_become_so() -> None:
    old = summarize({}, Outcome(READY.ready, (Finding("Superseded", "False", "InEffect"),)))
    assert condition_of(summarize(old, READY), "Superseded") is None


def test_other_fields_go_with_what_they_told_of() -> None:
    old = summarize({}, Outcome(READY.ready, (), {"validUntil": "2026-04-01T00:00:00Z"}))
    assert "validUntil" not in summarize(old, READY)


# When it is looked at again.


@pytest.mark.parametrize(
    ("result", "says"),
    [(READY, False), (HELD, True), (Terminal("A", "b"), True), (Waiting("A", "b"), False), (Transient("A", "b"), False)],
    ids=["outcome", "held", "terminal", "waiting", "transient"],
)
def test_what_is_stalled_says_when_it_is_looked_at_again(result: Outcome | MeshError, says: bool) -> None:
    status = summarize({}, result)
    for type_ in ("Ready", "Stalled"):
        found: Any = condition_of(status, type_) or {"message": AGAIN * says}
        assert found["message"].endswith(AGAIN) is says


@pytest.mark.parametrize(("interval", "words"), [({"minutes": 1}, "1m"), ({"hours": 2}, "120m"), ({"seconds": 90}, "90s")])
def test_the_interval_is_told_in_the_words_of_the_chart(interval: dict[str, int], words: str) -> None:
    status = summaries.summarize({}, 1, Terminal("A", "b"), NOW, interval=timedelta(**interval))
    assert f"within {words} " in status["conditions"][0]["message"]


def test_a_long_message_is_cut_and_still_says_when() -> None:
    (ready, stalled) = summarize({}, Terminal("A", "x" * 3000))["conditions"]
    assert len(ready["message"]) <= 1024
    assert ready["message"].endswith(AGAIN) and stalled["message"].endswith(AGAIN)
    (long, _) = summarize({}, Waiting("A", "x" * 3000))["conditions"]
    assert len(long["message"]) == 1024


def test_other_conditions_of_a_stalled_object_do_not_repeat_it() -> None:
    status = summarize({}, failing(("storage", "StorageReady", Terminal("A", "b"))))
    assert condition_of(status, "StorageReady") == condition_of(status, "Ready") | {"type": "StorageReady", "message": "b"}  # type: ignore[operator]


# Times and events.


def test_the_same_result_is_the_same_status_whenever_it_is_found() -> None:
    for result in (row[1] for row in RESULTS):
        first = summarize({}, result)
        assert summarize(first, result, LATER) == first


def test_a_time_moves_with_status_and_not_with_reason() -> None:
    first = summarize({}, Transient("A", "a"))
    assert first["conditions"][0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    other = summarize(first, Transient("B", "b"), LATER)
    assert {condition["lastTransitionTime"] for condition in other["conditions"]} == {"2026-01-01T00:00:00Z"}
    assert summarize(first, READY, LATER)["conditions"][0]["lastTransitionTime"] == "2026-01-02T00:00:00Z"


def test_what_the_schema_said_before_anybody_looked_is_of_no_time() -> None:
    new = summarize(KIND_BY_NAME["DataProduct"].initial_status, Waiting("StoreNotReady", "The store is not Ready"))
    assert {(c["type"], c["status"], c["lastTransitionTime"]) for c in new["conditions"]} == {
        ("Ready", "Unknown", "2026-01-01T00:00:00Z"),
        ("Reconciling", "True", "2026-01-01T00:00:00Z"),
    }


def test_events_tell_transitions_only() -> None:
    stalled = summarize({}, Terminal("NotOwned", "Not ours"))
    assert [event.reason for event in find_events({}, stalled)] == ["NotOwned"]
    assert find_events(stalled, stalled) == ()
    assert [event.reason for event in find_events(stalled, summarize(stalled, READY))] == ["Ready"]
    assert find_events({}, summarize({}, READY)) == ()
