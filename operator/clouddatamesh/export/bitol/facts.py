"""A DataProduct in the shape that the tables of the standards have, and back."""

from typing import Any, Final

from clouddatamesh.export.bitol.product_table import is_external
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.model.objects import Key, Manifest, key_of

_SAME: Final = (
    "id",
    "version",
    "lifecycle",
    "type",
    "description",
    "synonyms",
    "tags",
    "authoritativeDefinitions",
    "customProperties",
    "classification",
    "personalData",
    "documentation",
    "inputPorts",
    "managementPorts",
    "owner",
    "team",
)
"""Fields of the spec that are facts as they are."""
UNKNOWN_PLACE: Final = "unknown: the descriptor names no place"


def made_id(key: Key) -> str:
    """The id of a product that has none: the same for every reader and in a cluster that is rebuilt."""
    return f"urn:clouddatamesh:{key.namespace}:{key.name}"


def facts_of(product: Manifest) -> dict[str, Any]:
    """What is exported of a product. Storage, producer and modes of operation are not."""
    key, spec = key_of(product), product.get("spec") or {}
    found = {name: spec[name] for name in _SAME if spec.get(name) not in (None, [], {}, "")}
    title = spec.get("displayName")
    return {
        "lifecycle": "active",
        **found,
        "id": spec.get("id") or made_id(key),
        "namespace": key.namespace,
        "name": key.name,
        "displayName": title or key.name,
        **({"namedAlike": True} if title == key.name else {}),
        "ports": [*(spec.get("outputPorts") or ()), *(spec.get("externalPorts") or ())],
        "support": spec.get("support") or (),
    }


def spec_of(facts: Node, key: Key) -> dict[str, Any]:
    """The spec that says these facts of the product of that name, without its storage."""
    ports = facts.get("ports") or ()
    spec = {
        "id": facts.get("id") if facts.get("id") != made_id(_said(facts, key)) else None,
        "displayName": facts.get("displayName") if facts.get("displayName") != key.name or facts.get("namedAlike") else None,
        **{name: facts[name] for name in _SAME if name in facts and name != "id"},
        "support": [*(facts.get("support") or ()), *(facts.get("unlinkedSupport") or ())],
        "outputPorts": [_output(port) for port in ports if not is_external(port)],
        "externalPorts": [_external(port) for port in ports if is_external(port)],
    }
    return {name: value for name, value in spec.items() if value not in (None, [], {})}


def _said(facts: Node, key: Key) -> Key:
    """The name that the product had where it was exported."""
    return Key(key.kind, str(facts.get("namespace") or key.namespace), str(facts.get("name") or key.name))


def _output(port: Node) -> dict[str, Any]:
    path = port.get("path") or f"{port['name']}/v{port['version'].partition('.')[0]}/"
    named = {"name": port["name"], "version": port["version"], "path": path}
    return named | {name: value for name, value in port.items() if name not in ("path", "location")}


def _external(port: Node) -> dict[str, Any]:
    given = {"type": "other", "location": UNKNOWN_PLACE, **port}
    return {name: value for name, value in given.items() if name not in ("path", "format", "access", "sample")}
