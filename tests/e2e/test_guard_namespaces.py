"""Who may write which Domain has a namespace: whoever may create Domains, and no tenant, by no verb, sub-resource or manager."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from hack.tools.children import ToolError
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.cases import Manifest
from tests.e2e.people import Person, may

GUARD = "clouddatamesh-namespace-guard"
TENANT, PLATFORM, RESTORER = "--as=namespace-maker", "--as=domain-maker", "--as=system:serviceaccount:velero:velero"
LABEL, MANAGED = "clouddatamesh.dev/domain", "app.kubernetes.io/managed-by"
HELD, RELEASED, CONSENT = (f"clouddatamesh.dev/{name}" for name in ("held-by", "released-by", "adopt-by"))
FORGED: dict[str, Manifest] = {
    "the label of a domain": {"labels": {LABEL: "sales"}},
    "the label of a domain that does not exist": {"labels": {LABEL: "x"}},
    "the label of what the operator makes": {"labels": {MANAGED: "clouddatamesh"}},
    "the mark of a domain": {"annotations": {HELD: "acme/sales"}},
    "the mark of a release": {"annotations": {RELEASED: "acme/sales"}},
    "consent": {"annotations": {CONSENT: "sales"}},
    "all at once": {"labels": {LABEL: "sales", MANAGED: "clouddatamesh"}, "annotations": {HELD: "acme/sales", CONSENT: "sales"}},
}
NAMESPACES = [{"apiGroups": [""], "resources": ["namespaces", "namespaces/status", "namespaces/finalize"], "verbs": ["*"]}]
DOMAINS = [{"apiGroups": ["clouddatamesh.dev"], "resources": ["domains"], "verbs": ["create"]}]


@pytest.fixture(scope="module")
def realm(mesh: Actors) -> Iterator[Actors]:
    """A tenant who may do all with namespaces, one who may create Domains besides, and a backup tool with all rights."""
    for name, rules, subject in (
        ("namespace-makers", NAMESPACES, ["--user=namespace-maker"]),
        ("domain-makers", [*NAMESPACES, *DOMAINS], ["--user=domain-maker"]),
    ):
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
        mesh.installed.apply(role)
        mesh.installed.cluster.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", *subject)
    account = "--serviceaccount=velero:velero"
    mesh.installed.cluster.kubectl("create", "clusterrolebinding", "backup", "--clusterrole=cluster-admin", account)
    for who, verb, what in ((TENANT, "patch", "namespaces/finalize"), (PLATFORM, "create", "domains"), (RESTORER, "create", "domains")):
        person = Person(who.removeprefix("--as="))
        mesh.installed.until(partial(may, mesh, person, verb, what), what=f"the right of {person.user}")
    mesh.installed.cluster.kubectl("create", "namespace", "tenants", TENANT)
    yield mesh
    mesh.installed.cluster.kubectl("delete", "namespace", "tenants", "--wait=false")


def says(mesh: Actors, *args: str, stdin: str | None = None) -> str:
    """What the API server says against it; empty where it would be done."""
    try:
        mesh.installed.cluster.kubectl(*args, stdin=stdin)
    except ToolError as error:
        return str(error)
    return ""


def a_namespace(name: str, metadata: Manifest) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **metadata}})


def by_finalize(mesh: Actors, metadata: Manifest, *flags: str) -> str:
    found = mesh.installed.get("namespace", "tenants")
    parts = {part: {**found["metadata"].get(part, {}), **metadata.get(part, {})} for part in ("labels", "annotations")}
    body = {**found, "metadata": {**found["metadata"], **parts}}
    return says(mesh, "replace", "--raw", "/api/v1/namespaces/tenants/finalize?dryRun=All", "-f", "-", *flags, stdin=json.dumps(body))


def ways(mesh: Actors, metadata: Manifest, who: str) -> dict[str, str]:
    """Each way in which somebody writes metadata of a namespace, and what is said against it. Nothing is kept."""
    patch, dry = json.dumps({"metadata": metadata}), "--dry-run=server"
    return {
        "create": says(mesh, "create", "-f", "-", dry, who, stdin=a_namespace("brandnew", metadata)),
        "patch": says(mesh, "patch", "namespace", "tenants", "--type=merge", "-p", patch, dry, who),
        "apply": says(
            mesh, "apply", "--server-side", "--force-conflicts", "--field-manager=clouddatamesh", "-f", "-", dry, who,
            stdin=a_namespace("tenants", metadata),
        ),
        "status": says(mesh, "patch", "namespace", "tenants", "--subresource=status", "--type=merge", "-p", patch, dry, who),
        "finalize": by_finalize(mesh, metadata, who),
    }  # fmt: skip


@pytest.mark.parametrize("what", list(FORGED))
def test_no_tenant_forges(realm: Actors, what: str) -> None:
    said = ways(realm, FORGED[what], TENANT)
    assert {way: GUARD in answer for way, answer in said.items()} == dict.fromkeys(said, True), said
    assert "ask the platform team" in said["patch"]


@pytest.mark.parametrize("what", list(FORGED))
@pytest.mark.parametrize("who", [PLATFORM, RESTORER])
def test_who_may_create_domains_writes_them(realm: Actors, what: str, who: str) -> None:
    assert ways(realm, FORGED[what], who) == dict.fromkeys(("create", "patch", "apply", "status", "finalize"), "")


def test_everything_else_of_a_namespace_is_the_tenants(realm: Actors) -> None:
    theirs = {"labels": {"team": "a", MANAGED: "Helm"}, "annotations": {"note": "b", "clouddatamesh.dev/note": "c"}}
    assert ways(realm, theirs, TENANT) == dict.fromkeys(("create", "patch", "apply", "status", "finalize"), "")


TAKEN_OFF = {
    "the label of a domain's namespace": {"labels": {LABEL: None}},
    "another domain's label onto it": {"labels": {LABEL: "inventory"}},
    "its mark": {"annotations": {HELD: None}},
    "a consent onto it": {"annotations": {CONSENT: "inventory"}},
}


@pytest.mark.parametrize("what", list(TAKEN_OFF))
def test_no_tenant_takes_a_namespace_from_its_domain(realm: Actors, what: str) -> None:
    patch = ("patch", "namespace", "sales", "--type=merge", "-p", json.dumps({"metadata": TAKEN_OFF[what]}), "--dry-run=server")
    assert GUARD in says(realm, *patch, TENANT)
    assert says(realm, *patch, PLATFORM) == ""
    assert says(realm, *patch, f"--as={SERVICE_ACCOUNT}") == "", "the operator repairs and releases"


def test_an_update_that_leaves_them_as_they_are_passes(realm: Actors) -> None:
    patch = ("patch", "namespace", "sales", "--type=merge", "-p", '{"metadata":{"labels":{"team":"a"}}}', "--dry-run=server", TENANT)
    assert says(realm, *patch) == ""
