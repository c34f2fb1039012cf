"""Policies as ValidatingAdmissionPolicies with their bindings: one pair for each policy of which admission can judge a rule."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.governance.gate import conditions
from clouddatamesh.governance.gate.literals import literal, texts
from clouddatamesh.governance.gate.policies import (
    NOT_LOOKED_AT,
    AnyPolicy,
    Judged,
    LeftOut,
    Refused,
    Waivers,
    is_looked_at,
    judge_rules,
    read_policy,
    stalled_by,
)
from clouddatamesh.governance.gate.reach import Areas
from clouddatamesh.governance.gate.tokens import Unsafe
from clouddatamesh.model.judging import POLICY_KINDS
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.marks import MANAGED_LABEL, OWNER_ANNOTATION
from clouddatamesh.reasons import INVALID_RULE, POLICY_CONFLICT

API_VERSION: Final = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
PREFIX: Final = "clouddatamesh-policy-"
PART_LABEL: Final = "app.kubernetes.io/part-of"
PART: Final = "clouddatamesh-governance"
MOST_BYTES: Final = 768 * 1024
"""Of one rendered policy as JSON; etcd takes 1.5 MiB in a request."""
_ACTIONS: Final = {"Warn": ["Warn", "Audit"], "Deny": ["Deny", "Audit"]}
_READABLE: Final = 160
_NO_DOMAINS: Final = "A DomainPolicy refuses no Domain at admission: the platform team writes them"
_SELF: Final = "object.kind + '/' + object.metadata.?namespace.orValue('') + '/' + object.metadata.name"
MANAGER: Final = "clouddatamesh-gate"
"""Label of what the gate program made."""
_PARTS: Final = 3


@dataclass(frozen=True)
class Scene:
    """All that the rendering depends on, as manifests. Of each kind it is complete, or nothing is to be removed for it."""

    policies: tuple[Manifest, ...]
    waivers: tuple[Manifest, ...] = ()
    domains: tuple[Manifest, ...] = ()
    looked_at: bool = field(default=False, kw_only=True)
    """Only what the operator has looked at is rendered: it says which rules are none, and whom a policy contradicts."""


@dataclass(frozen=True)
class Pair:
    """What is applied for one policy."""

    of: Key
    policy: Manifest
    binding: Manifest

    @property
    def manifests(self) -> tuple[Manifest, Manifest]:
        """The policy first: a binding without one makes the API server refuse what it matches, by its failure policy."""
        return self.policy, self.binding


@dataclass(frozen=True)
class Rendering:
    """The pairs, what is left out and why, and the moment at which a waiver ends and the rendering is no longer right."""

    pairs: tuple[Pair, ...]
    left: tuple[LeftOut, ...]
    until: datetime | None

    @property
    def refused(self) -> frozenset[Key]:
        """Policies that should be at the gate and cannot: what was applied for them before is kept."""
        return frozenset(left.policy for left in self.left if left.is_fault)


def render(scene: Scene, *, now: datetime, operator: str) -> Rendering:
    """`operator` is the user name of the operator's ServiceAccount, which the policies do not look at."""
    waivers, areas = Waivers.at(now, scene.waivers), Areas.of(scene.domains)
    pairs: list[Pair] = []
    left: list[LeftOut] = []
    for manifest in sorted(scene.policies, key=key_of):
        key = key_of(manifest)
        try:
            pair, others = _render_one(manifest, waivers, areas, operator, looked_at=scene.looked_at)
        except Refused as error:
            left.append(LeftOut(key, "", str(error), is_fault=True))
            continue
        pairs += [pair] if pair is not None else []
        left += others
    return Rendering(tuple(pairs), tuple(left), waivers.until)


def name_of(key: Key) -> str:
    """The name of both objects: readable, and by its hash no other policy's."""
    digest = hashlib.sha256("\0".join((key.kind, key.namespace, key.name)).encode()).digest()[:10]
    readable = "-".join(part for part in (key.namespace, key.name.replace(".", "-")) if part)[:_READABLE].strip("-")
    return f"{PREFIX}{readable}-{base64.b32encode(digest).decode().lower()}"


def owner_of(key: Key) -> str:
    """The mark of the policy that a rendered object is of. It is by name: a policy that is created again has the same."""
    return f"{key.kind}/{key.namespace}/{key.name}"


def owner_in(manifest: Manifest) -> Key | None:
    """The policy for which the gate program made an object; None where it did not make it. A copy under another name is not its own."""
    metadata = manifest["metadata"]
    mark = str((metadata.get("annotations") or {}).get(OWNER_ANNOTATION) or "").split("/")
    is_marked = (metadata.get("labels") or {}).get(MANAGED_LABEL) == MANAGER and len(mark) == _PARTS and mark[0] in POLICY_KINDS
    owner = Key(*mark) if is_marked else None
    return owner if owner is not None and metadata["name"] == name_of(owner) else None


