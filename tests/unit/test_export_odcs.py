"""A port in the words of ODCS: the server is where its data is, and what was imported stays."""

from typing import Any

import pytest

from clouddatamesh.export.bitol import odcs
from clouddatamesh.export.bitol.places import place_of
from clouddatamesh.export.formats import FORMATS, Choices
from tests.support.exchange import OWN, document, faults, imported, mesh_of, product_of
from tests.support.manifests import a_product

PLACE = {"name": "daily", "version": "1.0.0", "location": "s3://acme-orders-x/daily/"}
STATUS = {"storage": {"endpoint": "https://s3.test"}, "outputPorts": [PLACE]}


def with_place(product: dict[str, Any], **port: Any) -> dict[str, Any]:
    return {**product, "status": {**STATUS, "outputPorts": [{**PLACE, **port}]}}


def test_the_server_is_the_place_of_the_port() -> None:
    product = with_place(a_product(lifecycle="draft"))
    (written,) = FORMATS["odcs"](mesh_of(product), [product], Choices(mesh="acme"))
    server = {
        "server": "clouddatamesh",
        "type": "s3",
        "location": "s3://acme-orders-x/daily/",
        "format": "parquet",
        "endpointUrl": "https://s3.test",
    }
    assert written.body["servers"] == [server]
    assert (written.body["status"], written.body["version"], written.body["tenant"]) == ("draft", "1.0.0", "acme")
    assert written.body["id"] == "urn:clouddatamesh:sales:orders:daily:1.0.0"
    assert written.name == "sales.orders.daily-1.0.0.odcs.yaml"
    assert faults("odcs", written.body) == []


def test_a_port_that_leaves_or_has_no_place_has_no_server() -> None:
    for product in (a_product(), with_place(a_product(), version="0.9.0", draining=True)):
        (written,) = odcs.write(mesh_of(product), [product])
        assert "servers" not in written.body
        assert faults("odcs", written.body) == []


def test_a_port_of_another_system_has_a_contract_without_a_bucket() -> None:
    port = {"name": "changes", "version": "1.0.0", "type": "topic", "location": "kafka://broker.example.com/orders"}
    product = a_product(outputPorts=[], externalPorts=[port])
    (written,) = odcs.write(mesh_of(product), [product])
    assert "servers" not in written.body
    assert faults("odcs", written.body) == []


def test_what_was_imported_stays_with_our_server_first() -> None:
    daily = document(OWN / "orders-daily.odcs.yaml")
    found = imported(document(OWN / "orders.odps.yaml"), daily)
    product = product_of(found)
    place = {"name": "orders-daily", "version": "1.0.0", "location": "s3://acme-x/shop/orders/"}
    served = {**product, "status": {"storage": {}, "outputPorts": [place]}}
    written = odcs.write(mesh_of(*found.manifests), [served])[0].body
    assert [server["server"] for server in written["servers"]] == ["clouddatamesh", "warehouse", "lake"]
    assert {**written, "servers": daily["servers"]} == daily
    assert faults("odcs", written) == []
    again = imported(document(OWN / "orders.odps.yaml"), written)
    assert product_of(again)["spec"]["outputPorts"] == product["spec"]["outputPorts"]


def test_a_contract_of_another_id_is_not_that_of_the_port() -> None:
    found = imported(document(OWN / "orders-daily.odcs.yaml"))
    product = product_of(found)
    (port,) = product["spec"]["outputPorts"]
    other = {**product, "spec": {**product["spec"], "outputPorts": [{**port, "contractId": "c-other"}]}}
    (written,) = odcs.write(mesh_of(*found.manifests), [other])
    assert written.body["id"] == "c-other"
    assert "schema" not in written.body


def test_both_exports_together_come_back_as_the_same_product() -> None:
    product = with_place(a_product(outputPorts=[{"name": "daily", "version": "1.0.0", "path": "daily/", "format": "csv"}]))
    documents = [one.body for name in ("odps", "odcs") for one in FORMATS[name](mesh_of(product), [product], Choices())]
    found = imported(*documents, lenient=False)
    assert product_of(found)["spec"]["outputPorts"] == product["spec"]["outputPorts"]


@pytest.mark.parametrize(
    ("server", "place"),
    [
        ({"type": "s3", "location": "s3://b/a/b/*.parquet", "format": "parquet"}, ("a/b/", "parquet", "")),
        ({"type": "s3", "location": "s3://b/a/{model}/x.csv"}, ("a/", "", "")),
        ({"type": "s3", "location": "s3://b/data.csv"}, ("", "", "")),
        ({"type": "s3", "location": "s3://b/../x/"}, ("", "", "")),
        ({"type": "s3", "location": "s3://b/" + "a/" * 200}, ("", "", "")),
        ({"type": "glue", "location": "s3a://b/a/"}, ("a/", "", "")),
        ({"type": "local", "path": "./x.csv", "format": "csv"}, ("", "csv", "")),
        ({"type": "postgres", "host": "db", "port": 5432, "password": "secret"}, ("", "", "postgres: host=db port=5432")),
        ({}, ("", "", "unknown:")),
    ],
    ids=["files", "a pattern", "the root", "dots", "too deep", "another type", "a local file", "a database", "nothing"],
)
def test_a_server_says_a_path_or_a_place_in_another_system(server: dict[str, Any], place: tuple[str, str, str]) -> None:
    found = place_of({"servers": [server]})
    assert (found.path, found.format, found.location) == place


@pytest.mark.parametrize("servers", [None, "x", [], [1], {}])
def test_servers_of_a_wrong_form_say_nothing(servers: Any) -> None:
    assert place_of({"servers": servers}).location == ""
