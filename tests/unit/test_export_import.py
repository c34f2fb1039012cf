"""Foreign files become manifests that our own rules accept, and come back as they were."""

import time
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.export.bitol import kept, odcs, odps
from clouddatamesh.export.bitol.contract_import import Port
from clouddatamesh.export.bitol.importing import Imported, Target
from clouddatamesh.export.bitol.report import Verdict
from clouddatamesh.model.objects import Key
from tests.support import exchange
from tests.support.exchange import OWN, document, files, imported, lost, mesh_of, product_of
from tests.support.manifests import a_domain, a_product

ORDERS = document(OWN / "orders.odps.yaml")
DAILY = document(OWN / "orders-daily.odcs.yaml")
CHANGES = document(OWN / "changes.odcs.yaml")


def verdicts(found: Imported, path: str) -> set[Verdict]:
    return {entry.verdict for entry in found.report if entry.path == path}


def minimal(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "an-id", "name": "Orders", "status": "active", **fields}


def port(**fields: Any) -> dict[str, Any]:
    return {"name": "daily", "version": "1.0.0", **fields}


@pytest.mark.parametrize("file", files("odps"), ids=lambda path: path.name)
def test_a_product_comes_back_as_it_was(file: Path) -> None:
    before = document(file)
    found = imported(before)
    assert {entry.verdict for entry in found.report} <= {Verdict.MAPPED, Verdict.CHANGED, Verdict.KEPT}
    after = odps.write_product(mesh_of(*found.manifests), product_of(found))
    assert list(lost(before, {**after, "apiVersion": before["apiVersion"]})) == []
    assert exchange.faults("odps-1.1.0", after) == []


@pytest.mark.parametrize("file", files("odps"), ids=lambda path: path.name)
def test_a_second_import_changes_nothing(file: Path) -> None:
    first = imported(document(file))
    again = imported(odps.write_product(mesh_of(*first.manifests), product_of(first)))
    assert product_of(again) == product_of(first)
    whole = odps.write_product(mesh_of(*first.manifests), product_of(first))
    assert odps.write_product(mesh_of(*again.manifests), product_of(again)) == whole


@pytest.mark.parametrize("file", files("odcs"), ids=lambda path: path.name)
def test_a_contract_alone_is_a_product_with_one_port(file: Path) -> None:
    before = document(file)
    found = imported(before)
    product = product_of(found)
    ports = [*product["spec"].get("outputPorts", ()), *product["spec"].get("externalPorts", ())]
    assert [port["contractId"] for port in ports] == [before["id"]]
    (written,) = odcs.write(mesh_of(*found.manifests), [product])
    assert exchange.faults("odcs", written.body) == []
    if any(entry.verdict is Verdict.LOST for entry in found.report):
        assert len(str(before)) > kept.MOST_BYTES
    else:
        assert written.body == before


@pytest.mark.parametrize("file", [*files("odps"), *files("odcs")], ids=lambda path: path.name)
def test_every_field_is_in_the_report(file: Path) -> None:
    before = document(file)
    said = {entry.path for entry in imported(before).report}
    assert [name for name in before if not any(path.startswith(f"$.{name}") for path in said)] == []


def test_the_whole_document_is_mapped_as_far_as_we_have_fields() -> None:
    found = imported(ORDERS)
    spec = product_of(found)["spec"]
    assert product_of(found)["metadata"] == {"name": "orders-of-the-shop", "namespace": "sales"}
    assert (spec["id"], spec["displayName"], spec["version"], spec["lifecycle"]) == (ORDERS["id"], ORDERS["name"], "1.4.0", "active")
    assert spec["owner"] == {"name": "Kim Roe", "email": "kim@example.com"}
    assert [one["name"] for one in spec["inputPorts"]][:2] == ["stock-levels", "rates"]
    assert [(one["name"], one["version"], one["path"]) for one in spec["outputPorts"]] == [
        ("orders-daily", "1.0.0", "orders-daily/v1/"),
        ("orders-daily", "2.0.0", "orders-daily/v2/"),
    ]
    assert [(one["name"], one["type"]) for one in spec["externalPorts"]] == [("changes", "topic")]
    assert "nobody can request access" in next(entry.message for entry in found.report if entry.path == "$.outputPorts[2]")
    assert {entry.target[:14] for entry in found.report if entry.path.startswith("$.outputPorts[2].")} == {"externalPorts["}
    assert spec["customProperties"] == [{"property": "costCenter", "value": "4711"}, {"property": "reviewed", "value": "2026-01-01"}]
    assert "access" not in spec["outputPorts"][0]
    assert verdicts(found, "$.version") == {Verdict.CHANGED}
    assert verdicts(found, "$.context") == {Verdict.KEPT}
    assert verdicts(found, "$.support[2].url") == {Verdict.KEPT}


