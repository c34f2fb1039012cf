"""What a Domain sees around it: its namespaces and what is in them, its children, its rivals, and the domains above and below."""

from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.reconcile.children import Hidden
from clouddatamesh.reconcile.domain import gather
from clouddatamesh.reconcile.parse import parse
from tests.reconcile.test_domains import annotate
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

TWO: Final = [{"name": "sales"}, {"name": "lab"}]
SALES: Final = Key("Domain", "", "sales")


@cache
def _settled() -> Mesh:
    mesh = Mesh().apply(a_store(), a_domain(namespaces=TWO, resources={"quota": {"pods": "9"}}), a_domain("inventory")).settle()
    mesh.apply(a_product(), a_product("tests", "lab"), a_product("forecast", "inventory"))
    return mesh.apply(a_request(), a_request("own", "sales"), a_grant()).settle()


def a_mesh() -> Mesh:
    """Domain sales with namespaces sales and lab, Domain inventory, and products, requests and a grant in both."""
    return _settled().copy()


def around(mesh: Mesh, name: str = "sales") -> DomainWorld:
    return gather(parse(Domain, mesh.get("Domain", name)), Hidden(mesh.ports), is_close=False)


def test_what_is_in_its_namespaces_is_seen_and_nothing_else() -> None:
    world = around(a_mesh())
    assert set(world.namespaces) == {"sales", "lab"}
    assert set(world.products) == {Key("DataProduct", "sales", "orders"), Key("DataProduct", "lab", "tests")}
    assert set(world.access) == {Key("AccessRequest", "sales", "own"), Key("AccessGrant", "sales", "inventory-forecast")}


STRIPPED: Final = {"label_domain": None, "held_by": None}


@pytest.mark.parametrize(
    ("marks", "in_status", "expected"),
    [
        ({}, True, ["lab", "sales"]),
        ({}, False, ["lab", "sales"]),
        (STRIPPED, True, ["lab", "sales"]),
        (STRIPPED, False, ["lab", "sales"]),
        ({"held_by": "acme/inventory", "label_domain": "inventory"}, True, ["sales"]),
        ({"held_by": "acme/inventory", "label_domain": "inventory"}, False, ["sales"]),
    ],
    ids=["held", "held, not told", "stripped", "stripped, not told, but with a child of its own", "another's", "another's, not told"],
)
def test_a_namespace_is_its_own_by_its_mark_or_where_it_has_none_by_status(
    marks: dict[str, str | None], in_status: bool, expected: list[str]
) -> None:
    mesh = a_mesh()
    annotate(mesh, "lab", **marks)
    if not in_status:
        told = dict(mesh.get("Domain", "sales")["status"])
        kept = [seen for seen in told["namespaces"] if seen["name"] != "lab"]
        mesh.cluster.write_status(SALES, mesh.get("Domain", "sales")["metadata"]["uid"], {**told, "namespaces": kept})
    assert sorted(product.namespace for product in around(mesh).products) == expected


def test_namespaces_that_only_status_or_a_label_names_are_seen_and_those_that_do_not_exist_are_not() -> None:
    mesh = a_mesh().apply(a_domain(namespaces=[{"name": "sales"}, {"name": "nowhere"}]))
    assert set(around(mesh).namespaces) == {"sales", "lab"}
    labelled = {"name": "copy", "labels": {"clouddatamesh.dev/domain": "sales"}}
    mesh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": labelled})
    assert set(around(mesh).namespaces) == {"sales", "lab", "copy"}


def test_children_are_those_in_its_namespaces() -> None:
    mesh = a_mesh()
    children = {key_of(child) for child in around(mesh).children}
    assert {key.namespace for key in children} == {"sales", "lab"} and Key("ResourceQuota", "lab", "clouddatamesh") in children
    copied = mesh.get("ResourceQuota", "clouddatamesh", "sales")
    metadata = {**copied["metadata"], "namespace": "inventory", "name": "copy"}
    mesh.apply({**copied, "metadata": {name: value for name, value in metadata.items() if name in ("name", "namespace", "labels")}})
    assert {key_of(child) for child in around(mesh).children} == children


@pytest.mark.parametrize(
    ("name", "marked", "ours", "expected"),
    [
        ("clouddatamesh", False, True, True),
        ("clouddatamesh", True, True, False),
        ("clouddatamesh", False, False, False),
        ("theirs", False, True, False),
    ],
    ids=["lost its mark", "has its mark", "somebody else's", "of another name"],
)
def test_what_lost_its_mark_is_ours_where_the_api_server_says_that_we_made_it(name: str, marked: bool, ours: bool, expected: bool) -> None:
    mesh = a_mesh()
    quota = dict(mesh.get("ResourceQuota", "clouddatamesh", "sales"))
    mesh.cluster.user_delete(key_of(quota))
    kept = ("labels", "annotations") if marked else ("labels",)
    new = {**quota, "metadata": {"name": name, "namespace": "sales", **{part: quota["metadata"][part] for part in kept}}}
    (mesh.cluster.create if ours else mesh.cluster.user_apply)(new)
    uid = mesh.get("ResourceQuota", name, "sales")["metadata"]["uid"]
    assert around(mesh).witnessed == (frozenset({uid}) if expected else frozenset())


