"""What a stolen token of the operator is worth: nothing outside namespaces of domains. By RBAC and by the guard, on the real API server."""

import json

import pytest

from clouddatamesh.governance.gate.rendering import PREFIX
from hack.tools.children import ToolError
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.cases import Manifest
from tests.e2e.people import Person, may
from tests.support.manifests import a_domain, a_grant, a_product, a_request

ROLE = "clouddatamesh-secrets"
OPERATOR = Person(SERVICE_ACCOUNT)


def as_operator(mesh: Actors, *args: str, stdin: str | None = None) -> str:
    return mesh.installed.cluster.kubectl(*args, f"--as={SERVICE_ACCOUNT}", stdin=stdin)


def binding(namespace: str, role: str = ROLE) -> str:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"kind": "ServiceAccount", "name": "clouddatamesh", "namespace": "clouddatamesh-system"}
    metadata = {"name": "stolen", "namespace": namespace}
    return json.dumps(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": [subject],
        }
    )


def test_an_administrator_may_name_an_owner_of_an_object_of_the_cluster(mesh: Actors) -> None:
    """As Crossplane and backups do. The request of such an object has no namespace."""
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "11111111-2222-3333-4444-555555555555"}
    domain = a_domain("owned")
    owned = json.dumps({**domain, "metadata": {**domain["metadata"], "ownerReferences": [owner]}})
    mesh.installed.cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=owned)
    with pytest.raises(ToolError, match="forbidden"):
        mesh.installed.cluster.kubectl("create", "--dry-run=server", "-f", "-", "--as=nobody", stdin=owned)


@pytest.mark.parametrize("namespace", ["kube-system", "default", "clouddatamesh-system", "kube-public"])
def test_no_binding_in_a_namespace_of_the_system(mesh: Actors, namespace: str) -> None:
    with pytest.raises(ToolError, match="clouddatamesh-operator-guard-children"):
        as_operator(mesh, "create", "-f", "-", stdin=binding(namespace))


def test_no_binding_in_a_namespace_of_nobody(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "nobodys-own")
    with pytest.raises(ToolError, match="only in namespaces that carry the label"):
        as_operator(mesh, "create", "-f", "-", stdin=binding("nobodys-own"))


def test_only_roles_of_the_chart_are_bound(mesh: Actors) -> None:
    with pytest.raises(ToolError, match="forbidden"):
        as_operator(mesh, "create", "-f", "-", stdin=binding("sales", "cluster-admin"))
    as_operator(mesh, "create", "-f", "-", stdin=binding("sales"))
    mesh.installed.cluster.kubectl("delete", "rolebinding", "stolen", "-n", "sales")


@pytest.mark.parametrize("namespace", ["kube-system", "nobodys-too"])
def test_no_namespace_is_labelled_into_a_domain(mesh: Actors, namespace: str) -> None:
    if namespace == "nobodys-too":
        mesh.installed.cluster.kubectl("create", "namespace", namespace)
    with pytest.raises(ToolError, match="clouddatamesh-operator-guard-namespaces"):
        as_operator(mesh, "label", "namespace", namespace, "clouddatamesh.dev/domain=sales")


def test_no_namespace_is_deleted(mesh: Actors) -> None:
    with pytest.raises(ToolError, match="cannot delete resource"):
        as_operator(mesh, "delete", "namespace", "sales")


def test_no_secret_is_listed_anywhere_nor_read_outside_domains(mesh: Actors) -> None:
    for place in (("-n", "sales"), ("-n", "kube-system"), ("-A",)):
        with pytest.raises(ToolError, match="cannot list resource"):
            as_operator(mesh, "get", "secrets", *place)
    with pytest.raises(ToolError, match="cannot get resource"):
        as_operator(mesh, "get", "secret", "any", "-n", "kube-system")


def child(namespace: str, **labels: str) -> dict[str, object]:
    metadata = {"name": "isolation", "namespace": namespace, "labels": labels}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": {"podSelector": {}}}


