"""A product in the words of ODPS: what the official schemas accept, and what is not told."""

from typing import Any

import pytest

from clouddatamesh.export.bitol import kept, odps
from clouddatamesh.export.formats import FORMATS, ODPS_VERSIONS, Choices
from clouddatamesh.model.objects import Key
from clouddatamesh.view.mesh import Mesh
from tests.support.exchange import OWN, document, faults, imported, mesh_of, product_of
from tests.support.manifests import a_domain, a_product, a_store

WHOLE = a_product(
    id="urn:acme:orders",
    type="sourceAligned",
    synonyms=[{"synonym": "Sales orders", "locale": "en-GB"}],
    documentation={"text": "# Orders", "url": "https://wiki.example.com/orders"},
    support=[{"channel": "#sales", "url": "https://chat.example.com/sales", "tool": "slack"}, {"channel": "desk", "description": "Room 4"}],
    tags=["finance"],
    classification="public",
    personalData=False,
    authoritativeDefinitions=[{"type": "businessDefinition", "url": "https://wiki.example.com/orders"}],
    customProperties=[{"property": "costCenter", "value": "4711"}],
    inputPorts=[
        {"name": "stock", "from": {"namespace": "inventory", "dataProduct": "stock", "outputPort": {"name": "levels", "version": "2.0.0"}}},
        {"name": "rates", "external": {"description": "ECB reference rates"}},
        {"name": "returns", "contractId": "c-returns"},
    ],
    outputPorts=[
        {
            "name": "daily",
            "version": "1.2.0",
            "path": "daily/",
            "format": "parquet",
            "type": "tables",
            "contractId": "c-daily",
            "tags": ["daily"],
            "deprecated": True,
            "sample": "id,amount\n1,2",
            "access": {"approval": "Auto", "maxDuration": "90d", "modes": ["ReadOnly", "WriteOnly"]},
        }
    ],
    externalPorts=[{"name": "changes", "version": "1.0.0", "type": "topic", "location": "kafka://broker.example.com/orders"}],
    managementPorts=[{"name": "quality", "content": "observability", "url": "https://quality.example.com", "deprecated": True}],
    producer={"secretName": "orders-producer", "rotateAfter": "30d"},
    storage={"bucketName": "acme-orders", "tags": {"cost-center": "4711"}},
)


@pytest.mark.parametrize("version", ODPS_VERSIONS)
@pytest.mark.parametrize("product", [WHOLE, a_product(), a_product(owner=None, outputPorts=[])], ids=["whole", "usual", "bare"])
def test_the_official_schema_accepts_it(product: dict[str, Any], version: str) -> None:
    (written,) = FORMATS["odps"](mesh_of(product), [product], Choices(odps_version=version, mesh="acme"))
    assert faults(f"odps-{version}", written.body) == []
    assert written.body["apiVersion"] == f"v{version}"
    assert written.name == "sales.orders.odps.yaml"
    assert written.body["tenant"] == "acme"


@pytest.mark.parametrize("version", ODPS_VERSIONS)
def test_it_comes_back_as_the_same_product(version: str) -> None:
    found = imported(odps.write_product(mesh_of(WHOLE), WHOLE, version=version), lenient=False)
    assert [one["kind"] for one in found.manifests] == ["DataProduct"]
    secret = {"storage", "producer"}
    before = {name: value for name, value in WHOLE["spec"].items() if name not in secret}
    assert {name: value for name, value in product_of(found)["spec"].items() if name not in secret} == before
    assert product_of(found)["metadata"] == WHOLE["metadata"]


@pytest.mark.parametrize("file", sorted(OWN.glob("*.odps.yaml")), ids=lambda path: path.name)
def test_an_imported_document_fits_into_the_version_before(file: Any) -> None:
    found = imported(document(file))
    product = product_of(found)
    whole = odps.write_product(mesh_of(*found.manifests), product)
    older = odps.write_product(mesh_of(*found.manifests), product, version="1.0.0")
    assert faults("odps-1.0.0", older) == []
    again = imported(older)
    assert product_of(again) == product
    back = odps.write_product(mesh_of(*again.manifests), product_of(again))
    assert back["context"] == whole["context"]
    assert back["synonyms"] == whole["synonyms"]


