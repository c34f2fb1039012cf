"""Each capability tried on a scratch bucket: set it, read it back, write and read an object, undo it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document, parse_policy
from clouddatamesh.storage.settings import BLOCK

KEY, _BODY = "clouddatamesh-probe", b"probe"
MARK: Final = {"Key": "clouddatamesh.dev/probe", "Value": "true"}
_USER_PATH: Final = "/clouddatamesh-probe/"
_WRONG_OWNER: Final = "000000000000"
_GONE: Final = ("NoSuchEntity", "NoSuchEntityException")


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
        for operation, arguments in (("put_object", {"Body": _BODY}), ("get_object", {})):
            try:
                answer = getattr(self.s3, operation)(Bucket=self.bucket, Key=KEY, **arguments)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
                    raise
                raise Unsupported(f"{error.operation_name} failed after {after}: {code_of(error)}") from error
        require(answer["Body"].read() == _BODY, f"An object was not read back as written after {after}")


@contextmanager
def _undone(undo: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(ClientError):
            undo()


def require(true: object, why: str) -> None:
    """Raise Unsupported with `why` unless it is so."""
    if not true:
        raise Unsupported(why)


def _tags(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    with _undone(lambda: s3.delete_bucket_tagging(Bucket=bucket)):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [MARK]})
        require(s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [MARK], "Tags were not read back as written")
        scratch.write_and_read("PutBucketTagging")


def _block_public_access(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    with _undone(lambda: s3.delete_public_access_block(Bucket=bucket)):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCK)
        found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        require(found == BLOCK, "The public access block was not read back as written")
        scratch.write_and_read("PutPublicAccessBlock")
        require(_refuses_public_policy(scratch), "A public policy is accepted while public access is blocked")


def _refuses_public_policy(scratch: Scratch) -> bool:
    """Public for reading one object that holds nothing, in a bucket that is about to go."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{scratch.bucket}/{KEY}"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        scratch.s3.put_bucket_policy(Bucket=scratch.bucket, Policy=document)
    except ClientError:
        return True
    scratch.s3.delete_bucket_policy(Bucket=scratch.bucket)
    return False


def _tls_only(scratch: Scratch) -> None:
    """Over plain http the statement would lock ourselves out, so there it is not even tried."""
    s3, bucket = scratch.s3, scratch.bucket
    require(s3.meta.endpoint_url.startswith("https://"), "The endpoint is spoken to without TLS")
    resources = (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
    condition = ("Bool", "aws:SecureTransport", ("false",))
    statement = b.Statement(f"{b.PREFIX}TlsOnly", "Deny", ("s3:*",), resources, ("*",), (condition,))
    with _undone(lambda: s3.delete_bucket_policy(Bucket=bucket)):
        s3.put_bucket_policy(Bucket=bucket, Policy=build_document((statement,)))
        ours, _ = parse_policy(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        require(ours == (statement,), "The bucket policy was not read back as written")
        scratch.write_and_read("PutBucketPolicy")


def _encryption(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    with _undone(lambda: s3.delete_bucket_encryption(Bucket=bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        algorithm = found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        require(algorithm == "AES256", "Encryption was not read back as written")
        scratch.write_and_read("PutBucketEncryption")


def _ownership(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    with _undone(lambda: s3.delete_bucket_ownership_controls(Bucket=bucket)):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
        found = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        require(found == controls, "Ownership controls were not read back as written")
        scratch.write_and_read("PutBucketOwnershipControls")


def _lifecycle(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    rule = {"ID": "probe", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
    with _undone(lambda: s3.delete_bucket_lifecycle(Bucket=bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        require(found == [rule], "Lifecycle rules were not read back as written")
        scratch.write_and_read("PutBucketLifecycleConfiguration")


def _versioning(scratch: Scratch) -> None:
    s3, bucket = scratch.s3, scratch.bucket
    with _undone(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        require(s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled", "Versioning was not read back as written")
        scratch.write_and_read("PutBucketVersioning")
        scratch.write_and_read("PutBucketVersioning")
        kept = s3.list_object_versions(Bucket=bucket, Prefix=KEY).get("Versions", ())
        require(len(kept) > 1, "An overwritten version was not kept")


def _expected_owner(scratch: Scratch) -> None:
    require(scratch.account, "The store does not say whose account this is")
    scratch.s3.get_bucket_versioning(Bucket=scratch.bucket, ExpectedBucketOwner=scratch.account)
    try:
        scratch.s3.get_bucket_versioning(Bucket=scratch.bucket, ExpectedBucketOwner=_WRONG_OWNER)
    except ClientError:
        return
    raise Unsupported("A wrong expected bucket owner is not refused")


def _identities(scratch: Scratch) -> None:
    iam, name = scratch.iam, scratch.bucket[:60]
    statement = b.Statement(f"{b.PREFIX}Probe", "Allow", ("s3:GetObject",), (f"arn:aws:s3:::{scratch.bucket}/*",))
    _remove_user(iam, name)
    with _undone(lambda: _remove_user(iam, name)):
        iam.create_user(UserName=name, Path=_USER_PATH)
        require(iam.get_user(UserName=name)["User"]["Path"] == _USER_PATH, "A user's path was not kept")
        iam.put_user_policy(UserName=name, PolicyName="probe", PolicyDocument=build_document((statement,)))
        require(iam.list_user_policies(UserName=name)["PolicyNames"] == ["probe"], "A user's policy was not read back")
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        found = [item["AccessKeyId"] for item in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]
        require(found == [key], "A user's key was not read back")


def _remove_user(iam: Any, name: str) -> None:
    """A probe's own user by its path, whatever an interrupted probe left of it; anything else of that name is left."""
    try:
        path = iam.get_user(UserName=name)["User"].get("Path")
    except ClientError as error:
        if code_of(error) in _GONE:
            return
        raise
    require(path == _USER_PATH, f"IAM user {name} is needed for probing and is somebody's; remove it")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


ATTEMPTS: Final[dict[str, Callable[[Scratch], None]]] = {
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
