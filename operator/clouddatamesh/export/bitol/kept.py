"""ConfigMaps that keep what no field of ours holds: one YAML text or parts of one of JSON, with a label that says of which standard."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.api.fields import GROUP
from clouddatamesh.export.bitol.loading import Unreadable, load
from clouddatamesh.export.writing import to_yaml
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import major
from clouddatamesh.plan.names import hash80
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text

LABEL: Final = f"{GROUP}/descriptor"
"""A ConfigMap must carry it to be read: nobody publishes another one by naming a product after it."""
MOST_BYTES: Final = 65536
"""Of a text for people. A longer one is kept as JSON, which is read a hundred times faster."""
_PART: Final = 120_000
"""Characters of ASCII in one ConfigMap: `kubectl apply` writes the object once more into an annotation, with its quotes escaped, and all
annotations of an object have at most 262,144 bytes."""
_MOST_PARTS: Final = 9
MOST_KEPT: Final = _PART * _MOST_PARTS
_PARTS: Final = f"{GROUP}/descriptor-part"
"""Annotation of a part: its number, how many there are, and a hash of the whole."""
_MOST_NAME: Final = 253


def key_of_product(product: Key) -> Key:
    """The ConfigMap of a product's ODPS document."""
    return _key(product, "-odps")


def key_of_port(product: Key, name: str, version: str) -> Key:
    """The ConfigMap of the ODCS document of a port and its major version."""
    return _key(product, f".{name}-v{major(version)}-odcs")


def _key(product: Key, tail: str) -> Key:
    """A port has no dot in its name, so the last dot parts product and port: no two have one ConfigMap."""
    name = f"{product.name}{tail}"
    if len(name) > _MOST_NAME:
        name = f"{product.name[:120].rstrip('-.')}-{hash80(product.name, tail)}-{tail[-100:].lstrip('-.')}"
    return Key("ConfigMap", product.namespace, name)


def keep(key: Key, standard: str, rest: Any) -> tuple[dict[str, Any], ...]:
    """The ConfigMap, or several where the text is long; none where it is too large. JSON, which is never four times as long, is written
    much faster."""
    packed = json.dumps(rest, separators=(",", ":"))
    if len(packed) <= 4 * MOST_BYTES:
        written = to_yaml([rest])
        if len(written.encode(errors="replace")) <= MOST_BYTES:
            return (_config_map(key, standard, {f"{standard}.yaml": written}),)
    parts = [packed[start : start + _PART] for start in range(0, len(packed), _PART)]
    if len(parts) > _MOST_PARTS or not _is_shallow(rest):
        return ()
    digest = hash80(packed)
    return tuple(
        _config_map(_part(key, number), standard, {f"{standard}.json": part}, **{_PARTS: f"{number}/{len(parts)} {digest}"})
        for number, part in enumerate(parts, 1)
    )


def _config_map(key: Key, standard: str, data: Mapping[str, str], **annotations: str) -> dict[str, Any]:
    metadata = {"name": key.name, "namespace": key.namespace, "labels": {LABEL: standard}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata | ({"annotations": annotations} if annotations else {}),
        "data": data,
    }


def _part(key: Key, number: int) -> Key:
    """The first has the name that a short text has; no other name of ours ends in a number."""
    if number == 1:
        return key
    name = f"{key.name}.{number}"
    return Key(key.kind, key.namespace, name if len(name) <= _MOST_NAME else f"{key.name[:200].rstrip('-.')}-{hash80(key.name)}.{number}")


def held(mesh: Mesh, key: Key, standard: str) -> dict[str, Any]:
    """What ConfigMaps of the mesh keep; empty where there are none, one is missing, or they are none of ours."""
    first = mesh.get(key.kind, key.namespace, key.name) or {}
    count, digest = _told(first)
    if not count:
        return _read(_text_of(first, f"{standard}.yaml", standard))
    parts = [mesh.get(*_place(_part(key, number))) or {} for number in range(1, count + 1)]
    packed = "".join(_text_of(part, f"{standard}.json", standard) for part in parts)
    return _unpacked(packed) if hash80(packed) == digest else {}


def _place(key: Key) -> tuple[str, str, str]:
    return key.kind, key.namespace, key.name


def _told(config_map: Manifest) -> tuple[int, str]:
    """How many parts there are, and the hash of the whole; 0 where it is no part."""
    found = re.fullmatch(r"1/([0-9]) ([a-z2-7]{16})", text(config_map, "metadata", "annotations", _PARTS))
    return (int(found[1]), found[2]) if found and int(found[1]) <= _MOST_PARTS else (0, "")


def _text_of(config_map: Manifest, name: str, standard: str) -> str:
    """Empty where it is not there, is too long, or lacks the label."""
    found = text(config_map, "data", name)
    is_ours = text(config_map, "metadata", "labels", LABEL) == standard
    return found if is_ours and len(found) <= max(MOST_BYTES, _PART) else ""


def _read(said: str) -> dict[str, Any]:
    try:
        documents = load(said) if len(said) <= MOST_BYTES else ()
    except Unreadable:
        return {}
    if len(documents) != 1 or not isinstance(documents[0], Mapping) or not _is_small(documents[0]):
        return {}
    return dict(documents[0])


def _unpacked(packed: str) -> dict[str, Any]:
    try:
        found = json.loads(packed, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and _is_shallow(found) else {}


def _refuse(word: str) -> None:
    raise ValueError(word)


def _is_small(rest: Any) -> bool:
    """Whether it may be written: aliases of a text that somebody else wrote could repeat much."""
    return len(json.dumps(rest, separators=(",", ":"))) <= 4 * MOST_BYTES


def _is_shallow(found: Any, levels: int = 64) -> bool:
    """As deep as what is imported may be: whatever is written goes down as far."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)
