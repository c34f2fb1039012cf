"""What a stolen token of the operator is worth: nothing outside namespaces of domains. By RBAC and by the guard, on the real API server."""

import json

import pytest

from hack.tools.children import ToolError
from tests.e2e.actors import SERVICE_ACCOUNT, Actors

ROLE = "clouddatamesh-secrets"


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


@pytest.mark.parametrize("namespace", ["kube-system", "default", "clouddatamesh-system", "kube-public"])
def test_no_binding_in_a_namespace_of_the_system(mesh: Actors, namespace: str) -> None:
    with pytest.raises(ToolError, match="clouddatamesh-operator-guard-children"):
        as_operator(mesh, "create", "-f", "-", stdin=binding(namespace))


def test_no_binding_in_a_namespace_of_nobody(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "nobodys")
    with pytest.raises(ToolError, match="only in namespaces that carry the label"):
        as_operator(mesh, "create", "-f", "-", stdin=binding("nobodys"))


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


def test_a_namespace_consents_to_adoption_before_the_operator_labels_it(mesh: Actors) -> None:
    mesh.installed.cluster.kubectl("create", "namespace", "consenting")
    with pytest.raises(ToolError, match="those that consent by the annotation"):
        as_operator(mesh, "annotate", "namespace", "consenting", "clouddatamesh.dev/adopt-by=sales")
    mesh.installed.cluster.kubectl("annotate", "namespace", "consenting", "clouddatamesh.dev/adopt-by=sales")
    as_operator(mesh, "label", "namespace", "consenting", "example.com/seen=true")


def test_a_namespace_is_made_only_with_the_label(mesh: Actors) -> None:
    with pytest.raises(ToolError, match="makes only namespaces that carry the label"):
        as_operator(mesh, "create", "namespace", "unlabelled")


@pytest.mark.parametrize("namespace", ["kube-system", "default"])
def test_no_secret_is_written_outside_domains_even_with_the_right_to_it(mesh: Actors, namespace: str) -> None:
    """An administrator's mistake: the role for Secrets bound where it does not belong."""
    mesh.installed.apply({**json.loads(binding(namespace)), "metadata": {"name": "mistake", "namespace": namespace}})
    try:
        with pytest.raises(ToolError, match="clouddatamesh-operator-guard-children"):
            as_operator(mesh, "create", "secret", "generic", "planted", "-n", namespace)
    finally:
        mesh.installed.cluster.kubectl("delete", "rolebinding", "mistake", "-n", namespace)
