"""Additional roles of a Domain on the real API server: what the guard says, who is bound where, and what a person may do by it."""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from hack.tools.children import ToolError
from tests.e2e.access import condition_of
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.people import Person, may
from tests.support.installation import ROOT
from tests.support.manifests import a_domain

HOME, LAB, ROLE = "studio", "studio-lab", "clouddatamesh-workloads"
OWN_ROLE = "acme:Notebooks"
"""A ClusterRole of the platform team, with a name as RBAC allows it and Kubernetes otherwise does not."""
NAME, GUARD = f"clouddatamesh-role-{ROLE}", "clouddatamesh-role-guard"
PEOPLE: dict[str, Any] = {people: [{"kind": "Group", "name": f"{HOME}-{people}"}] for people in ("owners", "engineers", "viewers")}
ENGINEER, VIEWER = (Person(people[:-1], (f"{HOME}-{people}",)) for people in ("engineers", "viewers"))
REFUSED = "is forbidden: ValidatingAdmissionPolicy 'clouddatamesh-role-guard'"
LISTED = f"not in the chart's value access.bindableRoles, which lists {ROLE}, {OWN_ROLE}"


def asking(*entries: dict[str, Any], **spec: Any) -> dict[str, Any]:
    spaces = [{"name": HOME}, {"name": LAB}]
    return a_domain(HOME, **{"access": {**PEOPLE, "additionalRoles": list(entries)}, "namespaces": spaces, **spec})


@pytest.fixture(scope="module")
def studio(mesh: Actors) -> Iterator[Actors]:
    """A domain of two namespaces whose engineers may run workloads."""
    mesh.installed.apply(asking({"role": ROLE, "subjects": ["engineers"]}))
    mesh.installed.wait("domain", HOME)
    yield mesh
    mesh.installed.cluster.kubectl("delete", "domain", HOME, "--wait=true", "--timeout=60s")
    for place in (HOME, LAB):
        assert not bound(mesh, place), "it goes with the Domain"


def bound(mesh: Actors, namespace: str) -> list[str]:
    return [subject["name"] for subject in mesh.installed.get("rolebinding", NAME, namespace).get("subjects", ())]


def says(mesh: Actors, *args: str, stdin: Any = None) -> str:
    """What the API server says against it; empty where it would be done."""
    try:
        mesh.installed.cluster.kubectl(*args, "--dry-run=server", stdin=None if stdin is None else json.dumps(stdin))
    except ToolError as error:
        return str(error)
    return ""


def test_engineers_run_pods_in_the_namespaces_of_their_domain_and_nowhere_else(studio: Actors) -> None:
    assert [bound(studio, place) for place in (HOME, LAB, "sales")] == [[f"{HOME}-engineers"]] * 2 + [[]]
    for place in (HOME, LAB):
        studio.installed.until(partial(may, studio, ENGINEER, "create", "pods", place), what=f"the role in {place}")
    assert not any(may(studio, ENGINEER, "create", "pods", place) for place in ("sales", "default"))
    assert not may(studio, VIEWER, "create", "pods", HOME)


@pytest.mark.parametrize(
    ("verb", "what"),
    [("list", "secrets"), ("create", "secrets"), ("create", "rolebindings"), ("create", "serviceaccounts/token"), ("create", "pods/exec"),
     ("create", "accessgrants"), ("delete", "dataproducts"), ("patch", "resourcequotas"), ("patch", "networkpolicies")],
)  # fmt: skip
def test_the_role_for_workloads_gives_nothing_of_the_mesh_and_no_secrets(studio: Actors, verb: str, what: str) -> None:
    assert not may(studio, ENGINEER, verb, what, HOME)


