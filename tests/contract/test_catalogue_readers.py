"""Readers of the catalogue formats accept what is exported: SEMIC's shapes of DCAT-AP 3, Backstage's own rules, OpenLineage's own client.

Each of them refuses a planted fault as well, so that a reader that accepts everything would be noticed.
"""

import json
import subprocess
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from pyshacl import validate
from rdflib import DCTERMS, FOAF, RDF, Graph, Literal, Namespace, URIRef

from clouddatamesh.export.documents import Document
from clouddatamesh.view.mesh import Mesh as Seen
from hack.tools.catalogues import get_backstage, get_python, get_shapes
from hack.tools.npm import get_node
from tests.support.exports import DAILY, RETAIL, Told, an_inbox, as_graph, as_text, export, ready_domain, stored
from tests.support.installation import ROOT
from tests.support.mesh import Mesh

HOSTILE = '"quoted" \\ {"@context": "https://evil.example"} </script> <https://a b> \n--- \n- &a *a !!python/object x: y # ' + "ä" * 8000
WILD = (
    ready_domain("sales", team={"name": HOSTILE}, access={"owners": [{"kind": "Group", "name": HOSTILE}]}, displayName=HOSTILE),
    stored(
        "orders",
        "sales",
        id="not an iri <>",
        displayName=HOSTILE,
        description={"purpose": HOSTILE, "limitations": HOSTILE},
        tags=[HOSTILE, "@type", "--"],
        support=[{"channel": HOSTILE, "url": "https://exa mple.com/<>"}, {"channel": "x", "url": "javascript:alert(1)"}],
        documentation={"url": 'https://wiki.example.com/a b/"><script>?q=%&r={}#[1]'},
        authoritativeDefinitions=[{"type": HOSTILE, "url": "https://wiki.example.com/ü"}],
        customProperties=[{"property": name, "value": HOSTILE} for name in ("license", "language", "theme")],
        outputPorts=[{**DAILY, "description": HOSTILE, "contractId": HOSTILE, "format": HOSTILE, "tags": [HOSTILE]}],
    ),
    an_inbox("orders", "sales", {"consumer": f"ServiceAccount sales/{HOSTILE}"}),
)
VCARD, DCAT = Namespace("http://www.w3.org/2006/vcard/ns#"), Namespace("http://www.w3.org/ns/dcat#")
BASES = ["", "https://data.example.com/mesh", "urn:acme:mesh"]


@pytest.fixture(scope="module")
def real() -> Seen:
    """The retail example as the operator leaves it, and as somebody sees it who may read everything."""
    files = sorted((ROOT / "examples" / "retail").glob("*.yaml"))
    mesh = Mesh().apply(*(one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one))
    mesh.settle()
    kinds = ("Domain", "DataProduct", "AccessInbox", "AccessRequest", "AccessGrant", "ObjectStore")
    return Seen.of(mesh.cluster.raw(key) or {} for key in mesh.cluster.all_keys() if key.kind in kinds)


@pytest.fixture(params=["real", "retail", "wild", "empty"])
def seen(request: pytest.FixtureRequest, real: Seen) -> Seen:
    return {"real": real, "retail": Seen.of(RETAIL), "wild": Seen.of(WILD), "empty": Seen()}[request.param]


# DCAT


@pytest.fixture(scope="module")
def shapes() -> Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Graph().parse(get_shapes(), format="json-ld")


