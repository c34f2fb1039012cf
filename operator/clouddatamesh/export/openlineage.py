"""The mesh as static metadata of OpenLineage: a JobEvent for each product, and a DatasetEvent for each output port.

Runs are of the pipelines that make the data, and are not told here. A dataset is named by its place, as integrations for S3 name it, so a
port without a place is left out. The time of an event is when the object was last written: no clock is read.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from clouddatamesh.export.catalogue import (
    Output,
    Settings,
    changed_at,
    description_of,
    endpoint_of,
    outputs_of,
    published,
    sources_of,
    stage_of,
    tags_of,
    team_of,
)
from clouddatamesh.export.documents import Document, Documents
from clouddatamesh.export.iris import Ids, web
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text

Facet = dict[str, Any]
PRODUCER: Final = "https://clouddatamesh.dev/openlineage"
_SPEC: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_FACETS: Final = "https://openlineage.io/spec/facets/"
_PLACE: Final = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)


def write(mesh: Mesh, products: Sequence[Manifest], *, settings: Settings) -> Documents:
    """One document, `openlineage.ndjson`; its body is a list of events, each of which is a line."""
    shown = published(products)
    ids = Ids.of(settings)
    events = [
        event
        for product in shown
        for event in _events(
            mesh, product, ids, team_of(mesh.domain_of(product["metadata"]["namespace"]), product["metadata"]["namespace"])
        )
    ]
    return (Document("openlineage.ndjson", "application/x-ndjson", events),)


def _events(mesh: Mesh, product: Manifest, ids: Ids, team: str) -> Iterator[Facet]:
    key = key_of(product)
    outputs = [output for output in outputs_of(product) if _place(output)]
    for output in outputs:
        yield _event(product, "DatasetEvent", {"dataset": {**_named(output), "facets": _dataset_facets(product, output, ids, team)}})
    job = {"namespace": ids.root, "name": f"{key.namespace}.{key.name}", "facets": _job_facets(product, team)}
    read = [_named(source) for source in sources_of(mesh, product) if _place(source)]
    yield _event(product, "JobEvent", {"job": job, "inputs": read, "outputs": [_named(output) for output in outputs]})


def _event(product: Manifest, kind: str, body: Facet) -> Facet:
    return {"eventTime": changed_at(product), "producer": PRODUCER, "schemaURL": f"{_SPEC}{kind}", **body}


def _place(output: Output) -> tuple[str, str] | None:
    """Bucket and path without slashes at its ends; None for a port whose place is not known or is a whole bucket."""
    found = _PLACE.fullmatch(output.port.location)
    path = found[2].strip("/") if found else ""
    return (found[1], path) if found and path else None


def _named(output: Output) -> Facet:
    bucket, path = _place(output) or ("", "")
    return {"namespace": f"s3://{bucket}", "name": path}


def _facet(name: str, version: str, body: Facet) -> Facet:
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}{version}/{name}.json#/$defs/{name}", **body}


def _dataset_facets(product: Manifest, output: Output, ids: Ids, team: str) -> dict[str, Facet]:
    port, endpoint = output.port, web(endpoint_of(product))
    listed = [{"key": known, "value": said, "source": "clouddatamesh"} for known, said in _terms(product, output) if said]
    known = {"namespace": ids.root, "name": f"{output.product.namespace}.{output.product.name}.{port.name}.{port.version}", "type": "PORT"}
    facets = {
        "documentation": _facet("DocumentationDatasetFacet", "1-1-0", {"description": port.description or description_of(product)}),
        "ownership": _facet("OwnershipDatasetFacet", "1-0-1", _owners(team)),
        "version": _facet("DatasetVersionDatasetFacet", "1-0-1", {"datasetVersion": port.version}),
        "datasetType": _facet("DatasetTypeDatasetFacet", "1-0-1", {"datasetType": "FILE"}),
        # Two stores may each have a bucket of one name: the endpoint tells them apart.
        "dataSource": _facet("DatasourceDatasetFacet", "1-0-1", {"name": endpoint, "uri": endpoint}),
        "symlinks": _facet("SymlinksDatasetFacet", "1-0-1", {"identifiers": [known]}),
        "tags": _facet("TagsDatasetFacet", "1-0-0", {"tags": listed}),
    }
    return facets if endpoint else {name: facet for name, facet in facets.items() if name != "dataSource"}


def _terms(product: Manifest, output: Output) -> Iterator[tuple[str, str]]:
    """What has no facet of its own. A contract is a tag: its facet would need a published schema, and says no more."""
    yield "classification", text(product, "spec", "classification")
    yield "personalData", text(product, "spec", "personalData")
    yield "lifecycle", stage_of(product)
    yield "format", output.port.format
    yield "contract", output.contract
    yield from (("tag", tag) for tag in tags_of(product, output))


def _job_facets(product: Manifest, team: str) -> dict[str, Facet]:
    job = {"processingType": "BATCH", "integration": "CLOUDDATAMESH", "jobType": "DATA_PRODUCT"}
    return {
        "documentation": _facet("DocumentationJobFacet", "1-1-0", {"description": description_of(product)}),
        "ownership": _facet("OwnershipJobFacet", "1-0-1", _owners(team)),
        "jobType": _facet("JobTypeJobFacet", "2-0-4", job),
    }


def _owners(team: str) -> Facet:
    return {"owners": [{"name": f"team:{team}", "type": "OWNER"}]}
