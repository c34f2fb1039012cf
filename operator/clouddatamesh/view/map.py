"""The mesh as one picture: Domains with their products, and who uses which product by access in effect."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.consumers import has_access
from clouddatamesh.plan.access.facts import asked_product, consumer_key
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import named, title_of
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.raw import entries, text, value
from clouddatamesh.view.tree import Node


@dataclass(frozen=True)
class Spot:
    """A product. `unseen` is how many of its consumers are on no edge: they are in no inbox and no request that was read."""

    key: Key
    title: str
    lifecycle: str
    health: Health
    unseen: int


@dataclass(frozen=True)
class Area:
    """A Domain and its products. `key` and `health` are None for a namespace whose Domain the reader may not read, or that has none."""

    key: Key | None
    title: str
    parent: str
    """The name of the Domain that it is a part of; empty if there is none."""
    health: Health | None
    products: tuple[Spot, ...]


@dataclass(frozen=True)
class Edge:
    """`consumer`, a product or a ServiceAccount, uses these ports (`name/version`) of a product."""

    product: Key
    consumer: Key
    ports: tuple[str, ...]


@dataclass(frozen=True)
class Map:
    """Areas by name, those without a Domain last; edges by product and consumer. An edge may name a product that is in no area."""

    areas: tuple[Area, ...]
    edges: tuple[Edge, ...]


def show_map(mesh: Mesh, namespace: str = "") -> Map:
    """The picture of what was read; with a namespace only its Domain, what it offers and what it uses."""
    uses = _uses(mesh, namespace)
    seen = Counter(use.product for use in uses.values())
    places: dict[tuple[bool, str], list[Spot]] = {}
    for domain in () if namespace else mesh.all("Domain"):
        places[False, domain["metadata"]["name"]] = []
    for product in mesh.all("DataProduct", namespace):
        home = mesh.domain_of(product["metadata"]["namespace"])
        place = (False, home["metadata"]["name"]) if home else (True, product["metadata"]["namespace"])
        places.setdefault(place, []).append(_spot(product, seen[key_of(product)]))
    areas = (_area(None if where[0] else mesh.get("Domain", "", where[1]), where[1], places[where]) for where in sorted(places))
    return Map(tuple(areas), tuple(_edges(uses)))


def _area(domain: Manifest | None, name: str, products: Sequence[Spot]) -> Area:
    if domain is None:
        return Area(None, name, "", None, tuple(products))
    return Area(key_of(domain), title_of(domain), text(domain, "spec", "parentRef", "name"), health_of(domain), tuple(products))


def _spot(product: Manifest, seen: int) -> Spot:
    told = sum(port.consumers for port in ports_of(product))
    return Spot(key_of(product), title_of(product), text(product, "spec", "lifecycle"), health_of(product), max(told - seen, 0))


@dataclass(frozen=True)
class _Use:
    """What one request in effect says."""

    product: Key
    consumer: Key
    port: str


def _uses(mesh: Mesh, namespace: str) -> Mapping[Key, _Use]:
    """By the request: what the inboxes and the requests that the reader may read say, which is the same."""
    found: dict[Key, _Use] = {}
    for inbox in mesh.all("AccessInbox", namespace):
        product = Key("DataProduct", *(inbox["metadata"][part] for part in ("namespace", "name")))
        for entry in entries(inbox, "status", "consumers"):
            request = Key("AccessRequest", text(entry, "namespace"), text(entry, "name"))
            found[request] = _Use(product, _consumer(text(entry, "consumer"), request), text(entry, "outputPort"))
    for request_ in filter(has_access, mesh.all("AccessRequest", namespace)):
        found[key_of(request_)] = _Use(
            asked_product(request_), consumer_key(request_), "/".join(named(value(request_, "spec", "outputPort")))
        )
    return found


def _consumer(told: str, request: Key) -> Key:
    """Of an inbox's `DataProduct inventory/forecast`: who uses the access is always in the namespace of the request."""
    kind, _, place = told.partition(" ")
    return Key(kind, request.namespace, place.rpartition("/")[2])


def _edges(uses: Mapping[Key, _Use]) -> Iterator[Edge]:
    ports: dict[tuple[Key, Key], set[str]] = {}
    for use in uses.values():
        ports.setdefault((use.product, use.consumer), set()).add(use.port)
    for (product, consumer), used in sorted(ports.items()):
        yield Edge(product, consumer, tuple(sorted(used)))


def as_trees(found: Map) -> Iterator[Node]:
    """A tree for each Domain: its products, and below each who uses it. Products that are in none, as they cannot be read, come last."""
    users: dict[Key, list[Node]] = {}
    for edge in found.edges:
        users.setdefault(edge.product, []).append(Node("used by", _written(edge.consumer), note=", ".join(edge.ports)))
    for area in found.areas:
        products = tuple(_product(spot, users.pop(spot.key, [])) for spot in area.products)
        note = f"part of {area.parent}" if area.parent else ""
        yield Node("Domain", area.key.name, area.health, note, products) if area.key else Node("Namespace", area.title, children=products)
    for key, nodes in users.items():
        yield Node(key.kind, f"{key.namespace}/{key.name}", note="outside of this picture", children=tuple(nodes))


def _product(spot: Spot, users: list[Node]) -> Node:
    more = (Node("used by", f"{spot.unseen} more", note="in no inbox or request that you can see here"),) if spot.unseen else ()
    return Node("DataProduct", f"{spot.key.namespace}/{spot.key.name}", spot.health, spot.lifecycle, (*users, *more))


def _written(consumer: Key) -> str:
    place = f"{consumer.namespace}/{consumer.name}"
    return place if consumer.kind == "DataProduct" else f"{consumer.kind} {place}"
