"""An object is found by everything that it names, and what is half written names nothing."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan.references import references
from tests.support.manifests import a_domain, a_grant, a_product, a_request

ORDERS, STOCK = Key("DataProduct", "sales", "orders"), Key("DataProduct", "inventory", "stock")
OWNER = "clouddatamesh.dev/owner"


def of(manifest: dict[str, Any], **parts: Any) -> set[Key]:
    """What is named once the object stands in a cluster, and has this status and spec."""
    return set(references({**manifest, "metadata": {**manifest["metadata"], "uid": "uid-1"}, **parts}))


def of_product(status: dict[str, Any] | None = None, **spec: Any) -> set[Key]:
    return of(a_product(), spec=spec, status=status or {}) - {Key("Uid", "", "uid-1")}


def test_a_product_is_found_by_its_uid() -> None:
    assert Key("Uid", "", "uid-1") in of(a_product())


@pytest.mark.parametrize(
    ("spec", "status", "names"),
    [
        ({"storage": {"storeRef": {"name": "main"}}}, {}, {Key("ObjectStore", "", "main")}),
        ({"storage": {"bucketName": "chosen"}}, {"storage": {"bucket": "recorded"}}, {Key("Bucket", "", "chosen")}),
        ({}, {"storage": {"bucket": "recorded"}}, {Key("Bucket", "", "recorded")}),
        ({"inputPorts": [{"from": {"namespace": "inventory", "dataProduct": "stock"}}]}, {}, {STOCK}),
        ({"inputPorts": [{"from": {"namespace": "inventory"}}, {"from": {"dataProduct": "stock"}}, {"from": 7}, 7]}, {}, set()),
        ({}, {"producer": {"principal": "acme-p-1"}}, {Key("Principal", "", "acme-p-1")}),
        ({}, {"storage": {"storeId": "uid-store"}}, set()),
        (
            {"storage": {"storeRef": {"name": "main"}}},
            {"storage": {"storeId": "uid-store"}},
            {Key("ObjectStore", "", "main"), Key("StoreId", "main", "uid-store")},
        ),
        ({"storage": "main", "inputPorts": "stock"}, {"producer": "acme-p-1", "storage": []}, set()),
    ],
)
def test_what_a_product_names(spec: dict[str, Any], status: dict[str, Any], names: set[Key]) -> None:
    assert of_product(status, **spec) == names


@pytest.mark.parametrize(
    ("spec", "status", "names"),
    [
        ({"dataProductRef": {"namespace": "sales", "name": "orders"}}, {}, {ORDERS}),
        ({"dataProductRef": {"name": "orders"}}, {}, set()),
        ({"dataProductRef": {"namespace": "sales"}}, {}, set()),
        ({"consumer": {"dataProductRef": {"name": "stock"}}}, {}, {STOCK, Key("Consumer", "inventory", "stock")}),
        ({"consumer": {"serviceAccountRef": {"name": "etl"}}}, {}, {Key("ServiceAccount", "inventory", "etl")}),
        ({}, {"place": {"store": "main"}}, {Key("ObjectStore", "", "main")}),
        ({}, {"place": {"store": "main", "storeId": "uid-s"}}, {Key("ObjectStore", "", "main"), Key("StoreId", "main", "uid-s")}),
        ({}, {"place": {"storeId": "uid-s"}}, set()),
        ({}, {"principal": "acme-c-1"}, {Key("Principal", "", "acme-c-1")}),
    ],
)
def test_what_a_request_names(spec: dict[str, Any], status: dict[str, Any], names: set[Key]) -> None:
    assert of(a_request(), spec=spec, status=status) == names


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({"dataProductRef": {"name": "orders"}}, {ORDERS}),
        ({"requestRef": {"namespace": "inventory", "name": "ask"}}, {Key("AccessRequest", "inventory", "ask")}),
        ({"requestRef": {"namespace": "inventory"}}, set()),
        ({"requestRef": {"name": "ask"}}, set()),
        ({"consumerNamespace": "inventory"}, {Key("Namespace", "", "inventory")}),
    ],
)
def test_what_a_grant_names(spec: dict[str, Any], names: set[Key]) -> None:
    assert of(a_grant(), spec=spec) == names


def test_a_domain_names_its_parent_and_its_namespaces_and_without_any_the_one_of_its_own_name() -> None:
    assert of(a_domain(namespaces=[{"name": "sales"}, {"name": "lab"}])) == {Key("Namespace", "", "sales"), Key("Namespace", "", "lab")}
    assert of(a_domain(parentRef={"name": "retail"})) == {Key("Domain", "", "retail"), Key("Namespace", "", "sales")}


@pytest.mark.parametrize(
    ("metadata", "domains"),
    [
        ({"labels": {"clouddatamesh.dev/domain": "sales"}}, {"sales"}),
        ({"annotations": {"clouddatamesh.dev/adopt-by": "sales"}}, {"sales"}),
        ({"annotations": {"clouddatamesh.dev/held-by": "acme/sales"}}, {"sales"}),
        ({"annotations": {"clouddatamesh.dev/released-by": "acme/sales"}}, {"sales"}),
        ({"annotations": {"clouddatamesh.dev/held-by": "sales"}}, set()),
        ({"annotations": {OWNER: "Domain//sales/uid-sales"}}, {"sales"}),
        ({"annotations": {OWNER: "Domain//sales"}}, set()),
        ({"annotations": {OWNER: "Domain//sales/uid-sales/more"}}, set()),
        ({"annotations": {OWNER: "DataProduct/sales/orders/uid-1"}}, set()),
        ({"labels": None, "annotations": None}, set()),
    ],
)
def test_the_domains_to_which_a_namespace_or_what_stands_in_it_belongs(metadata: dict[str, Any], domains: set[str]) -> None:
    for kind in ("Namespace", "ResourceQuota"):
        assert set(references({"kind": kind, "metadata": {"name": "sales", **metadata}})) == {Key("Domain", "", name) for name in domains}


def test_a_kind_of_which_nothing_is_known_names_nothing_and_each_object_is_named_once() -> None:
    assert references({"kind": "ConfigMap", "metadata": {"name": "sales"}}) == ()
    twice = [{"from": {"namespace": "inventory", "dataProduct": "stock"}}] * 2
    assert references({**a_product(inputPorts=twice), "metadata": {"name": "orders", "uid": "uid-1"}}).count(STOCK) == 1