def faults(graph: Graph, shapes: Graph) -> str:
    """What the shapes object to; empty where nothing. Nothing is inferred and nothing fetched."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        conforms, _, said = validate(graph, shacl_graph=shapes, inference="none", do_owl_imports=False)
    return "" if conforms else str(said)


@pytest.mark.parametrize("base", BASES)
def test_the_shapes_of_dcat_ap_accept_a_catalogue(seen: Seen, base: str, shapes: Graph) -> None:
    assert faults(as_graph(export("dcat", seen, Told(base=base))), shapes) == ""


def without(kind: URIRef, predicate: URIRef) -> Callable[[Graph], None]:
    def plant(graph: Graph) -> None:
        graph.remove((next(graph.subjects(RDF.type, kind)), predicate, None))

    return plant


def as_literal(predicate: URIRef) -> Callable[[Graph], None]:
    def plant(graph: Graph) -> None:
        subject = next(graph.subjects(predicate))
        graph.remove((subject, predicate, None))
        graph.add((subject, predicate, Literal("a text")))

    return plant


@pytest.mark.parametrize(
    "plant",
    [
        without(DCAT.Catalog, DCTERMS.title),
        without(DCAT.Catalog, DCTERMS.publisher),
        without(DCAT.Catalog, DCTERMS.description),
        without(DCAT.Dataset, DCTERMS.title),
        without(DCAT.Dataset, DCTERMS.description),
        without(DCAT.DatasetSeries, DCTERMS.description),
        without(DCAT.Distribution, DCAT.accessURL),
        without(DCAT.DataService, DCAT.endpointURL),
        without(FOAF.Agent, FOAF.name),
        as_literal(DCTERMS.accessRights),
        as_literal(DCAT.contactPoint),
        as_literal(DCAT.theme),
        as_literal(DCAT.inSeries),
    ],
)
def test_the_shapes_refuse_a_planted_fault(plant: Callable[[Graph], None], shapes: Graph) -> None:
    graph = as_graph(export("dcat", RETAIL))
    plant(graph)
    assert "Conforms: False" in faults(graph, shapes)


def test_a_catalogue_says_what_the_profile_recommends() -> None:
    graph = as_graph(export("dcat", RETAIL, Told(base="https://data.example.com")))
    recommended = {
        DCAT.Catalog: (FOAF.homepage, DCAT.themeTaxonomy, DCAT.service, DCAT.dataset),
        DCAT.Dataset: (DCAT.contactPoint, DCAT.distribution, DCAT.keyword, DCTERMS.publisher, DCAT.theme, DCAT.landingPage, DCAT.inSeries),
        DCAT.DatasetSeries: (DCAT.contactPoint, DCTERMS.publisher),
        DCAT.Distribution: (DCTERMS["format"], DCTERMS.license, DCAT.mediaType),
        DCAT.DataService: (DCAT.servesDataset,),
        VCARD.Organization: (VCARD.fn,),
    }
    for kind, predicates in recommended.items():
        for predicate in predicates:
            assert [one for one in graph.subjects(RDF.type, kind) if (one, predicate, None) in graph], (kind, predicate)


# Backstage


def backstage(text: str) -> dict[str, Any]:
    command = [str(get_node() / "node"), str(ROOT / "hack" / "tools" / "backstage" / "check.cjs"), str(get_backstage())]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


@pytest.mark.parametrize("base", BASES[:2])
def test_backstage_accepts_the_entities(seen: Seen, base: str) -> None:
    document = export("backstage", seen, Told(base=base))
    assert backstage(as_text(document)) == {"entities": len(document.body), "errors": [], "dangling": []}


NO_TEXTS = (
    "1e3",
    "0o17",
    "0x1F",
    "1_000",
    "1:20",
    ".5",
    "+1",
    ".nan",
    "-.inf",
    "~",
    "null",
    "yes",
    "off",
    "2026-01-01",
    "=",
    "<<",
    "?",
    "-",
)


def test_a_text_that_looks_like_something_else_stays_a_text() -> None:
    """Backstage reads YAML 1.2, Python writes 1.1: what is a number in one is a text in the other."""
    found = [stored(f"p{place}", "sales", displayName=said, version=said, id=said) for place, said in enumerate(NO_TEXTS)]
    assert backstage(as_text(export("backstage", found)))["errors"] == []


def changed(document: Document, kind: str, part: str, **fields: Any) -> str:
    found = next(entity for entity in document.body if entity["kind"] == kind)
    found[part] = {name: said for name, said in {**found[part], **fields}.items() if said is not None}
    return as_text(document)


@pytest.mark.parametrize(
    ("kind", "part", "fields"),
    [
        ("System", "metadata", {"name": "a b"}),
        ("System", "metadata", {"tags": ["A Tag"]}),
        ("System", "metadata", {"links": [{"url": "no link"}]}),
        ("System", "metadata", {"namespace": "Sales"}),
        ("System", "spec", {"owner": None}),
        ("API", "spec", {"definition": None}),
        ("API", "spec", {"lifecycle": ""}),
        ("Component", "spec", {"dependsOn": "a text"}),
        ("Group", "spec", {"children": None}),
        ("Resource", "spec", {"type": None}),
        ("Domain", "spec", {"owner": 1}),
    ],
)
def test_backstage_refuses_a_planted_fault(kind: str, part: str, fields: dict[str, Any]) -> None:
    assert backstage(changed(export("backstage", RETAIL), kind, part, **fields))["errors"]


def test_a_relation_to_nothing_and_a_name_that_is_there_twice_are_noticed() -> None:
    assert backstage(changed(export("backstage", RETAIL), "System", "spec", owner="group:default/nobody"))["dangling"]
    document = export("backstage", RETAIL)
    assert backstage(as_text(Document(document.name, document.media_type, [*document.body, document.body[0]])))["errors"]


# OpenLineage


def client(lines: str) -> subprocess.CompletedProcess[str]:
    """Each event as OpenLineage's client builds it and would send it."""
    command = [str(get_python()), str(ROOT / "hack" / "tools" / "openlineage" / "check.py")]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=120)


def bare(event: Any) -> Any:
    """Without what the client adds where it is empty."""
    if isinstance(event, dict):
        return {name: bare(said) for name, said in event.items() if said != {}}
    return [bare(said) for said in event] if isinstance(event, list) else event


def test_openlineages_client_would_send_the_same(seen: Seen) -> None:
    document = export("openlineage", seen)
    done = client(as_text(document))
    assert done.returncode == 0, done.stderr
    assert [bare(json.loads(line)) for line in done.stdout.splitlines()] == json.loads(json.dumps(document.body))


@pytest.mark.parametrize(
    "fault",
    [
        {"eventTime": "yesterday"},
        {"producer": None, "unknown": 1},
        {"job": {"namespace": "x"}},
        {"schemaURL": "https://openlineage.io/spec/9-0-0/OpenLineage.json#/$defs/JobEvent"},
        {"job": {"namespace": "x", "name": "y", "facets": {"a": {"_producer": "https://x", "_schemaURL": "https://x"}}}},
    ],
)
def test_openlineages_client_refuses_a_planted_fault(fault: dict[str, Any]) -> None:
    event = next(event for event in export("openlineage", RETAIL).body if "job" in event)
    assert client(json.dumps({**event, **fault})).returncode != 0
