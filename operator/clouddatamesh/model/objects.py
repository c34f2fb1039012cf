"""How objects of the cluster are named, and how the children that we make are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Manifest: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as JSON. Never mutated."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """One object of the cluster. `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


def key_of(manifest: Manifest) -> Key:
    """The key under which an object is cached and queued."""
    metadata = manifest["metadata"]
    return Key(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class Event:
    """A Kubernetes event on a transition. `type` is Normal or Warning; `note` is a sentence."""

    type: str
    reason: str
    note: str
    action: str = "Reconcile"
