"""The ConfigMap that keeps what no field of ours holds: one YAML text, with a label that says of which standard."""

import json
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.api.fields import GROUP
from clouddatamesh.export.bitol.loading import Unreadable, load
from clouddatamesh.export.writing import to_yaml
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import major
from clouddatamesh.plan.names import hash80
from clouddatamesh.view.mesh import Mesh

LABEL: Final = f"{GROUP}/descriptor"
"""A ConfigMap must carry it to be read: nobody publishes another one by naming a product after it."""
MOST_BYTES: Final = 65536
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


def keep(key: Key, standard: str, rest: Any) -> dict[str, Any] | None:
    """The ConfigMap; None where the text is too large. JSON, which is never four times as long, is written much faster."""
    if not _is_small(rest):
        return None
    text = to_yaml([rest])
    if len(text.encode(errors="replace")) > MOST_BYTES:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": key.name, "namespace": key.namespace, "labels": {LABEL: standard}},
        "data": {f"{standard}.yaml": text},
    }


def held(mesh: Mesh, key: Key, standard: str) -> dict[str, Any]:
    """What a ConfigMap of the mesh keeps; empty where there is none, or it is none of ours."""
    return held_of(mesh.get(key.kind, key.namespace, key.name) or {}, standard)


def held_of(config_map: Manifest, standard: str) -> dict[str, Any]:
    """What this ConfigMap keeps."""
    labels = config_map.get("metadata", {}).get("labels") or {}
    text = (config_map.get("data") or {}).get(f"{standard}.yaml")
    if labels.get(LABEL) != standard or not isinstance(text, str) or len(text) > MOST_BYTES:
        return {}
    try:
        documents = load(text)
    except Unreadable:
        return {}
    if len(documents) != 1 or not isinstance(documents[0], Mapping) or not _is_small(documents[0]):
        return {}
    return dict(documents[0])


def _is_small(rest: Any) -> bool:
    """Whether it may be written: aliases of a text that somebody else wrote could repeat much."""
    return len(json.dumps(rest, separators=(",", ":"))) <= 4 * MOST_BYTES
