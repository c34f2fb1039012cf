"""Policies among manifests, judged over the other manifests by the functions that the operator uses. Nothing is known of the world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.policy import DomainPolicy, GovernancePolicy
from clouddatamesh.checking.together import Remark
from clouddatamesh.governance.layers import find_conflict, stack
from clouddatamesh.governance.policies import MODELS, build_policy
from clouddatamesh.governance.scope import Lineage, Subject, applies, lineage_of
from clouddatamesh.governance.verdicts import Hearing, judge
from clouddatamesh.governance.waivers import excepted_by, read_waiver, unknown_rule
from clouddatamesh.model.expressions import Expressions
from clouddatamesh.model.judging import JUDGED, POLICY_KINDS, WAIVER, Policy, Rule, Verdict, Waiver
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.raw import text

_NOWHERE: Final = Lineage((), ())
_MODELS: Final[Mapping[str, type[GovernancePolicy | DomainPolicy]]] = MODELS  # type: ignore[assignment]


@dataclass(frozen=True)
class Violated(Remark):
    """A rule that an object breaks: an error where it denies."""

    verdict: Verdict | None = None


@dataclass(frozen=True)
class Judged:
    """What came of it, and which rules were not asked: they read what only the cluster knows, or need a Domain that is not given."""

    remarks: tuple[Remark, ...] = ()
    unasked: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def has_policies(manifests: Iterable[Manifest]) -> bool:
    """Whether there is anything to judge by."""
    return any(manifest["kind"] in POLICY_KINDS for manifest in manifests)


def check_policies(manifests: Sequence[Manifest], around: Sequence[Manifest], language: Expressions, now: datetime) -> Judged:
    """Remarks on manifests, with defaults set. Those `around` them give policies, waivers and Domains, and are not judged."""
    known: dict[Key, Manifest] = {}
    for manifest in (*manifests, *around):
        known.setdefault(key_of(manifest), manifest)
    bench = _Bench(known, language, now)
    remarks = [remark for key in known for remark in bench.look_at_policy(key)]
    judged = dict.fromkeys(key for key in map(key_of, manifests) if key.kind in JUDGED)
    violations = [remark for key in judged for remark in bench.judge(key)]
    return Judged((*remarks, *violations), tuple(sorted(bench.unasked)), tuple(sorted(bench.unplaced)))


@dataclass
class _Bench:
    """All manifests by key, and the policies in them, built once."""

    known: Mapping[Key, Manifest]
    language: Expressions
    now: datetime
    unasked: set[str] = field(default_factory=set)
    """Rules that read `live`, or training."""
    unplaced: set[str] = field(default_factory=set)
    """Rules that could not be asked of some object because its Domain is not among the files."""

    @cached_property
    def policies(self) -> Mapping[Key, Policy]:
        found = (key for key in self.known if key.kind in POLICY_KINDS)
        return {key: build_policy(_MODELS[key.kind].model_validate(self.known[key]), self.language.compile) for key in found}

    @cached_property
    def waivers(self) -> Mapping[Key, Sequence[Waiver]]:
        """Those in force, by the object that they except."""
        found: dict[Key, list[Waiver]] = {}
        for key, manifest in self.known.items():
            if key.kind == WAIVER and not self._has_ended(manifest) and (excepted := excepted_by(manifest)) is not None:
                found.setdefault(excepted, []).append(read_waiver(manifest))
        return found

    @cached_property
    def homes(self) -> Mapping[str, Manifest]:
        """The Domain of each namespace."""
        domains = (manifest for key, manifest in self.known.items() if key.kind == "Domain")
        return {namespace: domain for domain in reversed([*domains]) for namespace in named_namespaces(domain)}

    def look_at_policy(self, key: Key) -> Iterator[Remark]:
        """Why a policy or a waiver counts for nothing."""
        if key.kind == WAIVER:
            yield from self._look_at_waiver(key, self.known[key])
        policy = self.policies.get(key) if key.kind in POLICY_KINDS else None
        if policy is None:
            return
        for fault in policy.faults:
            yield Remark(key, _place(policy, fault), fault)
        if key.kind == "DomainPolicy" and not policy.faults:
            yield from self._look_at_home(policy)

    def judge(self, key: Key) -> Iterator[Violated]:
        """The rules that an object breaks, those with a waiver left out."""
        manifest = self.known[key]
        domain = manifest if key.kind == "Domain" else self.homes.get(key.namespace)
        lineage = self._lineage(domain) if domain is not None else _NOWHERE
        subject = Subject(key, manifest, lineage)
        policies = [policy for policy in self._stack(lineage) if applies(policy, subject)]
        self.unasked |= {f"{policy.name}/{rule.name}" for policy in policies for rule in policy.rules if _needs_cluster(rule)}
        if domain is None:
            self.unplaced |= set(self._unplaced(key, policies))
        policies = [replace(one, rules=tuple(rule for rule in one.rules if _is_known(rule, domain))) for one in policies]
        hearing = Hearing(domain or {}, waivers=tuple(self.waivers.get(key, ())))
        verdicts = judge(subject, policies, hearing, self.language.judge)
        yield from (Violated(key, (), _sentence(one), one.enforcement == "Deny", one) for one in verdicts if one.waiver is None)

    def _unplaced(self, key: Key, asked: Sequence[Policy]) -> Iterator[str]:
        """The rules that may be about an object whose Domain is not known: by labels, by the Domain's home, or by what they read."""
        for policy in self.policies.values():
            anywhere = Subject(key, self.known[key], Lineage((), (policy.key.namespace,)))
            if not applies(replace(policy, domains=None), anywhere):
                continue
            rules = (rule for rule in policy.rules if not _needs_cluster(rule) and (policy not in asked or "domain" in rule.reads))
            yield from (f"{policy.name}/{rule.name}" for rule in rules)

    def _lineage(self, domain: Manifest) -> Lineage:
        return lineage_of(domain, lambda name: self.known.get(Key("Domain", "", name)))

    def _stack(self, lineage: Lineage) -> tuple[Policy, ...]:
        return stack(lineage, self._policies_in(""), self._policies_in)

    def _policies_in(self, namespace: str) -> list[Policy]:
        kind = "DomainPolicy" if namespace else "GovernancePolicy"
        return [policy for key, policy in self.policies.items() if (key.kind, key.namespace) == (kind, namespace) and not policy.faults]

    def _look_at_home(self, policy: Policy) -> Iterator[Remark]:
        key, domain = policy.key, self.homes.get(policy.key.namespace)
        if domain is None:
            why = f"No Domain among the files has namespace {key.namespace}; the policy counts only in the home namespace of one"
            yield Remark(key, ("metadata", "namespace"), why, is_error=False)
            return
        lineage = self._lineage(domain)
        if lineage.homes[0] != key.namespace:
            name = domain["metadata"]["name"]
            why = f"Namespace {key.namespace} is not the home namespace of Domain {name}, which is {lineage.homes[0]}, so the policy counts"
            yield Remark(key, ("metadata", "namespace"), f"{why} for nothing; move it there")
            return
        above = (one for one in self._stack(lineage) if one.key.namespace != key.namespace)
        conflict = find_conflict(policy, above)
        if conflict:
            yield Remark(key, ("spec",), conflict)

    def _look_at_waiver(self, key: Key, manifest: Manifest) -> Iterator[Remark]:
        read = read_waiver(manifest)
        policy = next((one for one in self.policies.values() if one.name == read.policy), None)
        if policy is None:
            why = f"{read.policy} is not among the files; it must be in the cluster"
            yield Remark(key, ("spec", "policyRef", "name"), why, is_error=False)
        elif why := unknown_rule(read, policy):
            yield Remark(key, ("spec", "rule"), why)
        excepted = excepted_by(manifest)
        if excepted is not None and excepted not in self.known:
            yield Remark(key, ("spec", "objectRef", "name"), f"{excepted} is not among the files", is_error=False)
        if self._has_ended(manifest):
            yield Remark(key, ("spec", "validUntil"), f"The waiver ended at {read.until}, so it excepts nothing", is_error=False)

    def _has_ended(self, waiver: Manifest) -> bool:
        return parse_time(text(waiver, "spec", "validUntil")) <= self.now


def _needs_cluster(rule: Rule) -> bool:
    """Training is judged by its dates, in the status of a DomainProfile."""
    return "live" in rule.reads or ("domain" in rule.reads and "training" in rule.expression)


def _is_known(rule: Rule, domain: Manifest | None) -> bool:
    return not _needs_cluster(rule) and (domain is not None or "domain" not in rule.reads)


def _place(policy: Policy, fault: str) -> tuple[str | int, ...]:
    """Where the fault is: at its rule, or at the params."""
    at = next((at for at, rule in enumerate(policy.rules) if fault.startswith(f"Rule {rule.name} ")), None)
    return ("spec", "params") if at is None else ("spec", "rules", at, "expression")


def _sentence(verdict: Verdict) -> str:
    todo = f"; {verdict.remediation}" if verdict.remediation else ""
    of = f"{verdict.policy}, rule {verdict.rule}, {verdict.enforcement}, {verdict.severity}"
    return f"{verdict.message.rstrip('.')}{todo.rstrip('.')} ({of})"
