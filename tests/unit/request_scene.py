"""What an AccessRequest's status becomes after a look at access that runs, or of which something is missing, changed or not seen."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh.errors import Transient
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Present, Unknown, value_of
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.request import giving_of
from clouddatamesh.status.accessrequest import report
from tests.unit.access_running import running
from tests.unit.access_scene import END, MADE, NOW

SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
GIVEN: Final[dict[str, Any]] = {
    "validFrom": MADE, "validUntil": END, "decidedAt": MADE, "decisionNote": "agreed", "binding": {"name": "orders-access"},
}  # fmt: skip
"""What status tells of access that was given."""
NEVER: Final[dict[str, Any]] = dict.fromkeys(GIVEN)
"""Status tells of no access."""


def in_effect(keys: str = "A", **state: Any) -> tuple[Ask, AccessWorld]:
    """Access that runs, as status tells it; keyword arguments are fields of status, None takes one out."""
    return running(keys, **{**GIVEN, **state})


def look(ask: Ask, world: AccessWorld, *, facts: dict[str, Any] | None = None, **parts: Any) -> Outcome:
    """The outcome of a look at which these parts of the world, and these facts of the request, were otherwise."""
    assert world.request is not None
    old = world.request.status.model_dump(by_alias=True, exclude_none=True)
    return report(replace(ask, **(facts or {})), replace(world, **parts), old)


def user(world: AccessWorld, **differs: Any) -> Present[Principal]:
    """The principal as it was read back, but for this."""
    found = value_of(world.principal)
    assert found is not None
    return Present(replace(found, **differs))


def switched_off(*ids: str) -> tuple[AccessKey, ...]:
    return tuple(AccessKey(key, active=False) for key in ids)


def moved(ask: Ask, world: AccessWorld, path: str, *, written: bool) -> AccessWorld:
    """The port has another path by now; `written`: and the policy for it was read back."""
    assert world.offer is not None
    ports = tuple(replace(port, path=path) for port in world.offer.ports)
    later = replace(world, offer=replace(world.offer, ports=ports))
    giving = giving_of(ask, later, decide(ask, later))
    assert giving is not None
    return replace(later, principal=user(world, policy=b.want_principal(giving.binding).policy)) if written else later


def said(outcome: Outcome) -> dict[str, str]:
    """Status and reason of each condition."""
    return {found.type: f"{found.status} {found.reason}" for found in (outcome.ready, *outcome.findings)}


def told(outcome: Outcome, type_: str) -> str:
    """What a condition says; empty where there is none."""
    return next((found.message for found in (outcome.ready, *outcome.findings) if found.type == type_), "")


def condition(type_: str) -> dict[str, Any]:
    """A condition of status that is True."""
    return {"type": type_, "status": "True", "reason": type_, "message": "", "lastTransitionTime": NOW}
