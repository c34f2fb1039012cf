"""Which events a change of status is worth: a new failure, a new obstacle to deletion, recovery, and access that begins or ends.

Staying as it was is none.
"""

from collections.abc import Iterator

from clouddatamesh import reasons
from clouddatamesh.model.objects import Event
from clouddatamesh.status.summarize import Status, condition_of, is_true


def find_events(old: Status, new: Status) -> tuple[Event, ...]:
    """The events between two statuses of one object."""
    troubles = tuple(_troubles(old, new))
    told = {event.reason for event in troubles}
    ends = (event for event in _ends(old, new) if event.reason not in told)
    return (
        *troubles,
        *_of_people(old, new),
        *_waits(old, new),
        *_recovery(old, new),
        *_begins(old, new),
        *ends,
        *_compliance(old, new, told),
    )


def _compliance(old: Status, new: Status, told: set[str]) -> Iterator[Event]:
    """A policy is violated, or none is any more. What denies is told as the reason why the object is not Ready."""
    now, before = condition_of(new, "PoliciesCompliant"), condition_of(old, "PoliciesCompliant")
    if now is None or now["status"] == (before or {}).get("status", "True"):
        return
    if now["status"] == "False" and reasons.POLICY_VIOLATION not in told:
        yield Event("Warning", now["reason"], now["message"])
    elif now["status"] == "True":
        yield Event("Normal", reasons.POLICY_COMPLIED, now["message"])


def _troubles(old: Status, new: Status) -> Iterator[Event]:
    told = ""
    for type_ in ("Stalled", "Ready", "DeletionBlocked", "CutOff", "Expiring", "PrincipalsOrphaned", "Escalated", "ReassessmentDue"):
        now, before = condition_of(new, type_), condition_of(old, type_)
        if now is None or now["message"] == told or (before is not None and before["reason"] == now["reason"]):
            continue
        if type_ == "Ready" and now["status"] != "False":
            continue
        told = now["message"]
        yield Event("Warning", now["reason"], told)


def _of_people(old: Status, new: Status) -> Iterator[Event]:
    """Somebody else left and is named still, or somebody else's training is overdue."""
    for type_ in ("FormerMembers", "TrainingOverdue"):
        now, before = condition_of(new, type_), condition_of(old, type_)
        if now is not None and now["status"] == "True" and (before is None or before["message"] != now["message"]):
            yield Event("Warning", now["reason"], now["message"])


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


def _begins(old: Status, new: Status) -> Iterator[Event]:
    """A request is approved, by a first or by another grant; a grant comes into effect. What an outage hid for a while begins nothing."""
    approved, before = condition_of(new, "Approved"), condition_of(old, "Approved")
    if is_true(new, "Approved") and approved and (before is None or before["message"] != approved["message"]):
        yield Event("Normal", reasons.GRANTED, approved["message"])
    effect, former = condition_of(new, "InEffect"), condition_of(old, "InEffect")
    if is_true(new, "InEffect") and effect and (former is None or former["status"] == "False"):
        yield Event("Normal", reasons.GRANTED, effect["message"])


def _ends(old: Status, new: Status) -> Iterator[Event]:
    """Access was read back as gone, or its end has passed."""
    found, before = condition_of(new, "Provisioned"), condition_of(old, "Provisioned")
    if found and found["status"] == "False" and found["reason"] in (reasons.REVOKED, reasons.EXPIRED):
        if before is not None and before["status"] != "False":
            yield Event("Normal", found["reason"], f"Access has ended and was read back as gone: {_why(new)}")
    elif is_true(new, "Expired") and not is_true(old, "Expired"):
        yield Event("Normal", reasons.EXPIRED, _why(new, "Expired"))


def _why(status: Status, type_: str = "Ready") -> str:
    found = condition_of(status, type_)
    return str(found["message"]) if found else ""
