"""Both ways, of any product and any document: nothing is lost that the report does not list, and doing it twice changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clouddatamesh.cli.check import find_faults
from clouddatamesh.export.bitol import odps
from clouddatamesh.export.bitol.report import Verdict
from clouddatamesh.export.bitol.vendor import said
from clouddatamesh.export.formats import ODPS_VERSIONS
from tests.support.exchange import OWN, document, faults, files, imported, lost, mesh_of, product_of

LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(str.strip)
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")
VERSIONS = st.tuples(*[st.integers(0, 20)] * 3).map(lambda parts: ".".join(map(str, parts)))
CONTRACTS = st.from_regex(r"\A[!-~]{1,20}\Z")
PAGES = st.from_regex(r"\Ahttps?://[a-z0-9.]{1,10}/[!-~]{0,10}\Z").filter(lambda url: "${" not in url)
CHANNEL_LINKS = st.one_of(PAGES, st.just("mailto:kim@example.com"), st.just("slack://channel?id=1"))
ACCESS = st.fixed_dictionaries(
    {},
    optional={
        "approval": st.sampled_from(["Auto", "Manual"]),
        "maxDuration": st.sampled_from(["90d", "12h", "1d12h30m"]),
        "allowPermanent": st.booleans(),
        "modes": st.lists(st.sampled_from(["ReadOnly", "ReadWrite", "WriteOnly"]), min_size=1, unique=True),
    },
).filter(bool)
SOURCE = st.fixed_dictionaries(
    {"namespace": LABELS, "dataProduct": LABELS, "outputPort": st.fixed_dictionaries({"name": LABELS, "version": VERSIONS})}
)
INPUT = st.one_of(
    st.fixed_dictionaries({"name": LABELS, "from": SOURCE}, optional={"contractId": CONTRACTS}),
    st.fixed_dictionaries({"name": LABELS, "external": st.fixed_dictionaries({"description": WORDS}, optional={"url": PAGES})}),
    st.fixed_dictionaries({"name": LABELS, "contractId": CONTRACTS}),
)
TAGS = st.lists(WORDS, min_size=1, max_size=4, unique=True)
PORT = {"name": LABELS, "version": VERSIONS}
SAID = {"description": WORDS, "contractId": CONTRACTS, "tags": TAGS, "deprecated": st.booleans()}
OUTPUT = st.fixed_dictionaries(
    {**PORT, "path": LABELS.map(lambda name: f"{name}/")},
    optional={**SAID, "type": st.sampled_from(["tables", "files", "Blob"]), "format": WORDS, "sample": WORDS, "access": ACCESS},
)
EXTERNAL = st.fixed_dictionaries({**PORT, "type": st.sampled_from(["topic", "tables", "api"]), "location": WORDS}, optional=SAID)
MANAGEMENT = st.fixed_dictionaries(
    {"name": WORDS, "content": WORDS},
    optional={"type": WORDS, "description": WORDS, "url": PAGES, "channel": WORDS, "tags": TAGS, "deprecated": st.booleans()},
)
SUPPORT = st.fixed_dictionaries({"channel": WORDS}, optional={"url": CHANNEL_LINKS, "description": WORDS, "tool": WORDS, "scope": WORDS})
OWNER = st.one_of(
    st.fixed_dictionaries({"name": WORDS.filter(lambda name: "@" not in name)}),
    st.fixed_dictionaries({"name": WORDS, "email": st.just("kim@example.com")}),
)
DESCRIPTION = st.fixed_dictionaries({}, optional={part: WORDS for part in ("purpose", "limitations", "usage")}).filter(bool)
DOCUMENTATION = st.fixed_dictionaries(
    {}, optional={"text": WORDS, "url": PAGES, "configMapRef": st.fixed_dictionaries({"name": LABELS, "key": st.just("README.md")})}
).filter(bool)


def _of(one: Any, key: Any, most: int = 4) -> Any:
    return st.lists(one, min_size=1, max_size=most, unique_by=key)


def _major(port: Mapping[str, Any]) -> Any:
    return port["name"], port["version"].partition(".")[0]


SPEC = st.fixed_dictionaries(
    {"lifecycle": st.sampled_from(["proposed", "draft", "active", "deprecated", "retired"])},
    optional={
        "id": WORDS,
        "displayName": st.one_of(WORDS, st.just("orders")),
        "synonyms": st.lists(
            st.fixed_dictionaries({"synonym": WORDS}, optional={"description": WORDS, "locale": WORDS}), min_size=1, max_size=3
        ),
        "type": WORDS,
        "version": VERSIONS,
        "description": DESCRIPTION,
        "documentation": DOCUMENTATION,
        "owner": OWNER,
        "support": st.lists(SUPPORT, min_size=1, max_size=3),
        "tags": TAGS,
        "classification": st.sampled_from(["public", "internal"]),
        "personalData": st.just(False),
        "authoritativeDefinitions": st.lists(st.fixed_dictionaries({"type": WORDS, "url": PAGES}), min_size=1, max_size=3),
        "customProperties": _of(st.fixed_dictionaries({"property": WORDS, "value": WORDS}), lambda one: one["property"]),
        "inputPorts": _of(INPUT, lambda one: one["name"]),
        "managementPorts": _of(MANAGEMENT, lambda one: one["name"]),
        "outputPorts": st.lists(OUTPUT, min_size=1, max_size=4, unique_by=(_major, lambda port: port["path"])),
        "externalPorts": _of(EXTERNAL, lambda one: one["name"] + one["version"]),
    },
)


def _apart(spec: Mapping[str, Any]) -> bool:
    """No port of another system has name and version of one of ours."""
    ours = {(port["name"], port["version"]) for port in spec.get("outputPorts", ())}
    return not ours & {(port["name"], port["version"]) for port in spec.get("externalPorts", ())}


def _by_channel(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The order of channels does not count: those without a link may come after the others."""
    return {**spec, "support": sorted(spec.get("support", ()), key=lambda channel: str(sorted(channel.items())))}


