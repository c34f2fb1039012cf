"""A public fake of any number of stores, honest about what real ones do: the Stores port in memory. It reaches nothing."""

import itertools
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection, IssuedKey, Principal
from clouddatamesh.ports import BucketStore, Identities
from clouddatamesh.storage.memory_buckets import MemoryBuckets
from clouddatamesh.storage.memory_held import Held
from clouddatamesh.storage.memory_identities import MemoryIdentities


def Memory(unsupported: frozenset[str] = frozenset()) -> "MemoryStores":  # noqa: N802 - reads as a constructor
    """Stores of which none has these capabilities."""
    return MemoryStores(unsupported=unsupported)


@dataclass
class MemoryStore:
    """One endpoint: one account, its buckets and users. Tests may look at and change everything."""

    before_write: Callable[[str], None]
    after_write: Callable[[str], None]
    unsupported: frozenset[str] = frozenset()
    account: str = "account"
    root: IssuedKey = field(default_factory=lambda: IssuedKey("ROOT", "root-secret"))
    buckets: dict[str, Held] = field(default_factory=dict)
    users: dict[str, Principal] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """The secret of every key ever issued, by key id."""
    foreign_buckets: set[str] = field(default_factory=set)
    """Names that belong to other accounts."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(verb, name) of every call of a port."""
    down: bool = False
    failures: list[MeshError] = field(default_factory=list)
    """Raised by the next calls, one each."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def fail_next(self, *errors: MeshError) -> None:
        """The next calls raise these, one each, before they do anything."""
        self.failures.extend(errors)

    def check(self, connection: Connection, verb: str, name: str) -> None:
        """Count a call, and fail it where it is to fail."""
        with self.lock:
            self.calls.append((verb, name))
            if self.failures:
                raise self.failures.pop(0)
        if self.down:
            raise Transient(reasons.STORE_UNAVAILABLE, f"{verb} {name} failed: the store does not answer")
        given = (connection.access_key_id, connection.secret_access_key)
        if connection.access_key_id is not None and given != (self.root.id, self.root.secret):
            raise Terminal(reasons.CREDENTIALS_INVALID, f"{verb} failed: InvalidAccessKeyId")

    def write(self, verb: str, name: str, change: Callable[[], object]) -> None:
        """One write, between the hooks."""
        self.before_write(f"{verb} {name}")
        with self.lock:
            change()
        self.after_write(f"{verb} {name}")

    def issue(self) -> IssuedKey:
        """A key that no other is like."""
        number = next(self.numbers)
        return IssuedKey(f"KEY{number}", f"planted-secret-{number}")

    def put_bucket(self, bucket: b.Bucket) -> None:
        """A bucket that somebody made."""
        self.buckets[bucket.name] = Held(replace(bucket, policy=bucket.policy or (), lifecycle=bucket.lifecycle or ()))

    def put_object(self, bucket: str, key: str = "", *, count: int = 1) -> None:
        """An object is written; without a key, `count` new ones appear."""
        with self.lock:
            held = self.buckets[bucket]
            if held.bucket.encryption and b.ENCRYPTION in self.unsupported:
                raise Terminal(reasons.STORE_REFUSED, f"PutObject on bucket {bucket} failed: InvalidArgument")
            for _ in range(count):
                held.put(key or f"object-{next(self.numbers)}")

    def delete_object(self, bucket: str, key: str) -> None:
        """An object is deleted: hidden where the bucket keeps versions, else destroyed."""
        with self.lock:
            self.buckets[bucket].delete(key)

    def start_upload(self, bucket: str) -> None:
        """A multipart upload begins and does not end."""
        with self.lock:
            self.buckets[bucket].uploads += 1


class MemoryStores:
    """The Stores port over any number of endpoints, each made when first asked for."""

    def __init__(self, *, unsupported: frozenset[str] = frozenset()) -> None:
        self.before_write: Callable[[str], None] = lambda _: None
        self.after_write: Callable[[str], None] = lambda _: None
        self._unsupported = unsupported
        self._stores: dict[str | None, MemoryStore] = {}
        self._lock = threading.Lock()

    def at(self, endpoint: str | None) -> MemoryStore:
        """The store of an endpoint; None is AWS."""
        with self._lock:
            if endpoint not in self._stores:
                self._stores[endpoint] = MemoryStore(self._before, self._after, self._unsupported)
            return self._stores[endpoint]

    def take_over(self, other: "MemoryStores") -> None:
        """Begin where another fake stands: its buckets, users and keys."""
        hooks: dict[str, Any] = {"before_write": self._before, "after_write": self._after, "lock": threading.RLock()}
        for endpoint, store in other._stores.items():
            kept = {
                name: deepcopy(getattr(store, name)) for name in ("buckets", "users", "secrets", "foreign_buckets", "failures", "numbers")
            }
            self._stores[endpoint] = replace(store, calls=[], **kept, **hooks)

    def _before(self, what: str) -> None:
        self.before_write(what)

    def _after(self, what: str) -> None:
        self.after_write(what)

    def buckets(self, connection: Connection) -> BucketStore:
        return MemoryBuckets(self.at(connection.endpoint), connection)

    def identities(self, connection: Connection) -> Identities:
        return MemoryIdentities(self.at(connection.iam_endpoint), connection)
