"""Additional roles of a Domain: only those that the platform team lists, only in its own namespaces, and gone with their entry."""

from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

ROLE, OTHER = "clouddatamesh-workloads", "acme:Notebooks"
NAME = f"clouddatamesh-role-{ROLE}"
TWO = [{"name": "sales"}, {"name": "sales-lab"}]
OWNERS, ENGINEERS, VIEWERS = ({"kind": "Group", "name": f"sales-{name}"} for name in ("owners", "engineers", "viewers"))
ROBOT = {"kind": "ServiceAccount", "name": "robot"}
PEOPLE: dict[str, Any] = {"owners": [OWNERS, ROBOT], "engineers": [ENGINEERS, ROBOT], "viewers": [VIEWERS]}


def a_mesh(*roles: str) -> Mesh:
    return listing(Mesh(), *roles)


def listing(mesh: Mesh, *roles: str) -> Mesh:
    """The operator is started with this list of the chart."""
    mesh.settings = replace(mesh.settings, bindable_roles=roles)
    return mesh


def asking(*entries: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return a_domain(access={**PEOPLE, "additionalRoles": list(entries)}, **spec)


def bound(mesh: Mesh, namespace: str = "sales", role: str = ROLE) -> list[str] | None:
    """Who has the role there; None where it is not bound."""
    found = mesh.cluster.raw(Key("RoleBinding", namespace, f"clouddatamesh-role-{role}"))
    if found is None:
        return None
    assert found["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return [subject["name"] for subject in found["subjects"]]


def test_owners_and_engineers_have_it_in_every_namespace_of_the_domain_and_nowhere_else() -> None:
    mesh = a_mesh(ROLE, OTHER).apply(asking({"role": ROLE}, namespaces=TWO), a_domain("inventory")).settle()
    assert mesh.condition("Domain", "sales")["status"] == "True"
    assert [bound(mesh, name) for name in ("sales", "sales-lab", "inventory")] == [["sales-owners", "robot", "sales-engineers"]] * 2 + [
        None
    ]
    assert bound(mesh, role=OTHER) is None


@pytest.mark.parametrize(
    ("subjects", "people"), [(["viewers"], ["sales-viewers"]), (["engineers", "viewers"], ["sales-engineers", "robot", "sales-viewers"])]
)
def test_it_goes_to_the_lists_that_the_entry_names(subjects: list[str], people: list[str]) -> None:
    mesh = a_mesh(ROLE, OTHER).apply(asking({"role": OTHER, "subjects": subjects})).settle()
    assert bound(mesh, role=OTHER) == people


def test_nobody_is_bound_where_the_lists_are_empty() -> None:
    mesh = a_mesh(ROLE).apply(a_domain(access={"owners": [OWNERS], "additionalRoles": [{"role": ROLE, "subjects": ["viewers"]}]})).settle()
    assert bound(mesh) is None
    assert mesh.condition("Domain", "sales")["status"] == "True"


def test_it_follows_its_people_and_goes_with_its_entry() -> None:
    mesh = a_mesh(ROLE, OTHER).apply(asking({"role": ROLE}, {"role": OTHER})).settle()
    mesh.apply(a_domain(access={"owners": [OWNERS], "additionalRoles": [{"role": ROLE}]})).settle()
    assert bound(mesh) == ["sales-owners"]
    assert bound(mesh, role=OTHER) is None
    mesh.apply(a_domain(access={"owners": [OWNERS]})).settle()
    assert bound(mesh) is None


def test_it_goes_with_the_domain_and_with_a_namespace_that_leaves() -> None:
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE}, namespaces=TWO)).settle().apply(asking({"role": ROLE})).settle()
    assert [bound(mesh, name) is None for name in ("sales", "sales-lab")] == [False, True]
    mesh.delete("Domain", "sales").settle()
    assert bound(mesh) is None


@pytest.mark.parametrize("part", ["subjects", "roleRef", "deleted"])
def test_what_somebody_changes_is_repaired(part: str) -> None:
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE})).settle()
    key = Key("RoleBinding", "sales", NAME)
    before = bound(mesh)
    if part == "deleted":
        mesh.cluster.user_delete(key)
    else:
        drift = {"subjects": [{"kind": "User", "name": "mallory"}], "roleRef": {"kind": "ClusterRole", "name": "admin"}}
        mesh.cluster.user_apply({**(mesh.cluster.raw(key) or {}), part: drift[part]})
    mesh.settle()
    assert bound(mesh) == before


def test_a_binding_of_that_name_without_our_mark_is_somebody_elses() -> None:
    theirs = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME, "namespace": "sales"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "User", "name": "kim"}],
    }
    mesh = a_mesh(ROLE).apply(a_domain()).settle().apply(theirs).settle()
    mesh.apply(asking({"role": ROLE})).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "NotOwned"
    mesh.apply(a_domain()).settle()
    assert (mesh.cluster.raw(Key("RoleBinding", "sales", NAME)) or {})["roleRef"]["name"] == "view"


def test_a_role_that_is_not_listed_is_bound_to_nobody_and_the_status_names_it() -> None:
    mesh = a_mesh(ROLE, OTHER).apply(asking({"role": "cluster-admin"}, {"role": ROLE})).settle()
    found = mesh.condition("Domain", "sales")
    assert (found["status"], found["reason"]) == ("False", "RoleNotBindable")
    assert found["message"].startswith(
        "spec.access.additionalRoles names cluster-admin, not in the chart's value access.bindableRoles,"
        f" which lists {ROLE}, {OTHER}; nobody has it through this Domain. Remove it, or have the platform team list it"
    )
    assert bound(mesh, role="cluster-admin") is None
    assert bound(mesh) == ["sales-owners", "robot", "sales-engineers"], "the rest of the domain is served"
    assert mesh.exists("RoleBinding", "clouddatamesh-owners", "sales")


