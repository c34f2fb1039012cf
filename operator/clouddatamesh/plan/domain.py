"""A Domain's plan: its namespaces, what each contains, and what has to leave. A namespace itself is never deleted."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from clouddatamesh.model.operations import (
    Announce,
    ApplyChild,
    CreateChild,
    HoldObject,
    ReleaseObject,
    ReplaceChild,
)
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, stopped
from clouddatamesh.model.words import some
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.cautious import LIMITS, cautious_part
from clouddatamesh.plan.child_ends import end_children
from clouddatamesh.plan.children import is_child_of, want_children, want_namespace
from clouddatamesh.plan.diff import covers, with_uid
from clouddatamesh.plan.namespaces import belongs_to, holder_of, is_its_own, judge, releasing, taking, was_had_by
from clouddatamesh.plan.quotas import plan_counting
from clouddatamesh.plan.roles import plan_roles
from clouddatamesh.plan.team import enroll


def namespaces_of(domain: Domain) -> tuple[str, ...]:
    """The namespaces that a domain names, the home first; without any, one that is named as the domain."""
    return tuple(entry.name for entry in domain.spec.namespaces) or (domain.metadata.name,)


READY: Final = "NamespacesReady"
BLOCKED: Final = "DeletionBlocked"
_TAKING: Final = ("surplus in ", "departure of ", "release of ")
"""The parts that take away, which suspend does not hold up."""


def plan(domain: Domain, world: DomainWorld) -> Plan:
    """Make or take the namespaces, keep their children as they should be, and let go of those that left the spec.

    Each namespace is a part of its own: one that cannot be had keeps none of the others waiting, and what takes away waits for none.
    """
    wanted = namespaces_of(domain)
    departures = _departures(domain, world, kept=wanted)
    surplus = _surplus(domain, wanted, world)
    obstacle = _obstacle(domain, world)
    hold = Steps(() if marks.is_held(domain.metadata.finalizers) else (HoldObject(),))
    if obstacle is not None:
        return Plan((*departures, *surplus, Part("namespaces", stopped(obstacle), READY)))
    made = [part for name in wanted for part in _plan_wanted(domain, name, world)]
    if world.denial is not None:
        made = list(map(cautious_part, made))
    counting = Part("counting", plan_counting(domain, world, READY), READY)
    return Plan((*departures, *surplus, Part("hold", hold), *made, counting, Part("roles", plan_roles(domain, world.settings), READY)))


def permitted(domain: Domain, full: Plan) -> Plan:
    """What of a plan suspend leaves to be done."""
    return full.keeping(*(part.name for part in full.parts if part.name.startswith(_TAKING))) if domain.spec.suspend else full


def _obstacle(domain: Domain, world: DomainWorld) -> MeshError | None:
    if domain.metadata.name in world.lineage:
        chain = " -> ".join((domain.metadata.name, *world.lineage))
        return Terminal(reasons.CYCLE, f"spec.parentRef leads back to this domain ({chain}); change one of these parents")
    if world.parent_missing and domain.spec.parent_ref is not None:
        return Waiting(reasons.PARENT_NOT_FOUND, f"Domain {domain.spec.parent_ref.name}, named in spec.parentRef, does not exist")
    if world.parent_deleting and domain.spec.parent_ref is not None and not marks.is_held(domain.metadata.finalizers):
        return Waiting(reasons.PARENT_NOT_FOUND, f"Domain {domain.spec.parent_ref.name}, named in spec.parentRef, is being deleted")
    return None


def _plan_wanted(domain: Domain, name: str, world: DomainWorld) -> tuple[Part, ...]:
    """A namespace, and then its children. None of these needs another: one that is refused keeps no limit and no isolation away."""
    namespace, mesh, part = world.namespaces.get(name), world.settings.mesh, f"namespace {name}"
    refusal = _refusal(domain, name, namespace, world)
    if refusal is not None:
        return (Part(part, stopped(refusal), READY, after=("hold",)),)
    if namespace is None:
        told = Announce(Event("Normal", reasons.CREATED, f"Namespace {name} was created"))
        made = Steps((CreateChild(want_namespace(domain, name, mesh)), told))
    else:
        made = Steps(taking(domain, namespace, mesh))
    return (
        Part(part, made, READY, after=("hold",)),
        Part(f"children in {name}", _plan_children(domain, name, world), READY, after=(part,), each=True),
    )


def _refusal(domain: Domain, name: str, namespace: Manifest | None, world: DomainWorld) -> MeshError | None:
    """Why a namespace cannot be this domain's. Who has it, has it; of those who name what nobody has the oldest gets it."""
    own, mesh = domain.metadata.name, world.settings.mesh
    if is_protected(name, world.settings.namespace):
        why = f"Namespace {name} is the system's or the operator's; remove it from spec.namespaces"
        return Terminal(reasons.PROTECTED_NAMESPACE, why)
    rival = world.claims.get(name, own)
    if rival != own and not (namespace and holder_of(namespace, mesh) == own):
        return belongs_to(name, rival)
    if namespace is None:
        return world.denial
    if namespace["metadata"].get("deletionTimestamp"):
        return Waiting(reasons.NAMESPACE_TERMINATING, f"Namespace {name} is being deleted")
    if world.denial is not None and not is_its_own(domain, namespace, mesh):
        return world.denial
    return judge(domain, namespace, mesh).error


