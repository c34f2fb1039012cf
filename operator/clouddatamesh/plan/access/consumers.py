"""Who uses and who asks for a product, read from raw requests: it is counted over thousands of them at a time."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.facts import asked_port, conditions_of, part_of

_GONE: Final = (("False", reasons.REVOKED), ("False", reasons.EXPIRED))
"""What Provisioned says once the user was seen to be gone."""


def has_access(request: Manifest) -> bool:
    """Whether anything is in the store for it, or is just being made or taken away."""
    return bool(part_of(request, "status").get("grantRef"))


def is_undecided(request: Manifest) -> bool:
    """Whether nobody knows yet what the store holds for it, as nobody looked or the store gave no answer; its record may be lost."""
    told = {c.get("type"): (c.get("status"), c.get("reason")) for c in conditions_of(request)}
    _, why = told.get("Ready", ("", reasons.PENDING))
    provisioned = told.get("Provisioned", _GONE[0])
    return why == reasons.PENDING or (provisioned not in _GONE and provisioned[1] != reasons.ABANDONED)


def may_have_access(request: Manifest) -> bool:
    """Whether there is access, or nobody knows yet that there is none."""
    return has_access(request) or is_undecided(request)


def is_abandoned(request: Manifest) -> bool:
    """Whether its user was left in a store that was given up, where its key may work."""
    return bool(part_of(request, "status").get("abandoned"))


def holds_principal(request: Manifest) -> bool:
    """Whether a user in the store may be this request's: its record says so, or nobody knows yet."""
    return bool(part_of(request, "status").get("principal")) or is_undecided(request)


def is_in_effect(request: Manifest) -> bool:
    """Whether access was read back as being there."""
    return has_access(request) and any(c.get("type") == "Provisioned" and c.get("status") == "True" for c in conditions_of(request))


def is_pending(request: Manifest) -> bool:
    """Whether the owner has something to decide: a request without an answer, or a renewal that no grant answers."""
    if request["metadata"].get("deletionTimestamp"):
        return False
    told = {c.get("type"): c for c in conditions_of(request)}
    reason, renewal = told.get("Ready", {}).get("reason"), told.get("RenewalPending", {}).get("status")
    return reason == reasons.AWAITING_GRANT or (renewal == "True" and reason != reasons.DENIED)


def is_escalated(request: Manifest) -> bool:
    """Whether it waits for an answer longer than the port promises."""
    return any(c.get("type") == "Escalated" and c.get("status") == "True" for c in conditions_of(request))


_STANDING = ("Ready", "Provisioned", "RenewalPending", "Escalated")


def standing_of(request: Manifest | None) -> tuple[Any, ...]:
    """What of a request's status others rest on: its grants, how many there are, and how it is."""
    if request is None:
        return ()
    found = [(c.get("type"), c.get("status"), c.get("reason")) for c in conditions_of(request) if c.get("type") in _STANDING]
    status = part_of(request, "status")
    return (status.get("grantRef"), status.get("countedGrants"), status.get("approvals"), found)


def count_by_port(requests: Iterable[Manifest]) -> Counter[tuple[str, str]]:
    """How many have access, by name and major version of the port; 0 where that is not known yet."""
    counts = Counter(asked_port(request) for request in requests if has_access(request))
    counts.update({asked_port(request): 0 for request in requests if is_undecided(request)})
    return counts
