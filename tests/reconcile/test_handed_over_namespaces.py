"""A namespace of a Domain that was forced away, as another Domain has it: nobody keeps the rights of the former one."""

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.support.manifests import a_domain, a_store
from tests.support.mesh import Mesh

OWNERS, VIEWERS = (Key("RoleBinding", "lab", f"clouddatamesh-{role}") for role in ("owners", "viewers"))
OPERATOR = Key("RoleBinding", "lab", "clouddatamesh-operator")


def people(*names: str) -> list[dict[str, str]]:
    return [{"kind": "User", "name": name} for name in names]


def the_former_is_forced_away(mesh: Mesh) -> None:
    """Break-glass: the finalizer is removed from a Domain that is being deleted."""
    mesh.delete("Domain", "former")
    mesh.cluster.user_finalize(Key("Domain", "", "former"))


def handed_over(mesh: Mesh) -> Mesh:
    """As docs/domains.md says: the marks go, and the consent names the heir."""
    lab = mesh.get("Namespace", "lab")
    mesh.apply({**lab, "metadata": {**lab["metadata"], "labels": {}, "annotations": {"clouddatamesh.dev/adopt-by": "heir"}}})
    return mesh.apply(a_domain("heir", namespaces=[{"name": "lab"}], namespaceAdoption="IfConsented", access={"owners": people("kim")}))


def test_the_heir_takes_what_the_former_left() -> None:
    access = {"owners": people("ann"), "viewers": people("bob")}
    mesh = Mesh().apply(a_store(), a_domain("former", namespaces=[{"name": "lab"}], access=access)).settle()
    the_former_is_forced_away(mesh)
    handed_over(mesh).settle()
    assert mesh.condition("Domain", "heir")["status"] == "True"
    assert [subject["name"] for subject in mesh.get("RoleBinding", OWNERS.name, "lab")["subjects"]] == ["kim"]
    assert not mesh.exists(VIEWERS.kind, VIEWERS.name, VIEWERS.namespace)
    assert "heir" in mesh.get("RoleBinding", OPERATOR.name, "lab")["metadata"]["annotations"]["clouddatamesh.dev/owner"]


@pytest.mark.parametrize("unreadable", [False, True], ids=["it lives", "it cannot be read"])
def test_what_names_a_domain_that_may_live_is_left_alone(unreadable: bool) -> None:
    mesh = Mesh().apply(a_store(), a_domain("heir", namespaces=[{"name": "lab"}]), a_domain("former")).settle()
    mine = mesh.get("RoleBinding", OWNERS.name, "lab")
    living = mesh.get("Domain", "former")["metadata"]["uid"]
    copy = {**mine["metadata"], "annotations": {"clouddatamesh.dev/owner": f"Domain//former/{living}"}}
    kept = {name: copy[name] for name in ("namespace", "labels", "annotations")}
    mesh.apply({**mine, "metadata": {**kept, "name": VIEWERS.name}})
    if unreadable:
        mesh.cluster.unreadable.add("Domain")
        the_former_is_forced_away(mesh)
    mesh.settle()
    assert mesh.exists(VIEWERS.kind, VIEWERS.name, VIEWERS.namespace)


def test_the_heir_takes_it_also_where_the_former_was_made_again() -> None:
    """Git makes a Domain again that was forced away, without the namespace, before the heir looked: it knows nothing of what is there."""
    access = {"owners": people("ann"), "viewers": people("bob")}
    mesh = Mesh().apply(a_store(), a_domain("former", namespaces=[{"name": "lab"}], access=access)).settle()
    the_former_is_forced_away(mesh)
    handed_over(mesh).apply(a_domain("former", namespaces=[{"name": "former"}], access=access))
    reconcile(Key("Domain", "", "heir"), mesh.ports)
    mesh.settle()
    assert mesh.condition("Domain", "heir")["status"] == mesh.condition("Domain", "former")["status"] == "True"
    assert [subject["name"] for subject in mesh.get("RoleBinding", OWNERS.name, "lab")["subjects"]] == ["kim"]
    assert not mesh.exists(VIEWERS.kind, VIEWERS.name, VIEWERS.namespace)


def test_who_leaves_loses_the_role_in_a_namespace_that_lost_its_marks_and_that_an_older_domain_names_too() -> None:
    mesh = Mesh().apply(a_store(), a_domain("elder", namespaces=[{"name": "home"}])).settle()
    mesh.clock.forward(days=1)
    spaces = [{"name": "lab"}, {"name": "field"}]
    mesh.apply(a_domain("young", namespaces=spaces, access={"viewers": people("ann", "leaver")})).settle()
    field = mesh.get("Namespace", "field")
    mesh.apply(a_domain("elder", namespaces=[{"name": "home"}, {"name": "field"}]))
    mesh.apply({**field, "metadata": {**field["metadata"], "labels": {}, "annotations": {}}}).settle()
    mesh.apply(a_domain("young", namespaces=spaces, access={"viewers": people("ann")})).settle()
    for place in ("lab", "field"):
        assert [subject["name"] for subject in mesh.get("RoleBinding", VIEWERS.name, place)["subjects"]] == ["ann"]
