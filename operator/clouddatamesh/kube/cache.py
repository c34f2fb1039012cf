"""What is known of the cluster: trimmed objects by key, the newer one winning, whether a watch, a list or our own write brought it."""

import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from clouddatamesh.kube.departed import Departed
from clouddatamesh.kube.index import Index, part_of
from clouddatamesh.kube.trim import trim
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.reconcile.indexes import index_keys

Listener: TypeAlias = Callable[[Manifest | None, Manifest | None], None]
"""Told of each change: the object before and after, None where there is none."""
_EVENT: Final = -1
"""As of which version an event is: it proves nothing of what is newer."""


def _deaf(_old: Manifest | None, _new: Manifest | None) -> None:
    pass


class Cache:
    """Thread-safe. A late event never overwrites a newer write of ours, nor does a late deletion remove what came after it."""

    def __init__(self, listener: Listener = _deaf, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.listener = listener
        self._departed = Departed(monotonic)
        self._objects: dict[str, dict[Key, Manifest]] = {}
        self._sorted: dict[str, list[Key]] = {}
        self._index = Index()
        self._gone: dict[Key, int] = {}
        self._newest: dict[str, int] = {}
        self._full: set[str] = set()
        self._lists: dict[str, list[int]] = {}
        self._lock = threading.RLock()

    def put(self, manifest: Mapping[str, Any]) -> bool:
        """Take an object in; whether that changed anything. Older than what is known, or deleted since: no."""
        return self._take(manifest, as_of=_EVENT)

    def _take(self, manifest: Mapping[str, Any], *, as_of: int) -> bool:
        """A list shows all there was as of its version: what is known of an earlier time and is not as listed is no longer so."""
        key, version = key_of(manifest), version_of(manifest)
        with self._lock:
            known = self._objects.setdefault(key.kind, {}).get(key)
            at = version_of(known) if known is not None else -1
            if version <= self._gone.get(key, -1) or (version <= at and not version < at <= as_of):
                return False
            self._newest[key.kind] = max(version, self._newest.get(key.kind, 0))
            self._departed.forget(key, str(manifest["metadata"].get("uid")))
            if known is None:
                insort(self._sorted.setdefault(key.kind, []), key)
            elif known["metadata"].get("uid") != manifest["metadata"].get("uid"):
                self._departed.keep(key, known)  # its deletion was missed
            trimmed = self._objects[key.kind][key] = trim(manifest)
            self._reindex(key, known, trimmed)
        # Never while the lock is held: whoever listens has locks of its own.
        self.listener(known, trimmed)
        return True

    def remove(self, manifest: Mapping[str, Any]) -> bool:
        """Take a deletion in; whether that changed anything. A successor (another uid) stays."""
        key = key_of(manifest)
        with self._lock:
            known = self._objects.get(key.kind, {}).get(key)
            self._gone[key] = max(version_of(manifest), self._gone.get(key, -1))
            self._newest[key.kind] = max(self._gone[key], self._newest.get(key.kind, 0))
            if known is None or known["metadata"].get("uid") != manifest["metadata"].get("uid") or version_of(known) > version_of(manifest):
                return False
            self._departed.keep(key, {**self._drop(key), **trim(manifest)})
        self.listener(known, None)
        return True

    def replace(self, kind: str, manifests: Iterable[Manifest], *, version: int) -> tuple[Key, ...]:
        """Compare with a full list taken at a version; the keys that changed. What we wrote since then stays.

        Objects are taken in as they come, so that a long list is never in memory as a whole; nothing is removed before its end.
        """
        listed, changed = set(), []
        for manifest in manifests:
            key = key_of(manifest)
            listed.add(key)
            if self._take(manifest, as_of=version):
                changed.append(key)
        with self._lock:
            known = self._objects.get(kind, {})
            vanished = [key for key, manifest in known.items() if key not in listed and version_of(manifest) <= version]
            dropped = [self._drop(key) for key in vanished]
            for key, manifest in zip(vanished, dropped, strict=True):
                self._departed.keep(key, manifest)
            oldest = min((version, *self._lists.get(kind, ())))
            if oldest < version:  # an older list is under way, and must not bring back what this one shows to be gone
                self._gone |= {key: max(version, self._gone.get(key, -1)) for key in vanished}
            self._gone = {key: gone for key, gone in self._gone.items() if key.kind != kind or gone > oldest}
            self._newest[kind] = max(version, self._newest.get(kind, 0))
            self._full.add(kind)
        for manifest in dropped:
            self.listener(manifest, None)
        return tuple(sorted({*changed, *vanished}))

    def newest(self, kind: str) -> int:
        """The latest version that anything told of a kind. An API server whose list is older was restored from a backup."""
        return self._newest.get(kind, 0)

    @contextmanager
    def listing(self, kind: str) -> Iterator[int]:
        """While a list of a kind is under way, whatever goes is remembered: a second, newer list must not let the first one bring it back.

        Yields the newest version of before.
        """
        with self._lock:
            newest = self.newest(kind)
            self._lists.setdefault(kind, []).append(newest)
        try:
            yield newest
        finally:
            with self._lock:
                self._lists[kind].remove(newest)

    def forget_versions(self, kind: str) -> None:
        """What is known of a kind is of a time that was undone: it stays until anything else is told, of whatever version."""
        with self._lock:
            known = self._objects.get(kind, {})
            for key, manifest in known.items():
                known[key] = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "0"}}
            self._gone = {key: gone for key, gone in self._gone.items() if key.kind != kind}
            self._newest[kind] = 0

    def get(self, key: Key) -> Manifest | None:
        """One object, None where it is not known."""
        return self._objects.get(key.kind, {}).get(key)

    def count(self, kind: str) -> int:
        """How many objects of a kind are known."""
        return len(self._objects.get(kind, ()))

    def list(self, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind, sorted by key."""
        with self._lock:
            return tuple(self._objects[kind][key] for key in self._sorted.get(kind, ()))

    def keys(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        """The keys of all objects of a kind, of one namespace if it is given, sorted."""
        with self._lock:
            return tuple(part_of(self._sorted.get(kind, ()), kind, namespace))

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind that a key leads to, whether or not that exists, sorted by key."""
        with self._lock:
            return tuple(self._objects[kind][found] for found in self._index.find(key, kind))

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        """Their keys."""
        with self._lock:
            return tuple(self._index.find(key, kind))

    def named(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        """The keys of a kind, of one namespace if it is given, that lead to anything, sorted."""
        with self._lock:
            return tuple(self._index.targets(kind, namespace))

    def release(self, uid: str) -> None:
        """The operator is about to let an object go."""
        with self._lock:
            self._departed.release(uid)

    def departed(self, key: Key) -> Manifest | None:
        """The last state of an object that went within the last quarter of an hour without being let go."""
        with self._lock:
            return self._departed.get(key)

    def is_full(self, kind: str) -> bool:
        """Whether a full list was taken in since the start."""
        return kind in self._full

    def _drop(self, key: Key) -> Manifest:
        place = self._sorted[key.kind]
        del place[bisect_left(place, key)]
        gone = self._objects[key.kind].pop(key)
        self._reindex(key, gone, None)
        return gone

    def _reindex(self, key: Key, old: Manifest | None, new: Manifest | None) -> None:
        before, after = (dict.fromkeys(index_keys(manifest)) if manifest else {} for manifest in (old, new))
        self._index.move(key, before, after)


def version_of(manifest: Mapping[str, Any]) -> int:
    """The resourceVersion as the number that it is on every known API server; 0 where there is none."""
    text = manifest["metadata"].get("resourceVersion") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0
