"""More of the three worlds: a hand that acts on buckets as users do, a count of requests, and other ways to reach the same store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities, Stores
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from hack.tools.store import Store
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen
from tests.support.fault_proxy import FaultProxy

EVERYTHING = frozenset(b.CAPABILITIES) - {b.EXPECTED_OWNER, b.IDENTITIES, b.ATTACHED_POLICIES, b.GROUPS}
"""All that is read of a bucket."""


class Hand(Protocol):
    """What users do to a bucket behind our back."""

    def put_object(self, bucket: str, key: str) -> None: ...

    def delete_object(self, bucket: str, key: str) -> None: ...

    def start_upload(self, bucket: str) -> None: ...


@dataclass(frozen=True)
class MemoryHand:
    """The hooks of the fake."""

    store: MemoryStore

    def put_object(self, bucket: str, key: str) -> None:
        self.store.put_object(bucket, key)

    def delete_object(self, bucket: str, key: str) -> None:
        self.store.delete_object(bucket, key)

    def start_upload(self, bucket: str) -> None:
        self.store.start_upload(bucket)


@dataclass(frozen=True)
class BotoHand:
    """A client of its own, which shares nothing with the adapters."""

    store: Store
    s3: Any

    def put_object(self, bucket: str, key: str) -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    def delete_object(self, bucket: str, key: str) -> None:
        self.s3.delete_object(Bucket=bucket, Key=key)

    def start_upload(self, bucket: str) -> None:
        self.s3.create_multipart_upload(Bucket=bucket, Key="upload")


@dataclass(frozen=True)
class Subject:
    """One store under test, all of whose settings are read. What it can do is known from its probe, never from its name."""

    stores: Stores
    connection: Connection
    hand: Hand
    able: frozenset[str]

    def with_(self, **changes: Any) -> "Subject":
        """The same store, reached in another way."""
        return replace(self, connection=replace(self.connection, **changes))

    @property
    def buckets(self) -> BucketStore:
        return self.stores.buckets(self.connection)

    @property
    def identities(self) -> Identities:
        return self.stores.identities(self.connection)

    def bucket(self) -> str:
        """A new bucket."""
        name = fresh()
        self.buckets.create(b.Bucket(name))
        return name

    def read(self, name: str) -> b.Bucket:
        return seen(self.buckets.observe(name))

    def need(self, *capabilities: str) -> None:
        """Skip where the probe found that the store cannot do this."""
        missing = set(capabilities) - self.able
        if missing:
            pytest.skip(f"the probe found no {', '.join(sorted(missing))}")


@contextmanager
def counted(subject: Subject) -> Iterator[tuple[Subject, Callable[[], int]]]:
    """The same store by a way of its own, and how many requests went that way. The store's count has those of other tests' operators."""
    hand = subject.hand
    if isinstance(hand, MemoryHand):
        before = len(hand.store.calls)
        yield subject, lambda: len(hand.store.calls) - before
        return
    with FaultProxy(subject.connection.endpoint or "") as proxy:
        yield subject.with_(endpoint=proxy.endpoint, iam_endpoint=proxy.endpoint), lambda: len(proxy.asked)


def subject_of(world: World, request: pytest.FixtureRequest) -> Subject:
    """The world that a test runs in, with a hand."""
    connection = replace(world.connection, settings=EVERYTHING)
    return Subject(world.stores, connection, _hand_of(world, request), world.able)


def _hand_of(world: World, request: pytest.FixtureRequest) -> Hand:
    if isinstance(world.stores, MemoryStores):
        return MemoryHand(world.stores.at(world.connection.endpoint))
    store: Store = request.getfixturevalue(request.node.callspec.params["world"])
    return BotoHand(store, store.client("s3"))
