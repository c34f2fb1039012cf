"""`clouddatamesh doctor` on a real API server and a store: a sound mesh has no finding, each planted fault is named with its way out."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.tools.controlplane import ADMIN, ControlPlane
from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.e2e.doctors import doctor, doctor_of_the_sound
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_domain, a_product, a_store

pytestmark = pytest.mark.real
POD = "clouddatamesh-1-0"
"""As the stand-in for the kubelet calls its process, which holds the Lease by that name."""
LOST = "sales-lost-aaaaaaaaaaaaaaaa"


@pytest.fixture(scope="module")
def mesh(moto: Store) -> Iterator[Actors]:
    """A store, two domains with a product each, and the Pod object that the stand-in for the kubelet does not make."""
    with ControlPlane() as cluster, Installation(cluster, mesh="examined") as installed:
        installed.give_credentials(moto)
        installed.apply(a_store(endpointUrl=moto.endpoint, region=moto.region), a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, name, seconds=90)
        actors = Actors(installed, moto)
        actors.make("orders")
        actors.make("forecast", "inventory")
        make_pod(installed)
        yield actors


def make_pod(installed: Installation) -> None:
    """A Pod at this machine's own address, where the operator answers: the API server proxies to no loopback address."""
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    address = next(one for one in addresses if "." in one)
    template = installed.get("deployment", "clouddatamesh", NAMESPACE)["spec"]["template"]
    metadata = {"name": POD, "namespace": NAMESPACE, "labels": template["metadata"]["labels"]}
    installed.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    container = {"name": "operator", "image": "clouddatamesh", "imageID": "sha256:1", "ready": True, "restartCount": 0}
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "containerStatuses": [{**container, "state": {}}]}
    patch = json.dumps({"status": status})
    installed.cluster.kubectl("patch", "pod", POD, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)


