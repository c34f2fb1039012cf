"""The BucketStore port over S3. It reads and writes what it is told to, and compares nothing."""

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import Connection, StoreAccount
from clouddatamesh.storage.account import read_account
from clouddatamesh.storage.calls import STRANGE, WIRE_ERRORS, Calls, strange
from clouddatamesh.storage.capabilities import probe
from clouddatamesh.storage.contents import count_contents, remove_page
from clouddatamesh.storage.denial import explain_denial, explain_refusal
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.openings import find_openings, region_of
from clouddatamesh.storage.scratch import Opener, Owned, Patience, Scratch
from clouddatamesh.storage.settings import READERS, UNSET, WRITERS

_ABSENT: Final = ("NoSuchBucket",)
_OTHER_REGION: Final = ("IllegalLocationConstraintException", "InvalidLocationConstraint")


class _Absent(Exception):
    """The bucket does not exist."""


class S3Buckets:
    """Buckets of one connection."""

    def __init__(
        self,
        s3: Any,
        sts: Any,
        iam: Any,
        connection: Connection,
        *,
        open_as: Opener | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s3, self._sts, self._iam = (Calls(client, connection) for client in (s3, sts, iam))
        self._connection, self._sleep, self._open_as = connection, sleep, open_as

    def _about(self, name: str) -> dict[str, str]:
        owner = self._connection.expected_owner
        return {"Bucket": name, **({"ExpectedBucketOwner": owner} if owner else {})}

    def _read(self, operation: str, name: str) -> dict[str, Any]:
        return self._s3.get(operation, f"on bucket {name}", unless=UNSET, **self._about(name)) or {}

    def observe(self, name: str) -> Seen[b.Bucket]:
        return self._see(name, self._connection.settings)

    def observe_marks(self, name: str) -> Seen[b.Bucket]:
        return self._see(name, ())

    def _see(self, name: str, settings: Collection[str]) -> Seen[b.Bucket]:
        try:
            return self._observe(name, settings)
        except MeshError as error:
            return Unknown(explain_denial(error, endpoint=self._connection.endpoint))
        except STRANGE:
            return Unknown(strange(f"Reading bucket {name}"))

    def _observe(self, name: str, wanted: Collection[str]) -> Seen[b.Bucket]:
        try:
            tags = self._read_tags(name)
        except _Absent:
            return Absent()
        except MeshError as error:
            if error.reason != reasons.ACCESS_DENIED:
                raise
            return self._judge_denial(error, name)
        settings: dict[str, Any] = {}
        for part, reader in READERS.items():
            if part in wanted:
                settings |= reader(self._read, name)
        return Present(b.Bucket(name=name, tags=tags, **settings))

    def _read_tags(self, name: str) -> b.Tags:
        """The first request about a bucket, which also tells whether it exists."""
        try:
            found = self._s3.client.get_bucket_tagging(**self._about(name)).get("TagSet")
        except WIRE_ERRORS as error:
            code = code_of(error) if isinstance(error, ClientError) else ""
            if code in _ABSENT:
                raise _Absent from None
            if code in UNSET:
                return ()
            raise self._s3.explain(error, "get_bucket_tagging", f"on bucket {name}") from None
        if found is None:  # a page of some proxy, or no S3 at all: it must not pass for a bucket that exists
            why = f"GetBucketTagging on bucket {name} failed: the answer holds no tags; check the ObjectStore's spec.endpointUrl"
            raise Transient(reasons.STORE_UNAVAILABLE, why)
        return tuple(sorted((tag["Key"], tag["Value"]) for tag in found))

    def _judge_denial(self, denial: MeshError, name: str) -> Seen[b.Bucket]:
        """A refusal does not say whose the bucket is. The account's own list of buckets does, where it is answered."""
        try:
            listed = self._s3.collect("list_buckets", "", part="Buckets", Prefix=name)
        except MeshError as error:
            refused = error.reason == reasons.ACCESS_DENIED
            return Unknown(self._explain_credentials() or explain_denial(denial, endpoint=self._connection.endpoint) if refused else error)
        if any(bucket.get("Name") == name for bucket in listed) or not self._tells_accounts_apart():
            return Unknown(explain_denial(denial, endpoint=self._connection.endpoint))
        return Present(b.Bucket(name, is_of_other_account=True))

    def _tells_accounts_apart(self) -> bool:
        """Stores without accounts of their own list what one may read, so that a Deny takes a bucket out of the list as well."""
        return self._connection.is_aws or self._connection.expected_owner is not None

    def _explain_credentials(self) -> MeshError | None:
        """RGW answers AccessDenied to a key that it does not know, to whatever it is asked."""
        try:
            self.account()
        except MeshError as error:
            return error
        return None

    def list(self, prefix: str) -> tuple[str, ...]:
        """Names of the account's buckets that begin with the prefix. For checks from outside: no reconciliation lists buckets."""
        listed = self._s3.collect("list_buckets", "", part="Buckets", Prefix=prefix)
        return tuple(sorted(str(bucket["Name"]) for bucket in listed if str(bucket["Name"]).startswith(prefix)))

    def locate(self, name: str) -> str:
        found = self._s3.do("get_bucket_location", f"on bucket {name}", **self._about(name))
        return region_of(found, is_aws=self._connection.is_aws)

    def find_openings(self, name: str) -> b.Openings:
        def ask(operation: str, *, unless: tuple[str, ...]) -> dict[str, Any] | None:
            return self._s3.get(operation, f"on bucket {name}", unless=unless, **self._about(name))

        return find_openings(ask)

    def create(self, want: b.Bucket) -> None:
        region = want.region or self._connection.region
        location = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
        tolerated: Collection[str] = _OTHER_REGION if location and self._connection.endpoint else ()
        attempt = partial(self._s3.get, "create_bucket", want.name, Bucket=want.name)
        if attempt(unless=tolerated, **location) is None:
            attempt(unless=())  # a store that has one place, under another name than spec.region

    def update(self, want: b.Bucket, delta: b.Delta) -> None:
        for path in delta:
            operation, arguments = WRITERS[path](want)
            try:
                self._s3.do(operation, f"on bucket {want.name}", **self._about(want.name), **arguments)
            except MeshError as error:
                raise explain_refusal(error, want, path) from None

    def delete(self, name: str) -> None:
        self._s3.get("delete_bucket", name, unless=_ABSENT, **self._about(name))

    def count(self, name: str) -> b.Contents:
        try:
            return count_contents(partial(self._call, name))
        except _Absent:
            return b.Contents()

    def empty(self, name: str) -> str:
        try:
            return remove_page(partial(self._call, name), name)
        except _Absent:
            return ""

    def _call(self, name: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """One request about what a bucket holds; an upload that has ended meanwhile is gone, as wanted."""
        unless = (*_ABSENT, "NoSuchUpload")
        answer = self._s3.get(operation, f"on bucket {name}", unless=unless, **self._about(name), **arguments)
        if answer is None and operation != "abort_multipart_upload":
            raise _Absent
        return answer or {}

    def probe(self, scratch: str) -> tuple[b.Capability, ...]:
        """Wrong credentials and a store that is away are raised, by the question whose account this is."""
        account, connection = self.account().id, self._connection
        client = Owned(self._s3.client, connection.expected_owner) if connection.expected_owner else self._s3.client
        subject = Scratch(
            client,
            self._iam.client,
            scratch,
            account,
            Patience(self._sleep),
            open_as=self._open_as,
            is_aws=connection.is_aws,
            partition=connection.partition,
        )
        return probe(Calls(client, connection), subject, make=lambda: self.create(b.Bucket(scratch)))

    def account(self) -> StoreAccount:
        """Whose credentials these are."""
        return read_account(self._s3, self._sts, self._iam, self._connection)
