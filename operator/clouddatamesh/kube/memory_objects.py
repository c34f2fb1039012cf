"""What the fake's API server keeps: objects with uid, resourceVersion, generation, finalizers and field managers, as the real one does."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from datetime import datetime
from typing import Any, Final

from clouddatamesh.api.kinds import KIND_BY_NAME, KINDS
from clouddatamesh.kube.departed import Departed
from clouddatamesh.kube.memory_secrets import own
from clouddatamesh.model.objects import Key, Manifest

OUR_KINDS: Final = tuple(kind.kind for kind in KINDS)
_GENERATED: Final = (*OUR_KINDS, "NetworkPolicy")
"""Kinds whose generation rises with their spec; the others have none."""


class Objects:
    """Objects by key. What is stored is never changed in place; hold `lock` from reading to writing."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.lock = threading.RLock()
        self._by_key: dict[Key, dict[str, Any]] = {}
        self._sorted: tuple[Key, ...] | None = ()
        self.versions: Counter[str] = Counter()
        """Of each kind a number that rises with every change."""
        self._numbers = itertools.count(1)
        self.departed = Departed(lambda: now().timestamp())
        self.uncounted: set[str] = set()
        """What no ResourceQuota counts; `*` is a cluster without a quota controller."""
        self.makers: dict[str, str] = {}
        """Who made an object, by its uid: its field manager."""

    def _time(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def take_over(self, other: "Objects") -> None:
        """Begin as another is; what is stored is shared, as it is never changed. What departed there is not known here."""
        self.versions.update({key.kind for key in (*self._by_key, *other._by_key)})
        self._by_key, self._numbers, self.uncounted = dict(other._by_key), copy(other._numbers), set(other.uncounted)
        self._sorted = None
        self.makers = dict(other.makers)

    def get(self, key: Key) -> dict[str, Any] | None:
        return self._by_key.get(key)

    def __getitem__(self, key: Key) -> dict[str, Any]:
        return self._by_key[key]

    def all_keys(self) -> tuple[Key, ...]:
        """All keys, sorted."""
        with self.lock:
            if self._sorted is None:
                self._sorted = tuple(sorted(self._by_key))
            return self._sorted

    def insert(self, key: Key, manifest: Manifest, *, manager: str) -> None:
        """A new object, with what the server adds; status that was sent is dropped."""
        new = copied({name: value for name, value in manifest.items() if name != "status"})
        uid = f"uid-{next(self._numbers)}"
        new["metadata"] |= {"uid": uid, "creationTimestamp": self._time(), **({"generation": 1} if key.kind in _GENERATED else {})}
        self.makers[uid] = manager
        if key.kind == "Secret":
            own({}, new, manager=manager)
        if key.kind in OUR_KINDS:
            new["status"] = KIND_BY_NAME[key.kind].initial_status
        self.put(key, new)

    def put(self, key: Key, new: dict[str, Any]) -> None:
        """Store a new state of an object, unless nothing changed; an object that is being deleted and held by nobody goes."""
        old = self._by_key.get(key)
        if key.kind == "ResourceQuota":
            new = self._counted(new)
        if new == old:
            return
        metadata = {**new["metadata"], "resourceVersion": str(next(self._numbers))}
        if old is not None and "generation" in metadata and _is_raised(old, new):
            metadata["generation"] += 1
        self._store(key, {**new, "metadata": metadata})
        self.departed.forget(key, str(metadata.get("uid")))
        self._collect(key)

    def _store(self, key: Key, new: dict[str, Any] | None) -> None:
        """The one place where an object comes, changes or goes."""
        if new is None or key not in self._by_key:
            self._sorted = None
        self.versions[key.kind] += 1
        if new is None:
            del self._by_key[key]
        else:
            self._by_key[key] = new

    def _counted(self, quota: dict[str, Any]) -> dict[str, Any]:
        """As the quota controller counts at once; a name that it does not know never shows in `used`. No limits are served as no field."""
        hard = (quota.get("spec") or {}).get("hard") or {}
        spec = {name: value for name, value in (quota.get("spec") or {}).items() if name != "hard" or hard}
        used = {} if "*" in self.uncounted else {"used": {name: "0" for name in hard if name not in self.uncounted}}
        return {**quota, "spec": spec, "status": used}

    def delete(self, key: Key) -> None:
        """DELETE, as often as one likes. A namespace takes its content along."""
        with self.lock:
            found = self._by_key.get(key)
            if found is None:
                return
            if not found["metadata"].get("deletionTimestamp"):
                status = {"status": {"phase": "Terminating"}} if key.kind == "Namespace" else {}
                self.put(key, {**found, **status, "metadata": {**found["metadata"], "deletionTimestamp": self._time()}})
            for inner in self._inside(key):
                self.delete(inner)

    def _inside(self, key: Key) -> tuple[Key, ...]:
        return tuple(inner for inner in self.all_keys() if key.kind == "Namespace" and inner.namespace == key.name)

    def _collect(self, key: Key) -> None:
        found = self._by_key[key]
        metadata = found["metadata"]
        if not metadata.get("deletionTimestamp") or metadata.get("finalizers") or self._inside(key):
            return
        self._store(key, None)
        self.departed.keep(key, found)
        around = Key("Namespace", "", key.namespace)
        if around in self._by_key:
            self._collect(around)


def copied(value: Any) -> Any:
    """As deepcopy, which is slow where almost everything is a dictionary of strings; and as JSON, which knows no tuples."""
    if type(value) is dict:
        return {name: copied(inner) for name, inner in value.items()}
    if type(value) in (list, tuple):
        return [copied(inner) for inner in value]
    return value if isinstance(value, str | int | float | None) else deepcopy(value)


def _is_raised(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    deleted = "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]
    return deleted or new.get("spec") != old.get("spec")
