"""Which objects a key leads to, each list sorted, so that nobody reads all objects to find a few."""

from bisect import bisect_left, insort
from collections.abc import Collection, Sequence

from clouddatamesh.model.objects import Key


class Index:
    """Keys of objects by the keys that lead to them. Not thread-safe: whoever holds it locks."""

    def __init__(self) -> None:
        self._objects: dict[Key, list[Key]] = {}
        self._targets: dict[str, list[Key]] = {}

    def move(self, key: Key, before: Collection[Key], after: Collection[Key]) -> None:
        """An object was led to by some keys, and is led to by others now."""
        for target in before:
            if target not in after:
                self._remove(target, key)
        for target in after:
            if target not in before:
                self._add(target, key)

    def find(self, target: Key, kind: str) -> Sequence[Key]:
        """The objects of a kind that a key leads to."""
        return _between(self._objects.get(target, ()), Key(kind, "", ""), Key(f"{kind}\0", "", ""))

    def targets(self, kind: str, namespace: str | None = None) -> Sequence[Key]:
        """The keys of a kind, of one namespace if it is given, that lead to anything."""
        return part_of(self._targets.get(kind, ()), kind, namespace)

    def _add(self, target: Key, key: Key) -> None:
        if target not in self._objects:
            self._objects[target] = []
            insort(self._targets.setdefault(target.kind, []), target)
        insort(self._objects[target], key)

    def _remove(self, target: Key, key: Key) -> None:
        found = self._objects[target]
        del found[bisect_left(found, key)]
        if not found:
            del self._objects[target]
            targets = self._targets[target.kind]
            del targets[bisect_left(targets, target)]


def part_of(keys: Sequence[Key], kind: str, namespace: str | None) -> Sequence[Key]:
    """Of sorted keys of one kind those of a namespace; all where none is given."""
    return keys if namespace is None else _between(keys, Key(kind, namespace, ""), Key(kind, f"{namespace}\0", ""))


def _between(keys: Sequence[Key], first: Key, end: Key) -> Sequence[Key]:
    return keys[bisect_left(keys, first) : bisect_left(keys, end)]
