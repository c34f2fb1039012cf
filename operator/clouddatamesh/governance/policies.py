"""From the manifest of a policy to rules that can be asked. Of a policy with a fault none are: it is never half applied."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import ValidationError

from clouddatamesh.api.fields import LabelSelector
from clouddatamesh.api.v1alpha1.dataproduct import Lifecycle
from clouddatamesh.api.v1alpha1.policy import MOST_LEVELS, MOST_PARAMS, DomainPolicy, DomainPolicySpec, GovernancePolicy, PolicyTargets
from clouddatamesh.model.judging import JUDGED, Compiled, Policy, Rule
from clouddatamesh.model.objects import Key, Manifest, key_of

MODELS: Final = {"GovernancePolicy": GovernancePolicy, "DomainPolicy": DomainPolicy}
"""The kinds of policies."""
Compile = Callable[[str], Compiled]


def build_policy(resource: GovernancePolicy | DomainPolicy, compile_: Compile) -> Policy:
    """The policy, with every fault that keeps it from being applied."""
    spec = resource.spec
    compiled = [compile_(rule.expression) for rule in spec.rules]
    return Policy(
        key=Key(resource.kind, resource.metadata.namespace, resource.metadata.name),
        enforcement=spec.enforcement,
        kinds=spec.targets.kinds,
        lifecycle=spec.targets.lifecycle,
        domains=spec.targets.domains if isinstance(spec.targets, PolicyTargets) else None,
        params=spec.params,
        rules=tuple(
            Rule(rule.name, rule.expression, rule.message, rule.severity, rule.remediation or "", found.reads)
            for rule, found in zip(spec.rules, compiled, strict=True)
        ),
        faults=tuple(_find_faults(spec, compiled)),
    )


def build_unreadable(manifest: Manifest, fault: str) -> Policy:
    """A policy whose spec cannot be read. What of its targets cannot be read either is everything, and only Audit and Warn are no Deny."""
    spec = _mapping(manifest.get("spec"))
    targets = _mapping(spec.get("targets"))
    return Policy(
        key=key_of(manifest),
        enforcement=said if (said := spec.get("enforcement", "Audit")) in ("Audit", "Warn") else "Deny",
        kinds=_names(targets["kinds"]) or JUDGED if "kinds" in targets else ("DataProduct",),
        lifecycle=_names(targets["lifecycle"]) or get_args(Lifecycle) if "lifecycle" in targets else (),
        domains=_selector(targets.get("domains")),
        faults=(fault,),
    )


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _names(found: Any) -> tuple[str, ...]:
    """Nothing where it is no list of names."""
    return tuple(found) if isinstance(found, list | tuple) and all(isinstance(name, str) for name in found) else ()


def _selector(found: Any) -> LabelSelector | None:
    """None, which selects all, where it cannot be read."""
    try:
        return LabelSelector.model_validate(found) if found is not None else None
    except ValidationError:
        return None


def find_params_fault(params: Mapping[str, Any] | None) -> Iterator[str]:
    """Why a policy's `params` are not read; nothing where they are."""
    if _is_deeper(params, MOST_LEVELS):
        yield f"spec.params is nested more than {MOST_LEVELS} levels deep; make it flatter"
    elif len(json.dumps(params)) > MOST_PARAMS:
        yield f"spec.params has more than {MOST_PARAMS:,} characters as JSON; shorten it"


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_is_deeper(one, levels - 1) for one in inner))


def _find_faults(spec: DomainPolicySpec, compiled: list[Compiled]) -> Iterator[str]:
    yield from find_params_fault(spec.params)
    for rule, found in zip(spec.rules, compiled, strict=True):
        if found.fault:
            yield f"Rule {rule.name} is no valid CEL: {found.fault}"
