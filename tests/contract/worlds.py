"""The three worlds in which one contract is held: the memory fake, moto, and Ceph RGW. They differ by what a probe finds, never by name."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities, Stores
from clouddatamesh.storage.clients import BotoStores
from clouddatamesh.storage.memory import MemoryStores
from hack.tools.store import Store


@dataclass(frozen=True)
class World:
    """One store behind the ports, what it can do, and a stranger's way to fill a bucket."""

    stores: Stores
    connection: Connection
    able: frozenset[str]
    fill: Callable[[str], None]

    @property
    def buckets(self) -> BucketStore:
        return self.stores.buckets(self.connection)

    @property
    def identities(self) -> Identities:
        return self.stores.identities(self.connection)


def fresh(prefix: str = "contract") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def in_memory() -> World:
    """The fake."""
    stores = MemoryStores()
    store = stores.at("https://memory.test")
    plain = Connection(
        region="us-east-1",
        endpoint="https://memory.test",
        iam_endpoint="https://memory.test",
        access_key_id=store.root.id,
        secret_access_key=store.root.secret,
    )

    def fill(bucket: str) -> None:
        held = store.buckets[bucket]
        held.versions, held.delete_markers, held.uploads = 6, 1, 1

    return _probed(stores, plain, fill)


def over_boto(store: Store) -> World:
    """A real one."""
    plain = Connection(
        region=store.region,
        endpoint=store.endpoint,
        iam_endpoint=store.endpoint,
        access_key_id=store.access_key,
        secret_access_key=store.secret_key,
    )

    def fill(bucket: str) -> None:
        s3 = store.client("s3")
        for n in range(6):
            s3.put_object(Bucket=bucket, Key=f"k{n % 2}", Body=b"x")
        s3.delete_object(Bucket=bucket, Key="k0")
        s3.create_multipart_upload(Bucket=bucket, Key="upload")

    return _probed(BotoStores(), plain, fill)


def _probed(stores: Stores, plain: Connection, fill: Callable[[str], None]) -> World:
    found = stores.buckets(plain).probe(fresh("probe"))
    assert sorted(capability.name for capability in found) == sorted(b.CAPABILITIES)
    able = frozenset(capability.name for capability in found if capability.verdict == "Yes")
    connection = Connection(**{**vars(plain), "settings": able})
    return World(stores, connection, able, fill)
