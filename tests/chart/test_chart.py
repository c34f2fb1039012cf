"""The chart as Helm renders it: lint, refusals of wrong values, and RBAC that is exactly what is declared."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from clouddatamesh.api import permissions
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.plan import children
from clouddatamesh.shell.settings import read_settings
from hack.tools.binaries import get_binary
from tests.support.installation import CHART, NAMESPACE

Render = Callable[..., list[dict[str, Any]]]


def helm(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(get_binary("helm")), *args], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def render() -> Render:
    """The rendered objects with some values set."""

    def rendered(*values: str) -> list[dict[str, Any]]:
        sets = [part for value in ("mesh=acme", *values) for part in ("--set", value)]
        done = helm("template", "clouddatamesh", str(CHART), "--namespace", NAMESPACE, *sets)
        assert not done.returncode, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    return rendered


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def test_lint() -> None:
    done = helm("lint", "--strict", str(CHART), "--set", "mesh=acme")
    assert not done.returncode, done.stdout


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("mesh=", "set mesh to the name of the mesh"),
        ("mesh=Big_Name", "pattern"),
        ("replicas=many", "replicas"),
        ("log.level=loud", "log"),
        ("typo=1", "typo"),
        ("driftInterval=soon", "driftInterval"),
        ("replicas=6", "replicas"),
        ("threads=0", "threads"),
        ("health.port=0", "port"),
        ("guard.enabled=maybe", "guard"),
        ("guard.ports=maybe", "guard"),
        ("guard.port=true", "guard"),
        ("discover.everyone=maybe", "discover"),
    ],
)
def test_wrong_values_are_refused_by_name(value: str, sentence: str) -> None:
    done = helm("template", "x", str(CHART), "--set", "mesh=acme", "--set", value)
    assert done.returncode
    assert sentence in done.stderr


def test_every_kind_has_its_crd_which_is_kept_unless_told_otherwise(render: Render) -> None:
    found = of_kind(render(), "CustomResourceDefinition")
    assert len(found) == len(KINDS)
    assert all(crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for crd in found.values())
    assert not of_kind(render("crds.enabled=false"), "CustomResourceDefinition")
    assert all("annotations" not in crd["metadata"] for crd in of_kind(render("crds.keep=false"), "CustomResourceDefinition").values())


def declared(rules: tuple[permissions.PolicyRule, ...]) -> list[dict[str, Any]]:
    return [
        {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
        | ({"resourceNames": list(rule.names)} if rule.names else {})
        for rule in rules
    ]


def test_rendered_roles_are_what_is_declared(render: Render) -> None:
    roles = of_kind(render(), "ClusterRole")
    assert roles["clouddatamesh-operator"]["rules"] == declared(permissions.OPERATOR_CLUSTER)
    assert {name: role["rules"] for name, role in roles.items() if name != "clouddatamesh-operator"} == {
        name: declared(rules) for name, rules in permissions.CLUSTER_ROLES.items()
    }
    assert of_kind(render(), "Role")["clouddatamesh-operator"]["rules"] == declared(permissions.OPERATOR_OWN_NAMESPACE)


def test_roles_hold_no_wildcard_no_escalation_and_no_listing_of_secrets(render: Render) -> None:
    for role in (*of_kind(render(), "ClusterRole").values(), *of_kind(render(), "Role").values()):
        for rule in role["rules"]:
            said = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not said & {"*", "escalate", "impersonate"}
            assert not ("secrets" in rule["resources"] and {"list", "watch", "update"} & set(rule["verbs"]))
            assert not ("namespaces" in rule["resources"] and "delete" in rule["verbs"])
            assert "bind" not in rule["verbs"] or rule["resourceNames"]


def test_the_roles_that_code_binds_are_those_that_the_chart_installs(render: Render) -> None:
    roles = of_kind(render(), "ClusterRole")
    assert {*children.ROLES.values(), children.SECRETS_ROLE} <= set(roles)
    bound = next(rule for rule in roles["clouddatamesh-operator"]["rules"] if "bind" in rule["verbs"])
    assert set(bound["resourceNames"]) == {*children.ROLES.values(), children.SECRETS_ROLE}


def test_the_deployment_runs_restricted_with_its_own_service_account(render: Render) -> None:
    pod = of_kind(render(), "Deployment")["clouddatamesh"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["serviceAccountName"] in of_kind(render(), "ServiceAccount")
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["command"] == ["clouddatamesh", "run"]


def env_of(objects: list[dict[str, Any]]) -> dict[str, str]:
    container = of_kind(objects, "Deployment")["clouddatamesh"]["spec"]["template"]["spec"]["containers"][0]
    return {variable["name"]: variable.get("value", "given") for variable in container["env"]}


def test_the_environment_is_one_that_the_program_understands(render: Render) -> None:
    settings = read_settings(env_of(render("log.level=debug", "log.format=json", "threads=4", "driftInterval=1h")))
    assert (settings.core.mesh, settings.threads, settings.log_level, settings.log_format) == ("acme", 4, "DEBUG", "json")
    assert settings.core.drift_interval == timedelta(hours=1)


@pytest.mark.parametrize(("replicas", "elects"), [(0, False), (1, False), (2, True)])
def test_replicas_beside_each_other_agree_by_a_lease(render: Render, replicas: int, elects: bool) -> None:
    objects = render(f"replicas={replicas}")
    assert read_settings(env_of(objects)).leader_election is elects
    assert of_kind(objects, "Deployment")["clouddatamesh"]["spec"]["replicas"] == replicas


def test_products_are_shown_to_everyone_only_where_that_is_asked_for(render: Render) -> None:
    assert set(of_kind(render(), "ClusterRoleBinding")) == {"clouddatamesh-operator"}
    found = of_kind(render("discover.everyone=true"), "ClusterRoleBinding")[permissions.DISCOVER_ROLE]
    assert (found["roleRef"]["name"], found["subjects"][0]["name"]) == (permissions.DISCOVER_ROLE, "system:authenticated")
    assert {verb for rule in permissions.DISCOVER for verb in rule.verbs} == {"get", "list", "watch"}


GUARDS = {f"clouddatamesh-operator-guard-{part}" for part in ("children", "namespaces", "answers", "specs")}
PORT_GUARD = "clouddatamesh-port-guard"


@pytest.mark.parametrize(
    ("values", "guards"),
    [((), {*GUARDS, PORT_GUARD}), (("guard.enabled=false",), {PORT_GUARD}), (("guard.ports=false",), GUARDS)],
)
def test_each_guard_can_be_left_out(render: Render, values: tuple[str, ...], guards: set[str]) -> None:
    objects = render(*values)
    policies, bindings = of_kind(objects, "ValidatingAdmissionPolicy"), of_kind(objects, "ValidatingAdmissionPolicyBinding")
    assert set(policies) == set(bindings) == guards
    assert {(bound["spec"]["policyName"], *bound["spec"]["validationActions"]) for bound in bindings.values()} == {
        (guard, "Deny") for guard in guards
    }
    assert {policy["spec"]["failurePolicy"] for policy in policies.values()} == {"Fail"}


def test_guards_see_no_status_and_only_the_port_guard_sees_people(render: Render) -> None:
    for name, policy in of_kind(render(), "ValidatingAdmissionPolicy").items():
        (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
        assert not any("/" in resource for resource in rule["resources"])
        operators = [
            condition for condition in policy["spec"]["matchConditions"] if f"{NAMESPACE}:clouddatamesh" in condition["expression"]
        ]
        assert len(operators) == (name != PORT_GUARD)
        assert all(validation["message"] for validation in policy["spec"]["validations"])


def test_no_spec_that_the_operator_may_patch_is_unguarded(render: Render) -> None:
    policy = of_kind(render(), "ValidatingAdmissionPolicy")["clouddatamesh-operator-guard-specs"]
    assert sorted(policy["spec"]["matchConstraints"]["resourceRules"][0]["resources"]) == sorted(kind.plural for kind in KINDS)


def test_the_committed_files_are_used() -> None:
    assert (CHART / "files" / "permissions.yaml").is_file()
    assert not (CHART / "crds").exists(), "Helm never upgrades that folder"
