"""What the rules of the policies that apply say of an object: every violation, not the first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.governance.live import awaits_bucket
from clouddatamesh.governance.scope import Subject, applies
from clouddatamesh.model.judging import SEVERITIES, Answered, Outcome, Policy, Rule, RuleFailure, Verdict, Waiver

Ask = Callable[[Sequence[tuple[str, Mapping[str, Any]]], Mapping[str, Any]], Sequence[Answered]]
"""Evaluates expressions, each with its params, over the other variables."""
_REASON: Final = 200
_MESSAGE: Final = 1280


@dataclass(frozen=True)
class Hearing:
    """What a judgement rests on besides the object: its Domain, what was read of the world, waivers in force, and what was said before."""

    domain: Mapping[str, Any] = field(default_factory=dict)
    live: Mapping[str, Any] | None = None
    """None: nothing was read in this process yet, so rules on it are not asked."""
    waivers: tuple[Waiver, ...] = ()
    before: tuple[Verdict, ...] = ()
    """The violations that status tells of: what cannot be asked now stays as it was."""


def judge(subject: Subject, policies: Sequence[Policy], hearing: Hearing, ask: Ask) -> tuple[Verdict, ...]:
    """Every violation, the worst first; waived ones carry their waiver and come last."""
    rules = [(policy, rule) for policy in policies if applies(policy, subject) for rule in policy.rules]
    known = [(policy, rule) for policy, rule in rules if hearing.live is not None or "live" not in rule.reads]
    domain = {**as_judged(hearing.domain), "training": hearing.domain.get("training") or {}}
    data = {"object": as_judged(subject.manifest), "oldObject": None, "domain": domain, "live": hearing.live or {}}
    answers = ask([(rule.expression, policy.params or {}) for policy, rule in known], data) if known else ()
    is_early = awaits_bucket(subject.key.kind, hearing.live)
    answered = {
        (policy.name, rule.name): None if is_early and isinstance(answer, RuleFailure) and "live" in rule.reads else answer
        for (policy, rule), answer in zip(known, answers, strict=True)
    }
    found = (_verdict(policy, rule, answered.get((policy.name, rule.name)), hearing) for policy, rule in rules)
    return tuple(sorted((verdict for verdict in found if verdict is not None), key=rank))


def standing(policies: Sequence[Policy], hearing: Hearing) -> tuple[Verdict, ...]:
    """The violations before of policies that cannot be asked; each with the waiver that is in force now."""
    names = {policy.name for policy in policies}
    return tuple(replace(one, waiver=_waiver(one.policy, one.rule, hearing)) for one in hearing.before if one.policy in names)


def as_judged(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What rules see of an object: what people write. Status is ours, and would be judged by what it says of judging."""
    metadata = {name: value for name, value in (manifest.get("metadata") or {}).items() if name in _METADATA}
    return {**{name: value for name, value in manifest.items() if name in ("apiVersion", "kind", "spec")}, "metadata": metadata}


_METADATA: Final = ("name", "namespace", "labels", "annotations")


def rank(verdict: Verdict) -> tuple[bool, bool, bool, int, str, str]:
    """Those without a waiver first, of them those that stop something, of global policies, then the most severe ones, then by name."""
    own = not verdict.policy.startswith("GovernancePolicy/")
    return verdict.waiver is not None, not verdict.denies, own, SEVERITIES.index(verdict.severity), verdict.policy, verdict.rule


def _verdict(policy: Policy, rule: Rule, answer: Answered | None, hearing: Hearing) -> Verdict | None:
    if answer is Outcome.HOLDS:
        return None
    before = next((one for one in hearing.before if (one.policy, one.rule) == (policy.name, rule.name)), None)
    if answer is None and before is None:
        return None
    message = before.message if answer is None and before is not None else rule.message
    if answer is Outcome.EXHAUSTED:
        message = f"{message} (the rule takes more time or memory on this object than it may)"
    if isinstance(answer, RuleFailure):
        message = f"{message} (the rule could not be evaluated: {answer.why[:_REASON]})"
    waiver = _waiver(policy.name, rule.name, hearing)
    return Verdict(policy.name, rule.name, policy.enforcement, rule.severity, message[:_MESSAGE], rule.remediation, waiver)


def _waiver(policy: str, rule: str, hearing: Hearing) -> Waiver | None:
    """Of those in force for a rule the one that ends last."""
    waivers = (one for one in hearing.waivers if (one.policy, one.rule) == (policy, rule))
    return max(waivers, key=lambda one: parse_time(one.until), default=None)
