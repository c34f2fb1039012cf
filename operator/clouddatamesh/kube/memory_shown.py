"""What the operator sees in the fake's cache, listed and indexed by kind; kept until anything of that kind changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.kube.memory_objects import OUR_KINDS
from clouddatamesh.kube.memory_view import View
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.reconcile.indexes import index_keys

_NAMING: Final = (*OUR_KINDS, "Namespace", *CHILD_KINDS)


@dataclass(frozen=True)
class _Page:
    """All of a kind at one moment."""

    version: tuple[int, int]
    manifests: tuple[Manifest, ...]
    referring: Mapping[Key, tuple[Manifest, ...]]


class Shown:
    """Lists of a view by kind, and by what their objects name."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._pages: dict[str, _Page] = {}
        self._known: dict[Key, tuple[Manifest, tuple[Key, ...]]] = {}

    def list(self, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind that are watched, sorted by key."""
        return self._page(kind).manifests

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind that a key leads to, sorted by key."""
        return self._page(kind).referring.get(key, ())

    def targets(self, kind: str) -> tuple[Key, ...]:
        """All keys of a kind that lead to anything, sorted."""
        return tuple(sorted({key for naming in _NAMING for key in self._page(naming).referring if key.kind == kind}))

    def _page(self, kind: str) -> _Page:
        version = self._view.version(kind)
        page = self._pages.get(kind)
        if page is None or page.version != version:
            manifests = tuple(manifest for manifest in self._view.list(kind) if is_watched(manifest))
            page = self._pages[kind] = _Page(version, manifests, self._index(manifests))
        return page

    def _index(self, manifests: tuple[Manifest, ...]) -> Mapping[Key, tuple[Manifest, ...]]:
        found: dict[Key, list[Manifest]] = {}
        for manifest in manifests:
            for key in self._keys(manifest):
                found.setdefault(key, []).append(manifest)
        return {key: tuple(naming) for key, naming in found.items()}

    def _keys(self, manifest: Manifest) -> tuple[Key, ...]:
        """What is stored is never changed in place, so the same object leads from the same keys."""
        own = key_of(manifest)
        known = self._known.get(own)
        if known is None or known[0] is not manifest:
            known = self._known[own] = (manifest, index_keys(manifest))
        return known[1]


def is_watched(manifest: Mapping[str, Any]) -> bool:
    """Whether the operator watches it: its own kinds, namespaces, and children that carry its label. Never Secrets."""
    if manifest["kind"] in (*OUR_KINDS, "Namespace", "ServiceAccount"):
        return True
    return bool((manifest["metadata"].get("labels") or {}).get(marks.MANAGED_LABEL) == marks.MANAGER) and manifest["kind"] != "Secret"
