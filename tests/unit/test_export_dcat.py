"""The mesh as DCAT: which node says what, and what is left out."""

from typing import Any

import pytest

from clouddatamesh.export import dcat_terms
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.refused import Refused
from tests.support.exports import RETAIL, WRITERS, Told, as_graph, as_text, export, ready_domain, stored

URN = "urn:clouddatamesh:acme"


def nodes(told: Told | None = None) -> dict[str, dict[str, Any]]:
    return {node["@id"]: node for node in export("dcat", RETAIL, told).body["@graph"]}


def refs(said: list[dict[str, str]]) -> list[str]:
    return [one["@id"].removeprefix(f"{URN}:") for one in said]


def test_the_mesh_is_a_catalogue_with_one_for_each_domain() -> None:
    found = nodes()
    root = found[f"{URN}:Catalog"]
    assert refs(root["dcat:catalog"]) == ["Domain:commerce", "Domain:inventory", "Domain:sales"]
    assert refs(root["dcat:dataset"]) == ["elsewhere:alone:daily:1.0.0"]
    sales = found[f"{URN}:Domain:sales"]
    assert sales["dcterms:publisher"]["foaf:name"] == "Sales Data"
    assert sales["dcterms:isPartOf"] == {"@id": f"{URN}:Domain:commerce"}
    assert refs(sales["dcat:dataset"]) == ["sales:orders:daily:1.0.0", "sales:orders:daily:2.0.0", "sales:orders:old:1.0.0"]
    assert refs(sales["dcat:resource"]) == ["sales:orders"]


def test_a_product_is_a_series_of_the_datasets_of_its_ports() -> None:
    found = nodes()
    series, port = found[f"{URN}:sales:orders"], found[f"{URN}:sales:orders:daily:2.0.0"]
    assert series["@type"] == "dcat:DatasetSeries"
    assert series["dcterms:identifier"] == "urn:acme:dp:orders"
    assert port["dcterms:identifier"] == "urn:acme:dp:orders:daily:2.0.0"
    assert port["dcat:inSeries"] == {"@id": f"{URN}:sales:orders"}
    assert port["dcat:previousVersion"] == {"@id": f"{URN}:sales:orders:daily:1.0.0"}
    assert "dcat:previousVersion" not in found[f"{URN}:sales:orders:old:1.0.0"]


def test_versions_are_ordered_as_numbers() -> None:
    ports = [{"name": "daily", "version": version, "path": f"{version}/"} for version in ("1.10.0", "1.9.0", "2.0.0-rc.1")]
    found = {node["@id"]: node for node in export("dcat", [stored(outputPorts=ports)]).body["@graph"]}
    assert found[f"{URN}:sales:orders:daily:1.10.0"]["dcat:previousVersion"]["@id"].endswith(":1.9.0")
    assert found[f"{URN}:sales:orders:daily:2.0.0-rc.1"]["dcat:previousVersion"]["@id"].endswith(":1.10.0")


def test_proposed_and_retired_products_are_left_out_and_drafts_are_in_development() -> None:
    found = nodes()
    assert not [known for known in found if "idea" in known or "gone" in known]
    stages = {known: found[f"{URN}:{known}:distribution"]["adms:status"]["skos:prefLabel"] for known in STAGES}
    assert stages == STAGES


STAGES = {
    "inventory:trial:daily:1.0.0": "Develop",
    "inventory:forecast:daily:1.0.0": "Completed",
    "elsewhere:alone:daily:1.0.0": "Deprecated",
    "sales:orders:old:1.0.0": "Deprecated",
}


@pytest.mark.parametrize(
    ("level", "right"),
    [
        ("public", "PUBLIC"),
        ("internal", "RESTRICTED"),
        ("confidential", "NON_PUBLIC"),
        ("restricted", "NON_PUBLIC"),
        ("another", "NON_PUBLIC"),
        ("", "RESTRICTED"),
    ],
)
def test_the_classification_becomes_access_rights(level: str, right: str) -> None:
    assert dcat_terms.access_rights(stored(classification=level))["@id"].endswith(f"/access-right/{right}")


def test_terms_of_access_are_a_sentence() -> None:
    found = nodes()
    said = [found[f"{URN}:sales:orders:{port}:distribution"]["dcterms:rights"]["rdfs:label"] for port in ("daily:1.0.0", "daily:2.0.0")]
    assert said == [
        "The product's team decides on each request for access. Modes: ReadOnly.",
        "Access is given on request, without a decision. It ends after 90d at most. Modes: ReadOnly.",
    ]
    assert found[f"{URN}:sales:orders:old:1.0.0:distribution"]["dcterms:rights"]["rdfs:label"].startswith("No new access is given.")


