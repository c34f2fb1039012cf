"""Domains over the fakes: namespaces that leave and come back, children that are copied or stripped."""

from typing import Any

import pytest

from clouddatamesh.errors import Terminal
from clouddatamesh.model.objects import Key
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

LABEL, HELD, RELEASED, CONSENT = (f"clouddatamesh.dev/{name}" for name in ("domain", "held-by", "released-by", "adopt-by"))
TWO = [{"name": "sales"}, {"name": "sales-lab"}]
OWNERS = Key("RoleBinding", "sales", "clouddatamesh-owners")


def metadata_of(mesh: Mesh, name: str) -> dict[str, Any]:
    return dict((mesh.cluster.raw(Key("Namespace", "", name)) or {})["metadata"])


def annotate(mesh: Mesh, name: str, **annotations: str | None) -> None:
    """Somebody writes labels (`label_…`) or annotations of our group; None removes one."""
    found = mesh.cluster.raw(Key("Namespace", "", name)) or {}
    metadata = dict(found["metadata"])
    for given, value in annotations.items():
        part = "labels" if given.startswith("label_") else "annotations"
        key = f"clouddatamesh.dev/{given.removeprefix('label_').replace('_', '-')}"
        metadata[part] = {name: one for name, one in {**(metadata.get(part) or {}), key: value}.items() if one is not None}
    mesh.cluster.user_apply({**found, "metadata": metadata})


def events(mesh: Mesh, name: str = "sales") -> list[str]:
    return [event.reason for key, event in mesh.cluster.events if key == Key("Domain", "", name)]


def is_ready(mesh: Mesh, name: str = "sales") -> bool:
    return mesh.condition("Domain", name).get("status") == "True"


def names_of(mesh: Mesh) -> list[str]:
    return [found["name"] for found in mesh.get("Domain", "sales")["status"]["namespaces"]]


def bindings(mesh: Mesh, namespace: str) -> list[str]:
    return [key.name for key in mesh.cluster.all_keys() if key.kind == "RoleBinding" and key.namespace == namespace]


def test_a_domain_that_is_made_again_takes_its_namespaces_back() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle().delete("Domain", "sales").settle()
    assert [bindings(mesh, name) for name in ("sales", "sales-lab")] == [[], []]
    assert metadata_of(mesh, "sales-lab")["annotations"] == {RELEASED: "acme/sales"}
    assert metadata_of(mesh, "sales-lab")["labels"] == {}
    mesh.apply(a_domain(namespaces=TWO)).settle()
    assert is_ready(mesh)
    assert metadata_of(mesh, "sales-lab")["annotations"] == {HELD: "acme/sales"}
    assert [found["adopted"] for found in mesh.get("Domain", "sales")["status"]["namespaces"]] == [False, False]
    assert events(mesh).count("TakenBack") == events(mesh).count("NamespaceReleased") == 2
    mesh.delete("Domain", "sales").settle().apply(a_domain(namespaces=TWO)).settle()
    assert is_ready(mesh), "as often as one likes"


def test_an_entry_that_is_removed_is_told_shown_and_comes_back() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle().apply(a_domain(namespaces=TWO[:1])).settle()
    assert names_of(mesh) == ["sales"]
    assert mesh.get("Domain", "sales")["status"]["releasedNamespaces"] == ["sales-lab"]
    assert "NamespaceReleased" in events(mesh)
    mesh.apply(a_domain(namespaces=TWO)).settle()
    assert names_of(mesh) == ["sales", "sales-lab"]
    assert "releasedNamespaces" not in mesh.get("Domain", "sales")["status"]


def test_what_was_forgotten_does_not_come_back() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle().apply(a_domain(namespaces=TWO[:1])).settle()
    annotate(mesh, "sales-lab", released_by=None)
    mesh.settle()
    assert "releasedNamespaces" not in mesh.get("Domain", "sales")["status"]
    mesh.apply(a_domain(namespaces=TWO)).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "ConsentMissing"


def test_what_one_domain_released_is_not_anothers() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle().apply(a_domain(namespaces=TWO[:1])).settle()
    mesh.apply(a_domain("inventory", namespaces=[{"name": "inventory"}, {"name": "sales-lab"}])).settle()
    assert mesh.condition("Domain", "inventory")["reason"] == "ConsentMissing"
    assert bindings(mesh, "sales-lab") == []


