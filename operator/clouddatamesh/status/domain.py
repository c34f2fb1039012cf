"""A Domain's status from what was read back of it."""

from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.words import some
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan.domain import leaving, namespaces_of
from clouddatamesh.plan.namespaces import is_adopted, is_held_by, is_released_by
from clouddatamesh.plan.team import find_former, next_change

FORMER_MEMBERS: Final = "FormerMembers"
_MOST: Final = 64


def report(domain: Domain, world: DomainWorld, full: Plan) -> Outcome:
    """The outcome as far as nothing failed. `full` is the whole plan, of which suspend may have kept something from being done."""
    fields = list_fields(domain, world)
    due = next_change(domain, world)
    pending = full.describe() if domain.spec.suspend else ()
    if pending:
        changes = f"{len(pending)} change{'s' if len(pending) > 1 else ''} pending: {pending[0]}"
        why = f"{changes}; to apply, set spec.suspend to false"
        return Outcome(Finding("Ready", "False", reasons.SUSPENDED, why), _standing(domain, world), fields, stalled=True, due=due)
    reason = reasons.SUSPENDED if domain.spec.suspend else reasons.READY
    found = Finding("NamespacesReady", "True", reasons.READY, "Namespaces, rights and limits match the spec")
    ready = Finding("Ready", "True", reason, "Everything asked for was read back")
    return Outcome(ready, (found, *_standing(domain, world)), fields, due=due)


def report_deletion(domain: Domain, world: DomainWorld) -> Outcome:
    """While it goes, what it still has is told."""
    ready = Finding("Ready", "Unknown", reasons.DELETING, "What was made is being taken away")
    return Outcome(ready, _standing(domain, world), list_fields(domain, world), due=next_change(domain, world))


def _standing(domain: Domain, world: DomainWorld) -> tuple[Finding, ...]:
    """Conditions that are there only while they are true."""
    said = "No new products and no new grants; what runs keeps running"
    cordoned = (Finding("Cordoned", "True", reasons.CORDONED, said),) if domain.spec.cordoned else ()
    return (*cordoned, *_former_members(domain, world))


def _former_members(domain: Domain, world: DomainWorld) -> tuple[Finding, ...]:
    """Who has left and is named in spec.access still. Nothing is taken; a clock that is not trusted tells nothing new."""
    if not world.is_time_trusted:
        told = [one for one in domain.status.conditions if one.type == FORMER_MEMBERS and one.status == "True"]
        return tuple(Finding(FORMER_MEMBERS, "True", one.reason, one.message) for one in told)
    former = find_former(domain, world)
    if not former:
        return ()
    who = some([f"{name} ({', '.join(lists)})" for name, lists in former])
    said = f"spec.access names users whose last day in a team has passed: {who}; remove them there, or correct their dateOut"
    return (Finding(FORMER_MEMBERS, "True", reasons.FORMER_MEMBERS, said),)


def list_fields(domain: Domain, world: DomainWorld) -> dict[str, Any]:
    """Namespaces that are this domain's now, at the end those that are to leave, those that it released and would take back, and how many
    products it holds.
    """
    wanted, mesh = namespaces_of(domain), world.settings.mesh
    present = [(name, world.namespaces[name]) for name in wanted if name in world.namespaces]
    own = [(name, found) for name, found in present if is_held_by(domain, found, mesh)]
    own = [*own, *((name, world.namespaces[name]) for name in leaving(domain, world))][:_MOST]
    released = [name for name, found in world.namespaces.items() if name not in wanted and is_released_by(domain, found, mesh)]
    return {
        "namespaces": [{"name": name, "uid": found["metadata"]["uid"], "adopted": is_adopted(domain, found)} for name, found in own],
        **({"releasedNamespaces": sorted(released)[:_MOST]} if released else {}),
        "namespaceCount": len(own),
        "dataProducts": len(world.products),
        **({"policyViolations": world.violations} if world.violations else {}),
    }
