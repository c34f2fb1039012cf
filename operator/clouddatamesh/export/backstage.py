"""The mesh as entities of a Backstage catalogue, with their relations.

A Domain is a Domain, a product a System with a Component that makes its data, an output port an API where it has a contract and else a
Resource, a bucket a Resource. Teams are Groups. Persons are left out; consumers come from AccessInboxes that the reader may read.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from clouddatamesh.export.backstage_names import tag
from clouddatamesh.export.backstage_scene import SHARED, Scene, build_scene, kind_of
from clouddatamesh.export.catalogue import (
    Output,
    Settings,
    description_of,
    is_deprecated,
    outputs_of,
    parent_of,
    sources_of,
    stage_of,
    tags_of,
)
from clouddatamesh.export.documents import Document, Documents
from clouddatamesh.export.iris import mail, web
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import title_of
from clouddatamesh.view.raw import entries, text

Entity = dict[str, Any]
_API: Final = "backstage.io/v1alpha1"
_OURS: Final = "clouddatamesh.dev"
_LIFECYCLES: Final = {"draft": "experimental", "active": "production", "deprecated": "deprecated"}
_CONTRACT: Final = "v3.1.0"
"""The version of the Open Data Contract Standard in which a definition is written."""


def write(mesh: Mesh, products: Sequence[Manifest], *, settings: Settings) -> Documents:
    """One document, `catalog-info.yaml`; its body is a list of entities, each of which is a YAML document."""
    scene = build_scene(mesh, products, settings)
    found = sorted(_entities(scene), key=lambda entity: (entity["kind"], entity["metadata"]["namespace"], entity["metadata"]["name"]))
    return (Document("catalog-info.yaml", "application/yaml", found),)


def _entities(scene: Scene) -> Iterator[Entity]:
    for identity, title in scene.groups.items():
        spec = {"type": "team", "profile": {"displayName": title}, "children": []}
        yield _entity(scene, "Group", SHARED, identity, {"title": title}, spec)
    for domain in scene.domains:
        yield _domain(scene, domain)
    for product in scene.products:
        yield from _product(scene, product)
    for consumer in scene.guests:
        yield _guest(scene, consumer)


def _entity(scene: Scene, kind: str, namespace: str, parts: tuple[str, ...], metadata: Entity, spec: Entity) -> Entity:  # noqa: PLR0917 - the parts of an entity
    named = {"name": scene.names[kind, namespace, *parts], "namespace": namespace, **metadata}
    return {"apiVersion": _API, "kind": kind, "metadata": _trim(named), "spec": _trim(spec, "children")}


def _trim(fields: Entity, *kept: str) -> Entity:
    return {name: said for name, said in fields.items() if name in kept or said not in ("", None, [], {})}


def _domain(scene: Scene, domain: Manifest) -> Entity:
    name, parent = domain["metadata"]["name"], parent_of(scene.mesh, domain)
    metadata = {
        "title": title_of(domain),
        "description": description_of(domain),
        "annotations": {f"{_OURS}/identifier": scene.ids.domain(name)},
    }
    spec = {
        "owner": scene.owner(domain, ""),
        "subdomainOf": scene.ref("Domain", SHARED, parent["metadata"]["name"]) if parent else "",
        "type": text(domain, "spec", "type"),
    }
    return _entity(scene, "Domain", SHARED, (name,), metadata, spec)


def _product(scene: Scene, product: Manifest) -> Iterator[Entity]:
    key, domain = key_of(product), scene.mesh.domain_of(product["metadata"]["namespace"])
    owner, bucket = scene.owner_of(product), text(product, "status", "storage", "bucket")
    metadata = {
        "title": title_of(product),
        "description": description_of(product),
        "annotations": _annotations(scene, product),
        "tags": _tags((*tags_of(product), stage_of(product))),
        "links": list(_links(product)),
    }
    system = {"owner": owner, "domain": scene.ref("Domain", SHARED, domain["metadata"]["name"]) if domain else "", "type": "data-product"}
    yield _entity(scene, "System", key.namespace, (key.name,), metadata, system)
    yield _component(scene, product)
    for output in outputs_of(product):
        yield _port(scene, product, output)
    if bucket:
        spec = {"type": "s3-bucket", "owner": owner, "system": scene.system(key)}
        yield _entity(
            scene, "Resource", key.namespace, (key.name,), {"title": bucket, "description": f"Bucket of {title_of(product)}"}, spec
        )


def _component(scene: Scene, product: Manifest) -> Entity:
    """What makes the data: it provides the ports that are APIs and reads those of other products."""
    key = key_of(product)
    provided = [scene.port(output) for output in outputs_of(product) if kind_of(output) == "API"]
    bucket = [scene.ref("Resource", key.namespace, key.name)] if text(product, "status", "storage", "bucket") else []
    read = {*sources_of(scene.mesh, product), *scene.read_by(key)}
    metadata = {
        "title": title_of(product),
        "description": f"Makes the data of {title_of(product)}",
        "annotations": _annotations(scene, product),
    }
    spec = {
        "type": "data-product",
        "lifecycle": _LIFECYCLES[stage_of(product)],
        "owner": scene.owner_of(product),
        "system": scene.system(key),
        "providesApis": provided,
        **_reads(scene, read, bucket),
    }
    return _entity(scene, "Component", key.namespace, ("DataProduct", key.name), metadata, spec)


def _reads(scene: Scene, outputs: Iterable[Output], more: Sequence[str] = ()) -> Entity:
    listed = sorted(outputs, key=lambda output: (output.product, output.order))
    return {
        "consumesApis": [scene.port(output) for output in listed if kind_of(output) == "API"],
        "dependsOn": [*more, *(scene.port(output) for output in listed if kind_of(output) == "Resource")],
    }


def _port(scene: Scene, product: Manifest, output: Output) -> Entity:
    key, port, kind = output.product, output.port, kind_of(output)
    lifecycle = "deprecated" if is_deprecated(product, port) else _LIFECYCLES[stage_of(product)]
    metadata = {
        "title": f"{title_of(product)}: {port.name} {port.version}",
        "description": port.description or description_of(product),
        "annotations": _port_annotations(scene, output),
        "tags": _tags((*output.tags, port.format, lifecycle)),
    }
    spec: Entity = {"owner": scene.owner_of(product), "system": scene.system(key)}
    if kind == "API":
        spec |= {"type": "odcs", "lifecycle": lifecycle, "definition": _definition(product, output)}
    else:
        spec |= {"type": "s3-path", "dependsOn": [scene.component(key)]}
    return _entity(scene, kind, key.namespace, (key.name, port.name, port.version), metadata, spec)


def _definition(product: Manifest, output: Output) -> str:
    """What is known of the contract here, as a document of its standard; JSON is YAML."""
    port = output.port
    contract = {
        "apiVersion": _CONTRACT,
        "kind": "DataContract",
        "id": output.contract,
        "name": f"{output.product.name}-{port.name}",
        "version": port.version,
        "status": stage_of(product),
        **({"description": {"purpose": port.description}} if port.description else {}),
    }
    return json.dumps(contract, indent=2, ensure_ascii=False)


def _guest(scene: Scene, consumer: Key) -> Entity:
    """A consumer that is not among the products: a ServiceAccount, or a product that is known only as a consumer."""
    spec = {
        "type": "service" if consumer.kind == "ServiceAccount" else "data-product",
        "lifecycle": "unknown",
        "owner": scene.owner(scene.mesh.domain_of(consumer.namespace), consumer.namespace),
        **_reads(scene, scene.read_by(consumer)),
    }
    metadata = {"title": consumer.name, "description": f"Reads data products as {consumer}"}
    return _entity(scene, "Component", consumer.namespace, (consumer.kind, consumer.name), metadata, spec)


def _annotations(scene: Scene, product: Manifest) -> dict[str, str]:
    key = key_of(product)
    return _trim(
        {
            "backstage.io/view-url": scene.ids.page(key),
            f"{_OURS}/identifier": scene.ids.product(key),
            f"{_OURS}/id": text(product, "spec", "id"),
            f"{_OURS}/version": text(product, "spec", "version"),
            f"{_OURS}/lifecycle": stage_of(product),
            f"{_OURS}/classification": text(product, "spec", "classification"),
            f"{_OURS}/personal-data": text(product, "spec", "personalData"),
        }
    )


def _port_annotations(scene: Scene, output: Output) -> dict[str, str]:
    return _trim(
        {
            "backstage.io/view-url": scene.ids.page(output.product),
            f"{_OURS}/identifier": scene.ids.port(output),
            f"{_OURS}/version": output.port.version,
            f"{_OURS}/format": output.port.format,
            f"{_OURS}/location": output.port.location,
            f"{_OURS}/terms": output.port.terms,
            f"{_OURS}/contract-id": output.contract,
        }
    )


def _tags(said: Iterable[str]) -> list[str]:
    return sorted({known for known in map(tag, said) if known})


def _links(product: Manifest) -> Iterator[Entity]:
    documentation = text(product, "spec", "documentation", "url")
    told = [(documentation, "Documentation", "docs")]
    told += [(text(link, "url"), text(link, "type"), "") for link in entries(product, "spec", "authoritativeDefinitions")]
    told += [(text(channel, "url"), text(channel, "channel"), "chat") for channel in entries(product, "spec", "support")]
    for link, title, icon in told:
        url = web(link) or mail(link)
        if url:
            yield _trim({"url": url, "title": title.strip(), "icon": icon})