def test_an_adopted_namespace_comes_back_by_its_consent_alone() -> None:
    mesh = Mesh().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales", "annotations": {CONSENT: "sales"}}})
    adopting = a_domain(namespaceAdoption="IfConsented")
    mesh.apply(adopting).settle().delete("Domain", "sales").settle()
    assert metadata_of(mesh, "sales")["annotations"] == {CONSENT: "sales"}
    mesh.apply(adopting).settle()
    assert is_ready(mesh)
    assert events(mesh).count("Adopted") == 2
    annotate(mesh, "sales", adopt_by=None)
    assert is_ready(mesh.settle()), "it is the domain's, whatever becomes of the consent"
    mesh.delete("Domain", "sales").settle().apply(adopting).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "ConsentMissing"


STRIPPED = (
    {"label_domain": None},
    {"held_by": None},
    {"label_domain": None, "held_by": None},
    {"label_domain": "inventory"},
    {"label_domain": ""},
)


@pytest.mark.parametrize("change", STRIPPED, ids=str)
def test_label_and_mark_are_restored_whoever_removed_them(change: dict[str, str | None]) -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_domain("inventory"), a_product()).settle()
    before = metadata_of(mesh, "sales")
    annotate(mesh, "sales", **change)
    mesh.settle()
    after = metadata_of(mesh, "sales")
    assert (after["labels"], after["annotations"]) == (before["labels"], before["annotations"])
    assert is_ready(mesh)
    assert is_ready(mesh, "inventory")
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_where_the_guard_refuses_the_repair_the_message_says_what_to_do() -> None:
    mesh = Mesh().apply(a_domain()).settle()
    annotate(mesh, "sales", label_domain=None, held_by=None)

    quietly = mesh.cluster.before_write

    def refuse(verb: str, key: Key) -> None:
        if verb != "label":
            quietly(verb, key)
        else:
            why = "ValidatingAdmissionPolicy 'clouddatamesh-operator-guard-namespaces' denied request"
            raise Terminal("AdmissionRefused", f"Updating {key} failed: {why}")

    mesh.cluster.before_write = refuse
    mesh.settle()
    found = mesh.condition("Domain", "sales")
    assert found["reason"] == "ConsentMissing"
    assert "annotate it clouddatamesh.dev/adopt-by=sales" in found["message"]
    assert names_of(mesh) == ["sales"], "what is the domain's stays known"
    assert mesh.condition("Domain", "sales", type_="NamespacesReady")["status"] == "False"
    mesh.cluster.before_write = quietly
    annotate(mesh, "sales", adopt_by="sales")
    assert is_ready(mesh.settle())


def test_a_domain_that_goes_while_its_label_is_gone_leaves_no_rights() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle()
    annotate(mesh, "sales-lab", label_domain=None)
    annotate(mesh, "sales", label_domain=None, held_by=None)
    mesh.delete("Domain", "sales").settle()
    assert not mesh.exists("Domain", "sales")
    assert [bindings(mesh, name) for name in ("sales", "sales-lab")] == [[], []]


def test_a_domain_waits_for_products_whatever_label_their_namespace_carries() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_product()).settle()
    annotate(mesh, "sales", label_domain=None, held_by=None)
    mesh.delete("Domain", "sales").settle()
    assert "DataProduct sales/orders" in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]
    assert "clouddatamesh-operator" in bindings(mesh, "sales")


def test_who_has_a_namespace_keeps_it_though_an_older_domain_names_it() -> None:
    """As after a restore, which makes Domains in any order."""
    mesh = Mesh().apply(a_domain()).settle()
    mesh.clock.time = mesh.clock.time.replace(year=2025)
    mesh.apply(a_domain("early", namespaces=[{"name": "early"}, {"name": "sales"}])).settle()
    assert is_ready(mesh)
    assert "belongs to Domain sales" in mesh.condition("Domain", "early")["message"]


def copy_of(mesh: Mesh, key: Key, **metadata: Any) -> dict[str, Any]:
    """What a team makes of one of our objects: labels and annotations are copied along."""
    found = mesh.cluster.raw(key) or {}
    kept = {name: found["metadata"][name] for name in ("name", "namespace", "labels", "annotations")}
    return {**{name: value for name, value in found.items() if name != "status"}, "metadata": {**kept, **metadata}}


LIMITED = a_domain(resources={"quota": {"pods": "9"}, "networkIsolation": {"mode": "Domain"}})
COPIES = [OWNERS, Key("NetworkPolicy", "sales", "clouddatamesh"), Key("ResourceQuota", "sales", "clouddatamesh")]


