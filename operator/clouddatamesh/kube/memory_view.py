"""What the fake's cache shows: the objects as they are, or, of a kind that is held back, as they were but for our own writes."""

from collections import Counter
from typing import Any

from clouddatamesh.kube.memory_objects import Objects
from clouddatamesh.model.objects import Key


class View:
    """Objects as a cache has them. A kind that is held back stays as it was until it catches up."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._held: dict[str, dict[Key, dict[str, Any]]] = {}
        self._moves: Counter[str] = Counter()

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

    def get(self, key: Key) -> dict[str, Any] | None:
        return self._held[key.kind].get(key) if key.kind in self._held else self._objects.get(key)

    def list(self, kind: str) -> tuple[dict[str, Any], ...]:
        """All objects of a kind, sorted by key."""
        with self._objects.lock:
            if kind in self._held:
                return tuple(manifest for _, manifest in sorted(self._held[kind].items(), key=lambda item: item[0]))
            return tuple(self._objects[key] for key in self._objects.all_keys() if key.kind == kind)
