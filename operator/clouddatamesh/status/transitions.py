"""Which events a change of status is worth: a new failure, a new obstacle to deletion, and recovery. Staying as it was is none."""

from collections.abc import Iterator

from clouddatamesh import reasons
from clouddatamesh.model.objects import Event
from clouddatamesh.status.summarize import Status, condition_of, is_true


def find_events(old: Status, new: Status) -> tuple[Event, ...]:
    """The events between two statuses of one object."""
    return (*_troubles(old, new), *_waits(old, new), *_recovery(old, new))


def _troubles(old: Status, new: Status) -> Iterator[Event]:
    told = ""
    for type_ in ("Stalled", "Ready", "DeletionBlocked", "CutOff", "Expiring", "PrincipalsOrphaned"):
        now, before = condition_of(new, type_), condition_of(old, type_)
        if now is None or now["message"] == told or (before is not None and before["reason"] == now["reason"]):
            continue
        if type_ == "Ready" and now["status"] != "False":
            continue
        told = now["message"]
        yield Event("Warning", now["reason"], told)


def _waits(old: Status, new: Status) -> Iterator[Event]:
    """Somebody asked for something that is done later."""
    for type_ in ("CredentialsReady", "Provisioned"):
        now, before = condition_of(new, type_), condition_of(old, type_)
        if now is not None and now["reason"] == reasons.ROTATION_PENDING and (before is None or before["message"] != now["message"]):
            yield Event("Normal", now["reason"], now["message"])


def _recovery(old: Status, new: Status) -> Iterator[Event]:
    before = condition_of(old, "Ready")
    if is_true(new, "Ready") and before is not None and before["status"] == "False":
        yield Event("Normal", reasons.READY, f"Ready again after {before['reason']}")