@pytest.mark.parametrize("key", COPIES, ids=str)
@pytest.mark.parametrize("annotations", [{}, None], ids=["labels alone", "with the mark"])
def test_copies_of_ours_are_left_alone(key: Key, annotations: dict[str, str] | None) -> None:
    mesh = Mesh().apply(LIMITED).settle()
    named = copy_of(mesh, key, name="theirs", **({} if annotations is None else {"annotations": annotations}))
    mesh.apply(named).settle()
    theirs = Key(key.kind, "sales", "theirs")
    before = mesh.cluster.raw(theirs)
    assert before is not None
    mesh.apply(a_domain(resources={})).settle()
    mesh.delete("Domain", "sales").settle()
    assert mesh.cluster.raw(theirs) == before
    assert not mesh.exists("Domain", "sales")


@pytest.mark.parametrize("key", COPIES[1:], ids=str)
def test_what_takes_our_name_with_our_labels_alone_is_somebody_elses(key: Key) -> None:
    mesh = Mesh().apply(LIMITED).settle()
    theirs = copy_of(mesh, key, annotations={})
    mesh.apply(a_domain()).settle().apply(theirs).settle()
    before = mesh.cluster.raw(key)
    assert before is not None, "it is no surplus of ours"
    mesh.apply(LIMITED).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "NotOwned"
    assert mesh.cluster.raw(key) == before
    mesh.cluster.user_delete(key)
    assert is_ready(mesh.settle())


def test_a_child_that_lost_its_mark_gets_it_back_as_the_api_server_knows_who_made_it() -> None:
    mesh = Mesh().apply(LIMITED).settle()
    for key in (OWNERS, *COPIES[1:]):
        mesh.apply(copy_of(mesh, key, annotations={}))
    mesh.settle()
    assert is_ready(mesh)
    for key in (OWNERS, *COPIES[1:]):
        assert (mesh.cluster.raw(key) or {})["metadata"]["annotations"]["clouddatamesh.dev/owner"].startswith("Domain//sales/")


def test_children_of_the_domains_former_self_are_its_own() -> None:
    """A backup restores them with the mark of the Domain that was."""
    mesh = Mesh().apply(LIMITED).settle()
    former = {"clouddatamesh.dev/owner": "Domain//sales/uid-of-before"}
    for key in COPIES:
        mesh.apply(copy_of(mesh, key, annotations=former))
    mesh.settle()
    assert is_ready(mesh)
    owner = f"Domain//sales/{mesh.get('Domain', 'sales')['metadata']['uid']}"
    assert {(mesh.cluster.raw(key) or {})["metadata"]["annotations"]["clouddatamesh.dev/owner"] for key in COPIES} == {owner}


def test_a_copy_in_a_namespace_of_somebody_else_is_left_alone_and_blocks_nothing() -> None:
    """Name, labels and mark and all: it is in no namespace that the domain ever had."""
    mesh = Mesh().apply(a_store(), LIMITED, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}).settle()
    copies = [copy_of(mesh, key, namespace="mine") for key in COPIES]
    mesh.apply(*copies, a_product("mine", "mine")).settle()
    before = [mesh.cluster.raw(Key(key.kind, "mine", key.name)) for key in COPIES]
    mesh.apply(a_domain(resources={})).settle().delete("Domain", "sales").settle()
    assert not mesh.exists("Domain", "sales")
    assert [mesh.cluster.raw(Key(key.kind, "mine", key.name)) for key in COPIES] == before


def test_what_an_administrator_hands_to_another_domain_keeps_no_rights_of_the_former() -> None:
    mesh = Mesh().apply(a_domain(namespaces=TWO)).settle()
    mesh.clock.forward(seconds=1)
    mesh.apply(a_domain("inventory", namespaces=[{"name": "inventory"}, {"name": "sales-lab"}])).settle()
    assert "belongs to Domain sales" in mesh.condition("Domain", "inventory")["message"]
    annotate(mesh, "sales-lab", label_domain="inventory", held_by="acme/inventory")
    mesh.settle()
    assert is_ready(mesh, "inventory")
    assert "belongs to Domain inventory" in mesh.condition("Domain", "sales")["message"]
    binding = mesh.cluster.raw(Key("RoleBinding", "sales-lab", "clouddatamesh-owners")) or {}
    assert [subject["name"] for subject in binding["subjects"]] == ["inventory-owners"]
    mesh.apply(a_domain()).settle()
    assert is_ready(mesh)
    assert is_ready(mesh, "inventory")
