"""ODPS 1.1.0 in the words of 1.0.0, and back: what is new becomes a custom property with a prefix."""

from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.export.bitol.values import Node
from clouddatamesh.export.bitol.vendor import PREFIX, VENDOR

_NEW: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"context", "deprecated", "synonyms", "type"}),
    "inputPorts": frozenset({"deprecated", "id"}),
    "outputPorts": frozenset({"context", "deprecated", "id", "synonyms"}),
    "managementPorts": frozenset({"deprecated", "id"}),
    "support": frozenset({"id"}),
}
"""Keys that 1.0.0 does not have, of objects that have custom properties, by the list that the object is in."""
_FILLED: Final = f"{PREFIX}filled"
"""The property that names keys which 1.0.0 demands and which we had to fill."""
_NOT_SAID: Final = "0.0.0"


def to_1_0(document: Node) -> dict[str, Any]:
    """As 1.0.0 has it. `id` of links and custom properties, and vendors of others, have no place there and are left out."""
    whole = {name: _list(name, value) for name, value in _object("", document).items()}
    return {**_bare(whole), "apiVersion": "v1.0.0"}


def _list(name: str, value: Any) -> Any:
    if not name or name not in _NEW or not isinstance(value, list):
        return value
    return [_object(name, item) if isinstance(item, Mapping) else item for item in value]


def _object(where: str, item: Node) -> dict[str, Any]:
    new = _NEW[where]
    moved = [{"property": PREFIX + name, "value": item[name]} for name in item if name in new]
    filled = {name: f"urn:clouddatamesh:input:{item.get('name')}" if name == "contractId" else _NOT_SAID for name in _demanded(where)}
    filled = {name: value for name, value in filled.items() if name not in item}
    if filled:
        moved.append({"property": _FILLED, "value": sorted(filled)})
    listed = item.get("customProperties")
    own = [_prefixed(one) for one in listed] if isinstance(listed, list) else []
    bare = {name: value for name, value in item.items() if name not in new and name != "customProperties"} | filled
    return {**bare, **({"customProperties": [*own, *moved]} if own or moved else {})}


def _demanded(where: str) -> tuple[str, ...]:
    return ("version", "contractId") if where == "inputPorts" else ("version",) if where == "outputPorts" else ()


def _prefixed(item: Any) -> Any:
    if not isinstance(item, Mapping) or item.get("vendor") != VENDOR:
        return item
    return {"property": f"{PREFIX}{item.get('property')}", "value": item.get("value")}


def _bare(value: Any, where: str = "") -> Any:
    """Without what links, members, SBOMs and custom properties of 1.0.0 do not have."""
    if isinstance(value, list):
        return [_bare(item, where) for item in value]
    if not isinstance(value, Mapping):
        return value
    gone = _GONE.get(where, frozenset())
    # The value of a custom property is anybody's.
    return {name: part if where == "customProperties" else _bare(part, name) for name, part in value.items() if name not in gone}


_GONE: Final[Mapping[str, frozenset[str]]] = {
    "customProperties": frozenset({"id", "vendor"}),
    "authoritativeDefinitions": frozenset({"id"}),
    "members": frozenset({"id"}),
    "sbom": frozenset({"id", "tags", "customProperties", "authoritativeDefinitions"}),
}


def to_1_1(document: Node) -> dict[str, Any]:
    """What we wrote for 1.0.0 in the words of 1.1.0; the rest as it is."""
    if document.get("apiVersion") == "v1.1.0":
        return dict(document)
    return {
        name: [_restored(name, item) for item in value] if name in _NEW and isinstance(value, list) else value
        for name, value in _restored("", document).items()
    }


def _restored(where: str, item: Any) -> Any:
    listed = item.get("customProperties") if isinstance(item, Mapping) else None
    if not isinstance(listed, list):
        return item
    ours = {str(one["property"]): one.get("value") for one in listed if _is_ours(one)}
    filled = ours.pop(_FILLED, [])
    back = {name: ours.pop(PREFIX + name) for name in sorted(_NEW[where]) if PREFIX + name in ours and name not in item}
    vendor = [{"property": name.removeprefix(PREFIX), "value": value, "vendor": VENDOR} for name, value in ours.items()]
    others = [one for one in listed if not _is_ours(one)]
    gone = {"customProperties", *(name for name in (filled if isinstance(filled, list) else ()) if isinstance(name, str))}
    bare = {name: value for name, value in item.items() if name not in gone}
    return {**bare, **back, **({"customProperties": [*others, *vendor]} if others or vendor else {})}


def _is_ours(one: Any) -> bool:
    name = one.get("property") if isinstance(one, Mapping) else None
    return isinstance(name, str) and name.startswith(PREFIX) and "vendor" not in one