def test_what_others_made_in_a_namespace_of_nobody_is_neither_changed_nor_deleted(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "others")
    mesh.installed.apply(child("others", owner="somebody"))
    for act in (("patch", "--type=merge", "--patch", '{"spec":{"podSelector":{"matchLabels":{"a":"b"}}}}'), ("delete",)):
        with pytest.raises(ToolError, match="only in namespaces that carry the label"):
            as_operator(mesh, act[0], "networkpolicy", "isolation", "-n", "others", *act[1:])


def test_children_of_ours_are_taken_away_from_a_namespace_that_lost_its_label(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "left")
    mesh.installed.apply(child("left", **{"app.kubernetes.io/managed-by": "clouddatamesh"}))
    as_operator(mesh, "delete", "networkpolicy", "isolation", "-n", "left")


def team_of(*people: str) -> str:
    """The subjects of a binding, as a merge patch."""
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name} for name in people]
    return json.dumps({"metadata": {"labels": {"app.kubernetes.io/managed-by": "clouddatamesh"}}, "subjects": subjects})


def test_a_binding_of_ours_is_narrowed_and_taken_away_wherever_it_is_and_never_widened(mesh: Actors) -> None:
    """Namespace and binding lost their labels; the mark is left."""
    mesh.installed.cluster.kubectl("create", "namespace", "stripped")
    bare = {"name": "clouddatamesh-owners", "namespace": "stripped"}
    ours = {**bare, "annotations": {"clouddatamesh.dev/owner": "Domain//sales/uid"}}
    made = {**json.loads(binding("stripped")), **json.loads(team_of("kim", "leaver")), "metadata": ours}
    mesh.installed.apply(made)
    mesh.installed.apply({**made, "metadata": {**bare, "name": "theirs"}})
    for name, people in (
        ("theirs", ("kim",)),
        ("clouddatamesh-owners", ("kim", "eve")),
        ("clouddatamesh-owners", ("kim", "leaver", "eve")),
    ):
        with pytest.raises(ToolError, match="only in namespaces that carry the label"):
            as_operator(mesh, "patch", "rolebinding", name, "-n", "stripped", "--type=merge", "--patch", team_of(*people))
    as_operator(mesh, "patch", "rolebinding", "clouddatamesh-owners", "-n", "stripped", "--type=merge", "--patch", team_of("kim"))
    as_operator(mesh, "label", "rolebinding", "clouddatamesh-owners", "-n", "stripped", "app.kubernetes.io/managed-by-")
    as_operator(mesh, "delete", "rolebinding", "clouddatamesh-owners", "-n", "stripped")


def test_a_namespace_consents_to_adoption_before_the_operator_labels_it(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "consenting")
    with pytest.raises(ToolError, match="those that consent by the annotation"):
        as_operator(mesh, "annotate", "namespace", "consenting", "clouddatamesh.dev/adopt-by=sales")
    mesh.installed.cluster.kubectl("annotate", "namespace", "consenting", "clouddatamesh.dev/adopt-by=sales")
    as_operator(mesh, "label", "namespace", "consenting", "example.com/seen=true")


def test_a_namespace_is_made_only_with_the_label(mesh: Actors) -> None:
    with pytest.raises(ToolError, match="creates only namespaces that carry the label"):
        as_operator(mesh, "create", "namespace", "unlabelled")


@pytest.mark.parametrize("namespace", ["kube-system", "default"])
def test_no_secret_is_written_outside_domains_even_with_the_right_to_it(mesh: Actors, namespace: str) -> None:
    """An administrator's mistake: the role for Secrets bound where it does not belong."""
    mesh.installed.apply({**json.loads(binding(namespace)), "metadata": {"name": "mistake", "namespace": namespace}})
    try:
        mesh.installed.until(lambda: may(mesh, OPERATOR, "create", "secrets", namespace), what="the right that was given by mistake")
        with pytest.raises(ToolError, match="clouddatamesh-operator-guard-children"):
            as_operator(mesh, "create", "secret", "generic", "planted", "-n", namespace)
    finally:
        mesh.installed.cluster.kubectl("delete", "rolebinding", "mistake", "-n", namespace)


