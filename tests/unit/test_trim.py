"""What is only for people is not in the cache: no text of a product or a Domain, however long it is."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.generate.schema import build_schema
from clouddatamesh.kube.texts import without_texts
from clouddatamesh.kube.trim import trim
from clouddatamesh.plan.references import references
from tests.e2e.accepted import ACCEPTED
from tests.support.manifests import a_product, a_request, a_store

MOST_WORDS: Final = 317
"""As long as a label key; longer strings of a spec are texts."""
LONGEST: Final = ACCEPTED["a product with every text at its longest"]
SOURCE: Final = {"namespace": "inventory", "dataProduct": "stock", "outputPort": {"name": "daily", "version": "1.0.0"}}


def filled(schema: dict[str, Any]) -> Any:
    """A value with every field of a schema; it need not be valid otherwise."""
    if "properties" in schema:
        return {name: filled(inner) for name, inner in schema["properties"].items()}
    return [filled(schema["items"])] if "items" in schema else "x"


def texts(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of what is there and may be long."""
    if schema.get("type") == "string" and schema.get("maxLength", 0) > MOST_WORDS:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, schema["properties"][name], f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, schema["items"], f"{path}[]")


@pytest.mark.parametrize(("kind", "most"), [("DataProduct", 15), ("Domain", 4), ("DomainProfile", 6)])
def test_no_field_of_a_spec_that_may_be_long_is_kept(kind: str, most: int) -> None:
    schema = build_schema(KIND_BY_NAME[kind].model.model_fields["spec"].annotation)  # type: ignore[arg-type]
    whole = {"kind": kind, "metadata": {"name": "a"}, "spec": filled(schema)}
    assert len(list(texts(whole["spec"], schema, "spec"))) > most
    assert list(texts(trim(whole)["spec"], schema, "spec")) == []


def test_the_longest_product_takes_little_memory() -> None:
    before, after = (len(json.dumps(manifest)) for manifest in (LONGEST, trim(LONGEST)))
    assert before > 250_000
    assert after < 40_000


def test_all_that_is_acted_on_is_kept() -> None:
    ports = [
        {"name": "s", "from": SOURCE, "contractId": "c"},
        {"name": "fx", "external": {"description": "ECB"}},
        {"name": "c", "contractId": "c"},
    ]
    output = {"name": "daily", "version": "1.0.0", "path": "daily/", "deprecated": True, "access": {"approval": "Auto"}}
    manifest = a_product(inputPorts=ports, outputPorts=[{**output, "description": "d", "sample": "s", "tags": ["t"]}], personalData=True)
    kept = trim(manifest)["spec"]
    assert kept["inputPorts"] == [ports[0], {"name": "fx", "external": {}}, ports[2]]
    assert kept["outputPorts"] == [output]
    acted_on = ("storage", "producer", "lifecycle", "version", "displayName", "personalData")
    assert [name for name in acted_on if kept[name] != manifest["spec"][name]] == []
    assert references(trim(manifest)) == references(manifest)


def test_what_is_trimmed_is_read_as_a_product() -> None:
    found = DataProduct.model_validate(trim(LONGEST))
    assert (len(found.spec.output_ports), len(found.spec.input_ports)) == (32, 64)
    assert found.spec.output_ports[0].deprecated
    assert found.spec.documentation is None


PEOPLE: Final = [{"username": "kim", "name": "Kim Roe", "role": "owner"}, {"username": "lee", "name": "Lee", "dateOut": "2026-01-31"}]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("Domain", [{"username": "kim", "role": "owner"}, {"username": "lee", "dateOut": "2026-01-31"}]),
        ("DomainProfile", [{"username": "kim", "role": "owner"}, {"username": "lee", "dateOut": "2026-01-31"}]),
        ("DataProduct", [{"username": "lee", "dateOut": "2026-01-31"}]),
    ],
)
def test_of_a_team_is_kept_what_says_who_is_in_it(kind: str, kept: list[dict[str, str]]) -> None:
    manifest = {"kind": kind, "metadata": {"name": "a"}, "spec": {"team": {"name": "Sales Data", "members": PEOPLE}}}
    assert trim(manifest)["spec"] == {"team": {"members": kept}}


@pytest.mark.parametrize("team", [None, 7, [], {"members": 7}, {"members": []}, {"name": "Sales"}], ids=str)
def test_a_team_without_members_is_not_kept(team: object) -> None:
    assert trim({"kind": "Domain", "metadata": {"name": "a"}, "spec": {"team": team}})["spec"] == {}


def test_of_a_training_the_link_is_not_kept() -> None:
    entry = {"name": "gdpr", "validFor": "365d", "completedBy": [{"username": "kim", "date": "2026-01-01"}]}
    manifest = {"kind": "DomainProfile", "metadata": {"name": "a"}, "spec": {"training": [{**entry, "url": "https://x.test"}, 7]}}
    assert trim(manifest)["spec"] == {"training": [entry, 7]}


@pytest.mark.parametrize("spec", [None, 7, {"inputPorts": "stock", "outputPorts": [7, {"external": 7}]}], ids=str)
def test_what_is_malformed_stays_so(spec: Any) -> None:
    manifest = {**a_product(), "spec": spec}
    assert trim(manifest)["spec"] == spec


@pytest.mark.parametrize("manifest", [a_store(), a_request()], ids=lambda manifest: str(manifest["kind"]))
def test_other_kinds_are_kept_whole(manifest: dict[str, Any]) -> None:
    """The purpose of a request is shown in the AccessInbox."""
    assert without_texts(manifest) is manifest
