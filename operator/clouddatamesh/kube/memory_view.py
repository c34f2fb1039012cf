"""What the fake's cache shows: the objects as they are, or, of a kind that is held back, as they were but for our own writes.

As in the real cache, texts that are only for people are not there.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from clouddatamesh.kube.memory_objects import Objects
from clouddatamesh.kube.texts import without_texts
from clouddatamesh.model.objects import Key


class View:
    """Objects as a cache has them. A kind that is held back stays as it was until it catches up."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._held: dict[str, dict[Key, dict[str, Any]]] = {}
        self._moves: Counter[str] = Counter()
        self._cut: dict[Key, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

    def version(self, kind: str) -> tuple[int, int]:
        """Another one whenever what shows of a kind may have changed."""
        return self._objects.versions[kind], self._moves[kind]

    def hold_back(self, kind: str) -> None:
        """From now on nothing that others do to this kind shows."""
        self._moves[kind] += 1
        self._held[kind] = {key: self._objects[key] for key in self._objects.all_keys() if key.kind == kind}

    def catch_up(self, *kinds: str) -> None:
        """These kinds, or all of them, show what is there."""
        for kind in kinds or tuple(self._held):
            self._moves[kind] += 1
            self._held.pop(kind, None)

    def keep(self, key: Key) -> None:
        """A write of ours was answered with what the object is now."""
        held = self._held.get(key.kind)
        if held is None:
            return
        self._moves[key.kind] += 1
        now = self._objects.get(key)
        if now is None:
            held.pop(key, None)
        else:
            held[key] = now

    def get(self, key: Key) -> Mapping[str, Any] | None:
        found = self._held[key.kind].get(key) if key.kind in self._held else self._objects.get(key)
        return None if found is None else self._without_texts(key, found)

    def list(self, kind: str) -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind, sorted by key."""
        with self._objects.lock:
            if kind in self._held:
                shown = sorted(self._held[kind].items(), key=lambda item: item[0])
            else:
                shown = [(key, self._objects[key]) for key in self._objects.all_keys() if key.kind == kind]
            return tuple(self._without_texts(key, manifest) for key, manifest in shown)

    def _without_texts(self, key: Key, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is stored is never changed in place, so the same object is cut once."""
        known = self._cut.get(key)
        if known is None or known[0] is not manifest:
            known = self._cut[key] = (manifest, without_texts(manifest))
        return known[1]