@LAW
@pytest.mark.parametrize("version", ODPS_VERSIONS)
@given(spec=SPEC.filter(_apart))
def test_a_product_comes_back_the_same(version: str, spec: dict[str, Any]) -> None:
    product: dict[str, Any] = {
        "apiVersion": "clouddatamesh.dev/v1alpha1",
        "kind": "DataProduct",
        "metadata": {"name": "orders", "namespace": "sales"},
        "spec": {**spec, "storage": {"storeRef": {"name": "main"}}},
    }
    assert [fault.message for fault in find_faults(product)] == []
    written = odps.write_product(mesh_of(product), product, version=version)
    assert faults(f"odps-{version}", written) == []
    found = imported(written, lenient=False)
    assert {entry.message for entry in found.report if entry.verdict is Verdict.ERROR} == set()
    assert _by_channel(product_of(found)["spec"]) == _by_channel(product["spec"])
    assert len(found.manifests) == 1


PLACES = st.lists(st.integers(0, 10_000), min_size=1, max_size=4)
CHANGES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), WORDS, st.just([]), st.just({}), st.lists(WORDS, max_size=3), st.just("x" * 5000),
    st.dictionaries(st.sampled_from(["name", "id", "url", "$ours", "value", "vendor"]), WORDS, max_size=3),
    st.sampled_from(["v1", "latest", "Retired", "${X}", "topic", "clouddatamesh", "javascript:alert(1)", "../..", "\u202e", "1.0.0"]),
)  # fmt: skip


def _changed(value: Any, places: Iterator[int], change: Any) -> Any:
    """The document with one value somewhere replaced, taken out (None) or added."""
    place = next(places, None)
    if place is None or not isinstance(value, dict | list) or not value:
        return change
    if isinstance(value, list):
        at = place % len(value)
        return [_changed(one, places, change) if spot == at else one for spot, one in enumerate(value)]
    names = [*value, "foreign"]
    name = names[place % len(names)]
    if name in ("apiVersion", "kind"):
        return value
    return {**value, name: _changed(value.get(name, "x"), places, change)}


def _sorted(found: Mapping[str, Any]) -> dict[str, Any]:
    """Channels without a link, which become a custom property, are among the others again."""
    listed = found.get("support", [])
    unlinked = said(found, "support") or []
    if not isinstance(listed, list) or not isinstance(unlinked, list) or not (listed or unlinked):
        return dict(found)
    return {
        **found,
        "support": sorted([*listed, *unlinked], key=lambda one: str(one.get("channel")) if isinstance(one, dict) else str(one)),
    }


@LAW
@given(file=st.sampled_from(files("odps")), places=PLACES, change=CHANGES)
def test_any_document_loses_only_what_the_report_lists(file: Any, places: list[int], change: Any) -> None:
    before = _changed(document(file), iter(places), change)
    found = imported(before)
    if not found.manifests:
        assert any(entry.verdict is Verdict.ERROR and entry.message for entry in found.report)
        return
    product = product_of(found)
    assert [(fault.field, fault.message) for fault in find_faults(product)] == []
    after = odps.write_product(mesh_of(*found.manifests), product)
    told = {entry.path for entry in found.report if entry.verdict in (Verdict.CHANGED, Verdict.LOST)}
    missing = lost(_sorted(before), _sorted({**after, "apiVersion": before["apiVersion"]}))
    assert [path for path in missing if path not in told and "$ours" not in path] == []
    again = imported(after)
    assert _by_channel(product_of(again)["spec"]) == _by_channel(product["spec"])
    assert odps.write_product(mesh_of(*again.manifests), product_of(again)) == after


def test_the_own_documents_are_there() -> None:
    assert len(list(OWN.glob("*.yaml"))) >= 3