def test_contracts_next_to_a_product_give_its_ports_their_places() -> None:
    found = imported(DAILY, ORDERS, CHANGES)
    spec = product_of(found)["spec"]
    assert (spec["outputPorts"][0]["path"], spec["outputPorts"][0]["format"]) == ("shop/orders/", "parquet")
    assert spec["externalPorts"][0]["location"] == "kafka: host=broker.example.com server=broker"
    names = {one["metadata"]["name"]: one["metadata"]["labels"][kept.LABEL] for one in found.manifests if one["kind"] == "ConfigMap"}
    assert names == {
        "orders-of-the-shop-odps": "odps",
        "orders-of-the-shop.orders-daily-v1-odcs": "odcs",
        "orders-of-the-shop.changes-v1-odcs": "odcs",
    }
    written = {one.body["id"]: one.body for one in odcs.write(mesh_of(*found.manifests), [product_of(found)])}
    assert written["c-orders-daily"] == DAILY
    assert written["c-changes"] == CHANGES


def test_fields_that_were_changed_meanwhile_win() -> None:
    found = imported(ORDERS)
    product = product_of(found)
    spec = {
        **product["spec"],
        "version": "2.0.0",
        "lifecycle": "deprecated",
        "tags": ["orders"],
        "outputPorts": product["spec"]["outputPorts"][:1],
        "owner": {"name": "Ada Poe"},
        "support": [],
    }
    after = odps.write_product(mesh_of(*found.manifests, {**product, "spec": spec}), {**product, "spec": spec})
    assert (after["version"], after["status"], after["tags"]) == ("2.0.0", "deprecated", ["orders"])
    assert [(one["name"], one["version"]) for one in after["outputPorts"]] == [("orders_daily", "v1.0.0"), ("Changes", "1.0.0")]
    assert after["team"]["members"][0] == {"username": "Ada Poe", "name": "Ada Poe", "role": "owner"}
    assert "support" not in after
    assert after["context"] == ORDERS["context"]


def test_an_absent_status_is_no_promise() -> None:
    found = imported({name: value for name, value in minimal().items() if name != "status"})
    assert product_of(found)["spec"]["lifecycle"] == "proposed"
    assert verdicts(found, "$.status") == {Verdict.CHANGED}


def test_an_input_is_the_port_that_alone_has_its_contract() -> None:
    source = {"namespace": "inventory", "dataProduct": "stock", "outputPort": {"name": "levels", "version": "1.0.0"}}
    spec = product_of(imported(ORDERS, contracts={"c-stock": source}))["spec"]
    assert spec["inputPorts"][0] == {"name": "stock-levels", "contractId": "c-stock", "from": source}
    assert "from" not in spec["inputPorts"][1]


def test_a_contract_is_kept_with_a_port_that_is_there() -> None:
    into = Port(Key("DataProduct", "sales", "orders"), "daily", "1.3.0", "c-orders-daily")
    found = imported(DAILY, into=into)
    assert [(one["kind"], one["metadata"]["name"]) for one in found.manifests] == [("ConfigMap", "orders.daily-v1-odcs")]
    assert "has the contract other" in imported(DAILY, into=Port(into.product, "daily", "1.3.0", "other")).report[0].message
    assert "--into takes contracts" in imported(ORDERS, into=into).report[0].message


def test_a_domain_is_compared_where_it_is_known() -> None:
    sales = a_domain("sales", displayName="Sales")
    assert imported(ORDERS, domain=sales).manifests
    found = imported(ORDERS, domain=a_domain("inventory"), lenient=False)
    assert not found.manifests
    assert "belongs to Domain inventory" in next(entry.message for entry in found.report if entry.verdict is Verdict.ERROR)


