"""Rules and objects with the verdict of each rule on each object: one table for all that judge rules."""

from collections.abc import Mapping
from typing import Any, Final

from tests.support.manifests import a_product

Manifest = dict[str, Any]
PARAMS: Final[Mapping[str, Any]] = {
    "minPurpose": 12,
    "classes": ["internal", "public"],
    "teams": {"sales": {"cost": 1.5, "on": True, "note": 'a "quoted" \\ text\nof two lines: ä €', "none": None}},
    "object": "not the object",
}
RULES: Final[Mapping[str, str]] = {
    "purpose": "has(object.spec.description) && size(object.spec.description.purpose) >= params.minPurpose",
    "class": "object.spec.?classification.orValue('') in params.classes",
    "owner": "has(object.spec.owner) && object.spec.owner.email.endsWith('@example.com') // not params.owner",
    "tagged": "object.spec.?tags.orValue([]).exists(tag, tag == params.object || tag.matches('^[a-z]+$'))",
    "texts": r"""'params' + "object" + r'\d' + params.teams.sales.note.substring(2, 10) != '''it's params''' + object.spec.displayName""",
    "types": "params.teams.sales.cost < 2.0 && params.teams.sales.on && params.teams.sales.none == null"
    " && object.spec.personalData == false",
    "ports": "object.spec.outputPorts.all(port, port.access.approval == 'Manual' || port.name in params.classes)",
    "labelled": "object.metadata.?labels[?'cost-center'].hasValue()",
    "shape": "size({'params': params.minPurpose}) == 1 && [1, 2].map(one, one * 2) == [2, 4] && has(object.spec.mode)",
    "kept": "oldObject == null || object.spec.version == oldObject.spec.version",
    "fails": "object.spec.customProperties[0].value == '1'",
}
"""Every rule is true of GOOD. `fails` has no answer where there are no custom properties: an error is a violation."""


def a_good_product(name: str = "good", **changes: Any) -> Manifest:
    """One that breaks no rule."""
    found = a_product(
        name,
        description={"purpose": "Every order line since 2019"},
        classification="internal",
        displayName="Orders",
        owner={"name": "Kim Roe", "email": "kim@example.com"},
        tags=["orders"],
        customProperties=[{"property": "tier", "value": "1"}],
        **changes,
    )
    return {**found, "metadata": {**found["metadata"], "labels": {"cost-center": "4711"}}}


def with_spec(manifest: Manifest, **changes: Any) -> Manifest:
    """With other fields of its spec; None leaves one out."""
    spec = {name: value for name, value in {**manifest["spec"], **changes}.items() if value is not None}
    return {**manifest, "spec": spec}


GOOD: Final = a_good_product()
PORT: Final = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"approval": "Auto"}}
OBJECTS: Final[Mapping[str, tuple[Manifest, tuple[str, ...]]]] = {
    "all in order": (GOOD, ()),
    "nothing described": (
        with_spec(a_product("bare"), description=None, owner=None, displayName=None),
        ("purpose", "owner", "tagged", "texts", "labelled", "fails"),
    ),
    "short purpose": (with_spec(GOOD, description={"purpose": "orders"}), ("purpose",)),
    "no purpose in its description": (with_spec(GOOD, description={"usage": "Read the newest partition."}), ("purpose",)),
    "restricted": (with_spec(GOOD, classification="restricted", personalData=True), ("class", "types")),
    "owner of another firm": (with_spec(GOOD, owner={"name": "Kim Roe", "email": "kim@example.org"}), ("owner",)),
    "odd tags": (with_spec(GOOD, tags=["A-1"]), ("tagged",)),
    "tag of the params": (with_spec(GOOD, tags=["not the object"]), ()),
    "other property": (with_spec(GOOD, customProperties=[{"property": "tier", "value": "2"}]), ("fails",)),
    "an Auto port": (with_spec(GOOD, outputPorts=[PORT]), ("ports",)),
    "an Auto port that params name": (with_spec(GOOD, outputPorts=[{**PORT, "name": "public"}]), ()),
    "no label": ({**GOOD, "metadata": {"name": "good", "namespace": "sales"}}, ("labelled",)),
}
"""What each object breaks when it is created."""


def a_policy(name: str, rules: Mapping[str, str], *, namespace: str = "", params: Mapping[str, Any] | None = None, **spec: Any) -> Manifest:
    """A GovernancePolicy, and with a namespace a DomainPolicy, that denies; the message of each rule is its name."""
    listed = [
        {"name": rule, "expression": expression, "message": f"Breaks {rule}", "severity": "medium"} for rule, expression in rules.items()
    ]
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "DomainPolicy" if namespace else "GovernancePolicy"
    own = {"enforcement": "Deny", "rules": listed, **({"params": dict(params)} if params else {}), **spec}
    return {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": own}


def a_waiver(policy: Manifest, rule: str, of: Manifest, until: str) -> Manifest:
    """An exception from one rule for one object."""
    refs = [
        {"kind": found["kind"], "name": found["metadata"]["name"]}
        | ({"namespace": found["metadata"]["namespace"]} if "namespace" in found["metadata"] else {})
        for found in (policy, of)
    ]
    spec = {"policyRef": refs[0], "rule": rule, "objectRef": refs[1], "reason": "Agreed", "approver": "Robin Doe", "validUntil": until}
    name = f"{policy['metadata']['name']}-{rule}-{of['metadata']['name']}"
    return {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "PolicyWaiver", "metadata": {"name": name}, "spec": spec}