def an_answer(namespace: str, **labels: str) -> Manifest:
    grant = a_grant("answer", namespace, decision="Deny")
    return {**grant, "metadata": {**grant["metadata"], "labels": labels}}


OURS = {"app.kubernetes.io/managed-by": "clouddatamesh"}
DRY = "--dry-run=server"


@pytest.mark.parametrize("namespace", ["default", "unanswered"])
def test_no_answer_is_made_or_deleted_outside_domains(mesh: Actors, namespace: str) -> None:
    if namespace != "default":
        mesh.installed.cluster.kubectl("create", "namespace", namespace)
    answer = an_answer(namespace, **OURS)
    with pytest.raises(ToolError, match="creates and deletes AccessGrants only in namespaces that carry the label"):
        as_operator(mesh, "create", "-f", "-", stdin=json.dumps(answer))
    mesh.installed.apply(answer)
    with pytest.raises(ToolError, match="creates and deletes AccessGrants only in namespaces that carry the label"):
        as_operator(mesh, "delete", "accessgrant", "answer", "-n", namespace)
    mesh.installed.cluster.kubectl("delete", "accessgrant", "answer", "-n", namespace)


@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "helm"}])
def test_no_answer_is_made_in_the_name_of_others(mesh: Actors, labels: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="creates only AccessGrants that carry the label"):
        as_operator(mesh, "create", DRY, "-f", "-", stdin=json.dumps(an_answer("sales", **labels)))


def test_answers_are_made_and_deleted_in_domains(mesh: Actors) -> None:
    answer = an_answer("sales", **OURS)
    as_operator(mesh, "create", DRY, "-f", "-", stdin=json.dumps(answer))
    mesh.installed.apply(answer)
    as_operator(mesh, "delete", DRY, "accessgrant", "answer", "-n", "sales")
    mesh.installed.cluster.kubectl("delete", "accessgrant", "answer", "-n", "sales")


def test_no_spec_is_changed(mesh: Actors) -> None:
    """Of no kind; what the operator does to their metadata stays possible. Of a Domain tests/security/stolen.py tries it: kubectl
    reads what it patches, and the operator may not read a single Domain.
    """
    made = (a_product("wanted", mode="Observe"), a_request("wanted", "sales"), a_grant("wanted", decision="Deny"))
    mesh.installed.apply(*made)
    changes = {
        ("objectstore", "main"): {"deletionEnabled": False},
        ("dataproduct", "wanted", "-n", "sales"): {"mode": "Plan"},
        ("accessrequest", "wanted", "-n", "sales"): {"renewal": {"requestedAt": "2027-01-10T00:00:00Z"}},
        ("accessgrant", "wanted", "-n", "sales"): {"decision": "Approve"},
    }
    for what, spec in changes.items():
        with pytest.raises(ToolError, match="The operator never changes a spec"):
            as_operator(mesh, "patch", *what, DRY, "--type=merge", "-p", json.dumps({"spec": spec}))
        as_operator(mesh, "patch", *what, DRY, "--type=merge", "-p", '{"metadata":{"finalizers":["clouddatamesh.dev/finalizer"]}}')
    mesh.installed.cluster.kubectl("delete", "accessgrant,accessrequest,dataproduct", "wanted", "-n", "sales", "--timeout=60s")


def test_every_expression_is_well_typed(mesh: Actors) -> None:
    """Of the chart's policies: those that the gate program makes come and go, and tests/e2e/test_gate.py has the same of them."""

    def checked() -> dict[str, object]:
        found = {policy["metadata"]["name"]: policy for policy in mesh.installed.all("validatingadmissionpolicies")}
        return {name: one.get("status", {}).get("typeChecking") for name, one in found.items() if not name.startswith(PREFIX)}

    mesh.installed.until(lambda: None not in checked().values(), what="the check of types")
    found = checked()
    assert len(found) == 13
    assert {name: warnings for name, warnings in found.items() if warnings} == {}