@pytest.mark.parametrize("suspend", [False, True])
def test_a_role_that_leaves_the_list_is_taken_away_and_comes_back_with_it(suspend: bool) -> None:
    mesh = a_mesh(ROLE, OTHER).apply(asking({"role": ROLE}, {"role": OTHER})).settle()
    mesh.apply(asking({"role": ROLE}, {"role": OTHER}, suspend=suspend)).settle()
    listing(mesh, OTHER).settle()
    assert bound(mesh) is None
    assert bound(mesh, role=OTHER)
    if not suspend:
        assert mesh.condition("Domain", "sales")["reason"] == "RoleNotBindable"
        listing(mesh, ROLE, OTHER).settle()
        assert bound(mesh)
        assert mesh.condition("Domain", "sales")["status"] == "True"


def test_an_empty_list_says_so() -> None:
    mesh = a_mesh().apply(asking({"role": ROLE})).settle()
    assert "access.bindableRoles, which is empty;" in mesh.condition("Domain", "sales")["message"]


@pytest.mark.parametrize(
    "spec", [{}, {"suspend": True}, {"parentRef": {"name": "nobody"}}], ids=["well", "suspended", "without its parent"]
)
@pytest.mark.parametrize("left", [[ROBOT], []], ids=["some stay", "all go"])
def test_who_leaves_a_list_loses_every_role_whatever_else_holds_the_domain_up(spec: dict[str, Any], left: list[dict[str, str]]) -> None:
    """And nobody new gets one meanwhile."""
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE, "subjects": ["engineers"]})).settle()
    people: dict[str, Any] = {**PEOPLE, "engineers": left, "viewers": [VIEWERS, ENGINEERS] if spec else [VIEWERS]}
    mesh.apply(a_domain(access={**people, "additionalRoles": [{"role": ROLE, "subjects": ["engineers"]}]}, **spec)).settle()
    names = [one["name"] for one in left] or None
    assert bound(mesh) == names
    found = {name: mesh.cluster.raw(Key("RoleBinding", "sales", f"clouddatamesh-{name}")) for name in ("engineers", "viewers")}
    assert [one["name"] for one in (found["engineers"] or {}).get("subjects", ())] == (names or [])
    assert [one["name"] for one in (found["viewers"] or {})["subjects"]] == ["sales-viewers"]


def test_a_list_that_is_exchanged_as_a_whole_is_so_in_one_look_without_a_failure() -> None:
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE, "subjects": ["viewers"]})).settle()
    uid = (mesh.cluster.raw(Key("RoleBinding", "sales", NAME)) or {})["metadata"]["uid"]
    mesh.apply(a_domain(access={**PEOPLE, "viewers": [ROBOT], "additionalRoles": [{"role": ROLE, "subjects": ["viewers"]}]}))
    assert reconcile(Key("Domain", "", "sales"), mesh.ports).failures == ()
    assert bound(mesh) == ["robot"]
    assert (mesh.cluster.raw(Key("RoleBinding", "sales", NAME)) or {})["metadata"]["uid"] == uid


def test_a_list_that_gets_shorter_is_one_write_for_each_binding() -> None:
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE, "subjects": ["engineers"]})).settle()
    before = len(mesh.cluster.writes)
    mesh.apply(a_domain(access={**PEOPLE, "engineers": [ROBOT], "additionalRoles": [{"role": ROLE, "subjects": ["engineers"]}]})).settle()
    written = sorted(key.name for verb, key in mesh.cluster.writes[before:] if key.kind == "RoleBinding")
    assert written == ["clouddatamesh-engineers", NAME]
    assert bound(mesh) == ["robot"]


LEAVING: dict[str, Any] = {"namespaces": [{"name": "sales-home"}]}


@pytest.mark.parametrize(
    ("goes", "spec"),
    [(True, {}), (True, {"suspend": True}), (False, LEAVING), (False, {**LEAVING, "suspend": True})],
    ids=["deleted", "deleted and suspended", "its namespace leaves", "its namespace leaves while it is suspended"],
)
@pytest.mark.parametrize("left", [[ROBOT], []], ids=["some stay", "all go"])
def test_who_leaves_a_list_loses_every_role_while_a_product_keeps_the_domain(
    goes: bool, spec: dict[str, Any], left: list[dict[str, str]]
) -> None:
    """And nobody new gets one meanwhile."""
    namespaces = {"namespaces": [{"name": "sales"}, {"name": "sales-home"}]} if "namespaces" in spec else {}
    mesh = a_mesh(ROLE).apply(asking({"role": ROLE, "subjects": ["engineers"]}, **namespaces), a_store(), a_product()).settle()
    if goes:
        mesh.delete("Domain", "sales").settle()
    people: dict[str, Any] = {**PEOPLE, "engineers": left, "viewers": [VIEWERS, ENGINEERS]}
    mesh.apply(a_domain(access={**people, "additionalRoles": [{"role": ROLE, "subjects": ["engineers"]}]}, **spec)).settle()
    assert bound(mesh) == ([one["name"] for one in left] or None)
    viewers = mesh.cluster.raw(Key("RoleBinding", "sales", "clouddatamesh-viewers"))
    assert [one["name"] for one in (viewers or {})["subjects"]] == ["sales-viewers"]
    assert mesh.condition("Domain", "sales", "", "DeletionBlocked")["reason"] == "InUse"
