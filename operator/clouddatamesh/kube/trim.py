"""What the cache keeps of an object: only what somebody here reads, and each word once, however many objects have it.

Anybody may write labels, annotations and finalizers of any size into objects of their own. What of these we do not read takes no memory.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.kube.texts import without_texts
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS, is_named_as_child

_NAMED_ONLY: Final = frozenset({"ServiceAccount"})
"""Kinds of which we only know that they exist."""
_METADATA_ONLY: Final = frozenset({"Namespace", *_NAMED_ONLY})
"""Kinds of which nobody reads anything else; there may be many that are nothing of ours."""
_SELECTED: Final = frozenset({"Domain"})
"""Kinds that selectors choose by labels of anybody's."""
_READ: Final = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"}
)
_ANNOTATIONS: Final = frozenset(value for name, value in vars(marks).items() if name.endswith("_ANNOTATION"))
_LABELS: Final = frozenset(value for name, value in vars(marks).items() if name.endswith("_LABEL"))
_LENGTH: Final = 1024
"""Characters of an annotation: more than any value that we understand has, but for a list of ports."""
_LISTED: Final = 65_536
_FINALIZERS: Final = 32
"""Finalizers that are kept besides ours; those of others are only named in messages."""
_WORD: Final = 64
"""Longer texts are hardly ever the same."""


def trim(manifest: Mapping[str, Any]) -> Manifest:
    """The object without what nobody here reads. It shares nothing with what was given."""
    manifest = without_texts(manifest)
    kept = {name: value for name, value in manifest.items() if name != "metadata"}
    if manifest["kind"] in _METADATA_ONLY or (manifest["kind"] in CHILD_KINDS and not is_named_as_child(manifest)):
        kept = {name: kept[name] for name in ("apiVersion", "kind") if name in kept}
    found: Manifest = _shared({**kept, "metadata": _metadata(manifest["kind"], manifest["metadata"])})
    return found


def _metadata(kind: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in metadata.items() if name in _READ}
    if kind in _NAMED_ONLY:
        return kept
    labels, annotations, finalizers = (metadata.get(name) or {} for name in ("labels", "annotations", "finalizers"))
    if labels:
        kept["labels"] = {name: value for name, value in labels.items() if name in _LABELS or kind in _SELECTED}
    if annotations:
        kept["annotations"] = {name: _cut(name, value) for name, value in annotations.items() if name in _ANNOTATIONS}
    if finalizers:
        # In their order: ours is removed by its place.
        kept["finalizers"] = [*finalizers[:_FINALIZERS], *([marks.FINALIZER] if marks.FINALIZER in finalizers[_FINALIZERS:] else [])]
    return kept


def _cut(name: str, value: str) -> str:
    return value[: _LISTED if name == marks.CUT_OFF_ANNOTATION else _LENGTH]


def _shared(value: Any) -> Any:
    """A parsed answer has its own copy of each word in it; here all objects have one."""
    if isinstance(value, str):
        return sys.intern(value) if len(value) <= _WORD and type(value) is str else value
    if isinstance(value, dict):
        return {sys.intern(name): _shared(inner) for name, inner in value.items()}
    return [_shared(inner) for inner in value] if isinstance(value, list) else value
