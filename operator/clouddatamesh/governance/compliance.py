"""How status tells of violations: bounded in size, with the moment since which each is known."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.judging import SEVERITIES, Verdict, Waiver
from clouddatamesh.model.outcome import Finding
from clouddatamesh.plan.moments import text

CONDITION: Final = "PoliciesCompliant"
_MOST: Final = 64
"""Violations that are listed."""
_BYTES: Final = 24_576
"""Of each of the two lists, as JSON: an object in etcd is bounded, and so is what people read."""
_NAMED: Final = 5


def compliance_fields(verdicts: Sequence[Verdict], old: Mapping[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    """`status.compliance`; None where nothing is violated."""
    if not verdicts:
        return None
    since = {(one.get("policy"), one.get("rule")): one.get("since") for one in (old or {}).get("violations") or ()}
    entries = [_entry(verdict, since.get((verdict.policy, verdict.rule)) or text(now)) for verdict in verdicts[:_MOST]]
    waived = sum(one.waiver is not None for one in verdicts)
    return {
        "violationCount": len(verdicts) - waived,
        "waivedCount": waived,
        "denied": any(one.denies for one in verdicts),
        "violations": _fitting(entries),
        "policies": _fitting(_by_policy(verdicts)),
    }


def compliance_finding(verdicts: Sequence[Verdict], unasked: Sequence[str] = ()) -> Finding:
    """The condition PoliciesCompliant; `unasked` are names of policies with a fault."""
    open_ = [one for one in verdicts if one.waiver is None]
    if not open_:
        why = "No policy is violated" if not verdicts else "Each violation of a policy has a waiver"
        why += f"; not asked, as they have a fault: {', '.join(unasked[:_NAMED])}" if unasked else ""
        return Finding(CONDITION, "True", reasons.COMPLIANT, why)
    return Finding(CONDITION, "False", reasons.POLICY_VIOLATION, told(open_))


def told(verdicts: Sequence[Verdict]) -> str:
    """The violations in one sentence; of many the first ones."""
    named = "; ".join(f"{one.message} ({one.policy}, rule {one.rule})" for one in verdicts[:_NAMED])
    more = len(verdicts) - _NAMED
    return f"{named}; and {more} more in status.compliance" if more > 0 else named


def verdicts_of(compliance: Mapping[str, Any] | None) -> tuple[Verdict, ...]:
    """The violations that a status tells of, read leniently; without those that are only named."""
    listed = compliance.get("violations") if isinstance(compliance, Mapping) else None
    return tuple(_read(one) for one in listed if isinstance(one, Mapping)) if isinstance(listed, list | tuple) else ()


def is_denied(status: Mapping[str, Any] | None) -> bool:
    """Whether a status says that a Deny is violated."""
    return bool(((status or {}).get("compliance") or {}).get("denied"))


def _entry(verdict: Verdict, since: str) -> dict[str, Any]:
    waiver = verdict.waiver
    return {
        "policy": verdict.policy,
        "rule": verdict.rule,
        "enforcement": verdict.enforcement,
        "severity": verdict.severity,
        "message": verdict.message,
        **({"remediation": verdict.remediation} if verdict.remediation else {}),
        "since": since,
        **({"waiver": waiver.name, "waivedUntil": waiver.until} if waiver else {}),
    }


def _by_policy(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """All violations, counted: what is not listed is in the totals too. A team's own policies come last, and push out no others."""
    broken = Counter(one.policy for one in verdicts if one.waiver is None)
    waived = Counter(one.policy for one in verdicts if one.waiver is not None)
    names = sorted({*broken, *waived}, key=lambda name: (not name.startswith("GovernancePolicy/"), name))
    return [{"policy": name, "violationCount": broken[name], "waivedCount": waived[name]} for name in names]


def _fitting(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first entries, as many as fit."""
    sizes = accumulate(len(json.dumps(entry)) for entry in entries)
    return [entry for entry, size in zip(entries, sizes, strict=True) if size <= _BYTES]


def _read(entry: Mapping[str, Any]) -> Verdict:
    waiver = Waiver(str(entry["waiver"]), "", "", str(entry.get("waivedUntil") or "")) if entry.get("waiver") else None
    severity = entry.get("severity")
    return Verdict(
        policy=str(entry.get("policy") or ""),
        rule=str(entry.get("rule") or ""),
        enforcement=str(entry.get("enforcement") or ""),
        severity=severity if severity in SEVERITIES else "medium",
        message=str(entry.get("message") or ""),
        remediation=str(entry.get("remediation") or ""),
        waiver=waiver,
    )
