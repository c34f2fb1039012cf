"""The rights in everything that the chart renders, with every value that adds an object: none that opens more than it says."""

from typing import Any

import pytest

from clouddatamesh.api import permissions
from tests.chart.rendering import Objects, of_kind, render_values
from tests.chart.test_rendering import EVERYTHING
from tests.chart.values import nested

ROLES = ["clouddatamesh-workloads", "acme:notebooks"]
ALL: dict[str, Any] = {**EVERYTHING, "access.bindableRoles": ROLES, "crds.enabled": False, "uninstall.check": "always"}
RENDERINGS = {"everything": ALL, "the quickstart": {**ALL, "quickstart.enabled": True}}
GIVES_IDENTITIES = {"escalate", "sign", "approve"}
"""And all verbs of impersonation, such as `impersonate-on:user-info:list`."""
OF_NODES = {"nodes", "nodes/proxy", "pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "serviceaccounts/token"}
OF_ADMISSION = {"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
                "mutatingwebhookconfigurations", "mutatingadmissionpolicies", "apiservices"}  # fmt: skip
READS_MANY, WRITES = {"list", "watch"}, {"create", "update", "patch", "delete", "deletecollection"}
TEAM = {*permissions.TEAM_ROLES, permissions.WORKLOADS_ROLE, permissions.DISCOVER_ROLE}


@pytest.fixture(scope="module", params=list(RENDERINGS))
def rendered(request: pytest.FixtureRequest) -> Objects:
    return render_values(nested(RENDERINGS[request.param]))


def rules_of(rendered: Objects) -> dict[str, list[dict[str, Any]]]:
    """Every rule of every role, by the role."""
    return {f"{kind} {name}": role["rules"] for kind in ("ClusterRole", "Role") for name, role in of_kind(rendered, kind).items()}


def faults(rule: dict[str, Any]) -> list[str]:
    """What no role of the chart has."""
    verbs, resources = set(rule["verbs"]), set(rule.get("resources", ()))
    said, names = {*verbs, *resources, *rule.get("apiGroups", ())}, rule.get("resourceNames", ())
    found = {
        "a wildcard": any("*" in word for word in said),
        "an identity": any(verb in GIVES_IDENTITIES or verb.startswith("impersonate") for verb in verbs),
        "bind without names": "bind" in verbs and not (names and all(names)),
        "bind of cluster-admin": "bind" in verbs and {"cluster-admin", "admin", "edit"} & set(names),
        "many Secrets": "secrets" in resources and verbs & READS_MANY,
        "all of a kind at once": "deletecollection" in verbs,
        "nodes, Pods from inside, or tokens": resources & OF_NODES,
        "writes of admission": resources & OF_ADMISSION and verbs & WRITES,
        "writes of roles": resources & {"roles", "clusterroles", "clusterrolebindings"} and verbs - {"bind"},
        "writes of kinds": "customresourcedefinitions" in resources and verbs & WRITES,
        "deletes of namespaces": "namespaces" in resources and "delete" in verbs,
        "requests without an object": bool(rule.get("nonResourceURLs")),
    }
    return [what for what, is_there in found.items() if is_there]


def test_no_rule_gives_more_than_it_says(rendered: Objects) -> None:
    found = rules_of(rendered)
    assert len(found) >= 12
    bad = {role: bad for role, rules in found.items() for rule in rules if (bad := faults(rule))}
    assert bad == {"ClusterRole clouddatamesh-gate": ["writes of admission"]}
    reads = {role: set(rule["verbs"]) for role, rules in found.items() for rule in rules if OF_ADMISSION & set(rule.get("resources", ()))}
    assert reads.pop("ClusterRole clouddatamesh-gate", None) is not None
    assert reads == {"ClusterRole clouddatamesh-operator": {"get"}}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}, "a wildcard"),
        ({"apiGroups": [""], "resources": ["*/status"], "verbs": ["get"]}, "a wildcard"),
        ({"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}, "an identity"),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["impersonate-on:user-info:list"]}, "an identity"),
        ({"apiGroups": [""], "resources": ["clusterroles"], "verbs": ["bind"]}, "bind without names"),
        ({"apiGroups": [""], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": [""]}, "bind without names"),
        ({"apiGroups": [""], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["admin"]}, "bind of cluster-admin"),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["watch"]}, "many Secrets"),
        ({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}, "nodes, Pods from inside, or tokens"),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, "requests without an object"),
    ],
)
def test_this_test_sees_such_a_rule(rule: dict[str, Any], fault: str) -> None:
    assert fault in faults(rule)


def test_the_operator_binds_its_roles_and_the_listed_ones(rendered: Objects) -> None:
    binds = [
        rule["resourceNames"] for rule in of_kind(rendered, "ClusterRole")["clouddatamesh-operator"]["rules"] if "bind" in rule["verbs"]
    ]
    assert binds == [[*permissions.TEAM_ROLES, permissions.SECRETS_ROLE], ROLES]
    (rule,) = (
        validation["expression"]
        for validation in of_kind(rendered, "ValidatingAdmissionPolicy")["clouddatamesh-operator-guard-children"]["spec"]["validations"]
        if "roleRef.name in" in validation["expression"]
    )
    assert all(f"'{role}'" in rule for names in binds for role in names)


def test_roles_for_people_hold_nothing_of_the_operators(rendered: Objects) -> None:
    """No RBAC and no kinds of the platform; workloads have neither Secrets nor the mesh."""
    for name in sorted(TEAM):
        rules = of_kind(rendered, "ClusterRole")[name]["rules"]
        assert not any("rbac.authorization.k8s.io" in rule["apiGroups"] for rule in rules), name
        assert not any({"domains", "objectstores"} & set(rule["resources"]) and WRITES & set(rule["verbs"]) for rule in rules), name
    workloads = of_kind(rendered, "ClusterRole")[permissions.WORKLOADS_ROLE]["rules"]
    assert {*(group for rule in workloads for group in rule["apiGroups"])} == {"", "batch"}
    assert {resource for rule in workloads for resource in rule["resources"]} == {
        "pods", "pods/log", "jobs", "cronjobs", "configmaps", "serviceaccounts",
    }  # fmt: skip


def test_nobody_but_the_operator_is_bound_in_the_whole_cluster_except_by_discover(rendered: Objects) -> None:
    """The uninstall check lists, as its own ServiceAccount."""
    for name, found in of_kind(rendered, "ClusterRoleBinding").items():
        subjects = {(subject["kind"], subject["name"]) for subject in found["subjects"]}
        if name == permissions.DISCOVER_ROLE:
            assert subjects == {("Group", "system:authenticated")}
        else:
            assert {kind for kind, _ in subjects} == {"ServiceAccount"}, name
