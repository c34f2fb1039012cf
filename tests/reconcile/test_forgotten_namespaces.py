"""Namespaces of a Domain whose label and marks went while it waits, or whose status was lost: what it left there is still taken away."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile.test_children import OWNERS, hide, people, who
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

LAB = Key("RoleBinding", "lab", "clouddatamesh-owners")


def domain(*owners: str, namespaces: str = "sales lab", **spec: Any) -> dict[str, Any]:
    return a_domain(access={"owners": people(*owners)}, namespaces=[{"name": name} for name in namespaces.split()], **spec)


def replace_namespace(mesh: Mesh, name: str) -> None:
    """`kubectl replace` by a manifest of the bare namespace."""
    mesh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {}, "annotations": {}}})


def lose_status(mesh: Mesh) -> None:
    uid = mesh.get("Domain", "sales")["metadata"]["uid"]
    mesh.cluster.write_status(Key("Domain", "", "sales"), uid, {"observedGeneration": -1})


def ours(mesh: Mesh, namespace: str) -> list[Key]:
    return [key for key in mesh.cluster.all_keys() if key.namespace == namespace and key.kind == "RoleBinding"]


def a_mesh(*, product_in: str = "lab") -> Mesh:
    mesh = Mesh().apply(a_store(), domain("kim", "leaver")).settle()
    return mesh.apply(a_product("trial", product_in)).settle()


def blocked(mesh: Mesh) -> str:
    return str(mesh.condition("Domain", "sales", type_="DeletionBlocked").get("message"))


@pytest.mark.parametrize("hidden", [False, True], ids=["", "its children lost their label too"])
@pytest.mark.parametrize("restart", [False, True], ids=["", "another process"])
def test_a_namespace_that_waits_for_its_product_is_not_forgotten_with_its_marks(hidden: bool, restart: bool) -> None:
    mesh = a_mesh()
    driven = Driven(mesh).run(minutes=1)
    mesh.apply(domain("kim", "leaver", namespaces="sales"))
    driven.run(minutes=2)
    assert [found["name"] for found in mesh.get("Domain", "sales")["status"]["namespaces"]] == ["sales", "lab"]
    replace_namespace(mesh, "lab")
    if hidden:
        hide(mesh, *ours(mesh, "lab"), how="label taken off")
    driven = driven.restart() if restart else driven
    driven.run(minutes=30)
    assert "DataProduct lab/trial" in blocked(mesh)
    mesh.apply(domain("kim", namespaces="sales"))
    driven.run(minutes=1)
    assert who(mesh, LAB) == who(mesh) == ["kim"]
    mesh.delete("DataProduct", "trial", "lab")
    driven.run(minutes=5)
    assert not mesh.exists("DataProduct", "trial", "lab")
    assert not ours(mesh, "lab")
    assert mesh.condition("Domain", "sales")["status"] == "True"
    assert [found["name"] for found in mesh.get("Domain", "sales")["status"]["namespaces"]] == ["sales"]


def test_a_deletion_that_waits_takes_roles_also_in_a_namespace_that_lost_its_marks() -> None:
    mesh = a_mesh(product_in="sales")
    driven = Driven(mesh).run(minutes=1)
    mesh.delete("Domain", "sales")
    driven.run(minutes=1)
    replace_namespace(mesh, "sales")
    driven.run(minutes=5)
    mesh.apply(domain("kim"))
    driven.run(minutes=1)
    assert who(mesh) == who(mesh, LAB) == ["kim"]
    mesh.delete("DataProduct", "trial", "sales")
    driven.run(minutes=15)
    assert not mesh.exists("Domain", "sales")
    assert not [*ours(mesh, "sales"), *ours(mesh, "lab")]


def test_a_binding_that_a_backup_restores_into_a_released_namespace_gives_nothing() -> None:
    mesh = Mesh().apply(domain("kim")).settle()
    before = mesh.get("RoleBinding", LAB.name, "lab")
    kept = {name: before["metadata"][name] for name in ("name", "namespace", "labels", "annotations")}
    mesh.apply(domain("kim", namespaces="sales")).settle()
    driven = Driven(mesh).run(minutes=1)
    mesh.apply({**before, "metadata": kept})
    driven.run(seconds=1)
    assert who(mesh, LAB) is None
    assert mesh.get("Domain", "sales")["status"]["releasedNamespaces"] == ["lab"]


@pytest.mark.parametrize("marked", [True, False], ids=["", "its children lost their mark too"])
def test_a_namespace_that_is_refused_keeps_no_role_of_whoever_left(marked: bool) -> None:
    mesh = Mesh().apply(domain("kim", "leaver")).settle()
    replace_namespace(mesh, "lab")
    lose_status(mesh)
    for key in ours(mesh, "lab") if not marked else ():
        found = mesh.get(key.kind, key.name, key.namespace)
        mesh.apply({**found, "metadata": {**found["metadata"], "annotations": {}}})
    driven = Driven(mesh).run(minutes=5)
    assert mesh.condition("Domain", "sales")["reason"] == "ConsentMissing"
    assert who(mesh, LAB) == ["kim", "leaver"], "what is granted stays"
    mesh.apply(domain("kim"))
    driven.run(minutes=1)
    assert who(mesh, LAB) == who(mesh) == ["kim"]


@pytest.mark.parametrize("inside", [False, True], ids=["empty", "with a product"])
@pytest.mark.parametrize("deleting", [False, True])
def test_what_only_the_api_server_knows_to_be_ours_is_taken(inside: bool, deleting: bool) -> None:
    """Namespace without marks, status lost, and the spec does not name it any more. A deletion that waits only narrows.

    What is inside keeps nobody waiting: whoever may write in a namespace could else forge such a child there.
    """
    mesh = a_mesh(product_in="lab" if inside else "sales")
    replace_namespace(mesh, "lab")
    lose_status(mesh)
    mesh.apply(domain("kim", namespaces="sales"))
    if deleting:
        mesh.delete("Domain", "sales")
    driven = Driven(mesh).run(minutes=30)
    assert who(mesh, LAB) == (["kim"] if deleting and not inside else None)
    assert mesh.exists("Domain", "sales") is not (deleting and inside)
    mesh.delete("DataProduct", "trial", "lab" if inside else "sales")
    driven.run(minutes=30)
    assert not ours(mesh, "lab")
    assert mesh.exists("Domain", "sales") is not deleting


def test_whose_a_copy_is_cannot_be_told_while_it_cannot_be_read() -> None:
    mesh = Mesh().apply(domain("kim", namespaces="sales"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}).settle()
    found = mesh.get("RoleBinding", OWNERS.name, "sales")
    kept = {name: found["metadata"][name] for name in ("name", "labels", "annotations")}
    mesh.apply({**found, "metadata": {**kept, "namespace": "mine"}})
    mesh.cluster.unreadable.add("RoleBinding")
    mesh.delete("Domain", "sales")
    driven = Driven(mesh).run(minutes=5)
    assert mesh.exists("Domain", "sales")
    assert "RoleBinding mine/clouddatamesh-owners" in blocked(mesh)
    mesh.cluster.unreadable.clear()
    driven.run(minutes=6)
    assert not mesh.exists("Domain", "sales")
    assert who(mesh, Key("RoleBinding", "mine", OWNERS.name)) == ["kim"]
