"""One endpoint of the fake: its accounts, buckets and users, and the ways in which it can fail, lag and lie."""

import itertools
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection, IssuedKey, Principal
from clouddatamesh.storage.memory_held import Held
from clouddatamesh.storage.memory_lag import Lag, Late

_KEPT = ("buckets", "users", "secrets", "foreign_buckets", "failures", "refused", "unclear", "unseen", "harmful", "others", "numbers")

_OF_BUCKETS = frozenset({"observe", "create", "update", "delete", "count", "empty", "probe", "account"})
"""Verbs of the BucketStore port; all others are of Identities."""


def epoch() -> datetime:
    """The time of a fake whose clock nobody set."""
    return datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class MemoryStore:
    """One endpoint, as one account sees it. Tests may look at and change everything."""

    before_write: Callable[[str], None]
    after_write: Callable[[str], None]
    unsupported: frozenset[str] = frozenset()
    now: Callable[[], datetime] = epoch
    account: str = "account"
    root: IssuedKey = field(default_factory=lambda: IssuedKey("ROOT", "root-secret"))
    buckets: dict[str, Held] = field(default_factory=dict)
    users: dict[str, Principal] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    """The secret of every key ever issued, by key id."""
    foreign_buckets: set[str] = field(default_factory=set)
    """Names that belong to accounts of which nothing else is known."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(verb, name) of every call of a port."""
    down: bool = False
    failures: list[MeshError] = field(default_factory=list)
    """Raised by the next calls, one each."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """(verb, name) that answer 403; an empty name is every name."""
    unclear: set[str] = field(default_factory=set)
    """Capabilities of which a probe tells nothing."""
    unseen: set[str] = field(default_factory=set)
    """Capabilities that are written and do not show."""
    harmful: set[str] = field(default_factory=set)
    """Capabilities that refuse what they must let through."""
    remakes: bool = False
    """Whether creating one's own bucket again is answered with success, as in us-east-1 and by RGW."""
    to_lose: int = 0
    others: dict[str, dict[str, Principal]] = field(default_factory=dict)
    """The users of the accounts whose turn it is not."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._late_buckets: Late[b.Bucket] = Late(self._own_buckets, self.now)
        self._late_users: Late[Principal] = Late(lambda: dict(self.users), self.now)

    def twin(self, **hooks: Any) -> "MemoryStore":
        """Another store that begins as this one is; its reads are not late."""
        kept = {name: deepcopy(getattr(self, name)) for name in _KEPT}
        return replace(self, calls=[], lock=threading.RLock(), **kept, **hooks)

    # How it fails, lags and lies

    def fail_next(self, *errors: MeshError) -> None:
        """The next calls raise these, one each, before they do anything."""
        self.failures.extend(errors)

    def lose_answers(self, count: int = 1) -> None:
        """The next writes are done, and their answers lost."""
        self.to_lose = count

    def refuse(self, *verbs: str, name: str = "") -> None:
        """These calls answer 403, for one name or for all: verbs as in `calls`, and `list buckets`, and `observe <capability>`."""
        self.refused |= {(verb, name) for verb in verbs}

    def allow(self, *verbs: str) -> None:
        """These calls, or all, answer again."""
        self.refused = {(verb, name) for verb, name in self.refused if verbs and verb not in verbs}

    def lag_buckets(self, lag: Lag) -> None:
        """Reads of buckets, their tags and settings are late; what they hold is not."""
        self._late_buckets.be_late(lag)

    def lag_users(self, lag: Lag) -> None:
        """Reads of IAM (users, policies, keys, lists) are late; what IAM refuses goes by what is there."""
        self._late_users.be_late(lag)

    def switch_account(self, account: str) -> None:
        """The same credentials and endpoint lead to another account: other users, and of the buckets none that was there before."""
        with self.lock:
            for held in self.buckets.values():
                held.account = held.account or self.account
            self.others[self.account] = self.users
            self.account, self.users = account, self.others.pop(account, {})

    # What the ports ask

    def check(self, connection: Connection, verb: str, name: str) -> None:
        """Count a call, and fail it where it is to fail."""
        with self.lock:
            self.calls.append((verb, name))
            (self._late_buckets if verb in _OF_BUCKETS else self._late_users).call()
            if self.failures:
                raise self.failures.pop(0)
        if self.down:
            raise Transient(reasons.STORE_UNAVAILABLE, f"{verb} {name} failed: the store does not answer")
        given = (connection.access_key_id, connection.secret_access_key)
        if connection.access_key_id is not None and given != (self.root.id, self.root.secret):
            raise Terminal(reasons.CREDENTIALS_INVALID, f"{verb} failed: InvalidAccessKeyId")
        self.check_right(verb, name)

    def check_right(self, verb: str, name: str) -> None:
        """Fail what is refused."""
        if self.refused & {(verb, ""), (verb, name)}:
            raise Transient(reasons.ACCESS_DENIED, f"{verb} {name} failed: AccessDenied")

    def write(self, verb: str, name: str, change: Callable[[], object]) -> None:
        """One write, between the hooks."""
        self.before_write(f"{verb} {name}")
        with self.lock:
            change()
            self._late_buckets.written()
            self._late_users.written()
            lost, self.to_lose = self.to_lose > 0, max(0, self.to_lose - 1)
        self.after_write(f"{verb} {name}")
        if lost:
            raise Transient(reasons.STORE_UNAVAILABLE, f"{verb} {name} failed: the store did not answer")

    def issue(self) -> IssuedKey:
        """A key that no other is like."""
        number = next(self.numbers)
        return IssuedKey(f"KEY{number}", f"planted-secret-{number}")

    def is_ours(self, name: str) -> bool:
        """Whether the bucket is there, and of the account whose turn it is."""
        held = self.buckets.get(name)
        return held is not None and held.account in ("", self.account)

    def _own_buckets(self) -> Mapping[str, b.Bucket]:
        return {name: held.bucket for name, held in self.buckets.items() if self.is_ours(name)}

    def seen_bucket(self, name: str) -> b.Bucket | None:
        """The bucket of our account, as late as reads are."""
        with self.lock:
            return self._late_buckets.seen().get(name)

    def seen_users(self) -> Mapping[str, Principal]:
        """The users of our account, as late as reads are."""
        with self.lock:
            return self._late_users.seen()

    # What users do

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
