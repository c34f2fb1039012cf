"""What policies say of one object: which of them apply, what is read for them, and the verdicts. It decides nothing about the object."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.base import Resource
from clouddatamesh.api.fields import parse_time
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.governance import scope
from clouddatamesh.governance.compliance import CONDITION, compliance_fields, compliance_finding, is_denied, told, verdicts_of
from clouddatamesh.governance.layers import stack
from clouddatamesh.governance.live import live_facts
from clouddatamesh.governance.policies import MODELS, build_policy, build_unreadable
from clouddatamesh.governance.scope import Lineage, Subject, concerns
from clouddatamesh.governance.verdicts import Hearing, judge, rank, standing
from clouddatamesh.governance.waivers import read_waiver
from clouddatamesh.model.access import Home, Offer
from clouddatamesh.model.evidence import Present, Unknown
from clouddatamesh.model.judging import POLICY_KINDS, WAIVER, Policy, Verdict, Waiver
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.outcome import Finding
from clouddatamesh.plan.access.facts import read_product
from clouddatamesh.plan.namespaces import why_homeless
from clouddatamesh.ports import Clock, Cluster, Ports
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.teams import training_of
from clouddatamesh.status.summarize import condition_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judgement:
    """The verdicts on one object, and when they change by time alone. `error`: they could not be had, and these are the ones before."""

    verdicts: tuple[Verdict, ...] = ()
    is_subject: bool = False
    """Whether the rules of any policy apply to it."""
    may_deny: bool = False
    """Whether one of them has the enforcement Deny."""
    due: datetime | None = None
    error: MeshError | None = None
    is_known: bool = True
    """Whether these verdicts are of the spec as it is now."""
    unasked: tuple[str, ...] = ()
    """The names of policies that deny, and have a fault."""

    @property
    def denial(self) -> MeshError | None:
        """Why nothing new may be made for the object; None where it may."""
        denied = [one for one in self.verdicts if one.denies]
        if denied:
            return Terminal(reasons.POLICY_VIOLATION, told(denied))
        if self.error is not None and self.may_deny and not self.is_known:
            return Transient(self.error.reason, f"Whether a policy refuses it is not known: {self.error.message}")
        return None

    def finding(self) -> tuple[Finding, ...]:
        """The condition PoliciesCompliant, where any policy applies and was asked."""
        return (compliance_finding(self.verdicts, self.unasked),) if self.is_subject and self.error is None else ()

    def fields(self, old: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """`status.compliance` by name, None where there is to be none; as it was where nothing could be asked."""
        before = old.get("compliance")
        return {"compliance": before if self.error is not None else compliance_fields(self.verdicts, before, now)}


def judge_object(key: Key, ports: Ports, draft: Manifest | None = None) -> Judgement:
    """What the policies say of an object as the API server has it now; of a `draft`, which is about to be made."""
    cached = draft or ports.cluster.get(key)
    if cached is None or cached["metadata"].get("deletionTimestamp"):
        return Judgement()
    if not any_policies(ports.cluster):
        return Judgement()
    domain = _domain_of(key, cached, ports.cluster)
    before = verdicts_of((cached.get("status") or {}).get("compliance"))
    policies: tuple[Policy, ...] = ()
    if domain is None:
        return _unjudged(cached, before, policies, Transient(reasons.DOMAIN_NOT_FOUND, why_homeless(key.namespace)))
    try:
        lineage = lineage_of(domain, ports.cluster)
        policies = tuple(policy for policy in policies_of(lineage, ports) if _counts(policy, Subject(key, cached, lineage)))
        if not policies:
            return Judgement()
        found = cached if draft is not None else _read(key, cached, ports.cluster)
        return _judge(Subject(key, found, lineage), policies, _hearing(key, found, domain, ports), ports)
    except MeshError as error:
        return _unjudged(cached, before, policies, error)
    except Exception:
        # What judges must never keep anything from being taken away.
        _log.exception("Judging %s failed", key)
        fault = Transient(reasons.INTERNAL, "The operator met a fault of its own; its log has the trace")
        return _unjudged(cached, before, policies, fault)


def _counts(policy: Policy, subject: Subject) -> bool:
    """A policy that can be asked, or a Deny with a fault: what that refuses is not known, which is no reason to do it."""
    return (policy.enforcement == "Deny" or not policy.faults) and concerns(policy, subject)


def _unjudged(manifest: Manifest, before: tuple[Verdict, ...], policies: tuple[Policy, ...], error: MeshError) -> Judgement:
    """The verdicts as they were. Where it is not even known which policies apply, one of them may deny."""
    may_deny = not policies or any(policy.enforcement == "Deny" for policy in policies)
    return Judgement(before, is_subject=True, may_deny=may_deny, error=error, is_known=was_judged(manifest))


def _judge(subject: Subject, policies: tuple[Policy, ...], hearing: Hearing, ports: Ports) -> Judgement:
    verdicts = judge(subject, policies, hearing, ports.expressions.judge)
    ends = [end for end in (parse_time(waiver.until) for waiver in hearing.waivers) if end > ports.clock.now()]
    may_deny = any(policy.enforcement == "Deny" for policy in policies)
    judgement = Judgement(verdicts, is_subject=True, may_deny=may_deny, due=min(ends, default=None))
    faulty = [policy for policy in policies if policy.faults]
    return _with_faulty(judgement, faulty, subject.manifest, hearing) if faulty else judgement


def _with_faulty(judgement: Judgement, faulty: Sequence[Policy], manifest: Mapping[str, Any], hearing: Hearing) -> Judgement:
    """What a Deny refused before it had a fault stays refused, what was carried out stays, and of all else it is not known."""
    verdicts = tuple(sorted((*judgement.verdicts, *standing(faulty, hearing)), key=rank))
    judgement = replace(judgement, verdicts=verdicts, unasked=tuple(policy.name for policy in faulty))
    if was_judged(manifest) or _was_carried_out(manifest):
        return judgement
    why = f"{faulty[0].name} has the enforcement Deny and a fault ({faulty[0].faults[0]}); correct it, or delete it"
    return replace(judgement, error=Transient(reasons.INVALID_RULE, why), is_known=False)


def _was_carried_out(manifest: Mapping[str, Any]) -> bool:
    """Whether the present spec was Ready before."""
    ready = condition_of(manifest.get("status") or {}, "Ready") or {}
    return (ready.get("status"), ready.get("observedGeneration")) == ("True", manifest["metadata"].get("generation", 0))


def was_judged(manifest: Mapping[str, Any]) -> bool:
    """Whether its status has verdicts on its present spec: a look in which nothing could be asked keeps the condition of the former one."""
    condition = condition_of(manifest.get("status") or {}, CONDITION)
    return condition is not None and condition.get("observedGeneration") == manifest["metadata"].get("generation", 0)


def refusal_of(manifest: Manifest, ports: Ports) -> MeshError | None:
    """Why a policy refuses an object as it is now. What status says of a former spec is no answer: others act on an edit at once."""
    if not was_judged(manifest):
        return judge_object(key_of(manifest), ports).denial
    denied = [one for one in verdicts_of((manifest.get("status") or {}).get("compliance")) if one.denies]
    return Terminal(reasons.POLICY_VIOLATION, told(denied)) if is_denied(manifest.get("status")) else None


def offer_of(product: Manifest, ports: Ports) -> Offer:
    """What a product offers, and whether a policy refuses it as it is now."""
    refusal, offer = refusal_of(product, ports), read_product(product)
    if refusal is None:
        return offer
    held = tuple(replace(port, refused=True) for port in offer.ports)
    return replace(offer, ports=held, denied=isinstance(refusal, Terminal), undecided=isinstance(refusal, Transient))


def home_of(namespace: str, ports: Ports) -> Home | None:
    """The Domain that a namespace belongs to, and whether it takes anything new as it is now."""
    home = find_domain(namespace, ports.cluster)
    manifest = ports.cluster.get(Key("Domain", "", home.name)) if home is not None else None
    if home is None or manifest is None or was_judged(manifest):
        return home
    cordoned, refusal = (manifest.get("spec") or {}).get("cordoned") is True, refusal_of(manifest, ports)
    refused = isinstance(refusal, Terminal)
    return replace(home, cordoned=cordoned or refused, denied=refused and not cordoned, undecided=isinstance(refusal, Transient))


def any_policies(cluster: Cluster) -> bool:
    """Whether anything is judged at all."""
    return any(cluster.keys(kind) for kind in POLICY_KINDS)


def policies_of(lineage: Lineage, ports: Ports) -> tuple[Policy, ...]:
    """The policies that reach a Domain; without DomainPolicies that loosen or contradict what is above them."""
    return stack(lineage, _global_policies(ports), lambda home: _of_namespace(home, ports))


def policies_above(domain: Manifest, ports: Ports) -> tuple[Policy, ...]:
    """What a DomainPolicy of this Domain may add to: all that reach the Domain but those in its own home namespace."""
    lineage = lineage_of(domain, ports.cluster)
    return stack(lineage, _global_policies(ports), lambda home: _of_namespace(home, ports) if home != lineage.homes[0] else [])


def _global_policies(ports: Ports) -> Iterator[Policy]:
    """All GovernancePolicies, as they are; the governance group has some, not one for each object."""
    return (policy_of(manifest, ports) for manifest in ports.cluster.list("GovernancePolicy"))


MOST_POLICIES: Final = 32
"""DomainPolicies that count in a namespace, by their names: a team may write any number, and each is asked in each judgement."""


def counting_in(namespace: str, cluster: Cluster) -> tuple[Key, ...]:
    """The DomainPolicies of a namespace that count."""
    return tuple(sorted(cluster.keys("DomainPolicy", namespace))[:MOST_POLICIES])


def _of_namespace(namespace: str, ports: Ports) -> list[Policy]:
    found = map(ports.cluster.get, counting_in(namespace, ports.cluster))
    return [policy_of(manifest, ports) for manifest in found if manifest is not None]


def policy_of(manifest: Manifest, ports: Ports) -> Policy:
    """The policy in a manifest. One that cannot be read has faults and applies to nothing.

    So has a DomainPolicy of which a rule costs too much on many objects of its own namespace. A GovernancePolicy goes on: the objects are
    not its author's, and who writes such ones must not end a rule for everybody.
    """
    metadata = manifest["metadata"]
    if metadata.get("deletionTimestamp"):
        return Policy(key_of(manifest), faults=("It is being deleted",))
    policy = ports.memory.build(metadata["uid"], manifest.get("spec"), lambda: _build(manifest, ports))
    own = policy.key.kind == "DomainPolicy"
    asked, home = ports.expressions, policy.key.namespace
    costly = [rule.name for rule in policy.rules if own and asked.is_exhausting(rule.expression, policy.params or {}, home)]
    why = "takes more time or memory than a rule may; make it simpler"
    return replace(policy, faults=tuple(f"Rule {name} {why}" for name in costly)) if costly and not policy.faults else policy


def _build(manifest: Manifest, ports: Ports) -> Policy:
    try:
        resource: Any = parse(_MODELS[manifest["kind"]], manifest)
    except MeshError as error:
        return build_unreadable(manifest, error.message)
    return build_policy(resource, ports.expressions.compile)


_MODELS: Final[Mapping[str, type[Resource]]] = MODELS


def _domain_of(key: Key, manifest: Manifest, cluster: Cluster) -> Manifest | None:
    if key.kind == "Domain":
        return manifest
    home = find_domain(key.namespace, cluster)
    return cluster.get(Key("Domain", "", home.name)) if home is not None else None


def lineage_of(domain: Manifest, cluster: Cluster) -> Lineage:
    """Labels and home namespaces of a Domain and its parents."""
    return scope.lineage_of(domain, lambda name: cluster.get(Key("Domain", "", name)))


def _read(key: Key, cached: Manifest, cluster: Cluster) -> Manifest:
    """The whole object: the cache keeps no texts for people."""
    seen = cluster.read(key)
    if isinstance(seen, Unknown):
        raise seen.error
    return seen.value if isinstance(seen, Present) and seen.value["metadata"]["uid"] == cached["metadata"]["uid"] else cached


def _hearing(key: Key, manifest: Manifest, domain: Manifest, ports: Ports) -> Hearing:
    uid, now = manifest["metadata"].get("uid", ""), ports.clock.now()
    return Hearing(
        domain=_whole(domain, ports),
        live=live_facts(manifest, ports.memory.facts(key, uid), now),
        waivers=tuple(waivers_for(key, ports)),
        before=verdicts_of((manifest.get("status") or {}).get("compliance")),
    )


def _whole(domain: Manifest, ports: Ports) -> Manifest:
    """The Domain with its training and its texts, read once for each change; labels and status are as the cache has them."""
    metadata = domain["metadata"]
    source = (metadata.get("generation", 0), domain.get("spec"))
    spec = ports.memory.build(metadata["uid"], source, lambda: _read(key_of(domain), domain, ports.cluster).get("spec") or {})
    return {**domain, "spec": spec, "training": training_of(domain, ports.cluster)}


def waivers_for(key: Key, ports: Ports) -> Iterator[Waiver]:
    """Those in force for an object."""
    for manifest in ports.cluster.referring(key, WAIVER):
        if manifest["metadata"].get("deletionTimestamp") or not is_in_force(manifest, ports.clock):
            continue
        yield read_waiver(manifest)


def is_in_force(waiver: Manifest, clock: Clock) -> bool:
    """Whether its end has not come. A clock that is not trusted ends none, and brings none back of which status says that it ended."""
    try:
        until = parse_time(str((waiver.get("spec") or {}).get("validUntil")))
    except ValueError:
        return False
    if clock.is_trusted():
        return until > clock.now()
    ready = condition_of(waiver.get("status") or {}, "Ready") or {}
    has_ended = ready.get("reason") == reasons.WAIVER_EXPIRED and ready.get("observedGeneration") == waiver["metadata"].get("generation", 0)
    return not has_ended


def fingerprint(facts: Mapping[str, Any] | None) -> str:
    """By which it is seen whether the world was read otherwise."""
    return json.dumps(facts, sort_keys=True, default=str)
