"""Texts of tenants come out of an export as they went in, as data; identifiers are valid; one mesh gives one file."""

import json
import re
import unicodedata
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import DCTERMS, Literal, Namespace, URIRef

from clouddatamesh.export.documents import Document
from clouddatamesh.export.iris import absolute, mail, web
from clouddatamesh.export.rendering import render
from clouddatamesh.view.mesh import Mesh
from tests.support.exports import DAILY, RETAIL, WRITERS, Told, an_inbox, as_graph, as_text, export, ready_domain, stored

DCAT, FOAF = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://xmlns.com/foaf/0.1/")
NASTY: Final = (
    '"quotes" and \\backslashes\\',
    '{"@context": {"dcterms": "https://evil.example/"}, "@id": "urn:x"}',
    "@context",
    "@type",
    "urn:clouddatamesh:acme:Catalog",
    "</script><script>alert(1)</script>",
    "a\nb\r\n\tc\u2028d",
    "\x85",
    "\x7f",
    "\ufeffa\u2029",
    "1e3",
    "0o17",
    "\u202egnp.exe\u0000\u0007\x1b[31m",
    "--- \n- !!python/object:os.system {x: y}\n&a *a",
    "x" * 8192,
    "ä" * 8192,
    " ",
    "${HOME} {{ template }} <%= erb %>",
    "=cmd|' /C calc'!A0",
)
URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
texts = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))


def with_text(said: str) -> tuple[dict[str, Any], ...]:
    """One text wherever a tenant can write."""
    return (
        ready_domain(
            "sales",
            displayName=said,
            description={"purpose": said},
            team={"name": said},
            type=said,
            access={"owners": [{"kind": "Group", "name": said}]},
        ),
        stored(
            "orders",
            "sales",
            id=said,
            displayName=said,
            version=said,
            description={"purpose": said, "limitations": said, "usage": said},
            documentation={"text": said, "url": f"https://wiki.example.com/{said}"},
            support=[{"channel": said, "url": said, "description": said}, {"channel": said, "url": f"mailto:{said}"}],
            tags=[said],
            synonyms=[{"synonym": said}],
            classification=said,
            authoritativeDefinitions=[{"type": said, "url": said}],
            customProperties=[{"property": name, "value": said} for name in ("license", "language", "theme", said)],
            outputPorts=[{**DAILY, "description": said, "format": said, "contractId": said, "tags": [said], "sample": said}],
        ),
        an_inbox("orders", "sales", {"consumer": said}, {"consumer": f"ServiceAccount sales/{said}"}, {"outputPort": said}),
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=texts)
def test_a_text_is_a_literal_of_a_valid_graph(said: str) -> None:
    graph = as_graph(export("dcat", with_text(said)))
    series = URIRef("urn:clouddatamesh:acme:sales:orders")
    assert graph.value(series, DCTERMS.title) == Literal(said)
    assert graph.value(series, DCTERMS.identifier) == Literal(said)
    assert str(graph.value(URIRef(f"{series}:daily:1.0.0"), DCTERMS.description)) == said
    assert str(graph.value(URIRef("urn:clouddatamesh:acme:Team:sales"), FOAF.name)) == said
    named = {term for triple in graph for term in triple if isinstance(term, URIRef)}
    assert [term for term in named if not URI.fullmatch(term)] == []
    assert len(set(graph.subjects(DCTERMS.publisher))) == 4


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=texts, name=st.sampled_from(sorted(WRITERS)))
def test_a_file_is_read_as_what_was_written(said: str, name: str) -> None:
    document = export(name, with_text(said))
    text = as_text(document)
    if name == "backstage":
        assert list(yaml.safe_load_all(text)) == document.body
    elif name == "openlineage":
        assert [json.loads(line) for line in text.splitlines()] == document.body
        assert text.isascii()
    else:
        assert json.loads(text) == document.body