def is_protected(name: str, own: str) -> bool:
    """Whether no domain may ever have this namespace."""
    return name in ("default", own) or name.startswith("kube-")


def _plan_children(domain: Domain, name: str, world: DomainWorld) -> Steps:
    """What there should be in a namespace, and last the objects of those names that are somebody else's."""
    observed = {key_of(child): child for child in world.children if child["metadata"]["namespace"] == name}
    updates: list[Operation] = []
    foreign: list[Key] = []
    for want in _want(domain, name, world):
        found = observed.get(key_of(want))
        if found is None or _is_ours(found, domain, world):
            updates.extend(_child_update(found and _narrowed(found, want), want))
        else:
            foreign.append(key_of(want))
    return Steps(tuple(updates), _not_owned(foreign[0], domain) if foreign else None)


def _want(domain: Domain, name: str, world: DomainWorld) -> tuple[Manifest, ...]:
    return want_children(enroll(domain, name, world), name, world.settings)


def _is_ours(child: Manifest, domain: Domain, world: DomainWorld) -> bool:
    return is_child_of(child, domain.metadata.name) or child["metadata"]["uid"] in world.witnessed


def _not_owned(key: Key, domain: Domain) -> Terminal:
    mark = f"{marks.OWNER_ANNOTATION}={marks.owner_reference(Key('Domain', '', domain.metadata.name), domain.metadata.uid)}"
    why = f"{key} carries the labels of this Domain and not its mark ({mark})"
    return Terminal(reasons.NOT_OWNED, f"{why}; remove or rename it, or annotate it with that mark")


def _own_children(domain: Domain, name: str, world: DomainWorld) -> dict[Key, Manifest]:
    found = (child for child in world.children if child["metadata"]["namespace"] == name)
    return {key_of(child): child for child in found if _is_ours(child, domain, world)}


def _surplus(domain: Domain, names: Iterable[str], world: DomainWorld) -> list[Part]:
    return [Part(f"{_TAKING[0]}{name}", _plan_surplus(domain, name, world) + _unread(name, world), READY, each=True) for name in names]


def _unread(name: str, world: DomainWorld) -> Steps:
    """What is seen is taken; that there is no more of it cannot be said while a name could not be read."""
    return stopped(world.unread[name]) if name in world.unread else Steps()


