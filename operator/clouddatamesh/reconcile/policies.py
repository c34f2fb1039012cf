"""A GovernancePolicy or DomainPolicy: whether its rules count, and how many objects break them. What it reads is in the cache."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from clouddatamesh.governance.gate.rendering import BINDING, POLICY, Scene, name_of, render
from clouddatamesh.governance.installed import Installed, is_installed, left_behind
from clouddatamesh.governance.layers import find_conflict
from clouddatamesh.governance.scope import reaches
from clouddatamesh.model.evidence import Present, Unknown
from clouddatamesh.model.judging import SEVERITIES, WAIVER, Policy
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.settings import Next
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile.domains import find_domain
from clouddatamesh.reconcile.execute import Executor, Target
from clouddatamesh.reconcile.judging import MOST_POLICIES, counting_in, lineage_of, policies_above, policy_of
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.verdicts import BROKEN, SEVERE, STAGE, WAIVED, count_of
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.policies import Counted, Standing, report
from clouddatamesh.status.summarize import condition_of

_AGAIN: Final = timedelta(minutes=1)
"""How often what applies is counted again: objects come and go without telling policies."""
_SOON: Final = timedelta(seconds=5)
"""After which the gate program has written what is new."""
_TOP: Final = 20


@dataclass(frozen=True)
class Look:
    """A policy, where it stands, and what is counted of it."""

    policy: Policy
    standing: Standing
    counted: Counted
    gate: Installed | None = None
    """Whether its rules are judged at admission; None where none is to be, or it cannot be read."""


def reconcile(key: Key, manifest: Manifest, ports: Ports) -> Next:
    """Report one policy. It makes nothing and holds nothing."""
    if manifest["metadata"].get("deletionTimestamp"):
        return Next()
    visit = Visit.of(key, manifest, ports)
    flow: Flow[Look] = Flow(
        gather=lambda: _look(visit.manifest(), ports),
        plan=lambda _: Plan(),
        executor=lambda _: Executor(Target(visit.key, visit.uid, ports.cluster, visit.write_record, ports.clock.now())),
        report=lambda seen, _: _report(seen, visit.manifest(), ports.clock.now()),
    )
    return run(visit, flow, interval=_AGAIN)


def _report(seen: Look, manifest: Manifest, now: datetime) -> Outcome:
    """What is new to the gate program is not there yet: the first look at it is followed by another one soon."""
    outcome = report(seen.policy, seen.standing, seen.counted, seen.gate)
    before = condition_of(manifest.get("status") or {}, "GateInstalled") or {}
    is_new = before.get("observedGeneration") != manifest["metadata"].get("generation", 0)
    waits = seen.gate is not None and seen.gate.status != "True" and is_new
    return replace(outcome, due=now + _SOON) if waits else outcome


def _look(manifest: Manifest, ports: Ports) -> Look:
    policy = policy_of(manifest, ports)
    standing = Standing() if policy.faults else _standing(policy, ports)
    if policy.faults:
        return Look(policy, standing, Counted(), _former_at_gate(policy.key, ports.cluster))
    counted = _count(policy, ports.cluster) if standing.counts else Counted()
    is_for_gate = standing.counts and policy.enforcement != "Audit"
    return Look(policy, standing, counted, _at_gate(manifest, ports) if is_for_gate else _behind(policy.key, ports.cluster))


def _behind(key: Key, cluster: Cluster) -> Installed | None:
    """What of a policy that has nothing at admission any more goes on to warn and deny."""
    objects = _objects_of(key, cluster)
    return left_behind(key, objects) if objects is not None else None


def _former_at_gate(key: Key, cluster: Cluster) -> Installed | None:
    """What was applied before the policy had a fault, and is kept: it goes on to warn and deny."""
    why = "The policy cannot be rendered, and the rules that were applied for it before stay at admission until it is corrected or deleted"
    return Installed("False", "NotRendered", why) if _behind(key, cluster) is not None else None


def _at_gate(manifest: Manifest, ports: Ports) -> Installed | None:
    """Whether the admission policy is as it would be rendered. The operator reads these and writes none: its token is worth less so."""
    cluster, settings, key = ports.cluster, ports.settings, key_of(manifest)
    objects = _objects_of(key, cluster)
    if objects is None:
        return None
    scene = Scene((manifest,), cluster.list(WAIVER), cluster.list("Domain"))
    operator = f"system:serviceaccount:{settings.namespace}:{settings.service_account}"
    return is_installed(key, render(scene, now=ports.clock.now(), operator=operator), objects)


def _objects_of(key: Key, cluster: Cluster) -> dict[Key, Manifest] | None:
    """What exists of a policy's two objects at admission; None where one cannot be read."""
    seen = {name: cluster.read(name) for name in (Key(kind, "", name_of(key)) for kind in (POLICY, BINDING))}
    if any(isinstance(one, Unknown) for one in seen.values()):
        return None
    return {name: one.value for name, one in seen.items() if isinstance(one, Present)}


