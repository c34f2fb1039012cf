"""The output ports of a DataProduct as documents of Bitol's Open Data Contract Standard (ODCS) 3.x."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clouddatamesh.export.bitol import kept
from clouddatamesh.export.bitol.facts import UNKNOWN_PLACE, made_id
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.export.bitol.vendor import VENDOR
from clouddatamesh.export.documents import Document, Documents
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import title_of
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.raw import entries, text, value, words

MEDIA_TYPE: Final = "application/odcs+yaml"
SERVER: Final = "clouddatamesh"
"""Name of the server that we write; one of the same name in the kept document is replaced."""
PORT_PROPERTY: Final = "outputPort"


def write(mesh: Mesh, products: Sequence[Manifest], *, tenant: str = "") -> Documents:
    """A document for each output port in the spec, first those that the operator provides."""
    return tuple(document for product in products for document in _product(mesh, product, tenant))


def _product(mesh: Mesh, product: Manifest, tenant: str) -> list[Document]:
    key = key_of(product)
    ports = [*entries(product, "spec", "outputPorts"), *entries(product, "spec", "externalPorts")]
    stem = f"{key.namespace}.{key.name}"
    return [
        Document(f"{stem}.{port['name']}-{port['version']}.odcs.yaml", MEDIA_TYPE, write_port(mesh, product, port, tenant=tenant))
        for port in ports
    ]


def write_port(mesh: Mesh, product: Manifest, port: Manifest, *, tenant: str = "") -> dict[str, Any]:
    """One contract: the kept original with our id and our server, or what the product says."""
    original = kept.held(mesh, kept.key_of_port(key_of(product), text(port, "name"), text(port, "version")), "odcs")
    ours = _said(mesh, product, port, tenant)
    if original and text(port, "contractId") in ("", original.get("id")):
        return {**original, "servers": _servers(product, port, original)} if _servers(product, port, original) else original
    servers = _servers(product, port, {})
    return {**ours, **({"servers": servers} if servers else {})}


def made_contract_id(product: Key, port: Node) -> str:
    """The id of a port's contract where the port names none."""
    return f"{made_id(product)}:{port['name']}:{port['version']}"


def _said(mesh: Mesh, product: Manifest, port: Manifest, tenant: str) -> dict[str, Any]:
    key, domain = key_of(product), mesh.domain_of(product["metadata"]["namespace"])
    about = {part: text(product, "spec", "description", part) for part in ("limitations", "usage")}
    purpose = text(port, "description") or text(product, "spec", "description", "purpose")
    found = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": text(port, "contractId") or made_contract_id(key, port),
        "name": f"{title_of(product)}: {text(port, 'name')}",
        "version": text(port, "version"),
        "status": text(product, "spec", "lifecycle") or "active",
        "tenant": tenant,
        "domain": domain["metadata"]["name"] if domain else "",
        "dataProduct": title_of(product),
        "tags": list(words(port, "tags")),
        "description": {name: said for name, said in {"purpose": purpose, **about}.items() if said},
        "customProperties": [
            {"property": PORT_PROPERTY, "value": f"{key.namespace}/{key.name}/{port['name']}/{port['version']}", "vendor": VENDOR},
            *({"property": "format", "value": text(port, "format"), "vendor": VENDOR} for _ in [0] if text(port, "format")),
        ],
    }
    return {name: said for name, said in found.items() if said}


def _servers(product: Manifest, port: Manifest, original: Node) -> list[Any]:
    """Ours first where the bucket is known to the reader, then those of the original with another name."""
    listed = original.get("servers")
    others = [one for one in listed if not _is_ours(one)] if isinstance(listed, list) else []
    place = _place(product, port)
    if not place:
        return others
    said = {"format": text(port, "format"), "endpointUrl": text(product, "status", "storage", "endpoint")}
    return [{"server": SERVER, "type": "s3", "location": place, **{name: what for name, what in said.items() if what}}, *others]


def _is_ours(server: Any) -> bool:
    return isinstance(server, Mapping) and server.get("server") == SERVER


def _place(product: Manifest, port: Manifest) -> str:
    """The location in the status of exactly this port. It has none where the operator provides nothing."""
    if value(port, "location") is not None:
        said = text(port, "location")
        return said if said.startswith("s3://") and said != UNKNOWN_PLACE else ""
    wanted = (text(port, "name"), text(port, "version"))
    return next((found.location for found in ports_of(product) if (found.name, found.version) == wanted and not found.draining), "")