def test_contacts_are_channels_and_no_person_is_named() -> None:
    said = as_text(export("dcat", RETAIL))
    assert "kim" not in said.casefold()
    contacts = nodes()[f"{URN}:sales:orders"]["dcat:contactPoint"]
    assert [contact["vcard:fn"] for contact in contacts] == ["#sales-data", "Mail", "Forum"]
    assert "vcard:hasURL" not in contacts[0]
    assert contacts[1]["vcard:hasEmail"] == {"@id": "mailto:sales-data@example.com"}
    assert contacts[2]["vcard:hasURL"] == {"@id": "https://forum.example.com/sales"}
    assert [contact["vcard:fn"] for contact in nodes()[f"{URN}:inventory:forecast"]["dcat:contactPoint"]] == ["Inventory Data"]


def test_licence_language_and_theme_come_from_custom_properties() -> None:
    found = nodes()
    port = found[f"{URN}:sales:orders:daily:1.0.0"]
    assert [one["@id"].rpartition("/")[2] for one in port["dcterms:language"]] == ["ENG", "DEU"]
    assert [one.get("skos:prefLabel") for one in port["dcat:theme"]] == [None, "Economy and finance"]
    assert found[f"{URN}:sales:orders:daily:1.0.0:distribution"]["dcterms:license"]["@id"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert port["dcterms:conformsTo"]["@id"] == "urn:acme:contract:orders"
    assert port["dcat:keyword"] == ["Sales orders", "by day", "finance"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [("en", "ENG"), ("de-AT", "DEU"), ("fra", "FRA"), ("https://lang.example.com/x y", "x%20y"), ("xx", None), ("klingon", None)],
)
def test_a_language_is_a_code_or_a_link(said: str, shown: str | None) -> None:
    product = stored(customProperties=[{"property": "Language", "value": said}])
    found = [node["@id"].rpartition("/")[2] for node in dcat_terms.languages(product)]
    assert found == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://example.com/licence", {"@id": "https://example.com/licence"}),
        ("MIT", {"@id": "https://spdx.org/licenses/MIT"}),
        ("Ask the team first", {"rdfs:label": "Ask the team first"}),
    ],
)
def test_a_licence_is_a_link_a_known_name_or_a_text(said: str, shown: dict[str, str]) -> None:
    product = stored(customProperties=[{"property": "licence", "value": said}])
    assert dcat_terms.licence(product) == {**shown, "@type": "dcterms:LicenseDocument"}


def test_access_is_asked_for_on_a_page_and_never_in_the_bucket() -> None:
    said = as_text(export("dcat", RETAIL))
    assert "s3:" not in said
    assert "acme-orders" not in said
    urls = {known: node["dcat:accessURL"]["@id"] for known, node in nodes().items() if "dcat:accessURL" in node}
    assert urls[f"{URN}:sales:orders:old:1.0.0:distribution"] == "https://wiki.example.com/orders"
    assert urls[f"{URN}:inventory:forecast:daily:1.0.0:distribution"] == f"{URN}:inventory:forecast"


def test_a_base_gives_identifiers_and_pages() -> None:
    found = nodes(Told(base="https://data.example.com/mesh/"))
    port = found["https://data.example.com/mesh/id/sales/orders/daily/1.0.0"]
    assert port["dcat:landingPage"]["@id"] == "https://data.example.com/mesh/products/sales/orders"
    access = found["https://data.example.com/mesh/id/sales/orders/daily/1.0.0/distribution"]["dcat:accessURL"]
    assert access["@id"] == "https://data.example.com/mesh/products/sales/orders"


def test_a_urn_as_base_keeps_identifiers_whatever_the_title() -> None:
    first, second = (nodes(Told(title, "urn:acme:mesh")) for title in ("Acme", "Acme's data"))
    assert first.keys() == second.keys()
    assert "urn:acme:mesh:sales:orders" in first


@pytest.mark.parametrize("base", ["acme", "ftp://example.com", "https://", "https://example.com/?a=b", "https://u:p@example.com", "urn:x"])
def test_a_base_that_begins_no_identifiers_is_refused(base: str) -> None:
    with pytest.raises(Refused, match="use https://HOST/PATH"):
        export("dcat", RETAIL, Told(base=base))