def _standing(policy: Policy, ports: Ports) -> Standing:
    """A DomainPolicy counts only in the home namespace of a Domain, and only where it loosens nothing."""
    if policy.key.kind == "GovernancePolicy":
        return Standing()
    home = find_domain(policy.key.namespace, ports.cluster)
    domain = ports.cluster.get(Key("Domain", "", home.name)) if home is not None else None
    if domain is None or named_namespaces(domain)[0] != policy.key.namespace:
        owner = f"; the home namespace of Domain {home.name} is {named_namespaces(domain)[0]}" if home is not None and domain else ""
        return Standing(outside=f"Namespace {policy.key.namespace} is not the home namespace of a Domain{owner}")
    if policy.key not in counting_in(policy.key.namespace, ports.cluster):
        why = f"Namespace {policy.key.namespace} has more than {MOST_POLICIES} DomainPolicies, and those that come first by name count"
        return Standing(conflict=f"{why}; put the rules of several into one")
    return Standing(conflict=find_conflict(policy, policies_above(domain, ports)))


def _count(policy: Policy, cluster: Cluster) -> Counted:
    """From the indexes alone, but for the few that are named."""
    violations, waived = (count_of(found, policy.name, policy.kinds, cluster) for found in (BROKEN, WAIVED))
    evaluated = sum(len(keys) for keys in _targets(policy, cluster))
    return Counted(evaluated, violations, waived, tuple(islice(_worst(policy, cluster), _TOP)))


def _worst(policy: Policy, cluster: Cluster) -> Iterator[tuple[Key, dict[str, str]]]:
    """Violations without a waiver, the most severe first, then by name."""
    for severity in SEVERITIES:
        for kind in policy.kinds:
            for key in cluster.naming(Key(SEVERE, policy.name, severity), kind)[:_TOP]:
                compliance = ((cluster.get(key) or {}).get("status") or {}).get("compliance") or {}
                found = (one for one in compliance.get("violations") or () if one.get("policy") == policy.name and not one.get("waiver"))
                yield from ((key, one) for one in found if one.get("severity") == severity)


def _targets(policy: Policy, cluster: Cluster) -> Iterator[tuple[Key, ...]]:
    """The keys of what a policy applies to, in groups."""
    for domain in cluster.list("Domain"):
        if not reaches(policy, lineage_of(domain, cluster)):
            continue
        if "Domain" in policy.kinds:
            yield (key_of(domain),)
        for namespace in _namespaces(domain):
            for kind in policy.kinds:
                if kind == "DataProduct":
                    yield from (cluster.naming(Key(STAGE, namespace, stage), kind) for stage in policy.stages)
                elif kind != "Domain":
                    yield cluster.keys(kind, namespace)


def _namespaces(domain: Manifest) -> tuple[str, ...]:
    return tuple(str(one.get("name")) for one in (domain.get("status") or {}).get("namespaces") or ())
