"""Which policies apply to an object: by its kind, its lifecycle, and the Domain that it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clouddatamesh.model.judging import Policy
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import selectors
from clouddatamesh.plan.references import named_namespaces


@dataclass(frozen=True)
class Lineage:
    """A Domain and its parents upwards: the labels and the home namespace of each, its own first."""

    labels: tuple[Mapping[str, str], ...]
    homes: tuple[str, ...]


def lineage_of(domain: Manifest, find: Callable[[str], Manifest | None]) -> Lineage:
    """Of a Domain, whose parents are found by their names. Each counts once, also where they are each other's parents."""
    chain = {domain["metadata"]["name"]: domain}
    while (parent := ((domain.get("spec") or {}).get("parentRef") or {}).get("name")) not in (None, *chain):
        found = find(str(parent))
        if found is None:
            break
        chain[str(parent)] = domain = found
    labels = tuple(dict(one["metadata"].get("labels") or {}) for one in chain.values())
    return Lineage(labels, tuple(named_namespaces(one)[0] for one in chain.values()))


@dataclass(frozen=True)
class Subject:
    """An object that is judged: as the API server has it, and where it belongs."""

    key: Key
    manifest: Mapping[str, Any]
    lineage: Lineage


def applies(policy: Policy, subject: Subject) -> bool:
    """Whether the rules of a policy are asked of an object. Those of a policy with faults are asked of none."""
    return not policy.faults and concerns(policy, subject)


def concerns(policy: Policy, subject: Subject) -> bool:
    """Whether a policy is for an object, whatever can be asked of it."""
    if subject.key.kind not in policy.kinds or not _has_lifecycle(policy, subject) or _only_takes(subject):
        return False
    return reaches(policy, subject.lineage)


def _only_takes(subject: Subject) -> bool:
    """A Deny gives nothing to anybody, so there is nothing to judge; a policy that refused it would keep access alive."""
    return subject.key.kind == "AccessGrant" and (subject.manifest.get("spec") or {}).get("decision") == "Deny"


def reaches(policy: Policy, lineage: Lineage) -> bool:
    """Whether a policy is one for a Domain: its own or a parent's, or one that selects it or a parent."""
    if policy.key.kind == "DomainPolicy":
        return policy.key.namespace in lineage.homes
    return policy.domains is None or any(selectors.matches(policy.domains, labels) for labels in lineage.labels)


def _has_lifecycle(policy: Policy, subject: Subject) -> bool:
    if subject.key.kind != "DataProduct":
        return True
    return (subject.manifest.get("spec") or {}).get("lifecycle", "active") in policy.stages
