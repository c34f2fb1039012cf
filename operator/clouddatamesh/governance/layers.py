"""Layers: a DomainPolicy adds to the GovernancePolicies above it, or tightens them. One that loosens or contradicts counts for nothing."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from clouddatamesh.governance.scope import Lineage, reaches
from clouddatamesh.model.judging import ENFORCEMENTS, SEVERITIES, Policy, Rule


def stack(lineage: Lineage, everywhere: Iterable[Policy], at_home_in: Callable[[str], Iterable[Policy]]) -> tuple[Policy, ...]:
    """The policies that reach a Domain, from above: GovernancePolicies, then those in the home namespaces of its parents and its own.

    DomainPolicies that loosen or contradict what is above them in their own Domain are left out, and say so. Of those that do so only in
    a Domain below their own, for which there are other policies, the rules that do are left out there.
    """
    counting = [policy for policy in everywhere if reaches(policy, lineage)]
    found = list(counting)
    for place in reversed(range(len(lineage.homes))):
        own = Lineage(lineage.labels[place:], lineage.homes[place:])
        above = [policy for policy in counting if reaches(policy, own)]
        here = [policy for policy in at_home_in(lineage.homes[place]) if not find_conflict(policy, above)]
        found += [_adding_to(policy, found) for policy in here]
        counting += here
    return tuple(found)


def find_conflict(policy: Policy, above: Iterable[Policy]) -> str:
    """Why a DomainPolicy does not count, with the names of both policies; empty where nothing is found.

    What is found: a rule of the same name that is enforced less, is less severe or has narrower targets, and an expression that is the
    negation of one above.
    """
    return next(_conflicts(policy, policy.rules, above), "")


def _adding_to(policy: Policy, above: list[Policy]) -> Policy:
    """With the rules that loosen and contradict nothing."""
    left = tuple(rule for rule in policy.rules if not any(_conflicts(policy, (rule,), above)))
    return replace(policy, rules=left) if left != policy.rules else policy


def _conflicts(policy: Policy, rules: Iterable[Rule], above: Iterable[Policy]) -> Iterator[str]:
    above = tuple(above)
    for rule in rules:
        for other in above:
            for theirs in other.rules:
                why = _weaker(policy, rule, other, theirs) if rule.name == theirs.name else ""
                if not why and _are_opposite(rule.expression, theirs.expression):
                    why = f"says the opposite of rule {theirs.name}"
                if why:
                    yield f"Rule {rule.name} of {policy.name} {why} of {other.name}; rename it, or make it at least as strict"


def _weaker(policy: Policy, rule: Rule, other: Policy, theirs: Rule) -> str:
    if ENFORCEMENTS.index(policy.enforcement) < ENFORCEMENTS.index(other.enforcement):
        return f"is enforced less ({policy.enforcement}) than the rule ({other.enforcement})"
    if SEVERITIES.index(rule.severity) > SEVERITIES.index(theirs.severity):
        return f"is less severe ({rule.severity}) than the rule ({theirs.severity})"
    if set(other.kinds) - set(policy.kinds):
        return "has fewer target kinds than the rule"
    if set(other.stages) - set(policy.stages):
        return "has fewer lifecycle stages than the rule"
    return ""


def _are_opposite(one: str, other: str) -> bool:
    first, second = ("".join(text.split()) for text in (one, other))
    return first in (f"!({second})", f"!{second}") or second in (f"!({first})", f"!{first}")
