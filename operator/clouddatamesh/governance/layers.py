"""Layers: a DomainPolicy adds to the GovernancePolicies above it, or tightens them. One that loosens or contradicts counts for nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from clouddatamesh.governance.scope import Lineage, reaches
from clouddatamesh.model.judging import ENFORCEMENTS, SEVERITIES, Policy, Rule


def stack(lineage: Lineage, everywhere: Iterable[Policy], at_home_in: Callable[[str], Iterable[Policy]]) -> tuple[Policy, ...]:
    """The policies that reach a Domain, from above: GovernancePolicies, then those in the home namespaces of its parents and its own.

    DomainPolicies that loosen or contradict what is above them in their own Domain are left out, and say so. Of those that do so only in
    a Domain below their own, for which there are other policies, the rules that do are left out there.
    """
    everywhere, layers = tuple(everywhere), list[list[Policy]]()
    for place in reversed(range(len(lineage.homes))):
        own = Lineage(lineage.labels[place:], lineage.homes[place:])
        above = _Above.of(_laid(own, everywhere, layers))
        layers.append([policy for policy in at_home_in(lineage.homes[place]) if not any(_conflicts(policy, policy.rules, above))])
    return tuple(_laid(lineage, everywhere, layers))


def _laid(lineage: Lineage, everywhere: Iterable[Policy], layers: Iterable[Iterable[Policy]]) -> list[Policy]:
    """The policies that reach a Domain, those of each layer without the rules that loosen or contradict what is above them there."""
    found = [policy for policy in everywhere if reaches(policy, lineage)]
    for layer in layers:
        above = _Above.of(found)
        found += [_adding_to(policy, above) for policy in layer if reaches(policy, lineage)]
    return found


def find_conflict(policy: Policy, above: Iterable[Policy]) -> str:
    """Why a DomainPolicy does not count, with the names of both policies; empty where nothing is found.

    What is found: a rule of the same name that is enforced less, is less severe or has narrower targets, and an expression that is the
    negation of one above.
    """
    return next(_conflicts(policy, policy.rules, _Above.of(above)), "")


@dataclass(frozen=True)
class _Above:
    """The rules of some policies, by name and by text."""

    named: Mapping[str, Sequence[tuple[Policy, Rule]]]
    said: Mapping[str, tuple[Policy, Rule]]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "_Above":
        rules = [(policy, rule) for policy in policies for rule in policy.rules]
        named: dict[str, list[tuple[Policy, Rule]]] = {}
        for policy, rule in rules:
            named.setdefault(rule.name, []).append((policy, rule))
        return cls(named, {rule.plain: (policy, rule) for policy, rule in reversed(rules)})


def _adding_to(policy: Policy, above: _Above) -> Policy:
    """With the rules that loosen and contradict nothing."""
    left = tuple(rule for rule in policy.rules if not any(_conflicts(policy, (rule,), above)))
    return replace(policy, rules=left) if left != policy.rules else policy


def _conflicts(policy: Policy, rules: Iterable[Rule], above: _Above) -> Iterator[str]:
    for rule in rules:
        weaker = ((other, _weaker(policy, rule, other, theirs)) for other, theirs in above.named.get(rule.name, ()))
        opposite = (above.said[text] for text in rule.opposites if text in above.said)
        way = "rename it, or make it at least as strict"
        said = ((other, f"says the opposite of rule {theirs.name}", "remove it, or change what it asks") for other, theirs in opposite)
        for other, why, out in (*((other, why, way) for other, why in weaker), *said):
            if why:
                yield f"Rule {rule.name} of {policy.name} {why} of {other.name}; {out}"


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
