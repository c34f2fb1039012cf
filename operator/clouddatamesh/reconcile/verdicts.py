"""Keys by which violations are found and counted without reading objects: they stand in the status of what violates."""

from collections.abc import Iterator
from typing import Any, Final

from clouddatamesh.model.judging import SEVERITIES
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.ports import Cluster

VIOLATES, WAIVED = "Violates", "Waived"
"""Objects by policy and rule."""
SEVERE: Final = "Severe"
"""Objects by policy and the severity of a violation without a waiver."""
VIOLATIONS: Final = "Violations"
"""Objects by namespace and their number of violations without a waiver."""
STAGE: Final = "Stage"
"""DataProducts by namespace and lifecycle."""
MOST: Final = 256
"""Violations of one object that are counted for its Domain."""


def keys_of(manifest: Manifest) -> Iterator[Key]:
    """Every key under which the violations of an object are counted, and a product's lifecycle."""
    if manifest["kind"] == "DataProduct":
        stage = str(part_of(manifest, "spec").get("lifecycle") or "active")
        yield Key(STAGE, manifest["metadata"]["namespace"], stage)
    compliance = part_of(part_of(manifest, "status"), "compliance")
    if not compliance:
        return
    count = compliance.get("violationCount")
    if isinstance(count, int) and count > 0:
        yield Key(VIOLATIONS, manifest["metadata"].get("namespace", ""), str(min(count, MOST)))
    for violation in compliance.get("violations") or ():
        yield from _of_violation(violation)
    for other in compliance.get("others") or ():
        policy, _, rule = str(other).rpartition("/")
        yield Key(VIOLATES, policy, rule)


def _of_violation(violation: Any) -> Iterator[Key]:
    policy, rule = str(violation.get("policy")), str(violation.get("rule"))
    if violation.get("waiver"):
        yield Key(WAIVED, policy, rule)
        return
    yield Key(VIOLATES, policy, rule)
    if violation.get("severity") in SEVERITIES:
        yield Key(SEVERE, policy, str(violation["severity"]))


def policies_in(manifest: Manifest | None) -> frozenset[tuple[str, str, bool]]:
    """Policy, rule and whether it is waived, of every violation that a status tells of."""
    found = (key for key in keys_of(manifest)) if manifest is not None else ()
    return frozenset((key.namespace, key.name, key.kind == WAIVED) for key in found if key.kind in (VIOLATES, WAIVED))


def count_in(namespace: str, cluster: Cluster) -> int:
    """How many violations without a waiver the objects of a namespace have; no object is read."""
    counts = (key for key in cluster.named(VIOLATIONS, namespace))
    return sum(int(key.name) * len(cluster.naming(key, kind)) for key in counts for kind in _INSIDE)


_INSIDE: Final = ("DataProduct", "AccessRequest", "AccessGrant")


def policy_key(name: str) -> Key:
    """The key of a policy, from its name as status tells it."""
    kind, _, rest = name.partition("/")
    namespace, _, plain = rest.rpartition("/")
    return Key(kind, namespace, plain)
