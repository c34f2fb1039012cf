"""A store that is given up: whom it still waits for, and what it tells that the others leave in it."""

from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import granted
from tests.reconcile.flows import ready
from tests.support.manifests import a_product, a_store, annotated
from tests.support.mesh import Mesh

STORE: Final = Key("ObjectStore", "", "main")
PRODUCT: Final = Key("DataProduct", "sales", "orders")


@cache
def _settled() -> Mesh:
    return ready(Mesh()).settle()


@cache
def _granted() -> Mesh:
    return granted(Mesh())


def given_up(mesh: Mesh) -> Mesh:
    """The platform team lets the store go with what is in it; nobody but the store itself has looked since."""
    return mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")


def tell(mesh: Mesh, key: Key = PRODUCT, **facts: Any) -> Mesh:
    """A product's status says this; None takes a field out."""
    found = mesh.get(key.kind, key.name, key.namespace)
    told = {**found["status"], **facts}
    mesh.cluster.write_status(key, found["metadata"]["uid"], {name: value for name, value in told.items() if value is not None})
    return mesh


def outcome(mesh: Mesh) -> tuple[str, list[str]]:
    """For whom the store waits, and what it told when it went."""
    reconcile(STORE, mesh.ports)
    waits = mesh.condition("ObjectStore", "main", type_="DeletionBlocked").get("message", "") if mesh.exists("ObjectStore", "main") else ""
    return waits, [event.note for key, event in mesh.cluster.events if key == STORE and event.reason == "Abandoned"]


BUCKET: Final = {"bucket": "acme-orders", "phase": "Owned"}
USER: Final = {"principal": "sales-orders-x"}
LEFT: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "took note of it": (
        {"storage": {**BUCKET, "abandoned": True}, "producer": USER},
        "DataProduct sales/orders: bucket acme-orders, principal sales-orders-x",
    ),
    "took note of it, without a user": (
        {"storage": {**BUCKET, "abandoned": True}, "producer": None},
        "DataProduct sales/orders: bucket acme-orders",
    ),
    "has nothing there": ({"storage": None, "producer": None}, "DataProduct sales/orders: nothing"),
    "has a user alone": ({"storage": None, "producer": USER}, "DataProduct sales/orders: principal sales-orders-x"),
}


@pytest.mark.parametrize("what", LEFT)
def test_a_product_that_takes_no_more_note_of_it_is_told_with_what_it_leaves(what: str) -> None:
    facts, told = LEFT[what]
    mesh = given_up(tell(_settled().copy(), **facts))
    assert outcome(mesh) == ("", [f"Left in the store: {told}"])
    assert not mesh.exists("ObjectStore", "main")


@pytest.mark.parametrize(
    ("storage", "deleted"),
    [(BUCKET, False), ({**BUCKET, "abandoned": False}, False), ({**BUCKET, "abandoned": True}, True), (None, True)],
    ids=["not noted", "said that it is not", "noted, and being deleted", "nothing there, and being deleted"],
)
def test_a_product_that_has_to_take_note_or_goes_by_itself_is_waited_for(storage: dict[str, Any] | None, deleted: bool) -> None:
    mesh = given_up(tell(_settled().copy(), storage=storage))
    if deleted:
        mesh.delete("DataProduct", "orders", "sales")
    waits, told = outcome(mesh)
    assert waits == "1 objects are being released from the store, the first: DataProduct sales/orders" and told == []


def test_a_product_that_cannot_be_read_takes_note_of_nothing_and_holds_up_nobody() -> None:
    mesh = _settled().copy().apply(a_product(displayName=5))
    waits, told = outcome(given_up(tell(mesh, storage=BUCKET, producer=None)))
    assert (waits, told) == ("", ["Left in the store: DataProduct sales/orders: bucket acme-orders"])


def test_a_request_lets_go_by_itself_and_is_waited_for() -> None:
    mesh = _granted().copy()
    for key in (PRODUCT, Key("DataProduct", "inventory", "forecast")):
        tell(mesh, key, storage={**BUCKET, "abandoned": True})
    waits, told = outcome(given_up(mesh))
    assert waits == "1 objects are being released from the store, the first: AccessRequest inventory/orders-for-forecast" and told == []


def test_once_all_have_taken_note_it_goes() -> None:
    mesh = given_up(_granted().copy()).settle()
    assert not mesh.exists("ObjectStore", "main")
    assert mesh.product()["status"]["storage"]["abandoned"] is True
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["abandoned"] == "main"