def _plan_surplus(domain: Domain, name: str, world: DomainWorld) -> Steps:
    """Bindings, subjects and limits that left the spec, in a namespace that is this domain's; all where another domain has it by now."""
    namespace = world.namespaces.get(name)
    if namespace is None:
        return Steps()
    observed = _own_children(domain, name, world)
    if holder_of(namespace, world.settings.mesh) not in ("", domain.metadata.name):
        return end_children(sorted(observed.values(), key=_operator_last))
    own = name in world.former or is_its_own(domain, namespace, world.settings.mesh)
    if not own and _refusal(domain, name, namespace, world) is not None:
        return Steps()
    wanted = {key_of(child): child for child in _want(domain, name, world)}
    kept = {key for key in observed if world.denial is not None and key.kind in LIMITS}
    gone = end_children(sorted((observed[key] for key in set(observed) - set(wanted) - kept), key=_operator_last))
    narrowed = {key: _narrowed(observed[key], wanted[key]) for key in sorted(set(observed) & set(wanted))}
    shorter = {key: left for key, left in narrowed.items() if left is not observed[key]}
    binding = ({**wanted[key], "roleRef": left["roleRef"], "subjects": left["subjects"]} for key, left in shorter.items())
    return Steps(tuple(ApplyChild(with_uid(one, observed[key_of(one)]["metadata"]["uid"])) for one in binding)) + gone


def _narrowed(observed: Manifest, want: Manifest) -> Manifest:
    """A binding without the subjects that are not to have its role: they lose it before anybody gets it. Else the child as it is."""
    if observed["kind"] != "RoleBinding":
        return observed
    due, has = {_who(subject) for subject in want["subjects"]}, observed.get("subjects") or ()
    kept = [subject for subject in has if _who(subject) in due]
    return observed if len(kept) == len(has) else {**observed, "subjects": kept}


def _who(subject: Manifest) -> tuple[str, str, str]:
    return str(subject.get("kind")), str(subject.get("namespace") or ""), str(subject.get("name"))


def _child_update(observed: Manifest | None, want: Manifest) -> Iterator[Operation]:
    if observed is None:
        yield CreateChild(want)
    elif "roleRef" in want and observed.get("roleRef") != want["roleRef"]:
        yield ReplaceChild(want, observed["metadata"]["uid"])
    elif not all(covers(observed.get(part), want[part], path=f".{part}") for part in ("metadata", "spec", "subjects") if part in want):
        yield ApplyChild(with_uid(want, observed["metadata"]["uid"]))


def _departures(domain: Domain, world: DomainWorld, *, kept: tuple[str, ...] = ()) -> list[Part]:
    """Namespaces that are this domain's and are not to be, and those that were, in which only children of it are left."""
    left = sorted(_places(domain, world) - set(kept))
    return [part for name in left for part in _plan_departure(domain, name, world)]


def _places(domain: Domain, world: DomainWorld) -> set[str]:
    """The namespaces that are this domain's by their label or mark, and those that were, in which it left anything or may have."""
    mesh = world.settings.mesh
    held = {name for name, found in world.namespaces.items() if holder_of(found, mesh) == domain.metadata.name}
    had = {name for name, found in world.namespaces.items() if was_had_by(domain, found, mesh)} | world.former
    strewn = {child["metadata"]["namespace"] for child in world.children if _is_ours(child, domain, world)}
    busy = {name for name in had if _inside(world, name)}
    return held | strewn & had | busy | set(world.unread)


def leaving(domain: Domain, world: DomainWorld) -> tuple[str, ...]:
    """The namespaces that left the spec and are still to be let go."""
    left = sorted(_places(domain, world).intersection(world.namespaces).difference(namespaces_of(domain)))
    return tuple(name for name in left if is_its_own(domain, world.namespaces[name], world.settings.mesh))


