"""The bodies of writes to Secrets: what is merged, and what is applied. What is not named stays as it is."""

import base64
from collections.abc import Mapping
from typing import Any

from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import SecretPatch


def merge_of(uid: str, patch: SecretPatch) -> dict[str, Any]:
    """The merge patch, bound to the Secret of that uid."""
    metadata = {
        "uid": uid,
        **({"annotations": dict(patch.annotations)} if patch.annotations else {}),
        **({"labels": dict(patch.labels)} if patch.labels else {}),
        **({"ownerReferences": [dict(owner) for owner in patch.owners]} if patch.owners is not None else {}),
    }
    data = {"data": {name: None if value is None else encode(value) for name, value in patch.data}} if patch.data else {}
    return {"metadata": metadata, **data, **({"type": patch.type} if patch.type else {})}


def claim_of(key: Key, uid: str, data: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, Any]:
    """What is applied, bound to the Secret of that uid."""
    metadata = {"name": key.name, "namespace": key.namespace, "uid": uid, "annotations": dict(annotations)}
    encoded = {name: encode(value) for name, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded}


def encode(value: str) -> str:
    """As data holds it."""
    return base64.b64encode(value.encode()).decode()


def decode(value: str) -> str:
    """What `encode` encoded; empty where it is no text."""
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
