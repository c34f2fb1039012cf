"""`export` in a terminal: with the rights of the user, to files that are safe."""

import json
import re
from pathlib import Path

import pytest
import yaml

from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.folder import write_texts
from clouddatamesh.export.documents import Document
from clouddatamesh.export.formats import FORMATS
from tests.cli.conftest import Run
from tests.support.exchange import OWN, faults
from tests.support.manifests import a_product, a_profile
from tests.support.served import Served

ORDERS = str(OWN / "orders.odps.yaml")
INTO_SALES = ("-n", "sales", "--store", "main")


def test_a_product_is_written_as_a_document(run: Run) -> None:
    found = yaml.safe_load(run("export", "sales/orders"))
    assert (found["name"], found["domain"], found["apiVersion"]) == ("Orders", "sales", "v1.1.0")
    assert faults("odps-1.1.0", found) == []
    assert json.loads(run("export", "sales/orders", "-o", "json")) == found
    assert yaml.safe_load(run("export", "sales/orders", "--odps-version", "1.0.0"))["apiVersion"] == "v1.0.0"
    assert yaml.safe_load(run("export", "sales/orders", "--mesh", "acme"))["tenant"] == "acme"


def test_the_contract_names_the_place_of_the_port(run: Run, served: Served) -> None:
    found = yaml.safe_load(run("export", "sales/orders", "--format", "odcs"))
    assert found["servers"][0]["location"] == f"s3://{served.mesh.bucket_of()}/daily/"
    assert faults("odcs", found) == []


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["inventory.forecast.odps.yaml"]),
        (("-n", "sales"), ["sales.orders.odps.yaml"]),
        (("-A",), ["inventory.forecast.odps.yaml", "sales.orders.odps.yaml"]),
        (("sales/orders", "forecast", "sales/orders"), ["sales.orders.odps.yaml", "inventory.forecast.odps.yaml"]),
        (("-n", "nowhere"), []),
    ],
    ids=["the own namespace", "a namespace", "all", "by name", "none"],
)
def test_the_products_are_those_that_were_named(run: Run, arguments: tuple[str, ...], names: list[str]) -> None:
    assert run("export", *arguments, "-o", "name").split() == names


def test_several_documents_are_one_stream(run: Run) -> None:
    assert [one["name"] for one in yaml.safe_load_all(run("export", "-A"))] == ["Forecast", "Orders"]
    assert [one["name"] for one in json.loads(run("export", "-A", "-o", "json"))["items"]] == ["Forecast", "Orders"]


def test_what_a_team_says_of_its_domain_is_exported_to_those_who_may_read_it(run: Run, served: Served) -> None:
    served.mesh.apply(a_profile(description={"purpose": "The team's words"})).settle()
    assert "The team's words" in run("export", "sales/orders", "--format", "backstage")
    served.refused = frozenset({"DomainProfile sales"})
    assert "The team's words" not in run("export", "sales/orders", "--format", "backstage")


@pytest.mark.parametrize("format_", FORMATS)
def test_whoever_may_not_read_a_product_exports_nothing_of_it(run: Run, served: Served, format_: str) -> None:
    served.refused = frozenset({"DataProduct sales", "DataProduct *"})
    assert "orders" not in run("export", "-A", "--format", format_).replace("orders-", "")
    assert "You may not read" in run("export", "sales/orders", "--format", format_, code=1)
    assert "You lack" in run("export", "-n", "sales", "--format", format_, code=1)


def test_whoever_may_not_read_domains_or_config_maps_exports_without_them(run: Run, served: Served) -> None:
    run("import", ORDERS, *INTO_SALES, "--apply")
    assert "Amounts are in cents" in run("export", "sales/orders-of-the-shop")
    served.refused = frozenset({"Domain", "ConfigMap"})
    found = run("export", "sales/orders-of-the-shop")
    assert "Amounts are in cents" not in found
    assert "domain" not in yaml.safe_load(found)


def test_files_are_written_once(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run("export", "-A", "--output-dir", str(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["inventory.forecast.odps.yaml", "sales.orders.odps.yaml"]
    (folder / "sales.orders.odps.yaml").write_text("mine")
    (folder / "inventory.forecast.odps.yaml").unlink()
    assert "exists already" in run("export", "-A", "--output-dir", str(folder), code=2)
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]
    run("export", "-A", "--output-dir", str(folder), "--force")
    assert yaml.safe_load((folder / "sales.orders.odps.yaml").read_text())["name"] == "Orders"


def test_a_link_is_replaced_and_not_followed(run: Run, tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "out"
    precious.write_text("mine")
    folder.mkdir()
    (folder / "sales.orders.odps.yaml").symlink_to(precious)
    assert "exists already" in run("export", "sales/orders", "--output-dir", str(folder), code=2)
    run("export", "sales/orders", "--output-dir", str(folder), "--force")
    assert precious.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["../x.yaml", "/etc/x", "", ".hidden", "a/b", "a\nb", "x" * 300, "a b", "-rf", "s.orders.daily-1.0.0+b1.odcs.yaml"]
)
def test_a_name_that_is_not_safe_becomes_one_that_is(tmp_path: Path, name: str) -> None:
    written = write_texts(str(tmp_path / "out"), [(name, "x"), ("orders.yaml", "y")], force=False)
    assert [path.parent for path in written] == [tmp_path / "out"] * 2
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,220}", written[0].name), written[0].name
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert name.rpartition(".")[2] == "yaml" or "yaml" not in written[0].name or written[0].suffix == ".yaml"


def test_two_documents_are_not_one_file(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="Two documents"):
        write_texts(str(tmp_path), [("a.yaml", "x"), ("a.yaml", "y")], force=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="choose another --output-dir"):
        write_texts(str(tmp_path / "file"), [("a.yaml", "x")], force=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "xml"), "--format 'xml' is not known; use one of odps"),
        (("--odps-version", "2"), "--odps-version '2' is not known; use one of 1.1.0, 1.0.0"),
        (("domain/sales/x",), "names no"),
    ],
)
def test_a_wrong_argument_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in run("export", *arguments, code=2)


def test_a_format_is_written_by_its_media_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document("a.json", "application/ld+json", {"a": "ü"})
    monkeypatch.setitem(FORMATS, "odps", lambda *_: (document,))
    assert json.loads(run("export", "sales/orders")) == {"a": "ü"}
    assert yaml.safe_load(run("export", "sales/orders", "-o", "yaml")) == {"a": "ü"}


def test_a_product_without_ports_has_no_contract(run: Run, served: Served) -> None:
    served.mesh.apply(a_product("bare", "sales", outputPorts=[])).settle()
    assert run("export", "sales/bare", "--format", "odcs") == ""
