"""The mesh as a catalogue of DCAT 3 in JSON-LD, by the European profile DCAT-AP 3.

A Catalog for the mesh and one for each Domain, a DatasetSeries for each product, a Dataset with a Distribution for each output port, and a
DataService for each S3 endpoint. The context is part of the file. Buckets, paths and persons are not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clouddatamesh.export import dcat_terms as terms
from clouddatamesh.export.catalogue import (
    Output,
    Settings,
    created_at,
    description_of,
    domains_of,
    earlier,
    endpoint_of,
    is_deprecated,
    outputs_of,
    parent_of,
    published,
    sources_of,
    stage_of,
    tags_of,
    team_of,
    title_of_all,
)
from clouddatamesh.export.dcat_terms import Node, typed
from clouddatamesh.export.documents import Document, Documents
from clouddatamesh.export.iris import Ids, mail, web
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import title_of
from clouddatamesh.view.raw import entries, text


@dataclass(frozen=True)
class _Scene:
    mesh: Mesh
    ids: Ids
    title: str
    products: tuple[Manifest, ...]
    domains: tuple[Manifest, ...]
    outputs: Mapping[Key, tuple[Output, ...]]

    def outputs_of(self, product: Manifest) -> tuple[Output, ...]:
        return self.outputs[key_of(product)]

    def domain_of(self, product: Manifest) -> Manifest | None:
        return self.mesh.domain_of(product["metadata"]["namespace"])


def write(mesh: Mesh, products: Sequence[Manifest], *, settings: Settings) -> Documents:
    """One document, `catalog.jsonld`. Raises Refused for a base that begins no identifiers."""
    shown = published(products)
    outputs = {key_of(product): outputs_of(product) for product in shown}
    scene = _Scene(mesh, Ids.of(settings), title_of_all(settings), shown, domains_of(mesh, shown), outputs)
    graph = [_trim(node) for node in _graph(scene)]
    return (Document("catalog.jsonld", "application/ld+json", {"@context": dict(terms.CONTEXT), "@graph": graph}),)


def _graph(scene: _Scene) -> Iterator[Node]:
    yield _catalog(scene)
    for domain in scene.domains:
        yield _domain(scene, domain)
        yield _concept(scene, domain)
    for product in scene.products:
        yield _series(scene, product)
        for output in scene.outputs_of(product):
            yield _dataset(scene, product, output)
            yield _distribution(scene, product, output)
    yield from _services(scene)


def _trim(node: Node) -> Node:
    return {name: said for name, said in node.items() if said not in ("", None, [], {})}


def _catalog(scene: _Scene) -> Node:
    ids = scene.ids
    free = [product for product in scene.products if scene.domain_of(product) is None]
    return {
        "@id": ids.make("Catalog"),
        "@type": "dcat:Catalog",
        "dcterms:title": scene.title,
        "dcterms:description": f"Data products of {scene.title}",
        "dcterms:publisher": typed(ids.make("Publisher"), "foaf:Agent", foaf_name=scene.title),
        "foaf:homepage": typed(ids.pages, "foaf:Document") if ids.pages else None,
        "dcat:themeTaxonomy": _scheme(scene) if scene.domains else None,
        "dcterms:hasPart": [_ref(ids.domain(domain["metadata"]["name"])) for domain in scene.domains],
        "dcat:catalog": [_ref(ids.domain(domain["metadata"]["name"])) for domain in scene.domains],
        **_listed(scene, free),
        "dcat:service": [_ref(ids.make("Service", endpoint)) for endpoint in _endpoints(scene)],
    }


def _scheme(scene: _Scene) -> Node:
    return typed(scene.ids.make("Domains"), "skos:ConceptScheme", dcterms_title=f"Domains of {scene.title}")


def _domain(scene: _Scene, domain: Manifest) -> Node:
    name, parent = domain["metadata"]["name"], parent_of(scene.mesh, domain)
    inside = [product for product in scene.products if scene.domain_of(product) is domain]
    return {
        "@id": scene.ids.domain(name),
        "@type": "dcat:Catalog",
        "dcterms:title": title_of(domain),
        "dcterms:description": description_of(domain),
        "dcterms:publisher": _publisher(scene, domain, ""),
        "dcterms:isPartOf": _ref(scene.ids.domain(parent["metadata"]["name"])) if parent else None,
        **_listed(scene, inside),
    }


def _concept(scene: _Scene, domain: Manifest) -> Node:
    """A Domain as a theme: catalogues that know no catalogue in a catalogue group datasets by it."""
    scheme = _ref(scene.ids.make("Domains"))
    return {
        "@id": scene.ids.make("Theme", domain["metadata"]["name"]),
        "@type": "skos:Concept",
        "skos:prefLabel": title_of(domain),
        "skos:inScheme": scheme,
        "skos:topConceptOf": scheme,
    }


def _listed(scene: _Scene, products: Iterable[Manifest]) -> Node:
    listed = tuple(products)
    return {
        "dcat:resource": [_ref(scene.ids.product(key_of(product))) for product in listed],
        "dcat:dataset": [_ref(scene.ids.port(output)) for product in listed for output in scene.outputs_of(product)],
    }


def _publisher(scene: _Scene, domain: Manifest | None, namespace: str) -> Node:
    iri = scene.ids.make("Team", domain["metadata"]["name"]) if domain else scene.ids.make("Namespace", namespace)
    return typed(iri, "foaf:Agent", foaf_name=team_of(domain, namespace))


def _series(scene: _Scene, product: Manifest) -> Node:
    key = key_of(product)
    iri = scene.ids.product(key)
    return {
        "@id": iri,
        "@type": "dcat:DatasetSeries",
        "dcterms:title": title_of(product),
        "dcterms:identifier": text(product, "spec", "id") or iri,
        "dcat:version": text(product, "spec", "version"),
        **_told(scene, product),
    }


def _told(scene: _Scene, product: Manifest) -> Node:
    """What a series and each of its datasets say alike."""
    issued = created_at(product)
    return {
        "dcterms:description": description_of(product),
        "dcterms:publisher": _publisher(scene, scene.domain_of(product), product["metadata"]["namespace"]),
        "dcat:contactPoint": list(_contacts(scene, product)),
        "dcterms:issued": {"@type": "xsd:dateTime", "@value": issued} if issued else None,
    }


def _contacts(scene: _Scene, product: Manifest) -> Iterator[Node]:
    """The channels of the team, or its name: no person is named."""
    kind = ["vcard:Kind", "vcard:Organization"]
    channels = list(entries(product, "spec", "support"))
    for channel in channels:
        link = text(channel, "url")
        urls = {"vcard:hasEmail": mail(link), "vcard:hasURL": web(link)}
        shown = {name: _ref(url) for name, url in urls.items() if url}
        yield {"@type": kind, "vcard:fn": text(channel, "channel"), "vcard:note": text(channel, "description"), **shown}
    if not channels:
        yield {"@type": kind, "vcard:fn": team_of(scene.domain_of(product), product["metadata"]["namespace"])}


def _dataset(scene: _Scene, product: Manifest, output: Output) -> Node:
    ids, port = scene.ids, output.port
    iri, named = ids.port(output), text(product, "spec", "id")
    page, documentation = ids.page(output.product), web(text(product, "spec", "documentation", "url"))
    previous = dict(earlier(scene.outputs_of(product))).get(output)
    return {
        "@id": iri,
        "@type": "dcat:Dataset",
        **_told(scene, product),
        "dcterms:title": f"{title_of(product)}: {port.name} {port.version}",
        "dcterms:description": port.description or description_of(product),
        "dcterms:identifier": f"{named}:{port.name}:{port.version}" if named else iri,
        "dcat:version": port.version,
        "dcat:previousVersion": _ref(ids.port(previous)) if previous else None,
        "dcat:inSeries": _ref(ids.product(output.product)),
        "dcat:distribution": _ref(f"{iri}{ids.glue}distribution"),
        "dcterms:accessRights": terms.access_rights(product),
        "dcat:keyword": list(tags_of(product, output)),
        "dcat:theme": [*_domain_theme(scene, product), *terms.themes(product)],
        "dcterms:language": list(terms.languages(product)),
        "dcterms:conformsTo": terms.standard(output.contract),
        "dcat:landingPage": typed(page, "foaf:Document") if page else None,
        "foaf:page": typed(documentation, "foaf:Document") if documentation else None,
        "prov:wasDerivedFrom": [_ref(ids.port(source)) for source in sources_of(scene.mesh, product)],
    }


def _domain_theme(scene: _Scene, product: Manifest) -> Iterator[Node]:
    domain = scene.domain_of(product)
    if domain is not None:
        yield _ref(scene.ids.make("Theme", domain["metadata"]["name"]))


def _distribution(scene: _Scene, product: Manifest, output: Output) -> Node:
    ids, port = scene.ids, output.port
    deprecated, endpoint = is_deprecated(product, port), _endpoint(product, output)
    return {
        "@id": f"{ids.port(output)}{ids.glue}distribution",
        "@type": "dcat:Distribution",
        "dcterms:title": f"{title_of(product)}: {port.name} {port.version}",
        "dcat:accessURL": typed(_access_url(scene, product), "rdfs:Resource"),
        "dcat:accessService": _ref(ids.make("Service", endpoint)) if endpoint else None,
        "dcat:mediaType": terms.media_type(port),
        "dcterms:format": terms.file_format(port),
        "dcterms:license": terms.licence(product),
        "dcterms:rights": terms.rights(port, deprecated=deprecated),
        "adms:status": terms.status(stage_of(product), deprecated=deprecated),
    }


def _access_url(scene: _Scene, product: Manifest) -> str:
    """Where to ask for access, not where the data is: the page of the product, else its documentation, else only its identifier."""
    key, links = key_of(product), entries(product, "spec", "authoritativeDefinitions")
    told = (text(product, "spec", "documentation", "url"), *(text(link, "url") for link in links))
    return scene.ids.page(key) or next(filter(None, map(web, told)), "") or scene.ids.product(key)


def _endpoint(product: Manifest, output: Output) -> str:
    return web(endpoint_of(product)) if output.port.location else ""


def _endpoints(scene: _Scene) -> dict[str, list[Any]]:
    """The datasets of each endpoint, by its address."""
    found: dict[str, list[Any]] = {}
    for product in scene.products:
        for output in scene.outputs_of(product):
            endpoint = _endpoint(product, output)
            if endpoint:
                found.setdefault(endpoint, []).append(_ref(scene.ids.port(output)))
    return dict(sorted(found.items()))


def _services(scene: _Scene) -> Iterator[Node]:
    for endpoint, served in _endpoints(scene).items():
        yield {
            "@id": scene.ids.make("Service", endpoint),
            "@type": "dcat:DataService",
            "dcterms:title": f"S3 at {endpoint}",
            "dcat:endpointURL": typed(endpoint, "rdfs:Resource"),
            "dcat:servesDataset": served,
        }


def _ref(iri: str) -> Node:
    return {"@id": iri}
