"""The BucketStore port over S3. It reads and writes what it is told to, and compares nothing."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection, StoreAccount
from clouddatamesh.storage.errors import code_of, translate
from clouddatamesh.storage.lifecycle import build_rules, parse_rules
from clouddatamesh.storage.policy import build_document, parse_document
from clouddatamesh.storage.probe import probe

_PAGE: Final = 1000
_COUNTED: Final = 10_000
_ABSENT: Final = ("NoSuchBucket", "404")
_DENIED: Final = ("AccessDenied", "403", "Forbidden")
_UNSET: Final = (
    "NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError", "NoSuchOwnershipControls", "NoSuchBucketPolicy",
    "ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration", "NoSuchTagSet", "NoSuchTagSetError",
)  # fmt: skip
_BLOCK: Final = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


class S3Buckets:
    """Buckets of one connection."""

    def __init__(self, s3: Any, sts: Any, iam: Any, connection: Connection) -> None:
        self._s3, self._sts, self._iam, self._connection = s3, sts, iam, connection

    def call(self, operation: str, bucket: str, **arguments: Any) -> dict[str, Any]:
        """One request. Raises ClientError, as boto3 does, where the caller is to tell answers apart."""
        owner = self._connection.expected_owner
        expected = {"ExpectedBucketOwner": owner} if owner and operation != "create_bucket" else {}
        return dict(getattr(self._s3, operation)(Bucket=bucket, **arguments, **expected))

    def _do(self, operation: str, bucket: str, **arguments: Any) -> dict[str, Any]:
        """One request whose every error is translated."""
        try:
            return self.call(operation, bucket, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, f"{_words(operation)} on bucket {bucket}") from error

    def _get(self, operation: str, bucket: str, **arguments: Any) -> dict[str, Any] | None:
        """One request for a setting, None where it is not set."""
        try:
            return self.call(operation, bucket, **arguments)
        except ClientError as error:
            if code_of(error) in _UNSET:
                return None
            raise translate(error, f"{_words(operation)} on bucket {bucket}") from error
        except BotoCoreError as error:
            raise translate(error, f"{_words(operation)} on bucket {bucket}") from error

    def observe(self, name: str) -> b.Bucket | None:
        try:
            tags = self.call("get_bucket_tagging", name)["TagSet"]
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            if code_of(error) not in _UNSET:
                raise self._explain_denial(error, name) from error
            tags = []
        except BotoCoreError as error:
            raise translate(error, f"GetBucketTagging on bucket {name}") from error
        settings = {
            key: value for part in _READERS if part in self._connection.settings for key, value in _READERS[part](self._get, name).items()
        }
        return b.Bucket(name=name, tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in tags)), **settings)

    def _explain_denial(self, error: ClientError, name: str) -> MeshError:
        """A bucket whose tags we may not read is not ours, unless the store refuses these credentials altogether."""
        if code_of(error) not in _DENIED:
            return translate(error, f"GetBucketTagging on bucket {name}")
        try:
            self.account()
        except MeshError as about_the_credentials:
            return about_the_credentials
        return Terminal(
            reasons.NOT_OWNED, f"Bucket {name} exists and its tags may not be read, so it is not this mesh's; choose another name"
        )

    def create(self, want: b.Bucket) -> None:
        location = {"LocationConstraint": want.region}
        arguments = {"CreateBucketConfiguration": location} if want.region and want.region != "us-east-1" else {}
        try:
            self.call("create_bucket", want.name, **arguments)
        except ClientError as error:
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise translate(error, f"CreateBucket {want.name}") from error
        except BotoCoreError as error:
            raise translate(error, f"CreateBucket {want.name}") from error

    def update(self, want: b.Bucket, delta: b.Delta) -> None:
        for path in delta:
            operation, arguments = _WRITERS[path](want)
            self._do(operation, want.name, **arguments)

    def delete(self, name: str) -> None:
        try:
            self.call("delete_bucket", name)
        except ClientError as error:
            if code_of(error) not in _ABSENT:
                raise translate(error, f"DeleteBucket {name}") from error
        except BotoCoreError as error:
            raise translate(error, f"DeleteBucket {name}") from error

    def count(self, name: str) -> b.Contents:
        versions = markers = 0
        page: dict[str, Any] = {"IsTruncated": True}
        mark: dict[str, str] = {}
        try:
            while page.get("IsTruncated") and versions + markers < _COUNTED:
                page = self.call("list_object_versions", name, MaxKeys=_PAGE, **mark)
                versions += len(page.get("Versions", ()))
                markers += len(page.get("DeleteMarkers", ()))
                mark = {"KeyMarker": page.get("NextKeyMarker", ""), "VersionIdMarker": page.get("NextVersionIdMarker", "")}
            uploads = self.call("list_multipart_uploads", name, MaxUploads=_PAGE)
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return b.Contents()
            raise translate(error, f"ListObjectVersions on bucket {name}") from error
        except BotoCoreError as error:
            raise translate(error, f"ListObjectVersions on bucket {name}") from error
        return b.Contents(versions, markers, len(uploads.get("Uploads", ())), bool(page.get("IsTruncated") or uploads.get("IsTruncated")))

    def empty(self, name: str) -> bool:
        page = self._do("list_object_versions", name, MaxKeys=_PAGE)
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if found:
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            answer = self._do("delete_objects", name, Delete={"Objects": objects, "Quiet": True})
            self._check_deleted(answer, name)
        uploads = self._do("list_multipart_uploads", name, MaxUploads=_PAGE)
        for upload in uploads.get("Uploads", ()):
            self._do("abort_multipart_upload", name, Key=upload["Key"], UploadId=upload["UploadId"])
        return not page.get("IsTruncated") and not uploads.get("IsTruncated")

    @staticmethod
    def _check_deleted(answer: Mapping[str, Any], name: str) -> None:
        """DeleteObjects answers 200 with errors inside."""
        errors = answer.get("Errors") or ()
        if errors:
            code = str(errors[0].get("Code", "Unknown"))
            kind = Terminal if code in ("AccessDenied", "InvalidRequest") else Transient
            raise kind(reasons.BUCKET_NOT_EMPTY, f"DeleteObjects on bucket {name} failed for {len(errors)} objects: {code}")

    def probe(self, scratch: str) -> tuple[b.Capability, ...]:
        return probe(self._s3, self._iam, scratch, region=self._connection.region, account=self.account().id)

    def account(self) -> StoreAccount:
        """On AWS by STS; elsewhere by the owner of the bucket list, which everyone with a valid key may see."""
        try:
            if self._connection.endpoint is None:
                return StoreAccount(str(self._sts.get_caller_identity()["Account"]))
            owner = self._s3.list_buckets(MaxBuckets=1).get("Owner") or {}
            return StoreAccount(self._account_of_caller() or str(owner.get("ID") or ""))
        except ClientError as error:
            if code_of(error) in _DENIED:
                raise Terminal(reasons.CREDENTIALS_INVALID, f"The store refused the credentials: {code_of(error)}") from error
            raise translate(error, "Checking the credentials") from error
        except BotoCoreError as error:
            raise translate(error, "Checking the credentials") from error

    def _account_of_caller(self) -> str:
        """The account in the caller's own ARN, which is what ExpectedBucketOwner means; empty where the store does not say."""
        try:
            arn = str(self._iam.get_user()["User"].get("Arn", ""))
        except (ClientError, BotoCoreError):
            return ""
        return arn.split(":")[4] if arn.count(":") >= 5 else ""