def test_the_endpoint_is_a_service_of_the_datasets_that_are_there() -> None:
    service = nodes()[f"{URN}:Service:https%3A%2F%2Fs3.test"]
    assert len(service["dcat:servesDataset"]) == 6
    assert service["dcat:endpointURL"]["@id"] == "https://s3.test"
    aws = {**stored(), "status": {**stored()["status"], "storage": {"bucket": "b", "endpoint": "", "region": "eu-west-1"}}}
    assert "https://s3.eu-west-1.amazonaws.com" in as_text(export("dcat", [aws]))
    unknown = {**stored(), "status": {}}
    assert "DataService" not in as_text(export("dcat", [unknown]))


def test_data_is_derived_from_what_the_reader_may_read() -> None:
    derived = nodes()[f"{URN}:inventory:forecast:daily:1.0.0"]["prov:wasDerivedFrom"]
    assert refs(derived) == ["sales:orders:daily:1.0.0", "sales:orders:daily:2.0.0"]
    alone = [known for known in RETAIL if known["metadata"]["name"] == "forecast"]
    assert "orders" not in as_text(export("dcat", alone))


def test_the_same_domains_whatever_their_parents() -> None:
    circle = [ready_domain("sales", parentRef={"name": "trade"}), ready_domain("trade", parentRef={"name": "sales"}), stored()]
    found = [node["@id"] for node in export("dcat", circle).body["@graph"] if node["@type"] == "dcat:Catalog"]
    assert found == [f"{URN}:Catalog", f"{URN}:Domain:sales", f"{URN}:Domain:trade"]


def test_a_library_reads_the_same_without_fetching_anything() -> None:
    graph = as_graph(export("dcat", RETAIL))
    titles = {str(said) for said in graph.objects(predicate=None) if str(said).startswith("Orders")}
    assert titles == {"Orders", "Orders: daily 1.0.0", "Orders: daily 2.0.0", "Orders: old 1.0.0"}


def test_an_empty_mesh_is_an_empty_catalogue() -> None:
    (catalog,) = export("dcat", []).body["@graph"]
    assert catalog["dcterms:title"] == "Acme"


@pytest.mark.parametrize("title", ["", "  "])
def test_a_catalogue_without_a_title_is_called_data_mesh(title: str) -> None:
    (catalog,) = export("dcat", [], Told(title)).body["@graph"]
    assert (catalog["@id"], catalog["dcterms:title"]) == ("urn:clouddatamesh:data-mesh:Catalog", "Data mesh")


def test_a_title_in_another_script_is_no_part_of_identifiers() -> None:
    assert export("dcat", [], Told("データ")).body["@graph"][0]["@id"] == "urn:clouddatamesh:mesh:Catalog"


def test_the_domain_of_a_namespace_is_the_first_that_names_it() -> None:
    mesh = Mesh.of([*RETAIL, ready_domain("alpha", ("sales", "lab"))])
    for place in ("sales", "lab"):
        found = mesh.domain_of(place)
        assert found is not None
        assert found["metadata"]["name"] == "alpha"
    assert mesh.domain_of("nowhere") is None


def test_a_creation_that_is_no_time_is_left_out() -> None:
    product = stored()
    product["metadata"]["creationTimestamp"] = "zqtimeqz"
    assert "zqtimeqz" not in as_text(export("dcat", [product]))


def test_a_port_that_only_serves_those_who_have_it_is_left_out() -> None:
    leaving, returned = stored(), stored()
    former = {"name": "former", "version": "1.0.0", "location": "s3://acme-orders/former/", "draining": True}
    leaving["status"]["outputPorts"].append(former)
    returned["status"]["outputPorts"][0]["draining"] = True
    for name in WRITERS:
        assert as_text(export(name, [leaving])) == as_text(export(name, [returned])) == as_text(export(name, [stored()]))


@pytest.mark.parametrize("broken", [{"name": "nameless"}, {"version": "6.6.6"}])
def test_a_port_without_name_or_version_is_left_out(broken: dict[str, str]) -> None:
    product = stored()
    product["spec"]["outputPorts"].append({**broken, "path": "x/"})
    for name in WRITERS:
        assert as_text(export(name, [product])) == as_text(export(name, [stored()]))


def test_a_port_says_what_it_is_else_what_the_product_is() -> None:
    found = nodes()
    said = [found[f"{URN}:sales:orders:{port}"]["dcterms:description"] for port in ("daily:1.0.0", "old:1.0.0")]
    assert said == ["One row per order line", "What there is to know of orders"]
