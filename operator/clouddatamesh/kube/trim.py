"""What the cache keeps of an object: only what somebody here reads, and each word once, however many objects have it."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.model.objects import Manifest

_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_METADATA_ONLY: Final = frozenset({"Namespace", "ServiceAccount"})
"""Kinds of which nobody reads anything else; there may be many that are nothing of ours."""
_UNREAD: Final = frozenset({"managedFields", "selfLink", "generateName"})
_WORD: Final = 64
"""Longer texts are hardly ever the same."""


def trim(manifest: Mapping[str, Any]) -> Manifest:
    """The object without what nobody here reads. It shares nothing with what was given."""
    kept = {name: value for name, value in manifest.items() if name != "metadata"}
    if manifest["kind"] in _METADATA_ONLY:
        kept = {name: kept[name] for name in ("apiVersion", "kind") if name in kept}
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _UNREAD}
    if _APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {name: value for name, value in metadata["annotations"].items() if name != _APPLIED}
    found: Manifest = _shared({**kept, "metadata": metadata})
    return found


def _shared(value: Any) -> Any:
    """A parsed answer has its own copy of each word in it; here all objects have one."""
    if isinstance(value, str):
        return sys.intern(value) if len(value) <= _WORD and type(value) is str else value
    if isinstance(value, dict):
        return {sys.intern(name): _shared(inner) for name, inner in value.items()}
    return [_shared(inner) for inner in value] if isinstance(value, list) else value