@pytest.mark.parametrize("role", ["cluster-admin", "view", "clouddatamesh-secrets", "Clouddatamesh-Workloads"])
@pytest.mark.parametrize("name", [HOME, "brandnew"])
def test_a_role_that_is_not_listed_is_refused_with_field_value_and_list(studio: Actors, role: str, name: str) -> None:
    manifest = asking({"role": ROLE}, {"role": role}) if name == HOME else a_domain(name, access={"additionalRoles": [{"role": role}]})
    said = says(studio, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    assert (
        f"spec.access.additionalRoles names {role}, {LISTED}; remove it, or have the platform team add it to access.bindableRoles" in said
    )
    assert GUARD in said


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"role": "system:node"}, "Roles named system:* are reserved for the cluster"),
        ({"role": ROLE, "subjects": []}, "subjects"),
        ({"role": ROLE, "subjects": ["everybody"]}, "Unsupported value"),
        ({"role": "a/b"}, "role"),
        ({"role": ""}, "role"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(studio: Actors, entry: dict[str, Any], words: str) -> None:
    assert words in says(studio, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=asking(entry))


def test_one_role_has_one_entry(studio: Actors) -> None:
    assert (
        "duplicate" in says(studio, "create", "-f", "-", stdin=a_domain("twice", access={"additionalRoles": [{"role": ROLE}] * 2})).lower()
    )


@pytest.mark.parametrize("act", ["delete", "subjects", "label"])
def test_what_somebody_changes_is_repaired(studio: Actors, act: str) -> None:
    kubectl = studio.installed.cluster.kubectl
    if act == "delete":
        kubectl("delete", "rolebinding", NAME, "-n", LAB)
    elif act == "subjects":
        kubectl("patch", "rolebinding", NAME, "-n", LAB, "--type=merge", "-p", '{"subjects":[{"kind":"User","name":"mallory"}]}')
    else:
        kubectl("label", "rolebinding", NAME, "-n", LAB, "clouddatamesh.dev/domain-")
    studio.installed.until(
        lambda: (
            bound(studio, LAB) == [f"{HOME}-engineers"]
            and studio.installed.get("rolebinding", NAME, LAB)["metadata"]["labels"].get("clouddatamesh.dev/domain") == HOME
        ),
        what="the binding as it was",
    )


def test_where_the_guard_was_off_the_role_is_bound_to_nobody_and_the_domain_stays_writable(studio: Actors) -> None:
    installed, kubectl = studio.installed, studio.installed.cluster.kubectl
    policy = json.loads(kubectl("get", "validatingadmissionpolicybinding", GUARD, "-o", "json"))
    kubectl("delete", "validatingadmissionpolicybinding", GUARD)
    wide = asking({"role": ROLE}, {"role": "view"})
    try:
        installed.until(lambda: not says(studio, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=wide), what="no guard")
        installed.apply(wide)
    finally:
        kept = {part: policy[part] for part in ("apiVersion", "kind", "spec")}
        metadata = {part: policy["metadata"][part] for part in ("name", "labels", "annotations")}
        installed.apply({**kept, "metadata": metadata})
    installed.until(lambda: condition_of(installed.get("domain", HOME)).get("reason") == "RoleNotBindable", what="RoleNotBindable")
    found = condition_of(installed.get("domain", HOME))
    assert found["message"].startswith(f"spec.access.additionalRoles names view, {LISTED}; nobody has it through this Domain")
    assert bound(studio, HOME) == [f"{HOME}-owners", f"{HOME}-engineers"], "the listed one is served"
    assert not installed.get("rolebinding", "clouddatamesh-role-view", HOME)
    refused = asking({"role": ROLE}, {"role": "view"}, displayName="Other")
    installed.until(
        lambda: says(studio, "create", "-f", "-", stdin=a_domain("b", access={"additionalRoles": [{"role": "view"}]})), what="guard"
    )
    assert says(studio, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=refused) == "", (
        "what it names already stays writable"
    )
    installed.apply(asking({"role": ROLE, "subjects": ["engineers"]}))
    installed.wait("domain", HOME)


def test_a_stolen_token_binds_no_role_beyond_the_list(studio: Actors) -> None:
    for role, words in (("view", "attempting to grant RBAC permissions"), (ROLE, "")):
        said = says(studio, "create", "rolebinding", "taken", f"--clusterrole={role}", "--user=me", "-n", HOME, f"--as={SERVICE_ACCOUNT}")
        assert words in said if words else not said


def test_a_role_of_the_platform_team_is_bound_and_repaired_like_ours(studio: Actors) -> None:
    name = f"clouddatamesh-role-{OWN_ROLE}"
    studio.installed.cluster.kubectl("create", "clusterrole", OWN_ROLE, "--verb=list", "--resource=endpoints")
    studio.installed.apply(asking({"role": ROLE, "subjects": ["engineers"]}, {"role": OWN_ROLE, "subjects": ["viewers"]}))
    studio.installed.until(lambda: may(studio, VIEWER, "list", "endpoints", LAB), what="the role")
    assert not may(studio, ENGINEER, "list", "endpoints", LAB)
    studio.installed.cluster.kubectl("patch", "rolebinding", name, "-n", LAB, "--type=merge", "-p", '{"subjects":null}')
    studio.installed.until(lambda: studio.installed.get("rolebinding", name, LAB).get("subjects"), what="the subjects again")
    studio.installed.until(lambda: may(studio, VIEWER, "list", "endpoints", LAB), what="the role again")
    studio.installed.apply(asking({"role": ROLE, "subjects": ["engineers"]}))
    studio.installed.until(lambda: not studio.installed.get("rolebinding", name, LAB), what="its end")
    studio.installed.cluster.kubectl("delete", "clusterrole", OWN_ROLE)


def test_it_goes_with_its_entry_and_with_a_namespace(studio: Actors) -> None:
    entry = {"role": ROLE, "subjects": ["engineers"]}
    studio.installed.apply(asking(entry, namespaces=[{"name": HOME}]))
    studio.installed.until(lambda: not bound(studio, LAB), what="the end of the binding in the namespace that left")
    studio.installed.apply(asking(entry))
    studio.installed.until(lambda: bound(studio, LAB), what="the binding")
    studio.installed.apply(a_domain(HOME, access=PEOPLE, namespaces=[{"name": HOME}, {"name": LAB}]))
    studio.installed.until(lambda: not bound(studio, HOME) and not bound(studio, LAB), what="the end of both bindings")
    studio.installed.until(lambda: not may(studio, ENGINEER, "create", "pods", HOME), what="the end of the right")


def test_columns_show_namespaces_and_whether_it_is_cordoned(studio: Actors) -> None:
    studio.installed.apply(asking(cordoned=True))
    studio.installed.until(lambda: cordoned(studio), what="the cordon")
    studio.installed.wait("domain", HOME)
    head, line = (row.split() for row in studio.installed.cluster.kubectl("get", "domain", HOME).splitlines())
    assert dict(zip(head, line, strict=True)).items() >= {"READY": "True", "PRODUCTS": "0", "NAMESPACES": "2", "CORDONED": "True"}.items()


def cordoned(mesh: Actors) -> bool:
    return any(found["type"] == "Cordoned" for found in mesh.installed.get("domain", HOME)["status"]["conditions"])


def sees(mesh: Actors, person: Person, kind: str, name: str) -> bool:
    try:
        return name in mesh.installed.cluster.kubectl("get", kind, name, *person.flags)
    except ToolError:
        return False


def test_the_page_shows_owners_their_own_domain_and_store_and_no_other(mesh: Actors) -> None:
    """As docs/how-to/platform-team.md has it, by name."""
    page = (ROOT / "docs" / "how-to" / "platform-team.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(apiVersion: rbac.*?)^```", page, re.MULTILINE | re.DOTALL)
    manifests = list(yaml.safe_load_all(text))
    mesh.installed.apply(*manifests)
    owner = Person("kim", ("sales-owners",))
    try:
        for kind, name in (("domain", "sales"), ("objectstore", "main")):
            mesh.installed.until(partial(sees, mesh, owner, kind, name), what=f"what the page gives of {kind}")
        for refused in (("domain", "inventory"), ("objectstore", "other"), ("domains",), ("objectstores",)):
            with pytest.raises(ToolError, match=r"cannot (get|list) resource"):
                mesh.installed.cluster.kubectl("get", *refused, *owner.flags)
    finally:
        mesh.installed.cluster.kubectl("delete", "-f", "-", stdin=text)


def test_columns_of_products_show_owner_and_tags(mesh: Actors) -> None:
    mesh.make("tagged", lifecycle="proposed", tags=["orders", "finance"])
    head, line = mesh.installed.cluster.kubectl("get", "dp", "tagged", "-n", "sales").splitlines()
    at = {name: head.index(name) for name in ("OWNER", "TAGS", "PENDING")}
    assert line[at["OWNER"] : at["TAGS"]].strip() == "Kim Roe"
    assert line[at["TAGS"] : at["PENDING"]].strip() == '["orders","finance"]'
    mesh.delete("tagged")
