"""The BucketStore port of the fake."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection, StoreAccount
from clouddatamesh.storage.memory_held import Held, World

_BOUND: Final = 10_000
_SETTING_OF: Final = {
    "public_access_blocked": b.BLOCK_PUBLIC_ACCESS,
    "ownership_enforced": b.OBJECT_OWNERSHIP,
    "policy": b.TLS_ONLY,
    "encryption": b.ENCRYPTION,
    "versioning": b.VERSIONING,
    "lifecycle": b.LIFECYCLE,
}
_ATTRIBUTES: Final[dict[b.BucketPath, tuple[str, ...]]] = {
    "tags": ("tags",),
    "publicAccessBlock": ("public_access_blocked",),
    "ownership": ("ownership_enforced",),
    "policy": ("policy", "foreign_statements"),
    "encryption": ("encryption",),
    "versioning": ("versioning",),
    "lifecycle": ("lifecycle", "foreign_rules"),
}


class MemoryBuckets:
    """Buckets of one store, as one connection sees them."""

    def __init__(self, store: World, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def observe(self, name: str) -> b.Bucket | None:
        self._check("observe", name)
        if name in self._store.foreign_buckets:
            raise Terminal(reasons.NOT_OWNED, f"Bucket {name} exists and is another account's; choose another name")
        held = self._store.buckets.get(name)
        return self._as_read(held.bucket) if held else None

    def _as_read(self, bucket: b.Bucket) -> b.Bucket:
        unread: dict[str, Any] = {name: None for name, setting in _SETTING_OF.items() if setting not in self._connection.settings}
        unread |= {"foreign_statements": ()} if b.TLS_ONLY not in self._connection.settings else {}
        unread |= {"foreign_rules": ()} if b.LIFECYCLE not in self._connection.settings else {}
        return replace(bucket, region="", **unread)

    def create(self, want: b.Bucket) -> None:
        self._store.check(self._connection, "create", want.name)
        if want.name in self._store.foreign_buckets:
            raise Terminal(reasons.NOT_OWNED, f"CreateBucket {want.name} failed: BucketAlreadyExists")
        blank = b.Bucket(want.name, public_access_blocked=False, ownership_enforced=False, policy=(), versioning="Off", lifecycle=())
        self._store.write("create bucket", want.name, lambda: self._store.buckets.setdefault(want.name, Held(blank)) and None)

    def update(self, want: b.Bucket, delta: b.Delta) -> None:
        self._check("update", want.name)
        if "ownership" in delta and b.OBJECT_OWNERSHIP in self._store.unsupported:
            raise Terminal(reasons.STORE_REFUSED, f"PutBucketOwnershipControls on bucket {want.name} failed: InvalidArgument")
        values: dict[str, Any] = {name: getattr(want, name) for path in delta for name in _ATTRIBUTES[path]}
        values |= {"versioning": "Suspended"} if values.get("versioning") == "Off" else {}

        def change() -> None:
            held = self._held(want.name)
            held.bucket = replace(held.bucket, **values)

        self._held(want.name)
        self._store.write(f"update {','.join(delta)}", want.name, change)

    def delete(self, name: str) -> None:
        self._check("delete", name)
        held = self._store.buckets.get(name)
        if held and not _contents(held).empty:
            raise Terminal(reasons.BUCKET_NOT_EMPTY, f"DeleteBucket {name} failed: BucketNotEmpty")
        self._store.write("delete bucket", name, lambda: self._store.buckets.pop(name, None) and None)

    def count(self, name: str) -> b.Contents:
        self._check("count", name)
        held = self._store.buckets.get(name)
        return _contents(held) if held else b.Contents()

    def empty(self, name: str) -> bool:
        self._check("empty", name)
        held = self._store.buckets.get(name)
        if held is None:
            return True
        self._store.write("empty bucket", name, held.drop_page)
        return _contents(held).empty

    def probe(self, scratch: str) -> tuple[b.Capability, ...]:
        self._store.check(self._connection, "probe", scratch)
        held = self._store.buckets.get(scratch)
        if scratch in self._store.foreign_buckets or (held and not _contents(held).empty):
            raise Terminal(reasons.NOT_OWNED, f"Bucket {scratch} is needed for probing and is somebody's; remove it")
        self._store.write("probe", scratch, lambda: self._store.buckets.pop(scratch, None) and None)
        lacks = self._store.unsupported
        return tuple(b.Capability(name, name not in lacks, "not supported" if name in lacks else "") for name in sorted(b.CAPABILITIES))

    def account(self) -> StoreAccount:
        self._store.check(self._connection, "account", "")
        return StoreAccount(self._store.account)

    def _check(self, verb: str, name: str) -> None:
        """As every call: keys and reach; and whether the bucket is of the account that it is expected of."""
        self._store.check(self._connection, verb, name)
        if self._connection.expected_owner not in (None, self._store.account) and name in self._store.buckets:
            raise Terminal(reasons.NOT_OWNED, f"Bucket {name} is not of account {self._connection.expected_owner}")

    def _held(self, name: str) -> Held:
        if name not in self._store.buckets:
            raise Transient(reasons.CONFLICT, f"Bucket {name} does not exist")
        return self._store.buckets[name]


def _contents(held: Held) -> b.Contents:
    """Counted no further than real stores are asked."""
    more = held.versions + held.delete_markers > _BOUND or held.uploads > _BOUND
    return b.Contents(min(held.versions, _BOUND), min(held.delete_markers, _BOUND), min(held.uploads, _BOUND), more)
