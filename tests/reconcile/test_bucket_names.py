"""Whoever names a bucket first and could not make it keeps the name from nobody; whoever had it keeps it from everybody."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

SHARED: Final = {"bucketName": "acme-orders-raw"}
FIRST: Final = Key("DataProduct", "lab", "first")


def of_first(label: str = "", **spec: Any) -> Mesh:
    """Product `first` of namespace lab names the bucket. `label` is that of its Domain; empty: there is none."""
    mesh = Mesh().apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}}))
    sales, lab = a_domain("sales"), a_domain("lab", **spec.pop("domain", {}))
    sales["metadata"]["labels"] = {"tier": "gold"}
    lab["metadata"]["labels"] = {"tier": label}
    mesh.apply(sales, lab if label else {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}})
    Driven(mesh).run(minutes=1)
    mesh.apply(a_product(FIRST.name, FIRST.namespace, storage=SHARED, **spec))
    Driven(mesh).run(minutes=2)
    return mesh


def orders(mesh: Mesh) -> str:
    Driven(mesh.apply(a_product(storage=SHARED))).run(minutes=10)
    return str(mesh.condition("DataProduct", "orders", "sales")["reason"])


@pytest.mark.parametrize(
    "first",
    [
        {},
        {"label": "tin"},
        {"label": "gold", "lifecycle": "proposed"},
        {"label": "gold", "mode": "Observe"},
        {"label": "gold", "suspend": True},
        {"label": "gold", "domain": {"cordoned": True}},
    ],
    ids=["of no Domain", "not served by the store", "proposed", "only observed", "suspended", "in a cordoned Domain"],
)
def test_who_could_not_make_a_bucket_keeps_its_name_from_nobody(first: dict[str, Any]) -> None:
    mesh = of_first(**first)
    assert orders(mesh) == "Ready"
    assert list(mesh.get("DataProduct", FIRST.name, FIRST.namespace)["status"].get("storage", {})) == []


def test_a_store_with_another_prefix_never_makes_it() -> None:
    mesh = Mesh().apply(a_store(), a_store("other", bucketPrefix="beta"), a_domain("sales"), a_domain("lab")).settle()
    mesh.apply(a_product(FIRST.name, FIRST.namespace, storage={**SHARED, "storeRef": {"name": "other"}}))
    Driven(mesh).run(minutes=2)
    assert orders(mesh) == "Ready"


def test_who_could_make_it_has_it() -> None:
    assert orders(of_first("gold")) == "NotOwned"


def test_who_began_to_make_it_goes_on_though_an_older_one_may_make_it_now() -> None:
    mesh = of_first("gold", lifecycle="proposed")
    mesh.stores.at("https://s3.test").refuse("create")
    assert orders(mesh) != "Ready"
    assert mesh.product("orders")["status"]["storage"]["phase"] == "Creating"
    mesh.stores.at("https://s3.test").allow()
    mesh.apply(a_product(FIRST.name, FIRST.namespace, storage=SHARED))
    Driven(mesh).run(minutes=15)
    assert [mesh.condition("DataProduct", *one)["reason"] for one in (("orders", "sales"), ("first", "lab"))] == ["Ready", "NotOwned"]


@pytest.mark.parametrize("then", [{"lifecycle": "proposed"}, {"suspend": True}, {"mode": "Observe"}], ids=str)
def test_who_had_it_keeps_it_whatever_it_could_make(then: dict[str, Any]) -> None:
    mesh = of_first("gold")
    mesh.apply(a_product(FIRST.name, FIRST.namespace, storage=SHARED, **then))
    del mesh.stores.at("https://s3.test").buckets["acme-orders-raw"]
    assert orders(mesh) == "NotOwned"