def kubeconfig_of(mesh: Actors, account: str, place: Path) -> Path:
    """A kubeconfig of a ServiceAccount of the operator's namespace."""
    token = mesh.installed.cluster.kubectl("create", "token", account, "-n", NAMESPACE).strip()
    document = yaml.safe_load(mesh.installed.cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    place.write_text(yaml.safe_dump(document))
    return place


def test_a_sound_mesh_has_no_finding(mesh: Actors) -> None:
    audit = mesh.installed.cluster.audit
    mark = audit.mark()
    said = doctor_of_the_sound(mesh.installed.cluster.kubeconfig, "--stores")
    assert (said.code, said.findings, said.unchecked) == (0, [], [])
    asked = {f"{one.verb} {one.resource}" for one in audit.read(since=mark, user=ADMIN) if one.verb not in ("get", "list")}
    assert asked == {"create selfsubjectreviews", "create subjectaccessreviews"}, "it writes nothing"
    checked = {one["check"] for one in said.report["checked"]}
    assert checked == {
        "clock",
        "crds",
        "health",
        "lease",
        "namespaces",
        "objects",
        "orphans",
        "permissions",
        "policies",
        "release",
        "stores",
    }


def test_the_operator_itself_checks_what_it_may_read_and_finds_an_orphaned_user(mesh: Actors, tmp_path: Path) -> None:
    known = next(user for user in mesh.store.users("/clouddatamesh/examined/") if not user.startswith("mesh.marker"))
    path = mesh.iam.get_user(UserName=known)["User"]["Path"]
    mesh.iam.create_user(UserName=LOST, Path=path)
    try:
        said = doctor(kubeconfig_of(mesh, "clouddatamesh", tmp_path / "config"), "--stores")
        found = said.about("ObjectStore main", "belong to no object")
        assert f"1 users below {path} belong to no object: {LOST}" == found["what"]
        assert f"aws iam list-access-keys --user-name {LOST}" in found["do"]
        assert mesh.iam.get_user(UserName=LOST), "it is reported and never removed"
    finally:
        mesh.iam.delete_user(UserName=LOST)
    assert (said.code, said.to_do) == (1, [found])
    assert all(one["byDesign"] for one in said.unchecked)
    assert {one["check"] for one in said.unchecked} == {"release", "health"}, "what the operator may not read"


def test_a_reader_with_few_rights_is_told_which_are_missing(mesh: Actors, tmp_path: Path) -> None:
    kubectl = mesh.installed.cluster.kubectl
    kubectl("create", "serviceaccount", "guest", "-n", NAMESPACE)
    kubectl("create", "clusterrole", "guest", "--verb=list", "--resource=dataproducts.clouddatamesh.dev")
    kubectl("create", "clusterrolebinding", "guest", "--clusterrole=guest", f"--serviceaccount={NAMESPACE}:guest")
    said = doctor(kubeconfig_of(mesh, "guest", tmp_path / "config"), "--stores", "--mesh=examined")
    assert (said.code, said.findings) == (2, [])
    missing = {one["what"]: one["missing"] for one in said.unchecked}
    assert missing["the operator's roles"] == "the permission to create subjectaccessreviews.authorization.k8s.io"
    assert missing["who holds the Lease"] == f"the permission to get leases.coordination.k8s.io clouddatamesh in namespace {NAMESPACE}"
    assert missing["ObjectStores"] == "the permission to list objectstores.clouddatamesh.dev"
    assert "DataProducts" not in missing
    # The API server tells whole seconds, and the answer takes its time.
    checked = {one["what"].replace("1 s from", "0 s from") for one in said.report["checked"]}
    assert checked == {"2 DataProducts", "this machine's clock, 0 s from the API server's"}


def test_planted_faults_are_named_with_their_way_out(mesh: Actors) -> None:
    kubectl, installed = mesh.installed.cluster.kubectl, mesh.installed
    role = installed.get("clusterrole", "clouddatamesh-operator")
    rest = [
        {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "create" or rule["resources"] != ["namespaces"]]}
        for rule in role["rules"]
    ]
    kubectl("patch", "clusterrole", "clouddatamesh-operator", "--type=merge", "-p", json.dumps({"rules": rest}))
    crd = "dataproducts.clouddatamesh.dev"
    place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/customProperties"
    kubectl("patch", "crd", crd, "--type=json", "-p", json.dumps([{"op": "remove", "path": place}]))
    kubectl("delete", "validatingadmissionpolicybinding", "clouddatamesh-deletion-guard")
    narrow = {"spec": {"matchResources": {"objectSelector": {"matchLabels": {"guarded": "no"}}}}}
    kubectl("patch", "validatingadmissionpolicybinding", "clouddatamesh-owner-guard", "--type=merge", "-p", json.dumps(narrow))
    kubectl("patch", "validatingadmissionpolicy", "clouddatamesh-status-guard", "--type=merge", "-p", '{"spec":{"failurePolicy":"Ignore"}}')
    kubectl("delete", "secret", "main-s3", "-n", NAMESPACE)
    kubectl("patch", "dataproduct", "orders", "-n", "sales", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    try:
        said = doctor(installed.cluster.kubeconfig)
    finally:
        installed.give_credentials(mesh.store)
    assert said.code == 1
    found = said.about("ClusterRole clouddatamesh-operator", "may not create namespaces")
    assert (
        found["do"] == f"helm upgrade clouddatamesh charts/clouddatamesh -n {NAMESPACE} --reset-then-reuse-values --wait --force-conflicts"
    )
    found = said.about(f"CustomResourceDefinition {crd}", "not that of this program")
    assert "lacks spec.customProperties, spec.customProperties[]" in found["what"]
    assert found["do"].startswith("helm upgrade ")
    found = said.about("ValidatingAdmissionPolicy clouddatamesh-deletion-guard", "The binding of the policy does not exist")
    assert "--without-guard deletion" in found["do"]
    found = said.about("ValidatingAdmissionPolicy clouddatamesh-owner-guard", "exempts objects by its matchResources: objectSelector")
    kubectl(*shlex.split(found["do"].partition(";")[0])[1:])
    assert said.about("ValidatingAdmissionPolicy clouddatamesh-status-guard", "Its failurePolicy is Ignore")
    found = said.about("ObjectStore main", f"Its Secret {NAMESPACE}/main-s3 does not exist")
    assert f"kubectl create secret generic main-s3 -n {NAMESPACE}" in found["do"]
    assert said.about("DataProduct sales/orders", "suspended")["level"] == "Remark"
    kubectl("patch", "dataproduct", "orders", "-n", "sales", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    installed.cluster.helm(*shlex.split(said.about("ClusterRole clouddatamesh-operator", "may not")["do"])[1:])
    installed.wait("objectstore", "main", seconds=90)
    installed.wait("dataproduct", "orders", "sales", seconds=90)
    said = doctor_of_the_sound(installed.cluster.kubeconfig)
    assert (said.code, said.to_do) == (0, []), "the way out leads out"


def test_what_hangs_without_an_operator_is_named_and_ends_when_it_is_back(mesh: Actors) -> None:
    installed = mesh.installed
    kubectl = installed.cluster.kubectl
    kubectl("scale", "deployment", "clouddatamesh", "-n", NAMESPACE, "--replicas=0")
    installed.until(lambda: not installed.kubelet.runs(), seconds=60, what="an operator that ended")
    kubectl("delete", "pod", POD, "-n", NAMESPACE, "--force")
    stale = {"spec": {"holderIdentity": POD, "renewTime": "2026-01-01T00:00:00.000000Z"}}
    kubectl("patch", "lease", "clouddatamesh", "-n", NAMESPACE, "--type=merge", "-p", json.dumps(stale))
    installed.apply(a_product("unseen"))
    kubectl("delete", "dataproduct", "orders", "-n", "sales", "--wait=false")
    kubectl("delete", "namespace", "inventory", "--wait=false")
    going = lambda: mesh.product("forecast", "inventory")["metadata"].get("deletionTimestamp")  # noqa: E731
    installed.until(going, seconds=60, what="a product that is deleted")
    said = doctor(installed.cluster.kubeconfig)
    start = f"kubectl scale deployment clouddatamesh -n {NAMESPACE} --replicas=2"
    assert said.code == 1
    assert said.about(f"Deployment {NAMESPACE}/clouddatamesh", "scaled to 0")["do"] == start
    assert said.about(f"Lease {NAMESPACE}/clouddatamesh", f"{POD} holds it, does not renew it and does not exist")["do"] == start
    for product in ("sales/orders", "inventory/forecast"):
        found = said.about(f"DataProduct {product}", "no operator can end it")
        assert found["do"] == f"{start}; if that is impossible: docs/operations/break-glass.md"
    assert said.about("DataProduct sales/unseen", "No operator has looked at it")["do"] == start
    assert "holds DataProduct forecast" in said.about("Namespace inventory", "has been in deletion since")["what"]
    kubectl("scale", "deployment", "clouddatamesh", "-n", NAMESPACE, "--replicas=1")
    kubectl("delete", "domain", "inventory", "--wait=false")
    for kind, name, namespace in (("dataproduct", "orders", "sales"), ("namespace", "inventory", ""), ("domain", "inventory", "")):
        gone = lambda k=kind, n=name, s=namespace: not installed.get(k, n, s)  # noqa: E731
        installed.until(gone, seconds=120, what=f"the end of {kind} {name}")
    installed.wait("dataproduct", "unseen", "sales", seconds=90)
    make_pod(installed)
    said = doctor_of_the_sound(installed.cluster.kubeconfig)
    assert (said.code, said.findings, said.unchecked) == (0, [], [])
