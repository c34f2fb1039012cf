"""A Domain's status from what was read back of it."""

from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.domain import namespaces_of


def report(domain: Domain, world: DomainWorld, full: Plan) -> Outcome:
    """The outcome as far as nothing failed. `full` is the whole plan, of which suspend may have kept something from being done."""
    fields = list_fields(domain, world)
    pending = full.describe() if domain.spec.suspend else ()
    if pending:
        why = f"{len(pending)} changes are not made, the first: {pending[0]}; set spec.suspend to false to have them made"
        return Outcome(Finding("Ready", "False", reasons.SUSPENDED, why), (), fields, stalled=True)
    reason = reasons.SUSPENDED if domain.spec.suspend else reasons.READY
    found = Finding("NamespacesReady", "True", reasons.READY, "Namespaces, rights and limits were read back as asked for")
    return Outcome(Finding("Ready", "True", reason, "Everything asked for was read back"), (found,), fields)


def report_deletion(domain: Domain, world: DomainWorld) -> Outcome:
    """While it goes, what it still has is told."""
    ready = Finding("Ready", "Unknown", reasons.DELETING, "What was made is being taken away")
    return Outcome(ready, (), list_fields(domain, world))


def list_fields(domain: Domain, world: DomainWorld) -> dict[str, Any]:
    """Namespaces that are this domain's now, and how many products they hold."""
    known = {seen.uid: seen.adopted for seen in domain.status.namespaces}
    namespaces = []
    for name in namespaces_of(domain):
        metadata = world.namespaces[name]["metadata"] if name in world.namespaces else {}
        labels = metadata.get("labels") or {}
        if labels.get(marks.DOMAIN_LABEL) == domain.metadata.name:
            adopted = known.get(metadata["uid"], labels.get(marks.MANAGED_LABEL) != marks.MANAGER)
            namespaces.append({"name": name, "uid": metadata["uid"], "adopted": adopted})
    return {"namespaces": namespaces, "dataProducts": len(world.products)}