def test_a_document_of_yaml_has_no_anchors_and_one_body_is_one_document() -> None:
    shared = {"a": ["x" * 10]}
    assert (
        render(Document("a.yaml", "application/yaml", {"one": shared, "two": shared}))
        == "one:\n  a:\n  - xxxxxxxxxx\ntwo:\n  a:\n  - xxxxxxxxxx\n"
    )
    assert render(Document("a.yaml", "application/yaml", [{"b": "ä", "a": 1}, {"b": 2}])) == '---\nb: "ä"\na: 1\n---\nb: 2\n'
    assert render(Document("a.jsonld", "application/ld+json", {"b": "ä"})) == '{\n  "b": "ä"\n}\n'


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=texts, name=st.sampled_from(sorted(WRITERS)))
def test_nothing_in_a_file_can_steer_a_terminal(said: str, name: str) -> None:
    written = set(as_text(export(name, with_text(said)))) - {"\n"}
    assert [letter for letter in written if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")] == []


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=texts)
def test_every_name_and_reference_is_by_backstages_rules(said: str) -> None:
    for entity in export("backstage", with_text(said)).body:
        metadata = entity["metadata"]
        assert re.fullmatch(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", metadata["name"])
        assert len(metadata["name"]) <= 63
        assert all(URI.fullmatch(link["url"]) for link in metadata.get("links", ()))
        assert all(re.fullmatch(r"[a-z0-9+#:]+(-[a-z0-9+#:]+)*", tag) and len(tag) <= 63 for tag in metadata.get("tags", ()))


@pytest.mark.parametrize("name", WRITERS)
def test_the_order_in_which_objects_were_read_changes_nothing(name: str) -> None:
    expected = as_text(export(name, RETAIL))
    turned = (RETAIL[place:] + RETAIL[:place] for place in range(len(RETAIL)))
    for shuffled in (*turned, RETAIL[::-1]):
        mesh = Mesh.of(shuffled)
        products = [one for one in shuffled if one["kind"] == "DataProduct"]
        (document,) = WRITERS[name](mesh, [*products, *products], settings=Told())
        assert as_text(document) == expected


@pytest.mark.parametrize("name", WRITERS)
def test_an_export_changes_no_object(name: str) -> None:
    before = json.dumps(RETAIL)
    export(name, RETAIL)
    assert json.dumps(RETAIL) == before


BROKEN: Final[tuple[Any, ...]] = (None, 0, "x", [], {}, [None], ["x"], [{}], {"a": 1}, True)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("broken", BROKEN, ids=repr)
def test_fields_of_another_type_are_left_out(name: str, broken: Any) -> None:
    """The reader may see objects that another version of the CRDs took."""
    product = stored()
    for field in [*product["spec"], "inputPorts", "support", "customProperties", "synonyms", "tags", "documentation", "lifecycle"]:
        export(name, [{**product, "spec": {**product["spec"], field: broken}}])
    for field in ("storage", "outputPorts", "inputPorts", "conditions"):
        export(name, [{**product, "status": {**product["status"], field: broken}}])
    export(name, [product, {**ready_domain(), "spec": broken}, {**ready_domain("b"), "status": {"namespaces": broken}}])
    export(name, [product, an_inbox("orders", "sales", consumers=broken)])
    export(name, [{**product, "status": broken}, {**product, "spec": broken}])


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/%zz%20", "https://example.com/%25zz%20"),
        ("HTTP://example.com", "http://example.com"),
        ("https://example.com:8443/ü?q=ä b#ö", "https://example.com:8443/%C3%BC?q=%C3%A4%20b#%C3%B6"),
        ('https://example.com/"><script>', "https://example.com/%22%3E%3Cscript%3E"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://[2001:db8::1]:80/x", "https://[2001:db8::1]:80/x"),
        ("https://user:secret@example.com/", ""),
        ("https://", ""),
        ("https:///path", ""),
        ("https://[::1", ""),
        ("https://exa mple.com", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("slack://channel", ""),
        ("", ""),
    ],
)
def test_a_link_is_a_valid_uri_or_none(link: str, shown: str) -> None:
    assert web(link) == shown


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("mailto:a@example.com?bcc=b@example.com", "mailto:a@example.com"),
        ("mailto:nobody", ""),
        ("a@example.com", ""),
    ],
)
def test_a_mail_link_is_one_address(link: str, shown: str) -> None:
    assert mail(link) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("urn:acme:a b", "urn:acme:a%20b"),
        ("URN:ACME:x", "urn:acme:x"),
        ("https://a.example", "https://a.example"),
        ("orders", ""),
        ("urn:", ""),
    ],
)
def test_a_name_is_absolute_or_none(name: str, shown: str) -> None:
    assert absolute(name) == shown


@given(st.text(max_size=300))
def test_whatever_a_tenant_writes_as_a_link_is_a_valid_uri_or_none(said: str) -> None:
    for found in (
        web(said),
        web(f"https://example.com/{said}"),
        web(f"https://{said}"),
        mail(f"mailto:{said}"),
        absolute(f"urn:a1:{said}"),
    ):
        assert not found or URI.fullmatch(found)
