"""What becomes of a Domain's children where others change them: emptied, hidden from the cache, left in a namespace that is let go."""

from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

LIMITS: dict[str, Any] = {
    "quota": {"pods": "9"},
    "limitRange": {"default": {"cpu": "500m"}},
    "networkIsolation": {"mode": "Domain"},
}


def people(*names: str) -> list[dict[str, str]]:
    return [{"kind": "User", "name": name} for name in names]


def child(kind: str, name: str = "clouddatamesh", namespace: str = "sales") -> Key:
    return Key(kind, namespace, name)


OWNERS, VIEWERS = child("RoleBinding", "clouddatamesh-owners"), child("RoleBinding", "clouddatamesh-viewers")


def who(mesh: Mesh, key: Key = OWNERS) -> list[str] | None:
    """Who has the role of a binding, whether or not the cache shows it; None where there is none."""
    found = mesh.cluster.raw(key)
    return None if found is None else [subject["name"] for subject in found["subjects"]]


EMPTIED = [
    (child("ResourceQuota"), {"spec": {}}),
    (child("ResourceQuota"), {"spec": None}),
    (child("ResourceQuota"), {"spec": {"hard": None}}),
    (child("LimitRange"), {"spec": None}),
    (child("LimitRange"), {"spec": {"limits": None}}),
    (child("NetworkPolicy"), {"spec": None}),
    (child("NetworkPolicy"), {"spec": {"podSelector": {}, "ingress": None}}),
    (VIEWERS, {"subjects": None}),
]


@pytest.mark.parametrize(("key", "body"), EMPTIED, ids=str)
def test_a_child_that_somebody_emptied_is_repaired_and_keeps_nothing_else_waiting(key: Key, body: dict[str, Any]) -> None:
    access = {"owners": people("kim", "leaver"), "viewers": people("lee")}
    mesh = Mesh().apply(a_domain(resources=LIMITS, access=access)).settle()
    before = mesh.cluster.get(key)
    assert before is not None
    mesh.apply({**before, **body})
    mesh.apply(a_domain(resources=LIMITS, access={**access, "owners": people("kim")}))
    Driven(mesh).run(minutes=1)
    after = mesh.cluster.get(key)
    assert after is not None
    assert [after.get(part) for part in ("spec", "subjects")] == [before.get(part) for part in ("spec", "subjects")]
    assert who(mesh) == ["kim"]
    assert mesh.condition("Domain", "sales")["reason"] == "Ready"


LABEL, OWNER = "app.kubernetes.io/managed-by", "clouddatamesh.dev/owner"
HIDDEN: dict[str, dict[str, Any]] = {
    "label taken off": {"labels": {"clouddatamesh.dev/domain": "sales"}},
    "label overwritten": {"labels": {LABEL: "Helm", "clouddatamesh.dev/domain": "sales"}},
    "all labels gone": {"labels": {}},
}
TEAM: dict[str, Any] = {"owners": people("kim", "leaver"), "viewers": people("lee")}
how = pytest.mark.parametrize("how", HIDDEN)


def hide(mesh: Mesh, *keys: Key, how: str) -> None:
    """Somebody changes the labels by which children are watched."""
    for key in keys:
        found = mesh.cluster.raw(key)
        assert found is not None
        mesh.apply({**found, "metadata": {**found["metadata"], **HIDDEN[how]}})
        assert mesh.cluster.get(key) is None


def count_reads(mesh: Mesh) -> list[Key]:
    """The live reads from now on."""
    reads: list[Key] = []
    read = mesh.cluster.read

    def counted(key: Key) -> Any:
        reads.append(key)
        return read(key)

    mesh.cluster.read = counted  # type: ignore[method-assign]
    return reads


@how
@pytest.mark.parametrize("suspend", [False, True], ids=["away", "suspended"])
def test_whoever_leaves_the_team_loses_the_role_though_its_binding_lost_the_label(how: str, suspend: bool) -> None:
    """`away`: what happens while nobody leads is seen by a process that begins."""
    mesh = Mesh().apply(a_domain(access=TEAM, suspend=False)).settle()
    driven = Driven(mesh).run(minutes=1)
    if suspend:
        mesh.apply(a_domain(access=TEAM, suspend=True))
        driven.run(minutes=1)
    hide(mesh, OWNERS, VIEWERS, how=how)
    if suspend:
        driven.run(minutes=30)
    mesh.apply(a_domain(access={"owners": people("kim")}, suspend=suspend))
    (driven if suspend else driven.restart()).run(minutes=1)
    assert (who(mesh), who(mesh, VIEWERS)) == (["kim"], None)
    assert mesh.cluster.get(OWNERS) is not None, "it is watched again"
    assert mesh.condition("Domain", "sales")["status"] == "True"


