"""A Domain's status from what was read back of it."""

from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan.domain import leaving, namespaces_of
from clouddatamesh.plan.namespaces import is_adopted, is_held_by, is_released_by

_MOST: Final = 64


def report(domain: Domain, world: DomainWorld, full: Plan) -> Outcome:
    """The outcome as far as nothing failed. `full` is the whole plan, of which suspend may have kept something from being done."""
    fields = list_fields(domain, world)
    pending = full.describe() if domain.spec.suspend else ()
    if pending:
        changes = f"{len(pending)} change{'s' if len(pending) > 1 else ''} pending: {pending[0]}"
        why = f"{changes}; to apply, set spec.suspend to false"
        return Outcome(Finding("Ready", "False", reasons.SUSPENDED, why), _cordoned(domain), fields, stalled=True)
    reason = reasons.SUSPENDED if domain.spec.suspend else reasons.READY
    found = Finding("NamespacesReady", "True", reasons.READY, "Namespaces, rights and limits match the spec")
    return Outcome(Finding("Ready", "True", reason, "Everything asked for was read back"), (found, *_cordoned(domain)), fields)


def report_deletion(domain: Domain, world: DomainWorld) -> Outcome:
    """While it goes, what it still has is told."""
    ready = Finding("Ready", "Unknown", reasons.DELETING, "What was made is being taken away")
    return Outcome(ready, _cordoned(domain), list_fields(domain, world))


def _cordoned(domain: Domain) -> tuple[Finding, ...]:
    """A condition that is there only while it is true."""
    said = "No new products and no new grants; what runs keeps running"
    return (Finding("Cordoned", "True", reasons.CORDONED, said),) if domain.spec.cordoned else ()


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