def test_what_cannot_be_read_live_proves_nothing() -> None:
    mesh = a_mesh()
    quota = dict(mesh.get("ResourceQuota", "clouddatamesh", "sales"))
    metadata = {name: value for name, value in quota["metadata"].items() if name != "annotations"}
    mesh.apply({**quota, "metadata": metadata})
    assert len(around(mesh).witnessed) == 1
    mesh.cluster.unreadable = {"ResourceQuota"}
    assert around(mesh).witnessed == frozenset()


@pytest.mark.parametrize(("days", "first"), [(-1, "zoo"), (0, "sales"), (1, "sales")], ids=["older", "of the same second", "younger"])
def test_of_two_domains_that_name_a_namespace_the_older_goes_first_then_the_name(days: int, first: str) -> None:
    mesh = a_mesh()
    mesh.clock.forward(days=days)
    mesh.apply(a_domain("zoo", namespaces=[{"name": "lab"}]))
    assert around(mesh).claims == {"sales": "sales", "lab": first}


def test_after_its_deletion_began_it_waits_for_nothing_that_came_later_and_holds_nothing() -> None:
    mesh = a_mesh()
    assert around(mesh).newcomers == frozenset()
    mesh.clock.forward(minutes=1)
    mesh.delete("Domain", "sales")
    mesh.clock.forward(minutes=1)
    mesh.apply(a_product("late"), a_request("late", "sales"), a_product("late", "inventory"), a_domain("late", parentRef={"name": "sales"}))
    world = around(mesh)
    assert world.newcomers == {Key("DataProduct", "sales", "late"), Key("AccessRequest", "sales", "late")}
    assert world.subdomains == ()


def test_subdomains_are_those_that_name_it_as_their_parent_itself_excepted() -> None:
    mesh = a_mesh().apply(a_domain("below", parentRef={"name": "sales"}), a_domain("again", parentRef={"name": "sales"}))
    mesh.apply(a_domain(namespaces=TWO, parentRef={"name": "sales"}))
    assert around(mesh).subdomains == ("again", "below")
    mesh.settle().clock.forward(minutes=1)
    assert around(mesh.delete("Domain", "sales")).subdomains == ("again", "below")


def parented(mesh: Mesh, **parents: str) -> Mesh:
    """Each of these domains names its parent."""
    for name, parent in parents.items():
        mesh.apply(a_domain(name, **{"parentRef": {"name": parent}, **({"namespaces": TWO} if name == "sales" else {})}))
    return mesh


@pytest.mark.parametrize(
    ("parents", "lineage", "missing"),
    [
        ({}, (), False),
        ({"sales": "inventory"}, ("inventory",), False),
        ({"sales": "nobody"}, ("nobody",), True),
        ({"sales": "inventory", "inventory": "nobody"}, ("inventory", "nobody"), False),
        ({"sales": "inventory", "inventory": "top", "top": "sales"}, ("inventory", "top", "sales"), False),
        ({"sales": "sales"}, ("sales",), False),
        ({"sales": "inventory", "inventory": "inventory"}, ("inventory",), False),
    ],
    ids=["none", "a parent", "not there", "its parent's is not there", "a cycle", "itself", "a cycle above it"],
)
def test_the_parents_upwards_each_once(parents: dict[str, str], lineage: tuple[str, ...], missing: bool) -> None:
    world = around(parented(a_mesh(), **parents))
    assert (world.lineage, world.parent_missing, world.parent_deleting) == (lineage, missing, False)


@pytest.mark.parametrize(("deleted", "expected"), [("inventory", True), ("top", False)])
def test_a_parent_that_is_being_deleted_is_told_and_no_one_above_it(deleted: str, expected: bool) -> None:
    mesh = parented(a_mesh(), sales="inventory", inventory="top", top="nobody")
    mesh.cluster.user_finalize(Key("Domain", "", deleted), "example.com/held")
    world = around(mesh.delete("Domain", deleted))
    assert (world.parent_deleting, world.parent_missing) == (expected, False)


def test_a_parent_without_a_spec_ends_the_line() -> None:
    mesh = parented(a_mesh(), sales="bare")
    bare: dict[str, Any] = a_domain("bare")
    mesh.apply({**bare, "spec": None})
    assert around(mesh).lineage == ("bare",)
