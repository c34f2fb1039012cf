"""What became of objects that are gone: the last state of those that hold something outside the cluster, kept for a while."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from clouddatamesh.model.objects import Key, Manifest

KINDS: Final = frozenset({"AccessRequest", "DataProduct"})
"""Kinds whose status records what is held in a store."""
SECONDS: Final = 900.0
_MOST: Final = 10_000


class Departed:
    """Last states by key, the oldest first. Not thread-safe: whoever holds it locks."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[Key, tuple[float, Manifest]] = OrderedDict()
        self._released: OrderedDict[str, None] = OrderedDict()

    def release(self, uid: str) -> None:
        """The operator lets an object go: nothing that it held is left, so its end is no departure."""
        self._released[uid] = None
        while len(self._released) > _MOST:
            self._released.popitem(last=False)

    def keep(self, key: Key, manifest: Manifest) -> None:
        """An object went in this state."""
        if key.kind not in KINDS or manifest["metadata"].get("uid") in self._released:
            return
        self._kept[key] = (self._seconds(), manifest)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST or self._is_over(next(iter(self._kept))):
            self._kept.popitem(last=False)

    def forget(self, key: Key, uid: str) -> None:
        """This very object is there after all. One that was made again under its name leaves what is known of its predecessor."""
        if key in self._kept and self._kept[key][1]["metadata"].get("uid") == uid:
            del self._kept[key]

    def clear(self) -> None:
        """Nothing is known of what went."""
        self._kept.clear()

    def get(self, key: Key) -> Manifest | None:
        """The last state, None where nothing went or it is too long ago."""
        return None if key not in self._kept or self._is_over(key) else self._kept[key][1]

    def _is_over(self, key: Key) -> bool:
        return self._seconds() - self._kept[key][0] >= SECONDS
