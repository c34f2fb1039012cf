"""Which change of a status is worth an event: a new failure, what is in the way of a deletion, recovery, access that begins or ends."""

from typing import Final

import pytest

from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce
from clouddatamesh.model.plan import Operation
from clouddatamesh.model.store_operations import DeleteBucket, DeleteKey, DeletePrincipal, DisableKey, EmptyBucket, ReplaceKey
from clouddatamesh.status.acts import announced, find_acts
from clouddatamesh.status.summarize import Status
from clouddatamesh.status.transitions import find_events


def status(**conditions: str) -> Status:
    """A status whose conditions read `True Granted AccessGrant a approves`: status, reason, message."""
    return {"conditions": [_condition(type_, *text.split(" ", 2)) for type_, text in conditions.items()]}


def _condition(type_: str, status: str, reason: str, message: str = "") -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


NEW: Final = status()
READY: Final = status(Ready="True Ready All there")
STALLED: Final = status(Ready="False NotOwned Not ours", Stalled="True NotOwned Not ours")
SILENT: Final = status(Ready="False StoreUnavailable It does not answer", Reconciling="True StoreUnavailable It does not answer")
RUNS: Final = status(Ready="True Granted Secret s gives access", Approved="True Granted a approves", Provisioned="True Ready Read back")
REVOKED: Final = "Normal Revoked Access has ended and was read back as gone: "
WAITS: Final = "True RotationPending rotate=2 replaces it at 01:00 UTC"

CASES: Final[tuple[tuple[str, Status, Status, list[str]], ...]] = (
    ("nothing is known yet", NEW, NEW, []),
    ("it is Ready at once", NEW, READY, []),
    ("it waits", NEW, status(Ready="Unknown StoreNotReady The store is not Ready"), []),
    # Failures.
    ("it stalls: two conditions say so, and one event", NEW, STALLED, ["Warning NotOwned Not ours"]),
    ("it stays stalled", STALLED, STALLED, []),
    ("it stalls for the same reason in other words", STALLED, status(Ready="False NotOwned Else", Stalled="True NotOwned Else"), []),
    ("it stalls for another reason", STALLED, status(Ready="False Denied No", Stalled="True Denied No"), ["Warning Denied No"]),
    ("the store does not answer", READY, SILENT, ["Warning StoreUnavailable It does not answer"]),
    ("the store is silent for as long as before", SILENT, SILENT, []),
    ("it begins to wait after a failure", SILENT, status(Ready="Unknown StoreNotReady The store is not Ready"), []),
    ("its deletion is held up", READY, status(Ready="Unknown Deleting It goes", DeletionBlocked="True InUse By r"), ["Warning InUse By r"]),
    ("it stalls, and its deletion is held up for another reason", NEW,
     status(Ready="False NotOwned Not ours", Stalled="True NotOwned Not ours", DeletionBlocked="True InUse By r"),
     ["Warning NotOwned Not ours", "Warning InUse By r"]),
    ("consumers are cut off", READY, status(Ready="True Ready All there", CutOff="True CutOff Ended"), ["Warning CutOff Ended"]),
    ("the end is near", RUNS, status(Ready="True Granted s", Expiring="True Expiring It ends"), ["Warning Expiring It ends"]),
    ("users are orphaned", READY, status(Ready="True Ready", PrincipalsOrphaned="True Orphaned x"), ["Warning Orphaned x"]),
    # Recovery.
    ("it is Ready again", SILENT, READY, ["Normal Ready Ready again after StoreUnavailable"]),
    ("it is Ready after it waited", status(Ready="Unknown StoreNotReady"), READY, []),
    ("it stays Ready", READY, READY, []),
    # A key that is replaced later.
    ("a consumer's key is replaced later", RUNS, status(Provisioned=WAITS), ["Normal RotationPending rotate=2 replaces it at 01:00 UTC"]),
    ("a producer's key is replaced later", READY, status(CredentialsReady=WAITS),
     ["Normal RotationPending rotate=2 replaces it at 01:00 UTC"]),
    ("it is told at the first look", NEW, status(Provisioned=WAITS), ["Normal RotationPending rotate=2 replaces it at 01:00 UTC"]),
    ("it is told once", status(Provisioned=WAITS), status(Provisioned=WAITS), []),
    ("another one is asked for", status(Provisioned=WAITS), status(Provisioned="True RotationPending rotate=3"),
     ["Normal RotationPending rotate=3"]),
    ("the key was replaced", status(Provisioned=WAITS), status(Provisioned="True Ready Read back"), []),
    # Access begins.
    ("a request is approved", status(Ready="Unknown AwaitingGrant"), status(Approved="True Granted a approves"),
     ["Normal Granted a approves"]),
    ("access goes on", RUNS, RUNS, []),
    ("another grant approves", RUNS, status(Approved="True Granted b approves"), ["Normal Granted b approves"]),
    ("whether it is approved is not known", NEW, status(Approved="Unknown Unreadable It cannot be read"), []),
    ("a grant comes into effect", status(InEffect="False Granted Being made"), status(InEffect="True Granted Access rests on it"),
     ["Normal Granted Access rests on it"]),
    ("a grant is in effect at the first look", NEW, status(InEffect="True Granted Access rests on it"),
     ["Normal Granted Access rests on it"]),
    ("a grant stays in effect", status(InEffect="True Granted a"), status(InEffect="True Granted a"), []),
    ("an outage hid that a grant is in effect", status(InEffect="Unknown StoreUnavailable"), status(InEffect="True Granted a"), []),
    ("a grant is not in effect any more", status(InEffect="False Granted"), status(InEffect="Unknown Granted"), []),
    # Access ends.
    ("access was revoked", RUNS, status(Ready="Unknown Revoked No grant", Provisioned="False Revoked Gone"), [f"{REVOKED}No grant"]),
    ("it was not seen to be gone before", status(Provisioned="Unknown Revoked"),
     status(Ready="Unknown Revoked No grant", Provisioned="False Revoked Gone"), [f"{REVOKED}No grant"]),
    ("it was gone before", status(Provisioned="False Revoked Gone"), status(Provisioned="False Revoked Gone"), []),
    ("there never was any", NEW, status(Provisioned="False Revoked Gone"), []),
    ("its store does not answer", RUNS, status(Provisioned="False StoreUnavailable Silent"), []),
    ("access ended by time, which its stalling says", RUNS,
     status(Ready="False Expired Over", Stalled="True Expired Over", Provisioned="False Expired Gone", Expired="True Expired Over"),
     ["Warning Expired Over"]),
    ("access ended by time, and its renewal is asked", RUNS,
     status(Ready="Unknown Expired Over", Provisioned="False Expired Gone", Expired="True Expired Over"),
     ["Normal Expired Access has ended and was read back as gone: Over"]),
    ("a grant's end has passed", status(Ready="True Granted a"), status(Ready="True Expired x", Expired="True Expired Its end has passed"),
     ["Normal Expired Its end has passed"]),
    ("its end had passed before", status(Expired="True Expired Past"), status(Expired="True Expired Past"), []),
    ("an earlier end is remembered while access goes on", RUNS, status(Provisioned="True Ready Read back", Expired="True Expired Past"),
     ["Normal Expired Past"]),
)  # fmt: skip


