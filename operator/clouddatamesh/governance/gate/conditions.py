"""Which requests a rendered policy looks at, as match conditions and selectors of admission. They are written so that none can fail."""

from collections.abc import Iterator
from typing import Any, Final

from clouddatamesh.api.fields import GROUP, LabelSelector, LabelSelectorRequirement
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.governance.gate.literals import text, texts
from clouddatamesh.plan.marks import DOMAIN_LABEL

Condition = dict[str, str]
UNCHANGED: Final = "oldObject != null && has(object.spec) && has(oldObject.spec) && object.spec == oldObject.spec"
_LABELS: Final = "object.metadata.?labels.orValue({}) == oldObject.metadata.?labels.orValue({})"


def _has_annotations_of(old: str, new: str) -> str:
    """Whether one has all annotations of the other but ours: these are acts, such as cutting off, and no rule may keep one away."""
    kept = f"{new}.metadata.?annotations[?key].hasValue() && {new}.metadata.annotations[key] == {old}.metadata.annotations[key]"
    return f"{old}.metadata.?annotations.orValue({{}}).all(key, key.startsWith('{GROUP}/') || ({kept}))"


_ANNOTATIONS: Final = f"{_has_annotations_of('oldObject', 'object')} && {_has_annotations_of('object', 'oldObject')}"


def plural(kind: str) -> str:
    return KIND_BY_NAME[kind].plural


def by_others(operator: str) -> Condition:
    """Not by the operator, which changes no spec and judges what it creates by the same rules before."""
    return {"name": "not-by-the-operator", "expression": f"request.userInfo.username != {text(operator)}"}


def is_changed(*, metadata: bool) -> Condition:
    """More than finalizers and owners changes: the spec, and if `metadata` is read labels and annotations as well."""
    same = f"{UNCHANGED} && {_LABELS} && {_ANNOTATIONS}" if metadata else UNCHANGED
    return {"name": "changes-what-rules-read", "expression": f"!({same})"}


def gives_access() -> Condition:
    """Grants that approve: no rule keeps anybody from a Deny, which only takes away."""
    resource = text(plural("AccessGrant"))
    return {"name": "gives-access", "expression": f"request.resource.resource != {resource} || object.?spec.decision.orValue('') != 'Deny'"}


def in_lifecycle(stages: tuple[str, ...]) -> Condition:
    """Products of these stages; of none given all but retired. Other kinds have no lifecycle."""
    stage = "object.?spec.lifecycle.orValue('active')"
    fits = f"{stage} in {texts(stages)}" if stages else f"{stage} != 'retired'"
    return {"name": "is-in-lifecycle", "expression": f"request.resource.resource != {text(plural('DataProduct'))} || {fits}"}


def is_domain_of(names: tuple[str, ...], selector: LabelSelector | None) -> Condition:
    """A Domain that is selected itself, by its labels as they will be, or has one of these for a parent."""
    parent = f"object.?spec.parentRef.name.orValue('') in {texts(names)}"
    own = f"({' && '.join(_requirements(selector)) or 'true'})" if selector is not None else f"object.metadata.name in {texts(names)}"
    return {"name": "is-a-selected-domain", "expression": f"request.resource.resource != {text(plural('Domain'))} || {own} || {parent}"}


def in_domains(names: tuple[str, ...]) -> dict[str, Any]:
    """The selector of their namespaces. Objects that are in no namespace are never left out by it."""
    return {"matchExpressions": [{"key": DOMAIN_LABEL, "operator": "In", "values": list(names)}]}


def _requirements(selector: LabelSelector) -> Iterator[str]:
    for key, value in sorted(selector.match_labels.items()):
        yield _fits(LabelSelectorRequirement(key=key, operator="In", values=(value,)))
    yield from map(_fits, selector.match_expressions)


def _fits(requirement: LabelSelectorRequirement) -> str:
    label = f"object.metadata.?labels[?{text(requirement.key)}]"
    within = f"{label}.hasValue() && {label}.orValue('') in {texts(requirement.values)}"
    return {
        "Exists": f"{label}.hasValue()",
        "DoesNotExist": f"!{label}.hasValue()",
        "In": f"({within})",
        "NotIn": f"!({within})",
    }[requirement.operator]