def _plan_departure(domain: Domain, name: str, world: DomainWorld) -> tuple[Part, ...]:
    """Let go of a namespace: its children go, then our label and mark; only while no product is inside, unless another domain has it.

    Until then whoever leaves the team loses the role.
    """
    namespace, part = world.namespaces.get(name), f"{_TAKING[1]}{name}"
    holder = holder_of(namespace, world.settings.mesh) if namespace else ""
    inside = _inside(world, name)
    if inside and holder in ("", domain.metadata.name):
        kept = Steps() if domain.spec.suspend else _keep_binding(domain, name, world)
        why = _in_use(f"Namespace {name} left spec.namespaces and still holds", inside)
        return (Part(part, kept + _plan_surplus(domain, name, world) + stopped(why), BLOCKED, each=True),)
    gone = end_children(sorted(_own_children(domain, name, world).values(), key=_operator_last))
    released = releasing(domain, namespace, world.settings.mesh) if namespace and holder == domain.metadata.name else ()
    return (
        Part(part, gone + _unread(name, world), BLOCKED, each=True),
        Part(f"{_TAKING[2]}{name}", Steps(released), BLOCKED, after=(part,)),
    )


def _keep_binding(domain: Domain, name: str, world: DomainWorld) -> Steps:
    """The operator's own binding lasts as long as anything is inside that needs it to go: without it nobody may take a Secret away."""
    namespace, want = world.namespaces.get(name), _want(domain, name, world)[0]
    if namespace is None or namespace["metadata"].get("deletionTimestamp") or not is_its_own(domain, namespace, world.settings.mesh):
        return Steps()
    observed = next((child for child in world.children if key_of(child) == key_of(want)), None)
    if observed is not None and not _is_ours(observed, domain, world):
        return Steps()
    updates = tuple(_child_update(observed, want))
    # The operator's own guard lets it write only where the label is.
    return Steps((*taking(domain, namespace, world.settings.mesh), *updates) if updates else ())


def _inside(world: DomainWorld, *places: str) -> list[str]:
    """What is in these namespaces, or in all, and keeps the domain from letting them go."""
    found = [key for key in (*world.products, *world.access) if key not in world.newcomers and (not places or key.namespace in places)]
    return [*(str(key) for key in found if key.kind == "DataProduct"), *_count(key for key in found if key.kind != "DataProduct")]


def _operator_last(child: Manifest) -> tuple[bool, bool, Key]:
    """What gives rights goes first, and last what lets the operator take Secrets away."""
    key = key_of(child)
    return key.name.endswith("-operator"), key.kind != "RoleBinding", key


def _count(access: Iterable[Key]) -> list[str]:
    """Whoever may see a Domain need not be allowed to see who has access to what: so numbers are told, by kind and namespace."""
    found = Counter((key.kind, key.namespace) for key in access)
    return [f"{count} {kind}{'s' if count > 1 else ''} in namespace {place}" for (kind, place), count in sorted(found.items())]


def _in_use(what: str, users: list[str], undone: str = "") -> Waiting:
    return Waiting(reasons.IN_USE, f"{what} {some(sorted(users))}; delete these first{undone}")


def plan_deletion(domain: Domain, world: DomainWorld) -> Plan:
    """Take bindings, limits and labels away, then let the object go. Namespaces stay, with everything else in them.

    However long it waits, whoever leaves the team loses the role.
    """
    if not marks.is_held(domain.metadata.finalizers):
        return Plan()
    users = [*(f"Domain {name}" for name in world.subdomains), *_inside(world)]
    suspended = Waiting(reasons.SUSPENDED, "The domain is suspended; set spec.suspend to false to let its deletion go on")
    if users or domain.spec.suspend:
        waiting = _in_use("Deletion waits for", users, f"; {marks.MISTAKE}") if users else suspended
        waits = Part("users", stopped(waiting), BLOCKED)
        places = sorted(_places(domain, world))
        kept = (
            () if domain.spec.suspend else tuple(Part(f"binding in {name}", _keep_binding(domain, name, world), READY) for name in places)
        )
        return Plan((*_surplus(domain, places, world), *kept, waits))
    parts = _departures(domain, world)
    return Plan((*parts, Part("release", Steps((ReleaseObject(),)), BLOCKED, after=tuple(part.name for part in parts))))
