"""Keys by which violations are found and counted without reading objects: they stand in the status of what violates."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clouddatamesh.model.judging import SEVERITIES
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.ports import Cluster

BROKEN, WAIVED = "Broken", "Waived"
"""Objects by policy and the number of its rules that they break, without a waiver or with one."""
SEVERE: Final = "Severe"
"""Objects by policy and the severity of a violation without a waiver."""
VIOLATIONS: Final = "Violations"
"""Objects by namespace and their number of violations without a waiver."""
STAGE: Final = "Stage"
"""DataProducts by namespace and lifecycle."""


def keys_of(manifest: Manifest) -> Iterator[Key]:
    """Every key under which the violations of an object are counted, and a product's lifecycle."""
    if manifest["kind"] == "DataProduct":
        stage = str(part_of(manifest, "spec").get("lifecycle") or "active")
        yield Key(STAGE, manifest["metadata"]["namespace"], stage)
    compliance = part_of(part_of(manifest, "status"), "compliance")
    yield from _counted(VIOLATIONS, manifest["metadata"].get("namespace", ""), compliance.get("violationCount"))
    for policy in compliance.get("policies") or ():
        yield from _counted(BROKEN, str(policy.get("policy")), policy.get("violationCount"))
        yield from _counted(WAIVED, str(policy.get("policy")), policy.get("waivedCount"))
    for one in compliance.get("violations") or ():
        if not one.get("waiver") and one.get("severity") in SEVERITIES:
            yield Key(SEVERE, str(one.get("policy")), str(one["severity"]))


def _counted(kind: str, place: str, count: Any) -> Iterator[Key]:
    if isinstance(count, int) and count > 0:
        yield Key(kind, place, str(count))


def policies_in(manifest: Manifest | None) -> frozenset[Key]:
    """Each policy that a status tells of, with its number of violations, and of those with a waiver."""
    return frozenset(key for key in keys_of(manifest) if key.kind in (BROKEN, WAIVED)) if manifest is not None else frozenset()


def count_of(kind: str, place: str, kinds: Iterable[str], cluster: Cluster) -> int:
    """How many violations the objects of some kinds have, of a policy or in a namespace; no object is read."""
    return sum(int(key.name) * len(cluster.naming(key, one)) for key in cluster.named(kind, place) for one in kinds)


def count_in(namespace: str, cluster: Cluster) -> int:
    """How many violations without a waiver the objects of a namespace have."""
    return count_of(VIOLATIONS, namespace, _INSIDE, cluster)


_INSIDE: Final = ("DataProduct", "AccessRequest", "AccessGrant")


def policy_key(name: str) -> Key:
    """The key of a policy, from its name as status tells it."""
    kind, _, rest = name.partition("/")
    namespace, _, plain = rest.rpartition("/")
    return Key(kind, namespace, plain)
