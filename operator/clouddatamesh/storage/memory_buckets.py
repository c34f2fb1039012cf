"""The BucketStore port of the fake."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import Connection, StoreAccount
from clouddatamesh.storage.denial import explain_denial, explain_refusal
from clouddatamesh.storage.memory_held import PAGE, Held, World
from clouddatamesh.storage.openings import name_public

_PROBE: Final = ("clouddatamesh.dev/probe", "true")
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
    "policy": ("policy", "foreign_statements", "policy_version", "policy_id"),
    "encryption": ("encryption",),
    "versioning": ("versioning",),
    "lifecycle": ("lifecycle", "foreign_rules", "transition_minimum"),
}


class MemoryBuckets:
    """Buckets of one store, as one connection sees them."""

    def __init__(self, store: World, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def observe(self, name: str) -> Seen[b.Bucket]:
        return self._see(name, self._connection.settings)

    def observe_marks(self, name: str) -> Seen[b.Bucket]:
        return self._see(name, ())

    def _see(self, name: str, settings: Collection[str]) -> Seen[b.Bucket]:
        try:
            self._store.check(self._connection, "observe", name)
            self._check_account(name)
            bucket = self._store.seen_bucket(name)
            if bucket is None:
                return Absent()
            for setting in sorted(settings):
                self._store.check_right(f"observe {setting}", name)
        except MeshError as error:
            return self._judge_denial(explain_denial(error), name) if error.reason == reasons.ACCESS_DENIED else Unknown(error)
        return Present(_as_read(bucket, settings))

    def locate(self, name: str) -> str:
        self._check("locate", name)
        return self._held(name).location

    def find_openings(self, name: str) -> b.Openings:
        self._check("find openings", name)
        held = self._held(name)
        return replace(held.openings, statements=name_public(list(map(json.loads, held.bucket.foreign_statements))))

    def _judge_denial(self, denial: MeshError, name: str) -> Seen[b.Bucket]:
        """As the real one: the account's own list of buckets says whose it is, where it is answered."""
        try:
            self._store.check_right("list buckets", name)
        except MeshError:
            return Unknown(denial)
        tells_apart = self._connection.is_aws or self._connection.expected_owner is not None
        if self._store.seen_bucket(name) is not None or not tells_apart:
            return Unknown(denial)
        return Present(b.Bucket(name, is_of_other_account=True))

    def create(self, want: b.Bucket) -> None:
        self._store.check(self._connection, "create", want.name)
        if self._is_anothers(want.name):
            raise Terminal(reasons.NOT_OWNED, f"CreateBucket {want.name} failed: BucketAlreadyExists")
        if want.name in self._store.buckets and not self._store.remakes:
            raise Transient(reasons.CONFLICT, f"CreateBucket {want.name} failed: BucketAlreadyOwnedByYou")
        blank = b.Bucket(want.name, public_access_blocked=False, ownership_enforced=False, policy=(), versioning="Off", lifecycle=())
        held = Held(blank, account=self._store.account, location=want.region)
        self._store.write("create bucket", want.name, lambda: self._store.buckets.setdefault(want.name, held) and None)

    def update(self, want: b.Bucket, delta: b.Delta) -> None:
        self._check("update", want.name)
        if "ownership" in delta and b.OBJECT_OWNERSHIP in self._store.unsupported:
            raise Terminal(reasons.STORE_REFUSED, f"PutBucketOwnershipControls on bucket {want.name} failed: InvalidArgument")
        if "policy" in delta and self._held(want.name).bucket.public_access_blocked and want.foreign_statements:
            raise_public(want)
        if "ownership" in delta and want.ownership_enforced and self._held(want.name).openings.grants:
            refused = Terminal(reasons.STORE_REFUSED, f"Bucket {want.name}: InvalidBucketAclWithObjectOwnership")
            raise explain_refusal(refused, want, "ownership")
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

    def empty(self, name: str) -> str:
        self._check("empty", name)
        held = self._store.buckets.get(name)
        if held is None or _contents(held).empty:
            return ""
        first = f"{held.versions} {held.delete_markers} {held.uploads}"
        self._store.write("empty bucket", name, held.drop_page)
        return first

    def probe(self, scratch: str) -> tuple[b.Capability, ...]:
        self._store.check(self._connection, "probe", scratch)
        blocked = f"Bucket {scratch} is needed for probing and is somebody's; remove it" if self._is_blocked(scratch) else ""
        if not blocked:
            self._store.write("probe", scratch, lambda: self._keep_scratch(scratch))
        found = (b.Capability(name, *self._judge(name, blocked)) for name in sorted(b.CAPABILITIES))
        return tuple(replace(one, harmful=one.verdict == "No" and one.name in self._store.harmful) for one in found)

    def _is_blocked(self, scratch: str) -> bool:
        held = self._store.buckets.get(scratch)
        return self._is_anothers(scratch) or (held is not None and (held.bucket.tags not in ((), (_PROBE,)) or not _contents(held).empty))

    def _keep_scratch(self, scratch: str) -> None:
        blank = b.Bucket(scratch, tags=(_PROBE,), policy=(), versioning="Suspended", lifecycle=())
        self._store.buckets[scratch] = Held(blank, account=self._store.account)

    def _judge(self, name: str, blocked: str) -> tuple[b.Verdict, str]:
        if blocked or name in self._store.unclear:
            return "Unclear", blocked or "the store was busy"
        if name in self._store.unseen:
            return "Unseen", "it was not read back as written"
        return ("No", "not supported") if name in self._store.unsupported or name in self._store.harmful else ("Yes", "")

    def account(self) -> StoreAccount:
        self._store.check(self._connection, "account", "")
        return StoreAccount(self._store.account)

    def _check(self, verb: str, name: str) -> None:
        """As every call: keys and reach; and whether the bucket is of the account that it is expected of."""
        self._store.check(self._connection, verb, name)
        self._check_account(name)

    def _check_account(self, name: str) -> None:
        """Any other account answers as one that refuses."""
        expected = self._connection.expected_owner
        if self._is_anothers(name) or (expected not in (None, self._store.account) and name in self._store.buckets):
            raise Transient(reasons.ACCESS_DENIED, f"Bucket {name}: AccessDenied")

    def _is_anothers(self, name: str) -> bool:
        return name in self._store.foreign_buckets or (name in self._store.buckets and not self._store.is_ours(name))

    def _held(self, name: str) -> Held:
        if name not in self._store.buckets:
            raise Transient(reasons.CONFLICT, f"Bucket {name} does not exist")
        return self._store.buckets[name]


