"""`import` in a terminal: a report with an exit code, and nothing that could be applied after an error."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.cli import schemas
from clouddatamesh.export.bitol import kept
from tests.cli.conftest import Run
from tests.support.exchange import OWN, faults
from tests.support.exchange import files as documents
from tests.support.manifests import a_product, a_store
from tests.support.served import Served

ORDERS = str(OWN / "orders.odps.yaml")
DAILY = str(OWN / "orders-daily.odcs.yaml")
INTO_SALES = ("-n", "sales", "--store", "main")


def minimal(folder: Path, **fields: Any) -> str:
    path = folder / "product.yaml"
    path.write_text(json.dumps({"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "an-id", "status": "active", **fields}))
    return str(path)


@pytest.mark.parametrize("file", documents("odps"), ids=lambda path: path.name)
def test_a_file_goes_in_and_comes_out(run: Run, served: Served, file: Path) -> None:
    before = run("import", str(file), *INTO_SALES, "--lenient")
    product, *others = yaml.safe_load_all(before)
    assert run("import", str(file), *INTO_SALES, "--lenient", "--apply").count("applied") == 1 + len(others)
    assert served.mesh.condition("DataProduct", product["metadata"]["name"], "sales")["status"] == "True"
    name = f"sales/{product['metadata']['name']}"
    after = yaml.safe_load(run("export", name))
    assert after["id"] == yaml.safe_load(file.read_text())["id"]
    assert faults("odps-1.1.0", after) == []


def test_manifests_are_printed_as_a_stream_or_a_list(run: Run) -> None:
    found = list(yaml.safe_load_all(run("import", ORDERS, DAILY, *INTO_SALES)))
    assert [one["kind"] for one in found] == ["DataProduct", "ConfigMap", "ConfigMap"]
    assert found[0]["spec"]["storage"] == {"storeRef": {"name": "main"}}
    listed = json.loads(run("import", ORDERS, DAILY, *INTO_SALES, "-o", "json"))
    assert listed["items"] == found


def test_nothing_is_written_unless_asked(run: Run, served: Served) -> None:
    run("import", ORDERS, *INTO_SALES)
    assert served.written == []
    assert "checked (dry run)" in run("import", ORDERS, *INTO_SALES, "--dry-run")
    assert not served.mesh.exists("DataProduct", "orders-of-the-shop", "sales")


def test_an_error_prints_nothing_that_could_be_applied(run: Run, tmp_path: Path) -> None:
    said = run("import", minimal(tmp_path, status="wonderful", name="Orders"), DAILY, *INTO_SALES, code=1)
    assert "apiVersion: clouddatamesh.dev" not in said
    assert "$.status" in said
    assert "wonderful" in said
    assert said.rstrip().splitlines()[-1].startswith("kubectl mesh: Nothing was imported: ")


def test_a_report_is_also_data(run: Run, tmp_path: Path) -> None:
    said = run("import", minimal(tmp_path, status="wonderful"), *INTO_SALES, "--report", "json", code=1)
    report = json.loads(said)
    assert report["message"].startswith("Nothing was imported: ")
    entries = report["entries"]
    assert {entry["verdict"] for entry in entries} >= {"mapped", "error"}
    assert {entry["document"] for entry in entries} == {str(tmp_path / "product.yaml")}


def test_what_the_standard_does_not_have_is_an_error_unless_lenient(run: Run, tmp_path: Path) -> None:
    path = minimal(tmp_path, name="Orders", sbom=[], outputPorts=[{"name": "daily", "assetType": "table"}])
    said = run("import", path, *INTO_SALES, code=1)
    assert "$.sbom" in said
    assert "$.outputPorts[0].assetType" in said
    assert "use --lenient to keep it as it is" in said
    found = list(yaml.safe_load_all(run("import", path, *INTO_SALES, "--lenient")))
    assert "assetType: table" in found[1]["data"]["odps.yaml"]


def test_what_is_lost_ends_with_three(run: Run, tmp_path: Path) -> None:
    said = run("import", minimal(tmp_path, name="Orders", context={"instructions": "x" * kept.MOST_KEPT}), *INTO_SALES, code=3)
    assert "kind: DataProduct" in said
    assert "Something is lost" in said


def test_a_domain_of_another_namespace_is_an_error(run: Run, tmp_path: Path) -> None:
    path = minimal(tmp_path, name="Orders", domain="logistics")
    assert "belongs to Domain sales, not to logistics" in run("import", path, *INTO_SALES, code=1)
    assert run("import", path, *INTO_SALES, "--lenient")


def test_an_input_is_found_by_its_contract(run: Run, served: Served, tmp_path: Path) -> None:
    port = {"name": "daily", "version": "1.0.0", "path": "daily/", "contractId": "c-1"}
    served.mesh.apply(a_product("stock", "sales", outputPorts=[port])).settle()
    path = minimal(tmp_path, name="Forecasts", inputPorts=[{"name": "stock", "version": "1.0.0", "contractId": "c-1"}])
    found = yaml.safe_load(run("import", path, "-n", "inventory").split("---")[1])
    assert found["spec"]["inputPorts"][0]["from"]["dataProduct"] == "stock"
    served.refused = frozenset({"DataProduct sales", "DataProduct *"})
    hidden = yaml.safe_load(run("import", path, "-n", "inventory").split("---")[1])
    assert hidden["spec"]["inputPorts"] == [{"name": "stock", "contractId": "c-1"}]


def test_the_store_is_the_only_one_or_named(run: Run, served: Served, tmp_path: Path) -> None:
    path = minimal(tmp_path, name="Orders")
    assert "storeRef:\n      name: main" in run("import", path, "-n", "sales")
    served.mesh.apply(a_store("second")).settle()
    assert "--store; there are: main, second" in run("import", path, "-n", "sales", code=2)
    served.refused = frozenset({"ObjectStore"})
    assert "You may not list ObjectStores" in run("import", path, "-n", "sales", code=2)


def test_a_contract_is_kept_with_a_port(run: Run) -> None:
    (found,) = yaml.safe_load_all(run("import", DAILY, "--into", "sales/orders/daily"))
    assert (found["kind"], found["metadata"]["name"], found["metadata"]["namespace"]) == ("ConfigMap", "orders.daily-v1-odcs", "sales")
    run("import", DAILY, "--into", "sales/orders/daily/1.0.0", "--apply")
    written = yaml.safe_load(run("export", "sales/orders", "--format", "odcs"))
    assert written["schema"][0]["name"] == "order_lines"
    assert [server["server"] for server in written["servers"]] == ["clouddatamesh", "warehouse", "lake"]
    assert "its ports: daily/1.0.0" in run("import", DAILY, "--into", "sales/orders/hourly", code=1)
    assert "names no port" in run("import", DAILY, "--into", "orders", code=2)
    assert "--into takes contracts" in run("import", ORDERS, "--into", "sales/orders/daily", code=1)


def test_offline_asks_no_cluster(run: Run, served: Served) -> None:
    served.refused = frozenset({"DataProduct", "Domain", "ObjectStore", "ConfigMap"})
    assert run("import", ORDERS, *INTO_SALES, "--offline")
    assert "needs the namespace with -n" in run("import", ORDERS, "--offline", code=2)
    assert "leave out --offline" in run("import", DAILY, *INTO_SALES, "--offline", "--into", "sales/orders/daily", code=2)


BAD_FILES = {
    "no YAML": (b"a: [1", 1, "This is not YAML"),
    "no UTF-8": (b"a: \xff", 1, "no UTF-8 text at byte 3"),
    "nothing": (b"", 1, "It is empty"),
    "a text": (b"orders", 1, "It is no object"),
    "code": (b"a: !!python/object/apply:os.system [id]", 1, "write plain YAML"),
    "steering of a terminal": (b'{"apiVersion": "\\u001b[2J\\u202e", "kind": "Pod"}', 1, "are read"),
    "lone surrogates": (b'{"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "\\ud800"}', 1, "Nothing was imported"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_a_sentence(run: Run, tmp_path: Path, case: str) -> None:
    data, code, sentence = BAD_FILES[case]
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    said = run("import", str(path), *INTO_SALES, code=code)
    assert sentence in said
    assert "bad.yaml" in said
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_a_file_that_is_not_there_is_a_sentence(run: Run, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in run("import", str(tmp_path / "none.yaml"), *INTO_SALES, code=2)
    assert "cannot be read: Is a directory" in run("import", str(tmp_path), *INTO_SALES, code=2)


def test_a_huge_file_is_not_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)
    began = time.process_time()
    assert "The file is larger than 10 MiB; divide it" in run("import", str(path), *INTO_SALES, code=1)
    assert time.process_time() - began < 5


def test_standard_input_is_a_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = Path(minimal(tmp_path, name="Orders"))
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert "name: orders" in run("import", "-", *INTO_SALES)


def test_many_faults_are_counted_and_not_all_told() -> None:
    told = list(schemas.check("odps", {"apiVersion": "v1.1.0", "kind": "DataProduct", **{f"k{place}": 1 for place in range(100)}}))
    assert len(told) <= 52
    assert told[-1] == ("$", "It has at least 1 more faults") or "is missing" in str(told)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"apiVersion": "v1.1.0", "kind": "DataProduct"}, ("$", "'id' is missing")),
        ({"apiVersion": "v9", "kind": "DataProduct", "id": "x"}, ("$.apiVersion", "v9 is none of v1.1.0, v1.0.0, v0.9.0")),
        ({"apiVersion": "v1.1.0", "kind": "DataProduct", "id": 1}, ("$.id", "It has to be of type string, and is 1")),
        ({"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "x", "sbom": 1}, ("$.sbom", "The standard has no key sbom here")),
    ],
    ids=["missing", "another word", "another type", "unknown"],
)
def test_what_a_schema_refuses_is_a_sentence_with_a_path(document: dict[str, Any], fault: tuple[str, str]) -> None:
    assert list(schemas.check("odps", document)) == [fault]


def test_only_documents_of_some_size_are_checked() -> None:
    contract = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1.0.0"}
    columns = [{"name": f"c{place}", "physicalType": "text"} for place in range(10_000)]
    assert list(schemas.check("odcs", {**contract, "schema": [{"name": "t", "properties": columns[:20]}]})) == []
    ((path, said),) = schemas.check("odcs", {**contract, "schema": [{"name": "t", "properties": columns}]})
    assert (path, said[:28]) == ("$", "It has more than 15,000 valu")
