"""The status of policies and waivers, from what was counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.governance.installed import Installed
from clouddatamesh.model.judging import Policy
from clouddatamesh.model.objects import Key
from clouddatamesh.model.outcome import Finding, Outcome


@dataclass(frozen=True)
class Standing:
    """Why a policy does not count, in a sentence: it is outside a home namespace, or in conflict with a policy above it."""

    outside: str = ""
    conflict: str = ""

    @property
    def counts(self) -> bool:
        return not (self.outside or self.conflict)


@dataclass(frozen=True)
class Counted:
    """How many objects a policy applies to, and how many violations there are; the worst of them by object."""

    evaluated: int = 0
    violations: int = 0
    waived: int = 0
    worst: tuple[tuple[Key, dict[str, str]], ...] = ()


def report(policy: Policy, standing: Standing, counted: Counted, gate: Installed | None = None) -> Outcome:
    """Ready where the rules are evaluated; else what keeps the whole policy from being applied."""
    fields = {
        "evaluated": counted.evaluated,
        "violations": counted.violations,
        "waived": counted.waived,
        "top": [_entry(key, violation) for key, violation in counted.worst],
    }
    at_gate = (Finding("GateInstalled", gate.status, gate.reason, gate.message),) if gate is not None else ()
    if policy.faults:
        applied = (
            "none of the rules is applied" if gate is None else "the rules before this change stay at admission, and no others are applied"
        )
        if policy.enforcement == "Deny":
            applied = f"{applied}. What it refused stays refused, and nothing new is made for its objects until it is corrected or deleted"
        return _stalled(reasons.INVALID_RULE, f"{'; '.join(policy.faults[:3])}; {applied}", fields, at_gate)
    if standing.outside:
        return _stalled(reasons.OUTSIDE_HOME, f"{standing.outside}; move the policy there. None of its rules is applied", fields, at_gate)
    if standing.conflict:
        conflicting = Finding("Conflicting", "True", reasons.POLICY_CONFLICT, standing.conflict)
        return _stalled(reasons.POLICY_CONFLICT, f"{standing.conflict}. None of the rules is applied", fields, (conflicting, *at_gate))
    return Outcome(Finding("Ready", "True", reasons.READY, "The rules are evaluated"), at_gate, fields)


def report_waiver(*, fault: str, absent: str, lasts: bool, until: datetime) -> Outcome:
    """In force until its end. Where it names no rule that exists it excepts from nothing; `absent` is its object, where there is none."""
    if fault:
        return _stalled(reasons.POLICY_NOT_FOUND, f"{fault}. Correct spec.policyRef and spec.rule by another PolicyWaiver", {})
    if not lasts:
        why = "spec.validUntil has passed, and the rule counts again; delete the waiver, or move its end"
        return _stalled(reasons.WAIVER_EXPIRED, why, {})
    told = f"The waiver is in force, but there is no {absent}; spec.objectRef names it" if absent else "The waiver is in force"
    return Outcome(Finding("Ready", "True", reasons.READY, told), due=until)


def _stalled(reason: str, why: str, fields: dict[str, Any], further: tuple[Finding, ...] = ()) -> Outcome:
    return Outcome(Finding("Ready", "False", reason, why), further, fields, stalled=True)


def _entry(key: Key, violation: dict[str, str]) -> dict[str, str]:
    return {
        "kind": key.kind,
        **({"namespace": key.namespace} if key.namespace else {}),
        "name": key.name,
        **{name: violation[name] for name in ("rule", "severity", "since") if violation.get(name)},
    }
