"""A DataProduct as a document of Bitol's Open Data Product Standard (ODPS) 1.1.0 or 1.0.0."""

from collections.abc import Sequence
from typing import Any, Final

from clouddatamesh.export.bitol import kept, versions
from clouddatamesh.export.bitol.facts import facts_of
from clouddatamesh.export.bitol.mapping import write_object
from clouddatamesh.export.bitol.product_table import PRODUCT, is_unlinked
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.export.bitol.vendor import VENDOR
from clouddatamesh.export.documents import Document, Documents
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text

MEDIA_TYPE: Final = "application/odps+yaml"
_FIRST: Final = ("apiVersion", "kind", "id", "name", "version", "status", "deprecated", "domain", "tenant", "type")


def write(mesh: Mesh, products: Sequence[Manifest], *, version: str = "1.1.0", tenant: str = "") -> Documents:
    """A document for each product. ConfigMaps of the mesh give what only the imported document said."""
    return tuple(
        Document(
            f"{product['metadata']['namespace']}.{product['metadata']['name']}.odps.yaml",
            MEDIA_TYPE,
            write_product(mesh, product, version=version, tenant=tenant),
        )
        for product in products
    )


def write_product(mesh: Mesh, product: Manifest, *, version: str = "1.1.0", tenant: str = "") -> dict[str, Any]:
    """One document."""
    rest = kept.held(mesh, kept.key_of_product(key_of(product)), "odps")
    written = write_object(_told(product, rest), rest, PRODUCT)
    whole = {**written, "apiVersion": "v1.1.0", "kind": "DataProduct", **_around(mesh, product, rest, tenant)}
    if not _may_say(whole.get("deprecated"), text(product, "spec", "lifecycle")):
        del whole["deprecated"]
    whole = _linked(whole)
    ordered = {name: whole[name] for name in _FIRST if name in whole} | whole
    return versions.to_1_0(ordered) if version == "1.0.0" else ordered


def _told(product: Manifest, rest: Node) -> dict[str, Any]:
    """The facts; of id and name only what was given, where the document had something that no field holds."""
    spec = product.get("spec") or {}
    made = {ours for theirs, ours in (("id", "id"), ("name", "displayName")) if _is_odd(rest.get(theirs)) and not spec.get(ours)}
    return {name: value for name, value in facts_of(product).items() if name not in made}


def _is_odd(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and 0 < len(value) <= 256)


def _linked(document: dict[str, Any]) -> dict[str, Any]:
    """The standard has no channel without a link: those become one property."""
    channels = document.get("support")
    if not isinstance(channels, list):
        return document
    unlinked = [one for one in channels if is_unlinked(one)]
    linked = [one for one in channels if not is_unlinked(one)]
    if not unlinked:
        return document
    others = {name: value for name, value in document.items() if name != "support"} | ({"support": linked} if linked else {})
    said = {"property": "support", "value": unlinked, "vendor": VENDOR}
    return {**others, "customProperties": [*document.get("customProperties", ()), said]}


def _around(mesh: Mesh, product: Manifest, rest: Node, tenant: str) -> dict[str, Any]:
    """What is said of the place and the making of the product; only what is known."""
    domain = mesh.domain_of(product["metadata"]["namespace"])
    found = {
        "domain": _domain(domain, rest) if domain else rest.get("domain"),
        "tenant": rest.get("tenant", tenant),
        "productCreatedTs": rest.get("productCreatedTs", text(product, "metadata", "creationTimestamp")),
    }
    return {name: value for name, value in found.items() if value or name in rest}


def _domain(domain: Manifest, rest: Node) -> Any:
    """As the document spelled it, if it means this Domain."""
    return rest["domain"] if means(rest.get("domain"), domain) else domain["metadata"]["name"]


def means(said: Any, domain: Manifest) -> bool:
    """Whether a name is that of a Domain: its own, or its display name."""
    names = (str(domain["metadata"]["name"]), text(domain, "spec", "displayName"))
    return isinstance(said, str) and said.casefold() in {name.casefold() for name in names if name}


def _may_say(deprecated: Any, lifecycle: str) -> bool:
    """Whether the flag of the document is still true."""
    return lifecycle in ("deprecated", "retired") if deprecated is True else deprecated is not False or lifecycle != "deprecated"
