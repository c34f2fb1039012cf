"""An export holds nothing of what its reader may not read: not a name, a text, a number or a line of lineage.

A mesh is drawn, and every object of it carries marks that are found nowhere else. Five readers see a part of it. What they do not see, and
what a seen object says of an unseen one, leaves no mark in any format.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from tests.support.exports import WRITERS, Told, an_inbox, as_text, export, reads, ready_domain, stored
from tests.support.manifests import a_grant, a_request, a_store

SPACES: Final = ("sales", "inventory", "customer")
NUMBER: Final = 918273
"""A number that no text has: counts are of objects that a reader may not see."""
Objects = tuple[Mapping[str, Any], ...]


def mark(kind: str, namespace: str, index: int) -> str:
    """A word that is found only in what is about one object, and can be a name of Kubernetes."""
    return f"zq{kind}{namespace}{index}qz"


@dataclass(frozen=True)
class Drawn:
    """A mesh. `edges` are pairs of products by their place in `products`."""

    products: tuple[tuple[str, int, str], ...]
    edges: tuple[tuple[int, int], ...]

    def name(self, place: int) -> tuple[str, str]:
        namespace, index, _ = self.products[place]
        return namespace, mark("p", namespace, index)

    def objects(self) -> Objects:
        return (
            *(a_domain_of(namespace) for namespace in SPACES),
            *(self.product(place) for place in range(len(self.products))),
            *(self.inbox(place) for place in range(len(self.products))),
            *(self.request(reader, source) for reader, source in self.edges),
            a_store("zqstoreqz"),
        )

    def product(self, place: int) -> dict[str, Any]:
        namespace, name = self.name(place)
        said = f"{name} zqtextqz"
        inputs = [reads(*self.name(source)) for reader, source in self.edges if reader == place]
        product = stored(
            name,
            namespace,
            lifecycle=self.products[place][2],
            displayName=said,
            description={"purpose": said},
            owner={"name": "Zqpersonqz", "email": "zqpersonqz@example.com"},
            inputPorts=list({entry["name"]: entry for entry in inputs}.values()),
        )
        status = product["status"]
        status["pendingRequestCount"] = NUMBER
        status["outputPorts"][0]["consumers"] = NUMBER
        blocked = " and ".join(self.name(source)[1] for _, source in self.edges)
        status["conditions"] = [{"type": "DeletionBlocked", "status": "True", "reason": "InUse", "message": f"Used by {blocked}"}]
        status["inputPorts"] = [{"name": entry["name"], "satisfied": False, "message": f"Ask {blocked}"} for entry in inputs]
        return product

    def inbox(self, place: int) -> dict[str, Any]:
        namespace, name = self.name(place)
        readers = [self.name(reader) for reader, source in self.edges if source == place]
        consumers = [{"consumer": f"DataProduct {space}/{reader}", "purpose": f"zqpurposeqz {reader}"} for space, reader in readers]
        nodes = [
            {"namespace": self.name(other)[0], "name": f"{self.name(other)[1]}lineage", "distance": 1}
            for other in range(len(self.products))
        ]
        pending = [
            {"namespace": space, "name": f"{reader}pending", "purpose": "zqpurposeqz", "consumer": f"DataProduct {space}/{reader}pending"}
            for space, reader in readers
        ]
        return an_inbox(
            name, namespace, *consumers, pending=pending, consumerCount=NUMBER, lineage={"upstream": nodes, "downstream": nodes}
        )

    def request(self, reader: int, source: int) -> dict[str, Any]:
        namespace, name = self.name(reader)
        target, wanted = self.name(source)
        return a_request(f"{name}request", namespace, dataProductRef={"namespace": target, "name": wanted}, purpose="zqpurposeqz")


def a_domain_of(namespace: str) -> dict[str, Any]:
    domain = ready_domain(
        mark("d", namespace, 0),
        (namespace,),
        displayName=f"{mark('d', namespace, 0)} zqtextqz",
        stakeholders=[{"name": "Zqpersonqz", "email": "zqpersonqz@example.com"}],
        team={"name": mark("t", namespace, 0), "members": [{"username": "zqpersonqz", "name": "Zqpersonqz"}]},
        access={"owners": [{"kind": "User", "name": "zqpersonqz"}], "engineers": [{"kind": "Group", "name": "zqengineersqz"}]},
        parentRef={"name": mark("d", "parent", 0)},
    )
    domain["status"]["dataProducts"] = NUMBER
    return domain


@st.composite
def meshes(draw: st.DrawFn) -> Drawn:
    count = draw(st.integers(2, 6))
    stages = st.sampled_from(("draft", "active", "deprecated", "proposed", "retired"))
    products = tuple((draw(st.sampled_from(SPACES)), index, draw(stages)) for index in range(count))
    edge = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    return Drawn(products, tuple(draw(st.lists(edge, max_size=8, unique=True))))


def of_one_product(objects: Objects, *kinds: str) -> tuple[Objects, frozenset[tuple[str, str]]]:
    product = next(one for one in objects if one["kind"] == "DataProduct")
    namespace, name = product["metadata"]["namespace"], product["metadata"]["name"]
    mine = {("DataProduct", name), ("AccessInbox", name), ("Domain", mark("d", namespace, 0))}
    seen = tuple(one for one in objects if one["kind"] in ("DataProduct", *kinds) and (one["kind"], one["metadata"]["name"]) in mine)
    return seen, frozenset((kind, "") for kind in ("DataProduct", "Domain", "AccessInbox", "AccessRequest", "ObjectStore"))


def of_one_namespace(objects: Objects) -> tuple[Objects, frozenset[tuple[str, str]]]:
    home = next(one for one in objects if one["kind"] == "DataProduct")["metadata"]["namespace"]
    seen = tuple(one for one in objects if one["metadata"].get("namespace", home) == home and one["kind"] not in ("Domain", "ObjectStore"))
    return seen, frozenset((kind, space) for kind in ("DataProduct", "AccessInbox") for space in SPACES if space != home)


READERS: Final[Mapping[str, Callable[[Objects], tuple[Objects, frozenset[tuple[str, str]]]]]] = {
    "one product": of_one_product,
    "one product and its Domain": lambda objects: of_one_product(objects, "Domain"),
    "one product, its Domain and its inbox": lambda objects: of_one_product(objects, "Domain", "AccessInbox"),
    "one namespace, the others refused": of_one_namespace,
    "everything": lambda objects: (objects, frozenset()),
}


def names_of(objects: Iterable[Manifest]) -> set[str]:
    """The mark of each object; of a product and its inbox it is the same."""
    return {key_of(one).name for one in objects}


def told_by_inboxes(seen: Objects) -> set[str]:
    """Products that a seen inbox names as consumers: its reader may know them, and only by name."""
    listed = (entry for one in seen if one["kind"] == "AccessInbox" for entry in one["status"]["consumers"])
    return {entry["consumer"].rpartition("/")[2] for entry in listed}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=meshes())
def test_nothing_of_what_is_hidden_is_exported(name: str, reader: str, drawn: Drawn) -> None:
    objects = drawn.objects()
    seen, refused = READERS[reader](objects)
    document = export(name, Mesh.of(seen, refused=refused), Told("Catalogue"))
    said = as_text(document).casefold()
    known = names_of(seen) | (told_by_inboxes(seen) if name == "backstage" else set())
    assert [hidden for hidden in names_of(objects) - known if hidden in said] == []
    if not any(one["kind"] == "Domain" for one in seen):
        assert [space for space in SPACES if mark("t", space, 0) in said] == []


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=meshes())
def test_no_person_purpose_number_or_pending_request_is_exported(name: str, reader: str, drawn: Drawn) -> None:
    seen, refused = READERS[reader](drawn.objects())
    said = as_text(export(name, Mesh.of(seen, refused=refused), Told("Catalogue"))).casefold()
    marks = ("zqpersonqz", "zqpurposeqz", "zqengineersqz", str(NUMBER), "qzpending", "qzlineage", "zqstoreqz", "qzrequest", "inuse")
    assert [one for one in marks if one in said] == []


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=meshes())
def test_names_of_refused_places_and_of_unread_parents_are_not_exported(name: str, reader: str, drawn: Drawn) -> None:
    seen, _ = READERS[reader](drawn.objects())
    refused = [("DataProduct", "zqrefusedqz"), ("AccessInbox", "zqrefusedqz")]
    plain, told = (as_text(export(name, Mesh.of(seen, refused=places), Told("Catalogue"))) for places in ((), refused))
    assert plain == told
    assert mark("d", "parent", 0) not in plain


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_seen_is_exported(name: str) -> None:
    """The marks are found where they are allowed: a test that looks for what is never written finds nothing."""
    drawn = Drawn((("sales", 0, "active"), ("inventory", 1, "active")), ((0, 1),))
    said = as_text(export(name, drawn.objects()))
    assert {one for one in (*drawn.name(0), *drawn.name(1)) if one not in said} == set()
    assert mark("t", "sales", 0) in said


def test_an_inbox_tells_its_reader_who_reads() -> None:
    drawn = Drawn((("sales", 0, "active"), ("inventory", 1, "active")), ((1, 0),))
    seen, refused = READERS["one product, its Domain and its inbox"](drawn.objects())
    assert drawn.name(1)[1] in as_text(export("backstage", Mesh.of(seen, refused=refused)))
    blind, refused = READERS["one product and its Domain"](drawn.objects())
    assert drawn.name(1)[1] not in as_text(export("backstage", Mesh.of(blind, refused=refused)))


def test_grants_and_their_notes_are_in_no_format() -> None:
    grant = a_grant("zqgrantqz", "sales", note="zqnoteqz")
    for name in WRITERS:
        said = as_text(export(name, [stored(), grant, a_request("zqrequestqz", "sales")]))
        assert not [one for one in ("zqgrantqz", "zqnoteqz", "zqrequestqz", "weekly stock forecast") if one in said]
