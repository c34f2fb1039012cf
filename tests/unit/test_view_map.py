"""The mesh as one picture: what a reader may read makes areas and edges, and of the rest only the number is told."""

from typing import Any, Final

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.view.map import Edge, as_trees, show_map
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.tree import Node
from tests.support.manifests import a_domain, a_product, a_request

PORT: Final = {"name": "daily", "version": "1.0.0"}
ORDERS, FORECAST = Key("DataProduct", "sales", "orders"), Key("DataProduct", "inventory", "forecast")


def domain(name: str, *namespaces: str, **spec: Any) -> Manifest:
    return {**a_domain(name, **spec), "status": {"namespaces": [{"name": namespace} for namespace in namespaces]}}


def product(key: Key, consumers: int = 0) -> Manifest:
    return {**a_product(key.name, key.namespace), "status": {"outputPorts": [{**PORT, "consumers": consumers}]}}


def request(name: str, of: Key, consumer: dict[str, Any] | None = None, *, given: bool = True) -> Manifest:
    asked = {"dataProductRef": {"namespace": of.namespace, "name": of.name}, "outputPort": PORT}
    who = consumer or {"dataProductRef": {"name": "forecast"}}
    status = {"grantRef": {"namespace": of.namespace, "name": "yes"}} if given else {}
    return {**a_request(name, "inventory", **asked, consumer=who), "status": status}


def inbox(of: Key, *names: str) -> Manifest:
    entries = [
        {"namespace": "inventory", "name": name, "outputPort": "daily/1.0.0", "consumer": "DataProduct inventory/forecast"}
        for name in names
    ]
    return {"kind": "AccessInbox", "metadata": {"namespace": of.namespace, "name": of.name}, "status": {"consumers": entries}}


WORLD: Final = (domain("sales", "sales"), domain("stock", "inventory", parentRef={"name": "sales"}), product(ORDERS, 2), product(FORECAST))


def test_products_are_in_the_domain_of_their_namespace() -> None:
    found = show_map(Mesh.of([*WORLD, product(Key("DataProduct", "lab", "trial"))]))
    assert [(area.key and area.key.name, area.parent, [spot.key for spot in area.products]) for area in found.areas] == [
        ("sales", "", [ORDERS]),
        ("stock", "sales", [FORECAST]),
        (None, "", [Key("DataProduct", "lab", "trial")]),
    ]
    assert found.areas[2].title == "lab"


def test_a_domain_without_products_is_on_the_map() -> None:
    assert [area.title for area in show_map(Mesh.of([domain("empty", "empty")])).areas] == ["Empty"]


def test_inbox_and_request_tell_of_the_same_use_once() -> None:
    edge = Edge(ORDERS, FORECAST, ("daily/1.0.0",))
    for told in ([inbox(ORDERS, "one")], [request("one", ORDERS)], [inbox(ORDERS, "one"), request("one", ORDERS)]):
        found = show_map(Mesh.of([*WORLD, *told]))
        assert found.edges == (edge,)
        assert found.areas[0].products[0].unseen == 1
    assert show_map(Mesh.of([*WORLD, inbox(ORDERS, "one", "two")])).areas[0].products[0].unseen == 0


def test_what_is_only_requested_is_no_edge() -> None:
    assert show_map(Mesh.of([*WORLD, request("one", ORDERS, given=False)])).edges == ()


def test_of_a_hidden_use_only_the_number_is_told() -> None:
    _, stock = WORLD[:2]
    trees = tuple(as_trees(show_map(Mesh.of([stock, *WORLD[2:]]))))
    assert trees[1] == Node("Namespace", "sales", children=(trees[1].children[0],))
    assert trees[1].children[0].children == (Node("used by", "2 more", note="in no inbox or request that you can see here"),)


def test_of_one_namespace_it_shows_what_it_offers_and_what_it_uses() -> None:
    other = Key("DataProduct", "sales", "returns")
    uses = (request("one", ORDERS), request("two", other, {"serviceAccountRef": {"name": "etl"}}))
    found = show_map(Mesh.of([*WORLD, *uses]), "inventory")
    assert [area.title for area in found.areas] == ["Stock"]
    assert found.edges == (
        Edge(ORDERS, FORECAST, ("daily/1.0.0",)),
        Edge(other, Key("ServiceAccount", "inventory", "etl"), ("daily/1.0.0",)),
    )
    outside = [tree for tree in as_trees(found) if tree.kind == "DataProduct"]
    assert [(tree.name, tree.children[0].name) for tree in outside] == [
        ("sales/orders", "inventory/forecast"),
        ("sales/returns", "ServiceAccount inventory/etl"),
    ]


def test_what_is_no_object_as_it_should_be_is_no_fault_of_the_map() -> None:
    odd = {"kind": "AccessInbox", "metadata": {"namespace": "sales", "name": "orders"}, "status": {"consumers": ["x", {}, {"consumer": 3}]}}
    broken = {"kind": "AccessRequest", "metadata": {"namespace": "x", "name": "y"}, "spec": None, "status": {"grantRef": {"name": "z"}}}
    list(as_trees(show_map(Mesh.of([*WORLD, odd, broken]))))