def _words(operation: str) -> str:
    """`put_bucket_tagging` as the S3 reference writes it."""
    return "".join(part.capitalize() for part in operation.split("_"))


_Get = Callable[..., dict[str, Any] | None]


def _read_block(get: _Get, name: str) -> dict[str, Any]:
    answer = get("get_public_access_block", name)
    found = (answer or {}).get("PublicAccessBlockConfiguration", {})
    return {"public_access_blocked": all(found.get(part) for part in _BLOCK)}


def _read_ownership(get: _Get, name: str) -> dict[str, Any]:
    answer = get("get_bucket_ownership_controls", name)
    rules = ((answer or {}).get("OwnershipControls") or {}).get("Rules") or ()
    return {"ownership_enforced": any(rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in rules)}


def _read_policy(get: _Get, name: str) -> dict[str, Any]:

    answer = get("get_bucket_policy", name)
    ours, foreign = parse_document(json.loads(answer["Policy"])) if answer else ((), ())
    return {"policy": ours, "foreign_statements": foreign}


def _read_encryption(get: _Get, name: str) -> dict[str, Any]:
    answer = get("get_bucket_encryption", name)
    rules: list[dict[str, Any]] = ((answer or {}).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    return {"encryption": (rules[0].get("ApplyServerSideEncryptionByDefault") or {}).get("SSEAlgorithm")}


def _read_versioning(get: _Get, name: str) -> dict[str, Any]:
    return {"versioning": (get("get_bucket_versioning", name) or {}).get("Status", "Off")}


def _read_lifecycle(get: _Get, name: str) -> dict[str, Any]:
    ours, foreign = parse_rules((get("get_bucket_lifecycle_configuration", name) or {}).get("Rules", ()))
    return {"lifecycle": ours, "foreign_rules": foreign}


_READERS: Final[dict[str, Callable[[_Get, str], dict[str, Any]]]] = {
    b.BLOCK_PUBLIC_ACCESS: _read_block,
    b.OBJECT_OWNERSHIP: _read_ownership,
    b.TLS_ONLY: _read_policy,
    b.ENCRYPTION: _read_encryption,
    b.VERSIONING: _read_versioning,
    b.LIFECYCLE: _read_lifecycle,
}
_Write = tuple[str, dict[str, Any]]


def _write_policy(want: b.Bucket) -> _Write:
    if not want.policy and not want.foreign_statements:
        return "delete_bucket_policy", {}
    return "put_bucket_policy", {"Policy": build_document(want.policy or (), want.foreign_statements)}


def _write_lifecycle(want: b.Bucket) -> _Write:
    rules = build_rules(want.lifecycle or (), want.foreign_rules)
    if not rules:
        return "delete_bucket_lifecycle", {}
    return "put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": rules}}


def _write_encryption(want: b.Bucket) -> _Write:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": want.encryption}}
    return "put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


_WRITERS: Final[dict[b.BucketPath, Callable[[b.Bucket], _Write]]] = {
    "tags": lambda want: ("put_bucket_tagging", {"Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in want.tags]}}),
    "publicAccessBlock": lambda _: ("put_public_access_block", {"PublicAccessBlockConfiguration": _BLOCK}),
    "ownership": lambda _: (
        "put_bucket_ownership_controls",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    ),
    "policy": _write_policy,
    "encryption": _write_encryption,
    "versioning": lambda want: ("put_bucket_versioning", {"VersioningConfiguration": {"Status": want.versioning}}),
    "lifecycle": _write_lifecycle,
}
