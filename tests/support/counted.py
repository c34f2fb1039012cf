"""A fake cluster that is read through the real cache, and that notes which objects are touched on the way."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Settings

_TOUCHED: Final[set[Key]] = set()


class Noted(dict[str, Any]):
    """A manifest that notes each look into it."""

    def _note(self) -> None:
        _TOUCHED.add(Key(super().__getitem__("kind"), *_place_of(super().__getitem__("metadata"))))

    def __getitem__(self, name: str) -> Any:
        self._note()
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._note()
        return super().get(name, default)

    def items(self) -> Any:
        self._note()
        return super().items()


def _place_of(metadata: dict[str, Any]) -> tuple[str, str]:
    return metadata.get("namespace", ""), metadata["name"]


class NotingCache(Cache):
    """The real cache over manifests that are noted."""

    def put(self, manifest: Mapping[str, Any]) -> bool:
        key = key_of(manifest)
        if is_news := super().put(manifest):
            self._objects[key.kind][key] = Noted(self._objects[key.kind][key])
        return bool(is_news)


class CountedCluster(MemoryCluster):
    """What is written goes to the fake, and from there, as by a watch that never lags, into a cache from which all is read."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime]) -> None:
        super().__init__(settings, now=now)
        self.cache = NotingCache()
        for key in self._objects.all_keys():
            self.cache.put(self._objects[key])
        self._put, self._collect = self._objects.put, self._objects._collect
        self._objects.put = self._put_and_tell  # type: ignore[method-assign]
        self._objects._collect = self._collect_and_tell  # type: ignore[method-assign]

    def _put_and_tell(self, key: Key, new: dict[str, Any]) -> None:
        self._put(key, new)
        if (found := self._objects.get(key)) is not None and _is_cached(found):
            self.cache.put(found)

    def _collect_and_tell(self, key: Key) -> None:
        before = self._objects.get(key)
        self._collect(key)
        if before is not None and self._objects.get(key) is None:
            self.cache.remove(before)

    def get(self, key: Key) -> Manifest | None:
        return self.cache.get(key)

    def list(self, kind: str) -> tuple[Manifest, ...]:
        return self.cache.list(kind)

    def keys(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return self.cache.keys(kind, namespace)

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        return self.cache.referring(key, kind)

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        return self.cache.naming(key, kind)

    def named(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return self.cache.named(kind, namespace)

    def departed(self, key: Key) -> Manifest | None:
        return self.cache.departed(key)

    def multiply(self, manifests: tuple[Manifest, ...], words: tuple[str, ...], number: int) -> None:
        """Put so many copies of these objects into the cache, each with names and uids of its own, all naming each other as they did."""
        texts = [json.dumps({**found}) for found in manifests]
        uids = [found["metadata"]["uid"] for found in manifests]
        for n in range(number):
            for text in texts:
                copied = text
                for word in words:
                    copied = copied.replace(word, f"{word}{n}")
                for uid in uids:
                    copied = copied.replace(f'"{uid}"', f'"{uid}-{n}"')
                self.cache.put(json.loads(copied))


def _is_cached(manifest: Manifest) -> bool:
    return str(manifest["kind"]) != "Secret"


@contextmanager
def touched() -> Iterator[set[Key]]:
    """The keys of all objects that are looked into meanwhile."""
    _TOUCHED.clear()
    yield _TOUCHED
