"""A Domain's plan: its namespaces, what stands in each, and what has to leave. A namespace itself is never deleted."""

from collections.abc import Iterator

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.plan import (
    TAKES_AWAY,
    ApplyChild,
    CreateChild,
    DeleteChild,
    HoldObject,
    LabelNamespace,
    Operation,
    Plan,
    ReleaseObject,
    stopped,
)
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import want_children, want_namespace
from clouddatamesh.plan.diff import covers, with_uid

_SHOWN = 5


def namespaces_of(domain: Domain) -> tuple[str, ...]:
    """The namespaces that a domain names, the home first; without any, one that is named as the domain."""
    return tuple(entry.name for entry in domain.spec.namespaces) or (domain.metadata.name,)


def plan(domain: Domain, world: DomainWorld) -> Plan:
    """What is to be done: everything that differs; while suspended, only what takes away."""
    full = plan_whole(domain, world)
    return _without_giving(full) if domain.spec.suspend else full


def plan_whole(domain: Domain, world: DomainWorld) -> Plan:
    """Make or adopt the namespaces, keep their children as they should be, and let go of those that left the spec."""
    obstacle = _obstacle(domain, world)
    if obstacle is not None:
        return stopped(obstacle)
    hold = Plan() if marks.is_held(domain.metadata.finalizers) else Plan((HoldObject(),))
    parts = [_plan_namespace(domain, name, world) for name in namespaces_of(domain)]
    parts += [_plan_departure(name, world) for name in sorted(set(world.namespaces) - set(namespaces_of(domain)))]
    return hold + _side_by_side(parts) + _plan_counting(world)


def _plan_counting(world: DomainWorld) -> Plan:
    """Until the cluster has counted a new quota it refuses everything there, so the domain is not ready before."""
    for quota in (child for child in world.children if child["kind"] == "ResourceQuota"):
        counted = (quota.get("status") or {}).get("used") or {}
        if set(quota["spec"]["hard"]) - set(counted):
            place = quota["metadata"]["namespace"]
            return stopped(
                Waiting(reasons.QUOTA_NOT_COUNTED, f"The quota of namespace {place} is not counted yet", condition="NamespacesReady")
            )
    return Plan()


def _without_giving(full: Plan) -> Plan:
    kept = tuple(operation for operation in full.operations if isinstance(operation, TAKES_AWAY) or _releases(operation))
    return Plan(kept, full.stop)


def _releases(operation: Operation) -> bool:
    return isinstance(operation, LabelNamespace) and all(value is None for _, value in operation.labels)


def _side_by_side(parts: list[Plan]) -> Plan:
    """All operations of all parts; one namespace that cannot be had keeps none of the others waiting."""
    operations = tuple(operation for part in parts for operation in part.operations)
    stops = [part.stop for part in parts if part.stop is not None]
    return Plan(operations, _most_severe(stops))


def _most_severe(stops: list[MeshError]) -> MeshError | None:
    terminal = [stop for stop in stops if isinstance(stop, Terminal)]
    return next(iter(terminal or stops), None)


def _obstacle(domain: Domain, world: DomainWorld) -> MeshError | None:
    if domain.metadata.name in world.lineage:
        chain = " -> ".join((domain.metadata.name, *world.lineage))
        return Terminal(reasons.CYCLE, f"spec.parentRef leads back to this domain ({chain}); change one of these parents")
    if world.parent_missing and domain.spec.parent_ref is not None:
        return Waiting(reasons.PARENT_NOT_FOUND, f"Domain {domain.spec.parent_ref.name}, named in spec.parentRef, does not exist")
    return None


def _plan_namespace(domain: Domain, name: str, world: DomainWorld) -> Plan:
    namespace = world.namespaces.get(name)
    refusal = _refusal(domain, name, namespace, world)
    if refusal is not None:
        return stopped(refusal)
    if namespace is None:
        return Plan((CreateChild(want_namespace(domain, name)), *map(CreateChild, want_children(domain, name, world.settings))))
    label = () if _is_labelled(domain, namespace) else (_relabel(namespace, domain.metadata.name),)
    return Plan((*label, *_child_updates(domain, name, world)))


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
        return Waiting(reasons.NAMESPACE_TERMINATING, f"Namespace {name} is being deleted", condition="NamespacesReady")
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
    return Terminal(reason, message, condition="NamespacesReady")


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
    wanted = {key_of(child): child for child in want_children(domain, name, world.settings)}
    observed = {key_of(child): child for child in world.children if child["metadata"]["namespace"] == name}
    for key, want in wanted.items():
        yield from _child_update(observed.get(key), want)
    for key in sorted(set(observed) - set(wanted)):
        yield DeleteChild(key, observed[key]["metadata"]["uid"])


def _child_update(observed: Manifest | None, want: Manifest) -> Iterator[Operation]:
    if observed is None:
        yield CreateChild(want)
    elif "roleRef" in want and observed.get("roleRef") != want["roleRef"]:
        yield DeleteChild(key_of(observed), observed["metadata"]["uid"])
        yield CreateChild(want)
    elif not all(covers(observed.get(part), want[part], path=f".{part}") for part in ("metadata", "spec", "subjects") if part in want):
        yield ApplyChild(with_uid(want, observed["metadata"]["uid"]))


def _plan_departure(name: str, world: DomainWorld) -> Plan:
    """Let go of a namespace: its children go, then our label; only while no product is inside."""
    inside = [str(key) for key in (*world.products, *world.access) if key.namespace == name]
    if inside:
        return stopped(_in_use(f"Namespace {name} left spec.namespaces and still holds", inside))
    namespace = world.namespaces[name]
    children = [child for child in world.children if child["metadata"]["namespace"] == name]
    gone = tuple(DeleteChild(key_of(child), child["metadata"]["uid"]) for child in sorted(children, key=_operator_last))
    return Plan((*gone, _relabel(namespace, None)))


def _operator_last(child: Manifest) -> tuple[bool, Key]:
    return child["metadata"]["name"].endswith("-operator"), key_of(child)


def _in_use(what: str, users: list[str]) -> Waiting:
    more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
    return Waiting(
        reasons.IN_USE,
        f"{what} {', '.join(sorted(users)[:_SHOWN])}{more}; delete or move these first",
        condition="DeletionBlocked",
    )


def plan_deletion(domain: Domain, world: DomainWorld) -> Plan:
    """Take bindings, limits and labels away, then let the object go. Namespaces stay, with everything else in them."""
    if not marks.is_held(domain.metadata.finalizers):
        return Plan()
    users = [*(f"Domain {name}" for name in world.subdomains), *map(str, world.products), *map(str, world.access)]
    if users:
        return stopped(_in_use("Deletion waits for", users))
    if domain.spec.suspend:
        why = "The domain is suspended; set spec.suspend to false to let its deletion go on"
        return stopped(Waiting(reasons.SUSPENDED, why, condition="DeletionBlocked"))
    parts = [_plan_departure(name, world) for name in sorted(world.namespaces) if _is_labelled(domain, world.namespaces[name])]
    return _side_by_side(parts) + Plan((ReleaseObject(),))
