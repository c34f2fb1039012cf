"""What is known of the cluster: trimmed objects by key, the newer one winning, whether a watch, a list or our own write brought it."""

import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from clouddatamesh.kube.departed import Departed
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.references import references

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


Listener: TypeAlias = Callable[[Manifest | None, Manifest | None], None]
"""Told of each change: the object before and after, None where there is none."""


def _deaf(_old: Manifest | None, _new: Manifest | None) -> None:
    pass


class Cache:
    """Thread-safe. A late event never overwrites a newer write of ours, nor does a late deletion remove what came after it."""

    def __init__(self, listener: Listener = _deaf, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.listener = listener
        self._departed = Departed(monotonic)
        self._objects: dict[str, dict[Key, Manifest]] = {}
        self._sorted: dict[str, list[Key]] = {}
        self._referring: dict[Key, dict[Key, None]] = {}
        self._gone: dict[Key, int] = {}
        self._full: set[str] = set()
        self._lock = threading.RLock()

    def put(self, manifest: Mapping[str, Any]) -> bool:
        """Take an object in; whether that changed anything. Older than what is known, or deleted since: no."""
        key, version = key_of(manifest), version_of(manifest)
        with self._lock:
            known = self._objects.setdefault(key.kind, {}).get(key)
            if version <= self._gone.get(key, -1) or (known is not None and version <= version_of(known)):
                return False
            self._departed.forget(key, str(manifest["metadata"].get("uid")))
            if known is None:
                insort(self._sorted.setdefault(key.kind, []), key)
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
            if known is None or known["metadata"].get("uid") != manifest["metadata"].get("uid") or version_of(known) > version_of(manifest):
                return False
            self._departed.keep(key, {**self._drop(key), **trim(manifest)})
        self.listener(known, None)
        return True

    def replace(self, kind: str, manifests: Iterable[Manifest], *, version: int) -> tuple[Key, ...]:
        """Compare with a full list taken at a version; the keys that changed. What we wrote since then stays."""
        listed = {key_of(manifest): manifest for manifest in manifests}
        changed = [key for key, manifest in listed.items() if self.put(manifest)]
        with self._lock:
            known = self._objects.get(kind, {})
            vanished = [key for key, manifest in known.items() if key not in listed and version_of(manifest) <= version]
            dropped = [self._drop(key) for key in vanished]
            for key, manifest in zip(vanished, dropped, strict=True):
                self._departed.keep(key, manifest)
            self._gone = {key: gone for key, gone in self._gone.items() if key.kind != kind or gone > version}
            self._full.add(kind)
        for manifest in dropped:
            self.listener(manifest, None)
        return tuple(sorted({*changed, *vanished}))

    def get(self, key: Key) -> Manifest | None:
        """One object, None where it is not known."""
        return self._objects.get(key.kind, {}).get(key)

    def list(self, kind: str, *, namespace: str | None = None) -> tuple[Manifest, ...]:
        """All objects of a kind, of one namespace if it is given, sorted by key."""
        with self._lock:
            objects, keys = self._objects.get(kind, {}), self._sorted.get(kind, [])
            if namespace is not None:
                keys = keys[bisect_left(keys, Key(kind, namespace, "")) : bisect_left(keys, Key(kind, f"{namespace}\0", ""))]
            return tuple(objects[key] for key in keys)

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        """All objects of a kind that name this one, whether or not that exists, sorted by key."""
        with self._lock:
            keys = sorted(found for found in self._referring.get(key, ()) if found.kind == kind)
            return tuple(self._objects[kind][found] for found in keys)

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
        before, after = (set(references(manifest)) if manifest else set() for manifest in (old, new))
        for target in before - after:
            self._referring[target].pop(key)
            if not self._referring[target]:
                del self._referring[target]
        for target in after - before:
            self._referring.setdefault(target, {})[key] = None


def version_of(manifest: Mapping[str, Any]) -> int:
    """The resourceVersion as the number that it is on every known API server; 0 where there is none."""
    text = manifest["metadata"].get("resourceVersion") or "0"
    return int(text) if text.isdigit() else 0


def trim(manifest: Mapping[str, Any]) -> Manifest:
    """The object without what nobody here reads."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "managedFields"}
    if _APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {name: value for name, value in metadata["annotations"].items() if name != _APPLIED}
    return {**manifest, "metadata": metadata}
