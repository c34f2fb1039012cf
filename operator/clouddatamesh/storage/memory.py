"""A public fake of a store: buckets, versions, users and keys in memory, honest about what real stores do. It reaches nothing."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import AccessKey, Connection, IssuedKey, Principal, StoreAccount
from clouddatamesh.ports import BucketStore, Identities

_PAGE = 1000
_SETTING_OF = {
    "public_access_blocked": b.BLOCK_PUBLIC_ACCESS,
    "ownership_enforced": b.OBJECT_OWNERSHIP,
    "policy": b.TLS_ONLY,
    "encryption": b.ENCRYPTION,
    "versioning": b.VERSIONING,
    "lifecycle": b.LIFECYCLE,
}
_ATTRIBUTES = {
    "publicAccessBlock": ("public_access_blocked",),
    "ownership": ("ownership_enforced",),
    "policy": ("policy", "foreign_statements"),
    "lifecycle": ("lifecycle", "foreign_rules"),
}
"""What a path of a delta writes; ours and foreign ones are one document in a store."""


@dataclass
class Held:
    """A bucket and what is in it."""

    bucket: b.Bucket
    versions: int = 0
    delete_markers: int = 0
    uploads: int = 0


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
    foreign_buckets: set[str] = field(default_factory=set)
    """Names that belong to other accounts."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    failures: list[MeshError] = field(default_factory=list)
    """Raised by the next calls, one each."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def check(self, connection: Connection, verb: str, name: str) -> None:
        """Count a call, and fail it where it is to fail."""
        self.calls.append((verb, name))
        if self.failures:
            raise self.failures.pop(0)
        if self.down:
            raise Transient(reasons.STORE_UNAVAILABLE, f"{verb} {name} failed: the store does not answer")
        if connection.access_key_id is not None and (connection.access_key_id, connection.secret_access_key) != (
            self.root.id,
            self.root.secret,
        ):
            raise Terminal(reasons.CREDENTIALS_INVALID, f"{verb} failed: InvalidAccessKeyId")

    def write(self, verb: str, name: str, change: Callable[[], object]) -> None:
        """One write, between the hooks."""
        self.before_write(f"{verb} {name}")
        with self.lock:
            change()
        self.after_write(f"{verb} {name}")

    def put_bucket(self, bucket: b.Bucket) -> None:
        """A bucket that somebody made."""
        self.buckets[bucket.name] = Held(replace(bucket, policy=bucket.policy or (), lifecycle=bucket.lifecycle or ()))

    def put_object(self, bucket: str, *, count: int = 1) -> None:
        """Objects appear, one version each."""
        self.buckets[bucket].versions += count


class MemoryStores:
    """The Stores port over any number of endpoints, each made when first asked for."""

    def __init__(self) -> None:
        self.before_write: Callable[[str], None] = lambda _: None
        self.after_write: Callable[[str], None] = lambda _: None
        self._stores: dict[str | None, MemoryStore] = {}

    def at(self, endpoint: str | None) -> MemoryStore:
        """The store of an endpoint; None is AWS."""
        if endpoint not in self._stores:
            self._stores[endpoint] = MemoryStore(self._before, self._after)
        return self._stores[endpoint]

    def _before(self, what: str) -> None:
        self.before_write(what)

    def _after(self, what: str) -> None:
        self.after_write(what)

    def buckets(self, connection: Connection) -> BucketStore:
        return MemoryBuckets(self.at(connection.endpoint), connection)

    def identities(self, connection: Connection) -> Identities:
        return MemoryIdentities(self.at(connection.iam_endpoint), connection)


class MemoryBuckets:
    """The BucketStore port."""

    def __init__(self, store: MemoryStore, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def observe(self, name: str) -> b.Bucket | None:
        self._store.check(self._connection, "observe", name)
        if name in self._store.foreign_buckets:
            raise Terminal(reasons.NOT_OWNED, f"Bucket {name} is another account's")
        held = self._store.buckets.get(name)
        if held is None:
            return None
        unread = {attribute: None for attribute, setting in _SETTING_OF.items() if setting not in self._connection.settings}
        return replace(held.bucket, **unread)  # type: ignore[arg-type]

    def create(self, want: b.Bucket) -> None:
        self._store.check(self._connection, "create", want.name)
        if want.name in self._store.foreign_buckets:
            raise Terminal(reasons.NOT_OWNED, f"Bucket {want.name} is another account's")
        blank = b.Bucket(want.name, public_access_blocked=False, ownership_enforced=False, policy=(), versioning="Off", lifecycle=())
        self._store.write("create bucket", want.name, lambda: self._store.buckets.setdefault(want.name, Held(blank)) and None)

    def update(self, want: b.Bucket, delta: b.Delta) -> None:
        self._store.check(self._connection, "update", want.name)
        held = self._held(want.name)
        names = [name for path in delta for name in _ATTRIBUTES.get(path, (path,))]
        values = {name: getattr(want, name) for name in names}

        def change() -> None:
            held.bucket = replace(held.bucket, **values)

        self._store.write(f"update {','.join(delta)}", want.name, change)

    def delete(self, name: str) -> None:
        self._store.check(self._connection, "delete", name)
        if not self.count(name).empty:
            raise Terminal(reasons.BUCKET_NOT_EMPTY, f"Bucket {name} is not empty")
        self._store.write("delete bucket", name, lambda: self._store.buckets.pop(name, None) and None)

    def count(self, name: str) -> b.Contents:
        self._store.check(self._connection, "count", name)
        held = self._store.buckets.get(name)
        return b.Contents(held.versions, held.delete_markers, held.uploads) if held else b.Contents()

    def empty(self, name: str) -> bool:
        self._store.check(self._connection, "empty", name)
        held = self._held(name)

        def change() -> None:
            held.versions, room = max(held.versions - _PAGE, 0), max(_PAGE - held.versions, 0)
            held.delete_markers, room = max(held.delete_markers - room, 0), max(room - held.delete_markers, 0)
            held.uploads = max(held.uploads - room, 0)

        self._store.write("empty bucket", name, change)
        return self.count(name).empty

    def probe(self, scratch: str) -> tuple[b.Capability, ...]:
        self._store.check(self._connection, "probe", scratch)
        self._store.write("probe", scratch, lambda: None)
        lacks = self._store.unsupported
        return tuple(b.Capability(name, name not in lacks, "not supported" if name in lacks else "") for name in sorted(b.CAPABILITIES))

    def account(self) -> StoreAccount:
        self._store.check(self._connection, "account", "")
        return StoreAccount(self._store.account)

    def _held(self, name: str) -> Held:
        if name not in self._store.buckets:
            raise Transient(reasons.CONFLICT, f"Bucket {name} does not exist")
        return self._store.buckets[name]


class MemoryIdentities:
    """The Identities port."""

    def __init__(self, store: MemoryStore, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def observe(self, name: str) -> Principal | None:
        self._store.check(self._connection, "observe user", name)
        return self._store.users.get(name)

    def create(self, want: Principal) -> None:
        self._store.check(self._connection, "create user", want.name)
        existing = self._store.users.get(want.name)
        if existing is not None and existing.path != want.path:
            raise Terminal(reasons.NOT_OWNED, f"IAM user {want.name} exists under another path")
        blank = replace(want, policy=None, keys=(), other_policies=())
        self._store.write("create user", want.name, lambda: self._store.users.setdefault(want.name, blank) and None)

    def put_policy(self, want: Principal) -> None:
        self._change("put policy", want.name, lambda user: replace(user, policy=want.policy))

    def delete_policy(self, name: str, policy: str) -> None:
        def change(user: Principal) -> Principal:
            others = tuple(other for other in user.other_policies if other != policy)
            return replace(user, other_policies=others, policy=None if policy == b.PREFIX else user.policy)

        self._change("delete policy", name, change)

    def create_key(self, name: str) -> IssuedKey:
        key = IssuedKey(f"KEY{next(self._store.numbers)}", f"planted-secret-{next(self._store.numbers)}")
        created = AccessKey(key.id, True, datetime(2026, 1, 1, tzinfo=UTC).isoformat())
        self._store.secrets[key.id] = key.secret
        self._change("create key", name, lambda user: replace(user, keys=(*user.keys, created)))
        return key

    def delete_key(self, name: str, key_id: str) -> None:
        self._change("delete key", name, lambda user: replace(user, keys=tuple(key for key in user.keys if key.id != key_id)))

    def delete(self, name: str) -> None:
        self._store.check(self._connection, "delete user", name)
        user = self._store.users.get(name)
        if user is not None and (user.keys or user.policy is not None or user.other_policies):
            raise Transient(reasons.CONFLICT, f"IAM user {name} still has keys or policies")
        self._store.write("delete user", name, lambda: self._store.users.pop(name, None) and None)

    def _change(self, verb: str, name: str, change: Callable[[Principal], Principal]) -> None:
        self._store.check(self._connection, verb, name)
        if name not in self._store.users:
            raise Transient(reasons.CONFLICT, f"IAM user {name} does not exist")

        def apply() -> None:
            self._store.users[name] = change(self._store.users[name])

        self._store.write(verb, name, apply)
