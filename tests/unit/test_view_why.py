"""From an object to the one on which somebody has to act."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.why import find_cause
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

REQUEST, PRODUCT = Key("AccessRequest", "inventory", "orders-for-forecast"), Key("DataProduct", "sales", "orders")
STORE, FORECAST = Key("ObjectStore", "", "main"), Key("DataProduct", "inventory", "forecast")


def told(manifest: dict[str, Any], reason: str, status: str = "Unknown", **more: Any) -> dict[str, Any]:
    """The manifest with a Ready condition."""
    ready = {"type": "Ready", "status": status, "reason": reason, "message": f"{reason} said"}
    return {**manifest, "status": {"observedGeneration": 0, "conditions": [ready], **more}}


def well(manifest: dict[str, Any], **more: Any) -> dict[str, Any]:
    return told(manifest, "Ready", "True", **more)


SALES = well(a_domain("sales"), namespaces=[{"name": "sales"}])
INPUT = {"name": "orders", "from": {"namespace": "sales", "dataProduct": "orders", "outputPort": {"name": "daily", "version": "1.0.0"}}}
HUNGRY = told(
    a_product("forecast", "inventory", inputPorts=[INPUT]),
    "InputsMissing",
    inputPorts=[{"name": "orders", "satisfied": False, "message": "x"}],
)


@pytest.mark.parametrize(
    ("objects", "start", "chain", "who"),
    [
        ([well(a_product())], PRODUCT, ["orders"], ""),
        ([told(a_product(), "StoreNotReady"), told(a_store(), "CredentialsInvalid")], PRODUCT, ["orders", "main"], "the platform team"),
        (
            [told(a_request(), "ProductNotReady"), told(a_product(), "StoreNotReady"), told(a_store(), "CredentialsInvalid")],
            REQUEST,
            ["orders-for-forecast", "orders", "main"],
            "the platform team",
        ),
        ([told(a_request(), "AwaitingGrant"), well(a_product()), SALES], REQUEST, ["orders-for-forecast"], "Kim Roe <kim@example.com>"),
        ([told(a_request(), "AwaitingGrant"), SALES], REQUEST, ["orders-for-forecast"], "the owners of Domain Sales (Group sales-owners)"),
        ([told(a_request(), "AwaitingGrant")], REQUEST, ["orders-for-forecast"], "the team of namespace sales"),
        ([HUNGRY, told(a_request(), "AwaitingGrant"), SALES], FORECAST, ["forecast", "orders-for-forecast"], "the owners of Domain Sales"),
        ([HUNGRY], FORECAST, ["forecast"], "Kim Roe"),
        ([told(a_product(), "DomainNotFound"), told(a_domain("sales"), "NotOwned")], PRODUCT, ["orders", "sales"], "the platform team"),
        ([told(a_product(), "DomainNotFound")], PRODUCT, ["orders"], "Kim Roe"),
        (
            [told(a_domain("sales", parentRef={"name": "trade"}), "ParentNotFound"), told(a_domain("trade"), "Reconciling")],
            Key("Domain", "", "sales"),
            ["sales", "trade"],
            "the platform team",
        ),
        (
            [told(a_grant(), "Pending"), told(a_request(), "AwaitingGrant")],
            key_of(a_grant()),
            ["inventory-forecast", "orders-for-forecast"],
            "the team of",
        ),
    ],
    ids=[
        "nothing is wrong",
        "the product's store",
        "the store of the product that is asked for",
        "an owner's answer",
        "an owner's answer, and the product is hidden",
        "an owner's answer, and everything is hidden",
        "an input's owner",
        "nobody asked for the input",
        "a Domain that does not have the namespace",
        "no Domain names the namespace",
        "a parent",
        "a grant that nobody has looked at",
    ],
)
def test_the_chain_ends_where_somebody_can_act(objects: list[dict[str, Any]], start: Key, chain: list[str], who: str) -> None:
    found = find_cause(Mesh.of(objects), start)
    assert [link.key.name for link in found.links] == chain
    assert found.who.startswith(who)
    assert bool(found.advice) is bool(who)
    assert found.next is None


def test_what_was_not_read_is_asked_for_next() -> None:
    found = find_cause(Mesh.of([told(a_product(), "StoreNotReady")]), PRODUCT)
    assert found.next == STORE


@pytest.mark.parametrize(
    ("mesh", "note"),
    [
        (Mesh(absent=frozenset({STORE})), "It does not exist"),
        (Mesh(refused=frozenset({("ObjectStore", "")})), "You may not read it; ask the platform team"),
    ],
    ids=["absent", "refused"],
)
def test_what_cannot_be_read_ends_the_chain_with_the_reason(mesh: Mesh, note: str) -> None:
    found = find_cause(Mesh.of([told(a_product(), "StoreNotReady")]) | mesh, PRODUCT)
    assert (found.links[-1].key, found.links[-1].health, found.links[-1].note) == (STORE, None, note)


def test_a_circle_ends() -> None:
    loop = [told(a_domain("a", parentRef={"name": "b"}), "ParentNotFound"), told(a_domain("b", parentRef={"name": "a"}), "ParentNotFound")]
    assert [link.key.name for link in find_cause(Mesh.of(loop), Key("Domain", "", "a")).links] == ["a", "b"]