def _as_read(bucket: b.Bucket, settings: Collection[str]) -> b.Bucket:
    """What one look tells: the settings that it asks for."""
    unread: dict[str, Any] = {name: None for name, setting in _SETTING_OF.items() if setting not in settings}
    blank = b.Bucket(bucket.name)
    carried: tuple[tuple[b.BucketPath, str], ...] = (("policy", b.TLS_ONLY), ("lifecycle", b.LIFECYCLE))
    for path, setting in carried:
        if setting not in settings:
            unread |= {name: getattr(blank, name) for name in _ATTRIBUTES[path]}
    return replace(bucket, region="", **unread)


def raise_public(want: b.Bucket) -> None:
    """As real ones: while public access is blocked no policy is accepted that allows something to everybody."""
    if name_public(list(map(json.loads, want.foreign_statements))):
        raise explain_refusal(
            Transient(reasons.ACCESS_DENIED, f"PutBucketPolicy on bucket {want.name} failed: AccessDenied"), want, "policy"
        )


def _contents(held: Held) -> b.Contents:
    """Counted no further than one page, as real stores are asked."""
    versions = min(held.versions, PAGE)
    markers = min(held.delete_markers, PAGE - versions)
    more = held.versions + held.delete_markers > PAGE or held.uploads > PAGE
    return b.Contents(versions, markers, min(held.uploads, PAGE), more)