def told(old: Status, new: Status) -> list[str]:
    return [f"{event.type} {event.reason} {event.note}" for event in find_events(old, new)]


@pytest.mark.parametrize(("old", "new", "events"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_which_changes_of_a_status_are_events(old: Status, new: Status, events: list[str]) -> None:
    """A transition is told once, by its own reason."""
    assert told(old, new) == events


# What was done.

SECRET: Final = {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "sales", "name": "s"}}
GIVES: Final = ReplaceKey("p", SECRET)
ENDS: Final = DeleteKey("p", "A")


@pytest.mark.parametrize(
    ("done", "events"),
    [
        ([], []),
        ([GIVES], ["Given Credentials were given: issue a key of principal p into Secret sales/s"]),
        ([GIVES, ENDS], ["Given Credentials were given: issue a key of principal p into Secret sales/s"]),
        ([ENDS], []),
        ([DeletePrincipal("p")], ["Taken Access was taken away: delete principal p"]),
        ([ENDS, DisableKey("p", "A")], ["Taken Access was taken away: disable a key of principal p; delete a key of principal p"]),
        ([EmptyBucket("b"), EmptyBucket("b"), DeleteBucket("b")],
         ["Destroyed As spec.storage.deletionPolicy says: empty bucket b; delete bucket b"]),
    ],
    ids=["nothing", "a key", "a key for another", "a surplus key ends", "a user ends", "a key is disabled", "a bucket ends"],
)  # fmt: skip
def test_what_was_done_for_people_is_told_in_one_event_of_its_kind(done: list[Operation], events: list[str]) -> None:
    """A key that ends is told only together with rights that end."""
    assert [f"{event.reason} {event.note}" for event in find_acts(done)] == events


def test_what_the_plan_announces_is_told_as_it_says() -> None:
    """Other operations announce nothing."""
    event = Event("Warning", "Abandoned", "Left in the store: bucket b")
    assert list(announced([GIVES, Announce(event), ENDS])) == [event]
