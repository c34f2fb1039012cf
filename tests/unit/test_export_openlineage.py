"""The mesh as OpenLineage: datasets by their place, jobs by their product, and nothing that a clock says."""

import re
from typing import Any, Final

import jsonschema
import pytest

from tests.support.exports import DAILY, RETAIL, Told, as_text, export, reads, stored

_URI: Final = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+$"}
_FACETS: Final = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["_producer", "_schemaURL"],
        "properties": {"_producer": _URI, "_schemaURL": _URI},
    },
}
_NAMED: Final = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {"namespace": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1}, "facets": _FACETS},
}
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL"],
    "properties": {
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "producer": _URI,
        "schemaURL": _URI,
        "job": _NAMED,
        "dataset": _NAMED,
        "inputs": {"type": "array", "items": _NAMED},
        "outputs": {"type": "array", "items": _NAMED},
    },
    "not": {"required": ["run"]},
    "oneOf": [{"required": ["job"]}, {"required": ["dataset"]}],
}
"""What the specification 2-0-2 demands of a JobEvent and of a DatasetEvent, in own words: its file is in no package."""


def events(*objects: dict[str, Any], told: Told | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = export("openlineage", objects or RETAIL, told).body
    return found


def jobs(*objects: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {event["job"]["name"]: event for event in events(*objects) if "job" in event}


def test_events_are_as_the_specification_demands() -> None:
    for event in events():
        jsonschema.validate(event, _EVENT)


def test_a_dataset_is_named_by_its_place() -> None:
    named = [(event["dataset"]["namespace"], event["dataset"]["name"]) for event in events() if "dataset" in event]
    assert ("s3://acme-orders", "v2") in named
    assert len(named) == len(set(named)) == 6


def test_a_job_reads_and_writes_the_datasets_of_a_product() -> None:
    job = jobs()["inventory.forecast"]
    assert [(one["namespace"], one["name"]) for one in job["inputs"]] == [("s3://acme-orders", "daily"), ("s3://acme-orders", "v2")]
    assert [(one["namespace"], one["name"]) for one in job["outputs"]] == [("s3://acme-forecast", "daily")]
    assert job["job"]["namespace"] == "urn:clouddatamesh:acme"


def test_only_published_products_are_told() -> None:
    assert sorted(jobs()) == ["elsewhere.alone", "inventory.forecast", "inventory.trial", "sales.orders"]


def test_an_input_that_the_reader_may_not_read_is_not_told() -> None:
    assert jobs(stored("forecast", "inventory", inputPorts=[reads("sales", "orders")]))["inventory.forecast"]["inputs"] == []


@pytest.mark.parametrize("place", ["", "s3://bucket", "s3://bucket/", "https://bucket/daily/", "s3:///daily/"])
def test_a_port_without_a_place_is_no_dataset(place: str) -> None:
    product = {**stored(), "status": {"outputPorts": [{"name": "daily", "version": "1.0.0", "location": place}]}}
    assert [list(event) for event in events(product)] == [["eventTime", "producer", "schemaURL", "job", "inputs", "outputs"]]
    assert events(product)[0]["outputs"] == []


def test_facets_say_what_the_dataset_is() -> None:
    (facets,) = (event["dataset"]["facets"] for event in events() if event.get("dataset", {}).get("name") == "v2")
    assert facets["version"]["datasetVersion"] == "2.0.0"
    assert facets["dataSource"]["uri"] == "https://s3.test"
    assert facets["ownership"]["owners"] == [{"name": "team:Sales Data", "type": "OWNER"}]
    assert facets["symlinks"]["identifiers"][0]["name"] == "sales.orders.daily.2.0.0"
    assert ("classification", "internal") in [(one["key"], one["value"]) for one in facets["tags"]["tags"]]


def test_without_an_endpoint_there_is_no_data_source() -> None:
    product = stored()
    product["status"]["storage"] = {"bucket": "acme-orders"}
    facets = events(product)[0]["dataset"]["facets"]
    assert sorted(facets) == ["datasetType", "documentation", "ownership", "symlinks", "tags", "version"]


@pytest.mark.parametrize("stage", ["proposed", "retired"])
def test_a_product_that_is_not_published_is_no_input(stage: str) -> None:
    found = jobs(stored("orders", "sales", lifecycle=stage), stored("forecast", "inventory", inputPorts=[reads("sales", "orders")]))
    assert found["inventory.forecast"]["inputs"] == []


@pytest.mark.parametrize(("port", "version", "is_read"), [("daily", "1.9.0", True), ("daily", "2.0.0", False), ("other", "1.0.0", False)])
def test_an_input_is_known_by_name_and_major_version(port: str, version: str, is_read: bool) -> None:
    found = jobs(stored("orders", "sales"), stored("forecast", "inventory", inputPorts=[reads("sales", "orders", port, version)]))
    assert bool(found["inventory.forecast"]["inputs"]) is is_read


def test_a_contract_is_a_tag_and_a_description_of_the_port_is_told() -> None:
    (facets,) = (
        event["dataset"]["facets"]
        for event in events()
        if (event.get("dataset", {}).get("namespace"), event.get("dataset", {}).get("name")) == ("s3://acme-orders", "daily")
    )
    assert facets["documentation"]["description"] == "One row per order line"
    assert {"key": "contract", "value": "urn:acme:contract:orders", "source": "clouddatamesh"} in facets["tags"]["tags"]


def test_the_time_of_an_event_is_the_last_change_of_the_object() -> None:
    product = stored()
    product["metadata"]["managedFields"] = [{"time": "2026-03-01T00:00:00Z"}, {"time": "2026-02-01T00:00:00Z"}, {}, {"time": "tomorrow"}]
    assert {event["eventTime"] for event in events(product)} == {"2026-03-01T00:00:00Z"}
    del product["metadata"]["managedFields"], product["metadata"]["creationTimestamp"]
    assert {event["eventTime"] for event in events(product)} == {"1970-01-01T00:00:00Z"}


def test_no_person_and_no_number_of_consumers_is_told() -> None:
    product = stored(outputPorts=[DAILY])
    product["status"]["outputPorts"][0]["consumers"] = 4711
    said = as_text(export("openlineage", [product]))
    assert not re.search(r"4711|kim", said, re.IGNORECASE)