def _render_one(
    manifest: Manifest, waivers: Waivers, areas: Areas, operator: str, *, looked_at: bool
) -> tuple[Pair | None, tuple[LeftOut, ...]]:
    policy, key = read_policy(manifest), key_of(manifest)
    if policy.spec.enforcement == "Audit" or policy.metadata.deletion_timestamp:
        return None, ()
    if looked_at and not is_looked_at(manifest):
        raise Refused(NOT_LOOKED_AT)
    reason, message = stalled_by(manifest)
    if reason == POLICY_CONFLICT:
        return None, (LeftOut(key, "", message, is_fault=False),)
    if reason == INVALID_RULE:
        raise Refused(message)
    rules, left = judge_rules(policy, key, waivers)
    reach, why = _reach(policy, key, areas)
    if not rules or reach is None:
        return None, (*left, *((LeftOut(key, "", why, is_fault=False),) if why else ()))
    metadata = {
        "name": name_of(key),
        "labels": {PART_LABEL: PART},
        "annotations": {OWNER_ANNOTATION: owner_of(key)},
    }
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": reach.constraints,
        "matchConditions": [
            conditions.by_others(operator),
            conditions.is_changed(metadata=any(rule.rewritten.reads_metadata for rule in rules)),
            *reach.conditions,
        ],
        **({"variables": variables} if (variables := _variables(policy, rules)) else {}),
        "validations": [_validation(rule, key, rules) for rule in rules],
    }
    rendered = {"apiVersion": API_VERSION, "kind": POLICY, "metadata": metadata, "spec": spec}
    if (size := len(json.dumps(rendered, ensure_ascii=False).encode())) > MOST_BYTES:
        raise Refused(f"It is {size:,} bytes as an admission policy; at most {MOST_BYTES:,} are applied: split it, or end waivers")
    bound = {"policyName": name_of(key), "validationActions": _ACTIONS[policy.spec.enforcement]}
    binding = {"apiVersion": API_VERSION, "kind": BINDING, "metadata": metadata, "spec": bound}
    return Pair(key, rendered, binding), left


@dataclass(frozen=True)
class _Reach:
    """Whose objects a policy is for, in admission's words."""

    constraints: Mapping[str, Any]
    conditions: Sequence[Mapping[str, str]]


def _reach(policy: AnyPolicy, key: Key, areas: Areas) -> tuple[_Reach | None, str]:
    """None, with the reason, where the policy reaches nothing."""
    targets = policy.spec.targets
    selector = getattr(targets, "domains", None)
    names: tuple[str, ...] | None = areas.selected(selector) if selector is not None else None
    if key.kind == "DomainPolicy":
        domain = areas.at_home_in(key.namespace)
        if not domain:
            return None, f"Namespace {key.namespace} is not the home namespace of a Domain, so its policies count for nothing"
        names = areas.below(domain)
    kinds = _kinds_of(policy, key, names)
    if not kinds:
        return None, _NO_DOMAINS if key.kind == "DomainPolicy" else "Its targets.domains select no Domain"
    rule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "resources": sorted(map(conditions.plural, kinds)),
        "operations": ["CREATE", "UPDATE"],
    }
    found = [conditions.in_lifecycle(targets.lifecycle)] if "DataProduct" in kinds else []
    found += [conditions.gives_access()] if "AccessGrant" in kinds else []
    if names is None:
        return _Reach({"resourceRules": [rule]}, found), ""
    found += [conditions.is_domain_of(names, selector)] if "Domain" in kinds else []
    where = {"namespaceSelector": conditions.in_domains(names)} if kinds != ("Domain",) else {}
    return _Reach({"resourceRules": [rule], **where}, found), ""


def _kinds_of(policy: AnyPolicy, key: Key, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """A Domain is written by the platform team, so no policy of a Domain's own team refuses it to anybody."""
    kinds = (kind for kind in policy.spec.targets.kinds if key.kind != "DomainPolicy" or kind != "Domain")
    return tuple(kind for kind in kinds if kind == "Domain" or names is None or names)


def _variables(policy: AnyPolicy, rules: Sequence[Judged]) -> list[dict[str, str]]:
    found = [{"name": "unchanged", "expression": conditions.UNCHANGED}] if _is_mixed(rules) else []
    if any("params" in rule.rewritten.reads for rule in rules):
        found.append({"name": "params", "expression": _params(policy)})
    if any(rule.waived for rule in rules):
        found.append({"name": "self", "expression": _SELF})
    return found + [{"name": rule.variable, "expression": f"variables.self in {texts(rule.waived)}"} for rule in rules if rule.waived]


def _is_mixed(rules: Sequence[Judged]) -> bool:
    """Whether some rules read metadata and others do not."""
    return len({rule.rewritten.reads_metadata for rule in rules}) == 2


def _params(policy: AnyPolicy) -> str:
    try:
        return literal(policy.spec.params)
    except Unsafe as error:
        raise Refused(f"Its params {error}") from None


def _validation(judged: Judged, key: Key, rules: Sequence[Judged]) -> dict[str, str]:
    """A rule on the spec is not judged for a change of labels, because another rule of the policy reads these. What is no truth value is
    false; compared with true it is of the type that the API server asks for, whatever the type of a field is.
    """
    kept = ["variables.unchanged"] if _is_mixed(rules) and not judged.rewritten.reads_metadata else []
    passes = [*kept, *([f"variables.{judged.variable}"] if judged.waived else [])]
    return {
        "expression": " || ".join((*passes, f"({judged.rewritten.expression}) == true")),
        "message": _sentence(judged, key),
        "reason": "Invalid",
    }


def _sentence(judged: Judged, key: Key) -> str:
    """One line: what is wrong, what to do, and whose rule it is."""
    said = [" ".join(text.split()).rstrip(".") for text in (judged.rule.message, judged.rule.remediation or "")]
    return ". ".join((*filter(None, said), f"Rule {judged.rule.name} of {key}"))
