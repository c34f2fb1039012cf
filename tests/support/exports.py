"""Meshes as one reader sees them, for exports: products with a state, written as the operator writes it, and what a file of them says."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdflib import Graph

from clouddatamesh.export import backstage, dcat, openlineage
from clouddatamesh.export.documents import Document
from clouddatamesh.export.rendering import render
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.mesh import Mesh
from tests.support.manifests import a_domain, a_product

WRITERS = {"dcat": dcat.write, "backstage": backstage.write, "openlineage": openlineage.write}
DAILY = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet"}
ENDPOINT = "https://s3.test"


@dataclass(frozen=True)
class Told:
    """Settings of an export."""

    catalog: str = "Acme"
    base: str = ""


def stored(name: str = "orders", namespace: str = "sales", **spec: Any) -> dict[str, Any]:
    """A product whose storage is there: every port has its place."""
    product = a_product(name, namespace, **spec)
    product["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    bucket = f"acme-{name}"
    ports = [
        {"name": port["name"], "version": port["version"], "location": f"s3://{bucket}/{port['path']}", "consumers": 0}
        for port in product["spec"]["outputPorts"]
    ]
    return {**product, "status": {"storage": {"bucket": bucket, "endpoint": ENDPOINT, "region": "eu"}, "outputPorts": ports}}


def ready_domain(name: str = "sales", namespaces: Sequence[str] = (), **spec: Any) -> dict[str, Any]:
    """A Domain that owns its namespaces: one with its name, if none is given."""
    return {**a_domain(name, **spec), "status": {"namespaces": [{"name": place} for place in namespaces or (name,)]}}


def an_inbox(name: str = "orders", namespace: str = "sales", *consumers: Mapping[str, Any], **status: Any) -> dict[str, Any]:
    """What the operator writes for a product's team; each consumer needs only what it is, as in `DataProduct inventory/forecast`."""
    listed = [{"namespace": "inventory", "name": "r", "outputPort": "daily/1.0.0", "mode": "ReadOnly", **entry} for entry in consumers]
    return {"kind": "AccessInbox", "metadata": {"name": name, "namespace": namespace}, "status": {"consumers": listed, **status}}


def reads(namespace: str, product: str, port: str = "daily", version: str = "1.0.0") -> dict[str, Any]:
    """An input port that reads another product."""
    source = {"namespace": namespace, "dataProduct": product, "outputPort": {"name": port, "version": version}}
    return {"name": f"{product[:40]}-{port}", "from": source}


def export(name: str, objects: Iterable[Manifest] | Mesh, told: Told | None = None) -> Document:
    """The document of a format, of everything that the reader sees."""
    mesh = objects if isinstance(objects, Mesh) else Mesh.of(objects)
    (document,) = WRITERS[name](mesh, tuple(mesh.all("DataProduct")), settings=told or Told())
    return document


def as_text(document: Document) -> str:
    """The content of the file."""
    return render(document)


def as_graph(document: Document) -> Graph:
    """What a JSON-LD document says. No context is fetched: the library has a warning for each use of its own parser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Graph().parse(data=as_text(document), format="json-ld")


RETAIL: tuple[dict[str, Any], ...] = (
    ready_domain("commerce"),
    ready_domain("sales", parentRef={"name": "commerce"}, team={"name": "Sales Data", "members": [{"username": "kim"}]}),
    ready_domain("inventory", access={}, team={"name": "Inventory Data"}, type="sourceAligned"),
    stored(
        "orders",
        "sales",
        id="urn:acme:dp:orders",
        tags=["finance"],
        synonyms=[{"synonym": "Sales orders"}],
        classification="internal",
        support=[
            {"channel": "#sales-data", "tool": "slack", "url": "slack://channel?id=1"},
            {"channel": "Mail", "url": "mailto:sales-data@example.com"},
            {"channel": "Forum", "url": "https://forum.example.com/sales", "description": "Questions"},
        ],
        documentation={"url": "https://wiki.example.com/orders"},
        customProperties=[
            {"property": "license", "value": "CC-BY-4.0"},
            {"property": "language", "value": "en, de"},
            {"property": "theme", "value": "ECON"},
        ],
        outputPorts=[
            {**DAILY, "description": "One row per order line", "contractId": "urn:acme:contract:orders", "tags": ["by day"]},
            {**DAILY, "version": "2.0.0", "path": "v2/", "access": {"approval": "Auto", "maxDuration": "90d"}},
            {**DAILY, "name": "old", "path": "old/", "format": "csv", "deprecated": True},
        ],
    ),
    stored("forecast", "inventory", inputPorts=[reads("sales", "orders"), reads("sales", "orders", "daily", "2.0.0")]),
    stored("trial", "inventory", lifecycle="draft", classification="confidential"),
    stored("idea", "inventory", lifecycle="proposed"),
    stored("gone", "inventory", lifecycle="retired"),
    stored("alone", "elsewhere", lifecycle="deprecated", classification="public"),
    an_inbox("orders", "sales", {"consumer": "ServiceAccount inventory/loader"}, {"consumer": "DataProduct inventory/forecast"}),
)
"""Two Domains and a parent, products of every stage, one without a Domain, and an inbox."""
