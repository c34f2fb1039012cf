"""A public fake of any number of stores, honest about what real ones do: the Stores port in memory. It reaches nothing."""

import threading
from collections.abc import Callable
from datetime import datetime

from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities
from clouddatamesh.storage.memory_buckets import MemoryBuckets
from clouddatamesh.storage.memory_identities import MemoryIdentities
from clouddatamesh.storage.memory_store import MemoryStore, epoch

__all__ = ["Memory", "MemoryStore", "MemoryStores"]


def Memory(unsupported: frozenset[str] = frozenset()) -> "MemoryStores":  # noqa: N802 - reads as a constructor
    """Stores of which none has these capabilities."""
    return MemoryStores(unsupported=unsupported)


class MemoryStores:
    """The Stores port over any number of endpoints, each made when first asked for."""

    def __init__(self, *, unsupported: frozenset[str] = frozenset(), now: Callable[[], datetime] = epoch) -> None:
        self.before_write: Callable[[str], None] = lambda _: None
        self.after_write: Callable[[str], None] = lambda _: None
        self._unsupported, self._now = unsupported, now
        self._stores: dict[str | None, MemoryStore] = {}
        self._lock = threading.Lock()

    def at(self, endpoint: str | None) -> MemoryStore:
        """The store of an endpoint; None is AWS."""
        with self._lock:
            if endpoint not in self._stores:
                self._stores[endpoint] = MemoryStore(self._before, self._after, self._unsupported, self._now)
            return self._stores[endpoint]

    def take_over(self, other: "MemoryStores") -> None:
        """Begin where another fake stands: its buckets, users and keys."""
        for endpoint, store in other._stores.items():
            self._stores[endpoint] = store.twin(before_write=self._before, after_write=self._after, now=self._now)

    def _before(self, what: str) -> None:
        self.before_write(what)

    def _after(self, what: str) -> None:
        self.after_write(what)

    def buckets(self, connection: Connection) -> BucketStore:
        return MemoryBuckets(self.at(connection.endpoint), connection)

    def identities(self, connection: Connection) -> Identities:
        return MemoryIdentities(self.at(connection.iam_endpoint), connection)
