"""What is asked of a policy before it is rendered: read strictly, its waivers in force, the rules that admission can judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from pydantic import ValidationError

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.policy import DomainPolicy, GovernancePolicy, PolicyRule
from clouddatamesh.api.v1alpha1.policywaiver import PolicyWaiver
from clouddatamesh.governance.gate.rewriting import MESH_NAMES, Rewritten, rewrite
from clouddatamesh.governance.gate.tokens import Unsafe
from clouddatamesh.governance.policies import find_params_fault
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.reasons import INVALID_RULE, OUTSIDE_HOME, POLICY_CONFLICT

AnyPolicy = GovernancePolicy | DomainPolicy


class Refused(Exception):
    """A policy of which nothing is rendered; the message is a sentence."""


@dataclass(frozen=True)
class Judged:
    """A rule for admission. `waived` are the objects that it does not concern, as `Kind/namespace/name`."""

    rule: PolicyRule
    rewritten: Rewritten
    waived: tuple[str, ...]

    @property
    def variable(self) -> str:
        """The variable that holds what is waived. A rule's name has no _, so two rules never share one."""
        return f"waived_{self.rule.name.replace('-', '_')}"


@dataclass(frozen=True)
class LeftOut:
    """A rule, or where that is empty a policy, that is not at the gate, and why."""

    policy: Key
    rule: str
    why: str
    is_fault: bool
    """Whether somebody has to correct it; else it is judged in the running mesh alone, as it is meant to be."""


@dataclass(frozen=True)
class Waivers:
    """The waivers in force at a moment."""

    all: tuple[PolicyWaiver, ...]

    @classmethod
    def at(cls, now: datetime, manifests: tuple[Manifest, ...]) -> "Waivers":
        """Those that have not ended. One that cannot be read excepts nothing."""
        return cls(tuple(waiver for waiver in _readable(manifests) if parse_time(waiver.spec.valid_until) > now))

    @property
    def until(self) -> datetime | None:
        """When the first of them ends."""
        return min((parse_time(waiver.spec.valid_until) for waiver in self.all), default=None)

    def of(self, policy: Key, rule: str) -> tuple[str, ...]:
        """The objects that are excepted from a rule, as `Kind/namespace/name`; sorted."""
        return tuple(sorted(self._by_rule.get((policy, rule), ())))

    @cached_property
    def _by_rule(self) -> Mapping[tuple[Key, str], set[str]]:
        found: dict[tuple[Key, str], set[str]] = {}
        for spec in (waiver.spec for waiver in self.all):
            policy, of = spec.policy_ref, spec.object_ref
            key = Key(policy.kind, policy.namespace or "", policy.name)
            found.setdefault((key, spec.rule), set()).add(f"{of.kind}/{of.namespace or ''}/{of.name}")
        return found


def _readable(manifests: tuple[Manifest, ...]) -> Iterator[PolicyWaiver]:
    for manifest in manifests:
        try:
            waiver = PolicyWaiver.model_validate(manifest)
        except ValidationError:
            continue
        if not waiver.metadata.deletion_timestamp:
            yield waiver


def read_policy(manifest: Manifest) -> AnyPolicy:
    """Raises Refused. Values are not echoed."""
    model = GovernancePolicy if manifest["kind"] == "GovernancePolicy" else DomainPolicy
    try:
        found: AnyPolicy = model.model_validate({name: part for name, part in manifest.items() if name != "status"})
    except ValidationError as error:
        faults = sorted(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False, include_url=False)
        )
        raise Refused(f"It cannot be read: {'; '.join(faults[:3])}") from None
    for fault in find_params_fault(found.spec.params):
        raise Refused(fault)
    return found


NOT_LOOKED_AT: Final = "The operator has not looked at its present generation yet, so what was applied for it before stays"
_DECIDED: Final = (INVALID_RULE, OUTSIDE_HOME, POLICY_CONFLICT)


def is_looked_at(manifest: Manifest) -> bool:
    """Whether the operator has said what it thinks of this generation of a policy. A look that failed says nothing."""
    told = _condition(manifest, "Ready")
    return _is_of_now(manifest) and (told.get("status") == "True" or told.get("reason") in _DECIDED)


def _is_of_now(manifest: Manifest) -> bool:
    return bool((manifest.get("status") or {}).get("observedGeneration") == manifest["metadata"].get("generation"))


def _condition(manifest: Manifest, type_: str) -> Manifest:
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type") == type_), {})


def stalled_by(manifest: Manifest) -> tuple[str, str]:
    """Reason and message for which the operator does not apply this generation of a policy; both empty where it does, or has not looked."""
    stalled = _condition(manifest, "Stalled")
    if not _is_of_now(manifest) or stalled.get("status") != "True":
        return "", ""
    return str(stalled.get("reason")), str(stalled.get("message"))


def judge_rules(policy: AnyPolicy, key: Key, waivers: Waivers) -> tuple[tuple[Judged, ...], tuple[LeftOut, ...]]:
    """The rules that admission can judge, and those that only the running mesh can. Raises Refused: no policy is half at the gate."""
    judged, left = [], []
    for rule in policy.spec.rules:
        rewritten = _rewrite(rule)
        if why := _why_not(rewritten):
            left.append(LeftOut(key, rule.name, why, is_fault=False))
        else:
            judged.append(Judged(rule, rewritten, waivers.of(key, rule.name)))
    return tuple(judged), tuple(left)


def _rewrite(rule: PolicyRule) -> Rewritten:
    try:
        return rewrite(rule.expression)
    except Unsafe as error:
        raise Refused(f"Rule {rule.name} cannot be judged at admission: its expression {error}") from None


def _why_not(rewritten: Rewritten) -> str:
    if read := [name for name in MESH_NAMES if name in rewritten.reads]:
        return f"It reads {' and '.join(read)}, which only the operator knows"
    if rewritten.reads_status:
        return "It reads status, which an object does not have yet when it is created"
    return ""
