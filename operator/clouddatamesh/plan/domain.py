"""A Domain's plan: its namespaces, what stands in each, and what has to leave. A namespace itself is never deleted."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.operations import (
    ApplyChild,
    CreateChild,
    DeleteChild,
    HoldObject,
    LabelNamespace,
    ReleaseObject,
    ReplaceChild,
)
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, stopped
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import want_children, want_namespace
from clouddatamesh.plan.diff import covers, with_uid

_SHOWN = 5


def namespaces_of(domain: Domain) -> tuple[str, ...]:
    """The namespaces that a domain names, the home first; without any, one that is named as the domain."""
    return tuple(entry.name for entry in domain.spec.namespaces) or (domain.metadata.name,)


READY: Final = "NamespacesReady"
BLOCKED: Final = "DeletionBlocked"


def plan(domain: Domain, world: DomainWorld) -> Plan:
    """Make or adopt the namespaces, keep their children as they should be, and let go of those that left the spec.

    Each namespace is a part of its own: one that cannot be had keeps none of the others waiting, and what takes away waits for none.
    """
    wanted = namespaces_of(domain)
    departures = [
        Part(f"departure of {name}", _plan_departure(name, world), BLOCKED, takes=True)
        for name in sorted(set(world.namespaces) - set(wanted))
    ]
    surplus = [Part(f"surplus in {name}", _plan_surplus(domain, name, world), READY, takes=True) for name in wanted]
    obstacle = _obstacle(domain, world)
    hold = Steps(() if marks.is_held(domain.metadata.finalizers) else (HoldObject(),))
    if obstacle is not None:
        return Plan((*departures, *surplus, Part("namespaces", stopped(obstacle), READY)))
    made = [Part(f"namespace {name}", _plan_namespace(domain, name, world), READY, after=("hold",)) for name in wanted]
    return Plan((*departures, *surplus, Part("hold", hold), *made, Part("counting", _plan_counting(world), READY)))


def permitted(domain: Domain, full: Plan) -> Plan:
    """What of a plan suspend leaves to be done."""
    return full.taking() if domain.spec.suspend else full


def _plan_counting(world: DomainWorld) -> Steps:
    """Until the cluster has counted a new quota it refuses everything there, so the domain is not ready before."""
    for quota in (child for child in world.children if child["kind"] == "ResourceQuota"):
        counted = (quota.get("status") or {}).get("used") or {}
        if set(quota["spec"]["hard"]) - set(counted):
            place = quota["metadata"]["namespace"]
            return stopped(Waiting(reasons.QUOTA_NOT_COUNTED, f"The quota of namespace {place} is not counted yet"))
    return Steps()


def _obstacle(domain: Domain, world: DomainWorld) -> MeshError | None:
    if domain.metadata.name in world.lineage:
        chain = " -> ".join((domain.metadata.name, *world.lineage))
        return Terminal(reasons.CYCLE, f"spec.parentRef leads back to this domain ({chain}); change one of these parents")
    if world.parent_missing and domain.spec.parent_ref is not None:
        return Waiting(reasons.PARENT_NOT_FOUND, f"Domain {domain.spec.parent_ref.name}, named in spec.parentRef, does not exist")
    return None


def _plan_namespace(domain: Domain, name: str, world: DomainWorld) -> Steps:
    namespace = world.namespaces.get(name)
    refusal = _refusal(domain, name, namespace, world)
    if refusal is not None:
        return stopped(refusal)
    if namespace is None:
        return Steps((CreateChild(want_namespace(domain, name)), *map(CreateChild, want_children(domain, name, world.settings))))
    label = () if _is_labelled(domain, namespace) else (_relabel(namespace, domain.metadata.name),)
    return Steps((*label, *_child_updates(domain, name, world)))


def _refusal(domain: Domain, name: str, namespace: Manifest | None, world: DomainWorld) -> MeshError | None:
    """Why a namespace cannot be this domain's."""
    if is_protected(name, world.settings.namespace):
        return _refused(
            reasons.PROTECTED_NAMESPACE,
            f"Namespace {name} is the system's or the operator's; remove it from spec.namespaces",
        )
    rival = world.claims.get(name)
    if rival is not None and rival != domain.metadata.name:
        return _refused(reasons.PROTECTED_NAMESPACE, f"Namespace {name} belongs to Domain {rival}; remove it from spec.namespaces")
    if namespace is None:
        return None
    if namespace["metadata"].get("deletionTimestamp"):
        return Waiting(reasons.NAMESPACE_TERMINATING, f"Namespace {name} is being deleted")
    if _is_labelled(domain, namespace) or _consents(domain, namespace):
        return None
    other = (namespace["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL)
    if other:
        return _refused(reasons.PROTECTED_NAMESPACE, f"Namespace {name} belongs to Domain {other}; remove it from spec.namespaces")
    return _refused(
        reasons.CONSENT_MISSING,
        f"Namespace {name} exists already; to adopt it set spec.namespaceAdoption to IfConsented and have an administrator"
        f" annotate it {marks.ADOPT_ANNOTATION}={domain.metadata.name}",
    )


def _refused(reason: str, message: str) -> Terminal:
    return Terminal(reason, message)


def is_protected(name: str, own: str) -> bool:
    """Whether no domain may ever have this namespace."""
    return name in ("default", own) or name.startswith("kube-")


def _is_labelled(domain: Domain, namespace: Manifest) -> bool:
    return bool((namespace["metadata"].get("labels") or {}).get(marks.DOMAIN_LABEL) == domain.metadata.name)


def _consents(domain: Domain, namespace: Manifest) -> bool:
    consent = (namespace["metadata"].get("annotations") or {}).get(marks.ADOPT_ANNOTATION)
    known = any(seen.uid == namespace["metadata"]["uid"] for seen in domain.status.namespaces)
    unclaimed = marks.DOMAIN_LABEL not in (namespace["metadata"].get("labels") or {})
    return unclaimed and (known or (domain.spec.namespace_adoption == "IfConsented" and consent == domain.metadata.name))


def _relabel(namespace: Manifest, value: str | None) -> LabelNamespace:
    metadata = namespace["metadata"]
    return LabelNamespace(metadata["name"], metadata["uid"], ((marks.DOMAIN_LABEL, value),))


def _child_updates(domain: Domain, name: str, world: DomainWorld) -> Iterator[Operation]:
    observed = _observed(name, world)
    for want in want_children(domain, name, world.settings):
        yield from _child_update(observed.get(key_of(want)), want)


def _observed(name: str, world: DomainWorld) -> dict[Key, Manifest]:
    return {key_of(child): child for child in world.children if child["metadata"]["namespace"] == name}


def _plan_surplus(domain: Domain, name: str, world: DomainWorld) -> Steps:
    """Bindings and limits that left the spec, in a namespace that is this domain's."""
    namespace = world.namespaces.get(name)
    if namespace is None or _refusal(domain, name, namespace, world) is not None:
        return Steps()
    observed = _observed(name, world)
    unwanted = sorted(set(observed) - {key_of(child) for child in want_children(domain, name, world.settings)})
    return Steps(tuple(DeleteChild(key, observed[key]["metadata"]["uid"]) for key in unwanted))


def _child_update(observed: Manifest | None, want: Manifest) -> Iterator[Operation]:
    if observed is None:
        yield CreateChild(want)
    elif "roleRef" in want and observed.get("roleRef") != want["roleRef"]:
        yield ReplaceChild(want, observed["metadata"]["uid"])
    elif not all(covers(observed.get(part), want[part], path=f".{part}") for part in ("metadata", "spec", "subjects") if part in want):
        yield ApplyChild(with_uid(want, observed["metadata"]["uid"]))


def _plan_departure(name: str, world: DomainWorld) -> Steps:
    """Let go of a namespace: its children go, then our label; only while no product is inside."""
    inside = [str(key) for key in world.products if key.namespace == name]
    inside += _count(key for key in world.access if key.namespace == name)
    if inside:
        return stopped(_in_use(f"Namespace {name} left spec.namespaces and still holds", inside))
    namespace = world.namespaces[name]
    children = [child for child in world.children if child["metadata"]["namespace"] == name]
    gone = tuple(DeleteChild(key_of(child), child["metadata"]["uid"]) for child in sorted(children, key=_operator_last))
    return Steps((*gone, _relabel(namespace, None)))


def _operator_last(child: Manifest) -> tuple[bool, Key]:
    return child["metadata"]["name"].endswith("-operator"), key_of(child)


def _count(access: Iterable[Key]) -> list[str]:
    """Whoever may see a Domain need not be allowed to see who has access to what: so their number is told, by namespace."""
    found = Counter((key.namespace, key.kind) for key in access)
    return [f"{count} {kind}{'s' if count > 1 else ''} in namespace {namespace}" for (namespace, kind), count in sorted(found.items())]


def _in_use(what: str, users: list[str]) -> Waiting:
    more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
    return Waiting(
        reasons.IN_USE,
        f"{what} {', '.join(sorted(users)[:_SHOWN])}{more}; delete or move these first",
    )


def plan_deletion(domain: Domain, world: DomainWorld) -> Plan:
    """Take bindings, limits and labels away, then let the object go. Namespaces stay, with everything else in them."""
    if not marks.is_held(domain.metadata.finalizers):
        return Plan()
    users = [*(f"Domain {name}" for name in world.subdomains), *map(str, world.products), *_count(world.access)]
    if users:
        return Plan((Part("users", stopped(_in_use("Deletion waits for", users)), BLOCKED),))
    if domain.spec.suspend:
        why = "The domain is suspended; set spec.suspend to false to let its deletion go on"
        return Plan((Part("users", stopped(Waiting(reasons.SUSPENDED, why)), BLOCKED),))
    held = [name for name in sorted(world.namespaces) if _is_labelled(domain, world.namespaces[name])]
    parts = [Part(f"departure of {name}", _plan_departure(name, world), BLOCKED, takes=True) for name in held]
    return Plan((*parts, Part("release", Steps((ReleaseObject(),)), BLOCKED, after=tuple(part.name for part in parts), takes=True)))
