"""The chart as Helm renders it: lint, refusals of wrong values, and RBAC that is exactly what is declared."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from clouddatamesh.api import permissions
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.kube.errors import LABEL_LAGS
from clouddatamesh.plan import children
from clouddatamesh.shell.settings import read_settings
from tests.chart.rendering import Objects, helm, objects_in, of_kind, pod_of, render_text
from tests.support.installation import CHART, NAMESPACE, ROOT

Render = Callable[..., Objects]


@pytest.fixture(scope="module")
def render() -> Render:
    """The rendered objects with some values set."""
    return lambda *values: objects_in(render_text(*values))


def test_lint() -> None:
    done = helm("lint", "--strict", str(CHART), "--set", "mesh=acme")
    assert not done.returncode, done.stdout


def test_a_catalogue_of_charts_learns_who_makes_it_and_where() -> None:
    """An address that is not known yet has the gap that docs/operations/install.md has; the release workflow fills it."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    home = "https://github.com/<owner>/clouddatamesh"
    assert (chart["home"], chart["sources"]) == (home, [home])
    assert [found["url"] for found in chart["maintainers"]] == [f"{home}/blob/main/MAINTAINERS.md"]
    assert home in (ROOT / "docs" / "operations" / "install.md").read_text()
    assert f"s|{home}|$REPOSITORY|" in (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert {"data-mesh", "operator", "s3"} <= set(chart["keywords"])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("mesh=", "set mesh to the name of the mesh"),
        ("mesh=Big_Name", "pattern"),
        ("replicas=many", "replicas"),
        ("log.level=loud", "log"),
        ("typo=1", "typo"),
        ("driftInterval=soon", "driftInterval"),
        ("driftInterval=0m", "driftInterval"),
        ("driftInterval=0d0h", "driftInterval"),
        ("replicas=6", "replicas"),
        ("threads=0", "threads"),
        ("health.port=0", "port"),
        ("guard.enabled=maybe", "guard"),
        ("guard.ports=maybe", "guard"),
        ("guard.port=true", "guard"),
        ("guard.deletion=maybe", "deletion"),
        ("guard.finalizers=maybe", "finalizers"),
        ("guard.status=maybe", "status"),
        ("guard.namespaces=maybe", "namespaces"),
        ("guard.breakGlassGroups=one", "breakGlassGroups"),
        ("guard.breakGlassGroups={system:authenticated}", "breakGlassGroups"),
        ("guard.breakGlassGroups={a'b}", "breakGlassGroups"),
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


def test_the_roles_that_code_binds_are_those_that_the_chart_installs(render: Render) -> None:
    roles = of_kind(render(), "ClusterRole")
    assert {*children.ROLES.values(), children.SECRETS_ROLE} <= set(roles)
    bound = next(rule for rule in roles["clouddatamesh-operator"]["rules"] if "bind" in rule["verbs"])
    assert set(bound["resourceNames"]) == {*children.ROLES.values(), children.SECRETS_ROLE}


def test_the_deployment_runs_restricted_with_its_own_service_account(render: Render) -> None:
    pod = pod_of(render())["spec"]
    container = pod["containers"][0]
    assert pod["serviceAccountName"] in of_kind(render(), "ServiceAccount")
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["command"] == ["clouddatamesh", "run"]


def env_of(objects: Objects) -> dict[str, str]:
    container = pod_of(objects)["spec"]["containers"][0]
    return {variable["name"]: variable.get("value", "given") for variable in container["env"]}


def test_the_environment_is_one_that_the_program_understands(render: Render) -> None:
    settings = read_settings(env_of(render("log.level=debug", "log.format=json", "threads=4", "driftInterval=1h")))
    assert (settings.core.mesh, settings.threads, settings.log_level, settings.log_format) == ("acme", 4, "DEBUG", "json")
    assert settings.core.drift_interval == timedelta(hours=1)


@pytest.mark.parametrize(("value", "surge", "unavailable"), [("replicas=1", 1, 0), ("replicas=2", 1, 0), ("hostNetwork=true", 0, 1)])
def test_a_new_replica_is_ready_before_an_old_one_ends_where_both_fit_on_a_node(
    render: Render, value: str, surge: int, unavailable: int
) -> None:
    strategy = of_kind(render(value), "Deployment")["clouddatamesh"]["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def test_products_are_shown_to_everyone_only_where_that_is_asked_for(render: Render) -> None:
    assert set(of_kind(render(), "ClusterRoleBinding")) == {"clouddatamesh-operator"}
    found = of_kind(render("discover.everyone=true"), "ClusterRoleBinding")[permissions.DISCOVER_ROLE]
    assert (found["roleRef"]["name"], found["subjects"][0]["name"]) == (permissions.DISCOVER_ROLE, "system:authenticated")
    groups = of_kind(render("discover.groups={employees,auditors}"), "ClusterRoleBinding")[permissions.DISCOVER_ROLE]["subjects"]
    assert [(subject["kind"], subject["name"]) for subject in groups] == [("Group", "employees"), ("Group", "auditors")]
    assert {verb for rule in permissions.DISCOVER for verb in rule.verbs} == {"get", "list", "watch"}


OPERATOR_GUARDS = {f"clouddatamesh-operator-guard-{part}" for part in ("children", "namespaces", "answers", "specs")}
PORTS, DELETION, FINALIZERS, STATUS, NAMESPACES, OWNERS, CUT_OFF, ROLES, APPROVERS = (
    f"clouddatamesh-{part}-guard"
    for part in ("port", "deletion", "finalizer", "status", "namespace", "owner", "cut-off", "role", "approver")
)
GUARDS = {*OPERATOR_GUARDS, PORTS, DELETION, FINALIZERS, STATUS, NAMESPACES, OWNERS, CUT_OFF, ROLES, APPROVERS}
SUBRESOURCES = {STATUS: ["*/status"], NAMESPACES: ["namespaces/status", "namespaces/finalize"]}
OPERATOR = f"request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:clouddatamesh'"


@pytest.mark.parametrize(
    ("values", "left_out"),
    [
        ((), set()),
        (("guard.enabled=false",), OPERATOR_GUARDS),
        (("guard.ports=false",), {PORTS}),
        (("guard.deletion=false",), {DELETION}),
        (("guard.finalizers=false",), {FINALIZERS}),
        (("guard.status=false",), {STATUS}),
        (("guard.namespaces=false",), {NAMESPACES}),
        (("guard.owners=false",), {OWNERS}),
        (("guard.cutOff=false",), {CUT_OFF}),
        (("guard.roles=false",), {ROLES}),
        (("guard.approvers=false",), {APPROVERS}),
    ],
)
def test_each_guard_can_be_left_out(render: Render, values: tuple[str, ...], left_out: set[str]) -> None:
    objects, guards = render(*values), GUARDS - left_out
    policies, bindings = of_kind(objects, "ValidatingAdmissionPolicy"), of_kind(objects, "ValidatingAdmissionPolicyBinding")
    assert set(policies) == set(bindings) == guards
    assert {(bound["spec"]["policyName"], *bound["spec"]["validationActions"]) for bound in bindings.values()} == {
        (guard, "Deny") for guard in guards
    }
    assert {policy["spec"]["failurePolicy"] for policy in policies.values()} == {"Fail"}


def test_whom_each_guard_sees(render: Render) -> None:
    """Those of the operator see nobody else, the others see everybody; two see sub-resources."""
    for name, policy in of_kind(render(), "ValidatingAdmissionPolicy").items():
        (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
        assert [resource for resource in rule["resources"] if "/" in resource] == SUBRESOURCES.get(name, [])
        conditions = [condition["expression"] for condition in policy["spec"].get("matchConditions", ())]
        assert (OPERATOR in conditions) == (name in OPERATOR_GUARDS)
        assert all(validation["message"] for validation in policy["spec"]["validations"])


def conditions_of(render: Render, guard: str) -> set[str]:
    return {condition["name"] for condition in of_kind(render(), "ValidatingAdmissionPolicy")[guard]["spec"]["matchConditions"]}


def test_what_is_being_deleted_is_held_to_every_guard(render: Render) -> None:
    assert conditions_of(render, PORTS) == {"changes-its-ports"}
    assert conditions_of(render, DELETION) == {"is-being-deleted", "changes-its-spec"}
    assert conditions_of(render, FINALIZERS) == {"is-being-deleted", "removes-the-finalizer"}


@pytest.mark.parametrize("guard", [FINALIZERS, STATUS])
def test_the_operator_and_the_named_groups_alone_may_act_as_it(render: Render, guard: str) -> None:
    def validation(*values: str) -> tuple[str, str]:
        (found,) = of_kind(render(*values), "ValidatingAdmissionPolicy")[guard]["spec"]["validations"]
        return found["expression"], found["message"]

    among = f"{OPERATOR} || (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in %s))"
    assert validation()[0] == among % '["clouddatamesh:break-glass"]'
    assert validation("guard.breakGlassGroups={a,b c}")[0] == among % '["a","b c"]'
    assert validation("guard.breakGlassGroups={a,b c}")[1].endswith("ask a member of a or b c")
    assert validation("guard.breakGlassGroups=null")[0] == OPERATOR
    assert validation("guard.breakGlassGroups=null")[1].endswith("ask the platform team to set guard.breakGlassGroups")


def test_no_spec_that_the_operator_may_patch_is_unguarded(render: Render) -> None:
    policy = of_kind(render(), "ValidatingAdmissionPolicy")["clouddatamesh-operator-guard-specs"]
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["apiGroups"], rule["resources"]) == (["clouddatamesh.dev"], ["*"])


def test_inboxes_are_held_to_namespaces_of_domains(render: Render) -> None:
    policy = of_kind(render(), "ValidatingAdmissionPolicy")["clouddatamesh-operator-guard-children"]
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert "clouddatamesh.dev" in rule["apiGroups"]
    assert "accessinboxes" in rule["resources"]
    assert set(rule["operations"]) == {"CREATE", "UPDATE", "DELETE"}


def test_what_the_guard_says_of_a_label_that_does_not_show_yet_is_known_to_the_operator(render: Render) -> None:
    policy = of_kind(render(), "ValidatingAdmissionPolicy")["clouddatamesh-operator-guard-children"]
    assert [rule["message"].startswith(LABEL_LAGS) for rule in policy["spec"]["validations"]] == [False, True, False]


def test_the_committed_files_are_used() -> None:
    assert (CHART / "files" / "permissions.yaml").is_file()
    assert not (CHART / "crds").exists(), "Helm never upgrades that folder"