WRONG = {
    "a status that nobody knows": (minimal(status="wonderful"), "$.status", "is no status that is known"),
    "a flag that contradicts the status": (minimal(status="draft", deprecated=True), "$.status", "contradicts deprecated"),
    "a version that is a variable": (minimal(version="${VERSION}"), "$.version", "is not resolved"),
    "a name that is a variable": (minimal(name="${ENV}-orders"), "$.name", "not resolved"),
    "a link that is a variable": (
        minimal(support=[{"channel": "chat", "url": "https://${HOST}/x"}]),
        "$.support[0].url",
        "${HOST} is not resolved",
    ),
    "two ports of one name and major version": (
        minimal(outputPorts=[port(), port(name="Daily", version="1.2.0")]),
        "$.outputPorts[1]",
        "$.outputPorts[0]",
    ),
    "a sample of personal data": (
        minimal(
            customProperties=[{"property": "personalData", "value": True, "vendor": "clouddatamesh"}],
            outputPorts=[port(customProperties=[{"property": "sample", "value": "a,b", "vendor": "clouddatamesh"}])],
        ),
        "$.outputPorts",
        "sample",
    ),
    "paths that overlap": (
        minimal(
            outputPorts=[
                port(customProperties=[{"property": "path", "value": "a/", "vendor": "clouddatamesh"}]),
                port(name="hourly", customProperties=[{"property": "path", "value": "a/b/", "vendor": "clouddatamesh"}]),
            ]
        ),
        "$.outputPorts",
        "overlap",
    ),
    "our own manifest": (a_product(), "$", "apply it with kubectl"),
    "a Data Contract Specification": ({"dataContractSpecification": "1.2.0", "id": "x"}, "$", "datacontract-cli"),
    "a Data Product Specification": ({"dataProductSpecification": "0.0.1"}, "$", "write it as ODPS"),
    "ODCS 2": ({"apiVersion": "v2.2.2", "kind": "DataContract"}, "$", "3.x is read"),
    "a list": ([1], "$", "It is no object"),
    "a text": ("orders", "$", "It is no object"),
    "something else": ({"apiVersion": "v1", "kind": "Pod"}, "$", "are read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_taken_is_an_error_that_names_the_field(case: str) -> None:
    body, path, said = WRONG[case]
    found = imported(body)
    errors = [(entry.path, entry.message) for entry in found.report if entry.verdict is Verdict.ERROR]
    assert any(where == path and said in message for where, message in errors), errors
    assert found.manifests == ()


def test_a_product_that_is_there_keeps_its_store_and_its_paths() -> None:
    first = product_of(imported(ORDERS))
    (daily, second) = first["spec"]["outputPorts"]
    spec = {**first["spec"], "storage": {"storeRef": {"name": "other"}}, "outputPorts": [{**daily, "path": "elsewhere/"}, second]}
    present = {"orders-of-the-shop": {**first, "spec": spec}}
    again = product_of(imported(ORDERS, present=present))["spec"]
    assert again["storage"] == {"storeRef": {"name": "other"}}
    assert [port["path"] for port in again["outputPorts"]] == ["elsewhere/", "orders-daily/v2/"]
    assert product_of(imported(ORDERS, DAILY, present=present))["spec"]["outputPorts"][0]["path"] == "shop/orders/"
    assert product_of(imported(DAILY, present=present | {"orders-daily": {**first, "spec": spec}}))["spec"]["storage"]["storeRef"] == {
        "name": "other"
    }


@pytest.mark.parametrize(
    ("former", "status", "fine"),
    [
        ("active", "draft", False),
        ("retired", "active", False),
        ("deprecated", "active", True),
        ("draft", "active", True),
        ("odd", "draft", True),
    ],
)
def test_a_lifecycle_that_would_go_back_is_said_before_it_is_refused(former: str, status: str, fine: bool) -> None:
    present = {"orders": {"kind": "DataProduct", "metadata": {"name": "orders"}, "spec": {"lifecycle": former}}}
    found = imported(minimal(status=status), present=present)
    assert bool(found.manifests) == fine
    assert fine or "a lifecycle moves forward only" in next(entry.message for entry in found.report if entry.verdict is Verdict.ERROR)


def test_names_collide_only_where_they_do() -> None:
    found = imported(minimal(id="1", name="Orders!"), minimal(id="2", name="orders"))
    names = [one["metadata"]["name"] for one in found.manifests if one["kind"] == "DataProduct"]
    assert names[0] == "orders"
    assert names[1].startswith("orders-")
    twice = imported(minimal(id="1"), minimal(id="1"))
    assert "has the same id" in twice.report[0].message


def test_what_is_too_large_is_lost_and_said() -> None:
    found = imported(minimal(context={"instructions": "x" * kept.MOST_KEPT}))
    assert [one["kind"] for one in found.manifests] == ["DataProduct"]
    assert verdicts(found, "$.context") == {Verdict.LOST}
    assert "leave the file in Git" in found.report[-1].message


def test_an_own_export_is_read_without_a_rest() -> None:
    product = a_product(inputPorts=[{"name": "rates", "external": {"url": "https://www.ecb.europa.eu"}}])
    for version in ("1.1.0", "1.0.0"):
        found = imported(odps.write_product(mesh_of(product), product, version=version))
        assert [one["kind"] for one in found.manifests] == ["DataProduct"]
        assert DataProduct.model_validate(product_of(found)).spec.input_ports[0].external is not None


def test_strict_reading_is_by_the_schema() -> None:
    def refuse(_: str, __: Any) -> list[tuple[str, str]]:
        return [("$.sbom", "The standard has no key sbom here")]

    strict = imported(minimal(sbom=[]), check=refuse, lenient=False)
    assert (strict.manifests, strict.report[0].message) == (
        (),
        "The standard has no key sbom here; correct it, or use --lenient to keep it as it is",
    )
    assert imported(minimal(sbom=[]), check=refuse).manifests
    assert Target("sales", "main").check("odps", {}) == ()


def test_the_real_files_were_among_them() -> None:
    if not exchange.REAL.is_dir():
        pytest.skip(exchange.WITHOUT)
    assert len([file for file in (*files("odps"), *files("odcs")) if file.parent == exchange.REAL]) >= 15


def test_a_document_of_another_id_takes_no_product_place() -> None:
    """Its name alone is no reason to overwrite what somebody else made."""
    there = a_product("orders", id="urn:acme:a", outputPorts=[{**port(), "path": "daily/", "contractId": "c-1"}])
    present = {"orders": there}
    other = imported(minimal(id="urn:acme:b"), present=present)
    assert other.manifests == ()
    assert verdicts(other, "$.id") >= {Verdict.ERROR}
    assert imported(minimal(id="urn:acme:a"), present=present).manifests
    contract = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "c-2", "name": "Orders", "version": "1.0.0", "status": "active"}
    assert imported(contract, present=present).manifests == ()
    assert imported({**contract, "id": "c-1"}, present=present).manifests
    bare = imported(minimal(), present={"orders": a_product("orders")})
    assert [one.message for one in bare.report if one.target == "spec.id" and one.verdict is Verdict.CHANGED] == [
        "DataProduct sales/orders is there already and has no id: it becomes this one"
    ]


def test_terms_of_access_stay_where_no_document_says_any() -> None:
    terms = {"maxDuration": "7d", "modes": ["ReadOnly", "ReadWrite"]}
    there = a_product("orders", id="an-id", outputPorts=[{**port(), "path": "daily/", "access": terms, "deprecated": True}])
    found = imported(minimal(outputPorts=[port()]), present={"orders": there})
    (again,) = product_of(found)["spec"]["outputPorts"]
    assert (again["access"], again["path"], again["deprecated"]) == (terms, "daily/", True)
    assert "The terms of access stay as they are in the cluster" in [entry.message for entry in found.report]


def test_two_ports_of_two_products_have_two_config_maps() -> None:
    keys = {kept.key_of_port(Key("DataProduct", "sales", product), name, "1.0.0") for product, name in
            (("orders", "eu-daily"), ("orders-eu", "daily"), ("orders.eu", "daily"), ("orders.eu-daily", "x"))}  # fmt: skip
    assert len(keys) == 4


@pytest.mark.parametrize("server", [{"location": "postgresql://bob:hunter2@db/x"}, {"host": "bob:hunter2@db"}])
def test_a_password_is_refused_and_not_written(server: dict[str, str]) -> None:
    contract = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "c", "name": "Orders", "version": "1.0.0", "status": "active"}
    found = imported(
        {**contract, "servers": [{"server": "prod", "type": "postgres", "port": 5432, "database": "d", "schema": "s", **server}]}
    )
    assert found.manifests == ()
    assert "hunter2" not in str(found.report)
    assert any("remove them from the document" in entry.message for entry in found.report)


def test_a_hostile_version_takes_no_time() -> None:
    began = time.process_time()
    found = imported(minimal(version="${" * 500_000))
    assert verdicts(found, "$.version") != {Verdict.MAPPED}
    assert time.process_time() - began < 5
