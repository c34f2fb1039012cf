"""What can this store do? Each capability is tried on a scratch bucket: set it, read it back, write and read an object, undo it."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.errors import code_of, redact, translate

_log = logging.getLogger(__name__)
_KEY, _BODY = "clouddatamesh-probe", b"probe"
_USER_PATH: Final = "/clouddatamesh-probe/"
_WRONG_OWNER: Final = "000000000000"
_MARK: Final = {"Key": "clouddatamesh.dev/probe", "Value": "true"}


class Unsupported(Exception):
    """The store answered, and what it did is not what was asked of it."""


@dataclass(frozen=True)
class Scratch:
    """The scratch bucket and what reaches it."""

    s3: Any
    iam: Any
    bucket: str
    account: str

    def write_and_read(self, after: str) -> None:
        """An object must still go in and come out; some stores accept a setting and break on the first write."""
        try:
            self.s3.put_object(Bucket=self.bucket, Key=_KEY, Body=_BODY)
            self.s3.get_object(Bucket=self.bucket, Key=_KEY)["Body"].read()
        except ClientError as error:
            raise Unsupported(f"PutObject failed after {after}: {code_of(error)}") from error


def probe(s3: Any, iam: Any, bucket: str, *, region: str, account: str) -> tuple[b.Capability, ...]:
    """Every capability with its verdict. What the store refuses is a verdict; that it does not answer is raised."""
    scratch = Scratch(s3, iam, bucket, account)
    try:
        with _scratch_bucket(scratch, region):
            return tuple(_try(name, attempt, scratch) for name, attempt in sorted(_ATTEMPTS.items()))
    except (ClientError, BotoCoreError) as error:
        raise translate(error, f"Probing on bucket {bucket}") from error


def _try(name: str, attempt: Callable[[Scratch], None], scratch: Scratch) -> b.Capability:
    try:
        attempt(scratch)
    except Unsupported as found:
        return b.Capability(name, False, str(found))
    except ClientError as error:
        operation = error.operation_name
        return b.Capability(name, False, redact(f"{operation} failed: {code_of(error)}"))
    return b.Capability(name, True)


@contextmanager
def _scratch_bucket(scratch: Scratch, region: str) -> Iterator[None]:
    """Made new; what an interrupted probe left is cleared first. Removed in the end, whatever happened."""
    location = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
    with suppress(scratch.s3.exceptions.BucketAlreadyOwnedByYou):
        scratch.s3.create_bucket(Bucket=scratch.bucket, **location)
    _check_ours(scratch)
    try:
        yield
    finally:
        with suppress(ClientError):
            _clear(scratch)
            scratch.s3.delete_bucket(Bucket=scratch.bucket)


def _check_ours(scratch: Scratch) -> None:
    """Nothing but a probe's own object may lie in the bucket that will be cleared."""
    found = scratch.s3.list_object_versions(Bucket=scratch.bucket, MaxKeys=10)
    keys = {item["Key"] for part in ("Versions", "DeleteMarkers") for item in found.get(part, ())}
    if keys - {_KEY}:
        raise Terminal(reasons.NOT_OWNED, f"Bucket {scratch.bucket} is needed for probing and holds somebody's objects; remove it")


def _clear(scratch: Scratch) -> None:
    found = scratch.s3.list_object_versions(Bucket=scratch.bucket)
    for part in ("Versions", "DeleteMarkers"):
        for item in found.get(part, ()):
            if item["Key"] == _KEY:
                scratch.s3.delete_object(Bucket=scratch.bucket, Key=item["Key"], VersionId=item["VersionId"])


@contextmanager
def _undone(undo: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(ClientError):
            undo()


def _require(true: object, why: str) -> None:
    if not true:
        raise Unsupported(why)


def _tags(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    with _undone(lambda: s3.delete_bucket_tagging(Bucket=bucket)):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [_MARK]})
        _require(s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [_MARK], "Tags were not read back as written")
        scratch.write_and_read("PutBucketTagging")


