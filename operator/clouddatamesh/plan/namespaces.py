"""Whose is this namespace? The one decision by which a Domain takes, keeps, repairs or leaves alone a namespace that exists."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.objects import Event, Manifest
from clouddatamesh.model.operations import Announce, LabelNamespace, MarkNamespace
from clouddatamesh.model.plan import Operation
from clouddatamesh.plan import marks

Verdict: TypeAlias = Literal["Held", "Stripped", "Returning", "Consented", "Foreign"]
"""
Held       carries the label of this Domain, and no mark that says otherwise
Stripped   the label is gone or names another Domain, but the mark held-by, or status, says that it is this Domain's
Returning  the operator made it, and a Domain of this name released it
Consented  carries the consent annotation for this Domain, and nobody has it
Foreign    anything else: never touched
"""


@dataclass(frozen=True)
class NamespaceClaim:
    """The verdict and, where it is Foreign, why and what to do."""

    verdict: Verdict
    error: MeshError | None = None


_FOUND: Final = {
    "Returning": (reasons.TAKEN_BACK, "which this Domain released before, is its own again"),
    "Consented": (reasons.ADOPTED, "which existed before, was adopted with consent"),
}


def holder_of(namespace: Manifest, mesh: str) -> str:
    """The Domain that has a namespace, empty where none has: by its mark, and by its label where there is no mark of this mesh."""
    whose, _, name = _annotation(namespace, marks.HELD_ANNOTATION).partition("/")
    return name if name and whose == mesh else _label(namespace, marks.DOMAIN_LABEL)


def is_released_by(domain: Domain, namespace: Manifest, mesh: str) -> bool:
    """Whether nobody has a namespace, and it comes back to this Domain once that names it."""
    return not holder_of(namespace, mesh) and _annotation(namespace, marks.RELEASED_ANNOTATION) == f"{mesh}/{domain.metadata.name}"


def is_recorded(domain: Domain, namespace: Manifest) -> bool:
    """Whether status says that this very namespace is the Domain's."""
    return any(seen.uid == namespace["metadata"]["uid"] for seen in domain.status.namespaces)


def is_its_own(domain: Domain, namespace: Manifest, mesh: str) -> bool:
    """Whether this Domain has a namespace, by label or mark; where nobody has it by these, as status says."""
    holder = holder_of(namespace, mesh)
    return holder == domain.metadata.name or (not holder and is_recorded(domain, namespace))


def was_had_by(domain: Domain, namespace: Manifest, mesh: str) -> bool:
    """Whether status or the mark of a release says that a namespace is or was the Domain's."""
    return is_recorded(domain, namespace) or is_released_by(domain, namespace, mesh)


def is_held_by(domain: Domain, namespace: Manifest, mesh: str) -> bool:
    """Whether a namespace is this Domain's, be it that its label has to be restored."""
    return judge(domain, namespace, mesh).verdict in ("Held", "Stripped")


def judge(domain: Domain, namespace: Manifest, mesh: str) -> NamespaceClaim:
    """Whose a namespace is, seen from a Domain that names it in its spec."""
    name, own, holder = namespace["metadata"]["name"], domain.metadata.name, holder_of(namespace, mesh)
    if holder == own:
        return NamespaceClaim("Held" if _label(namespace, marks.DOMAIN_LABEL) == own else "Stripped")
    if holder:
        return NamespaceClaim("Foreign", belongs_to(name, holder))
    if is_recorded(domain, namespace):
        return NamespaceClaim("Stripped")
    if is_released_by(domain, namespace, mesh):
        return NamespaceClaim("Returning")
    if domain.spec.namespace_adoption == "IfConsented" and _annotation(namespace, marks.ADOPT_ANNOTATION) == own:
        return NamespaceClaim("Consented")
    return NamespaceClaim("Foreign", _no_consent(name, own))


def why_homeless(name: str) -> str:
    """What is said of an object in a namespace that no Domain has."""
    return f"Namespace {name} belongs to no Domain yet; name it in a Domain's spec.namespaces, or see the status of the Domain that does"