def test_buckets_producers_and_modes_are_not_told() -> None:
    said = str(odps.write_product(mesh_of(WHOLE, a_store()), WHOLE))
    assert [word for word in ("acme-orders", "producer", "cost-center", "bucketName", "main") if word in said] == []


def test_the_domain_is_told_to_whoever_may_read_it() -> None:
    domain = {**a_domain("sales-domain"), "status": {"namespaces": [{"name": "sales"}]}}
    product = a_product()
    assert odps.write_product(mesh_of(domain, product), product)["domain"] == "sales-domain"
    assert "domain" not in odps.write_product(mesh_of(product), product)


def test_the_id_is_the_same_for_every_reader() -> None:
    assert odps.write_product(Mesh(), a_product())["id"] == "urn:clouddatamesh:sales:orders"


def test_a_config_map_without_the_label_is_not_read() -> None:
    product = a_product()
    (made,) = kept.keep(kept.key_of_product(Key("DataProduct", "sales", "orders")), "odps", {"context": {"instructions": "x"}})
    assert odps.write_product(mesh_of(product, made), product)["context"] == {"instructions": "x"}
    for labels in ({}, {kept.LABEL: "odcs"}):
        bare = {**made, "metadata": {**made["metadata"], "labels": labels}}
        assert "context" not in odps.write_product(mesh_of(product, bare), product)


@pytest.mark.parametrize("text", ["a: &a [*a]", "- 1", "{", "x" * (kept.MOST_BYTES + 1), "id: other\nkind: Pod\napiVersion: v9"])
def test_what_somebody_wrote_into_the_config_map_cannot_harm(text: str) -> None:
    product = a_product()
    key = kept.key_of_product(Key("DataProduct", "sales", "orders"))
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": key.name, "namespace": "sales", "labels": {kept.LABEL: "odps"}},
        "data": {"odps.yaml": text},
    }
    written = odps.write_product(mesh_of(product, made), product)
    assert (written["id"], written["kind"], written["apiVersion"]) == ("urn:clouddatamesh:sales:orders", "DataProduct", "v1.1.0")


def test_names_of_config_maps_are_valid_for_long_names() -> None:
    long = Key("DataProduct", "sales", "a" * 250)
    assert len(kept.key_of_product(long).name) <= 253
    assert len(kept.key_of_port(long, "b" * 63, "1.0.0").name) <= 253
    assert kept.key_of_port(long, "b" * 63, "1.0.0") != kept.key_of_port(long, "b" * 63, "2.0.0")


MEMBERS = [{"username": "lee", "role": "engineer", "dateIn": "2026-01-01", "dateOut": "2026-12-31"}]
KIM = {"username": "kim@example.com", "name": "Kim Roe", "role": "owner"}


@pytest.mark.parametrize(
    ("spec", "team"),
    [
        ({"team": {"name": "Orders", "members": MEMBERS}}, {"name": "Orders", "members": [KIM, *MEMBERS]}),
        ({"team": {"members": [{"username": "kim@example.com"}]}}, {"members": [{"username": "kim@example.com"}]}),
        ({"team": {"members": [{"username": "k", "name": "Kim Roe"}]}}, {"members": [{"username": "k", "name": "Kim Roe"}]}),
        ({"team": {"members": MEMBERS}, "owner": None}, {"members": MEMBERS}),
        ({"team": {"name": "Orders"}, "owner": None}, {"name": "Orders", "members": []}),
        ({"team": {}, "owner": None}, None),
        ({}, {"members": [KIM]}),
    ],
    ids=["an owner who is not listed", "listed by address", "listed by name", "no owner", "only a name", "nothing", "no team"],
)
def test_the_team_of_a_product_is_its_team(spec: dict[str, Any], team: dict[str, Any] | None) -> None:
    found = odps.write_product(Mesh(), a_product(**spec))
    assert found.get("team") == team
    assert faults("odps-1.1.0", found) == []