def _block_public_access(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    with _undone(lambda: s3.delete_public_access_block(Bucket=bucket)):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
        found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        _require(found == block, "The public access block was not read back as written")
        scratch.write_and_read("PutPublicAccessBlock")
        _require(_refuses_public_policy(scratch), "A public policy is accepted while public access is blocked")


def _refuses_public_policy(scratch: Scratch) -> bool:
    """Public for reading one object that holds nothing, in a bucket that is about to go."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{scratch.bucket}/{_KEY}"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        scratch.s3.put_bucket_policy(Bucket=scratch.bucket, Policy=document)
    except ClientError:
        return True
    scratch.s3.delete_bucket_policy(Bucket=scratch.bucket)
    return False


def _tls_only(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": ["false"]}}
    statement = {"Sid": "probe", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": resources, "Condition": condition}
    with _undone(lambda: s3.delete_bucket_policy(Bucket=bucket)):
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        found = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        _require([item.get("Sid") for item in found["Statement"]] == ["probe"], "The bucket policy was not read back as written")
    _require(s3.meta.endpoint_url.startswith("https://"), "The endpoint is spoken to without TLS")


def _encryption(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    with _undone(lambda: s3.delete_bucket_encryption(Bucket=bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        algorithm = found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        _require(algorithm == "AES256", "Encryption was not read back as written")
        scratch.write_and_read("PutBucketEncryption")


def _ownership(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    with _undone(lambda: s3.delete_bucket_ownership_controls(Bucket=bucket)):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
        found = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        _require(found == controls, "Ownership controls were not read back as written")
        scratch.write_and_read("PutBucketOwnershipControls")


def _lifecycle(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    rule = {"ID": "probe", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
    with _undone(lambda: s3.delete_bucket_lifecycle(Bucket=bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        _require([item.get("ID") for item in found] == ["probe"], "Lifecycle rules were not read back as written")


def _versioning(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    with _undone(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        _require(s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled", "Versioning was not read back as written")
        scratch.write_and_read("PutBucketVersioning")
        scratch.write_and_read("PutBucketVersioning")
        kept = s3.list_object_versions(Bucket=bucket, Prefix=_KEY).get("Versions", ())
        _require(len(kept) > 1, "An overwritten version was not kept")


def _expected_owner(scratch: Scratch) -> None:
    _require(scratch.account, "The store does not say whose account this is")
    scratch.s3.head_bucket(Bucket=scratch.bucket, ExpectedBucketOwner=scratch.account)
    try:
        scratch.s3.head_bucket(Bucket=scratch.bucket, ExpectedBucketOwner=_WRONG_OWNER)
    except ClientError:
        return
    raise Unsupported("A wrong expected bucket owner is not refused")


def _identities(scratch: Scratch) -> None:
    iam, name = scratch.iam, scratch.bucket[:60]
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{scratch.bucket}/*"]}
    with _undone(lambda: _remove_user(iam, name)):
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_user(UserName=name, Path=_USER_PATH)
        _require(iam.get_user(UserName=name)["User"]["Path"] == _USER_PATH, "A user's path was not kept")
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="probe", PolicyDocument=document)
        _require(iam.list_user_policies(UserName=name)["PolicyNames"] == ["probe"], "A user's policy was not read back")
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        iam.delete_access_key(UserName=name, AccessKeyId=key)


def _remove_user(iam: Any, name: str) -> None:
    """Ours by its path; anything else of that name is left."""
    if iam.get_user(UserName=name)["User"]["Path"] != _USER_PATH:
        return
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


_ATTEMPTS: Final[dict[str, Callable[[Scratch], None]]] = {
    b.TAGS: _tags,
    b.BLOCK_PUBLIC_ACCESS: _block_public_access,
    b.TLS_ONLY: _tls_only,
    b.ENCRYPTION: _encryption,
    b.OBJECT_OWNERSHIP: _ownership,
    b.LIFECYCLE: _lifecycle,
    b.VERSIONING: _versioning,
    b.EXPECTED_OWNER: _expected_owner,
    b.IDENTITIES: _identities,
}