@how
def test_a_domain_that_goes_leaves_no_right_that_lost_its_label(how: str) -> None:
    mesh = Mesh().apply(a_store(), a_domain(access=TEAM, resources=LIMITS)).settle().apply(a_product()).settle()
    driven = Driven(mesh).run(minutes=1)
    mesh.delete("Domain", "sales")
    driven.run(minutes=5)
    ours = [key for key in mesh.cluster.all_keys() if key.namespace == "sales" and key.name.startswith("clouddatamesh")]
    assert len(ours) == 6
    hide(mesh, *ours, how=how)
    mesh.apply(a_domain(access={"owners": people("kim"), "viewers": people("lee")}, resources=LIMITS))
    driven.run(minutes=1)
    assert who(mesh) == ["kim"], "also while it waits for its product"
    hide(mesh, *(key for key in ours if mesh.cluster.get(key)), how=how)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=15)
    assert not mesh.exists("Domain", "sales")
    assert not [key for key in ours if mesh.cluster.raw(key)]


@how
def test_a_namespace_that_is_let_go_keeps_nothing_that_lost_its_label(how: str) -> None:
    mesh = Mesh().apply(a_domain(access=TEAM, namespaces=[{"name": "sales"}, {"name": "lab"}])).settle()
    driven = Driven(mesh).run(minutes=1)
    lab = [key for key in mesh.cluster.all_keys() if key.namespace == "lab"]
    hide(mesh, *lab, how=how)
    mesh.apply(a_domain(access=TEAM, namespaces=[{"name": "sales"}]))
    driven.restart().run(minutes=1)
    assert not [key for key in lab if mesh.cluster.raw(key)]


def test_a_binding_that_lost_label_and_mark_is_ours_where_the_api_server_knows_who_made_it() -> None:
    mesh = Mesh().apply(a_domain(access=TEAM)).settle()
    bare: dict[str, Any] = {"labels": {}, "annotations": {}}
    mesh.apply({**mesh.get("RoleBinding", VIEWERS.name, "sales"), "metadata": {"name": VIEWERS.name, "namespace": "sales", **bare}})
    mesh.apply(a_domain(access={"owners": people("kim")}))
    Driven(mesh).run(minutes=1)
    assert who(mesh, VIEWERS) is None
    theirs = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": VIEWERS.name, "namespace": "sales"}}
    mesh.apply({**theirs, "subjects": people("lee"), "roleRef": {}}, a_domain(access={"owners": people("lee")})).settle()
    assert who(mesh, VIEWERS) == ["lee"], "of our name alone it is somebody else's"


@pytest.mark.parametrize("deleting", [False, True])
def test_nothing_is_let_go_or_called_ready_while_a_name_cannot_be_read(deleting: bool) -> None:
    mesh = Mesh().apply(a_domain(access=TEAM)).settle()
    hide(mesh, VIEWERS, how="label taken off")
    mesh.cluster.unreadable.add("RoleBinding")
    mesh.apply(a_domain(access={"owners": people("kim")}))
    if deleting:
        mesh.delete("Domain", "sales")
    driven = Driven(mesh).run(minutes=1)
    assert mesh.exists("Domain", "sales")
    assert "RoleBinding sales/clouddatamesh-" in mesh.condition("Domain", "sales")["message"]
    assert mesh.condition("Domain", "sales")["status"] == "False"
    assert who(mesh, OWNERS) == (None if deleting else ["kim"]), "what is seen is taken"
    assert "held-by" in str(mesh.get("Namespace", "sales")["metadata"])
    mesh.cluster.unreadable.clear()
    driven.run(minutes=6)
    assert who(mesh, VIEWERS) is None
    assert mesh.exists("Domain", "sales") is not deleting


def test_a_quiet_look_reads_nothing_live_but_for_one_in_an_hour() -> None:
    mesh = Mesh().apply(a_domain(access=TEAM)).settle()
    driven = Driven(mesh).run(hours=1)
    reads = count_reads(mesh)
    driven.run(hours=24)
    looks = len(reads) / len({*reads})
    assert 20 <= looks <= 30
    assert {(key.kind, key.name.removeprefix("clouddatamesh-")) for key in reads} == {
        ("RoleBinding", "engineers"),
        *((kind, "clouddatamesh") for kind in ("ResourceQuota", "LimitRange", "NetworkPolicy")),
    }


@pytest.mark.parametrize("leaves", ["the spec", "the platform team's list"])
@pytest.mark.parametrize("suspend", [False, True])
def test_an_additional_role_is_taken_away_though_its_binding_lost_the_label(leaves: str, suspend: bool) -> None:
    key = child("RoleBinding", "clouddatamesh-role-workloads")
    mesh = Mesh()
    mesh.settings = replace(mesh.settings, bindable_roles=("workloads",))
    mesh.apply(a_domain(access={**TEAM, "additionalRoles": [{"role": "workloads"}]})).settle()
    assert who(mesh, key) == ["kim", "leaver"]
    hide(mesh, key, how="label overwritten")
    if leaves == "the spec":
        mesh.apply(a_domain(access=TEAM, suspend=suspend))
    else:
        mesh.settings = replace(mesh.settings, bindable_roles=())
        mesh.apply(a_domain(access={**TEAM, "additionalRoles": [{"role": "workloads"}]}, suspend=suspend))
    Driven(mesh).run(minutes=1)
    assert who(mesh, key) is None
