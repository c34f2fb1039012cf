"""What `clouddatamesh doctor` judges of admission policies and their bindings: existence, effect and version."""

from typing import Any

import pytest

from clouddatamesh.doctor import policies
from clouddatamesh.doctor.findings import Finding
from clouddatamesh.doctor.guards import GUARDS
from tests.unit.doctor_scene import Server, a_subject, said, the_only


def a_binding(*actions: str, name: str = "p") -> dict[str, Any]:
    """As the API server shows it."""
    return {"metadata": {}, "spec": {"policyName": name, "validationActions": list(actions)}}


def a_policy(version: str = "0.1.0") -> dict[str, Any]:
    """As the API server shows it, which adds empty selectors."""
    match = {"resourceRules": [{"resources": ["*"]}], "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    spec = {"failurePolicy": "Fail", "matchConstraints": match, "validations": [{"expression": "false"}]}
    return {"metadata": {"labels": {"app.kubernetes.io/version": version} if version else {}}, "spec": spec}


@pytest.mark.parametrize(
    ("policy", "binding", "told"),
    [
        (a_policy(), a_binding("Deny"), []),
        (a_policy(""), a_binding("Deny", "Audit"), []),
        (None, None, ["The policy and its binding do not exist"]),
        (None, a_binding("Deny"), ["The policy does not exist"]),
        (a_policy(), None, ["The binding of the policy does not exist"]),
        (a_policy(), a_binding("Audit"), ["The binding does not deny: validationActions are Audit"]),
        (a_policy("0.0.9"), a_binding("Deny"), ["The policy is of version 0.0.9, this program is 0.1.0"]),
    ],
)
def test_a_policy_counts_where_it_is_bound_denies_and_is_of_this_version(policy: Any, binding: Any, told: list[str]) -> None:
    assert list(policies.judge("p", policy, binding, version="0.1.0")) == told


def the_policies(version: str) -> dict[str, Any]:
    """All policies of a version, with their bindings."""
    names = [name for listed, _ in GUARDS.values() for name in listed]
    root = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
    found = {f"{root}ies/{name}": a_policy(version) for name in names}
    return found | {f"{root}ybindings/{name}": a_binding("Deny", name=name) for name in names}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"failurePolicy": "Ignore"}, "Its failurePolicy is Ignore, so what it cannot evaluate passes"),
        ({"validations": []}, "It has no validations, so everything passes"),
        ({"validations": None}, "It has no validations, so everything passes"),
        ({"matchConstraints": {"resourceRules": []}}, "Its matchConstraints match no resource"),
        (
            {"matchConstraints": {"resourceRules": [{}], "namespaceSelector": {"matchLabels": {"a": "b"}}}},
            "Its matchConstraints exempt objects by namespaceSelector",
        ),
        (
            {"matchConstraints": {"resourceRules": [{}], "excludeResourceRules": [{}]}},
            "Its matchConstraints exempt objects by excludeResourceRules",
        ),
    ],
)
def test_a_policy_that_was_emptied_refuses_nothing(change: dict[str, Any], told: str) -> None:
    policy = a_policy()
    policy["spec"].update(change)
    assert list(policies.judge("p", policy, a_binding("Deny"), version="0.1.0")) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"policyName": "q"}, "The binding binds the policy q"),
        (
            {"matchResources": {"objectSelector": {"matchLabels": {"a": "b"}}}},
            "The binding exempts objects by its matchResources: objectSelector",
        ),
        ({"matchResources": {"resourceRules": [{}]}}, "The binding exempts objects by its matchResources: resourceRules"),
    ],
)
def test_a_binding_that_selects_nothing_binds_nothing(change: dict[str, Any], told: str) -> None:
    binding = a_binding("Deny")
    binding["spec"].update(change)
    assert list(policies.judge("p", a_policy(), binding, version="0.1.0")) == [told]
    binding["spec"] = {
        **a_binding("Deny")["spec"],
        "matchResources": {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}},
    }
    assert list(policies.judge("p", a_policy(), binding, version="0.1.0")) == []


def test_policies_of_a_newer_version_are_left_to_the_doctor_of_that_version() -> None:
    found = the_only(policies.look(a_subject(Server(the_policies("0.2.0"))), frozenset()))
    assert found.what == "13 policies are of version 0.2.0, this program is 0.1.0"
    assert found.do == "Run the doctor of version 0.2.0 from its checkout or its image"


def test_policies_that_an_upgrade_left_behind_are_upgraded() -> None:
    subject = a_subject(Server(the_policies("0.0.9")))
    subject.installed = "0.1.0"
    found = [one for one in policies.look(subject, frozenset()) if isinstance(one, Finding)]
    assert {one.what for one in found} == {"The policy is of version 0.0.9, this program is 0.1.0"}
    assert all(one.do.startswith("helm upgrade clouddatamesh ") for one in found)


def test_a_guard_that_is_switched_off_on_purpose_is_not_missed() -> None:
    names = {name for guard, (listed, _) in GUARDS.items() for name in listed}
    one = {f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{min(names)}": a_policy()}
    assert len(said(policies.look(a_subject(Server(one)), frozenset()))) == len(names)
    assert said(policies.look(a_subject(), frozenset())) == [
        "ValidatingAdmissionPolicies clouddatamesh-*: None of the 13 policies of the chart exists, nor a binding of one"
    ]
    assert said(policies.look(a_subject(), frozenset(GUARDS))) == []