def why_leaving(name: str, domain: str) -> str:
    """What is said of something new in a namespace whose Domain is being deleted."""
    return f"Domain {domain} is being deleted, so nothing new is made in namespace {name} until a Domain has it again"


def belongs_to(name: str, domain: str) -> Terminal:
    """Why a namespace that another Domain has, or named first, cannot be had."""
    return Terminal(reasons.PROTECTED_NAMESPACE, f"Namespace {name} belongs to Domain {domain}; remove it from spec.namespaces")


def _no_consent(name: str, own: str) -> Terminal:
    return Terminal(
        reasons.CONSENT_MISSING,
        f"Namespace {name} exists already; to adopt it set spec.namespaceAdoption to IfConsented and have an administrator"
        f" annotate it {marks.ADOPT_ANNOTATION}={own}",
    )


def taking(domain: Domain, namespace: Manifest, mesh: str) -> tuple[Operation, ...]:
    """What makes a namespace this Domain's, or restores its label and mark. Empty where nothing is missing."""
    claim, metadata, own = judge(domain, namespace, mesh), namespace["metadata"], domain.metadata.name
    held: tuple[tuple[str, str | None], ...] = ((marks.HELD_ANNOTATION, f"{mesh}/{own}"),)
    if claim.verdict == "Held":
        marked = _annotation(namespace, marks.HELD_ANNOTATION) == f"{mesh}/{own}"
        return () if marked else (MarkNamespace(metadata["name"], metadata["uid"], held),)
    made = ((marks.MANAGED_LABEL, marks.MANAGER),) if claim.verdict == "Returning" else ()
    forgotten = ((marks.RELEASED_ANNOTATION, None),) if _annotation(namespace, marks.RELEASED_ANNOTATION) else ()
    labels = ((marks.DOMAIN_LABEL, own), *made)
    taken = LabelNamespace(metadata["name"], metadata["uid"], labels, (*held, *forgotten))
    if claim.verdict not in _FOUND:
        return (taken,)
    reason, said = _FOUND[claim.verdict]
    return (taken, Announce(Event("Normal", reason, f"Namespace {metadata['name']}, {said}")))


def releasing(domain: Domain, namespace: Manifest, mesh: str) -> tuple[Operation, ...]:
    """What lets a namespace go. One that the operator made remembers who released it; an adopted one keeps nothing of ours."""
    metadata, own = namespace["metadata"], domain.metadata.name
    made = not is_adopted(domain, namespace)
    labels = (marks.DOMAIN_LABEL,) if _label(namespace, marks.DOMAIN_LABEL) == own else ()
    managed = (marks.MANAGED_LABEL,) if made and _label(namespace, marks.MANAGED_LABEL) == marks.MANAGER else ()
    remembered = ((marks.RELEASED_ANNOTATION, f"{mesh}/{own}"),) if made else ()
    gone = tuple((label, None) for label in (*labels, *managed))
    left = LabelNamespace(metadata["name"], metadata["uid"], gone, ((marks.HELD_ANNOTATION, None), *remembered))
    again = "it comes back when spec.namespaces names it again" if made else "it comes back by its consent alone"
    note = f"Namespace {metadata['name']} was released: rights, limits and label of this Domain were taken away; {again}"
    return (left, Announce(Event("Normal", reasons.NAMESPACE_RELEASED, note)))


def is_adopted(domain: Domain, namespace: Manifest) -> bool:
    """Whether a namespace existed before this Domain had it: as status recorded it, else by the label of those that the operator makes."""
    known = {seen.uid: seen.adopted for seen in domain.status.namespaces}
    return known.get(namespace["metadata"]["uid"], _label(namespace, marks.MANAGED_LABEL) != marks.MANAGER)


def _label(namespace: Manifest, name: str) -> str:
    return str((namespace["metadata"].get("labels") or {}).get(name) or "")


def _annotation(namespace: Manifest, name: str) -> str:
    return str((namespace["metadata"].get("annotations") or {}).get(name) or "")
