"""Each capability tried on a scratch bucket: set it, read it back, write and read an object, undo it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document, parse_policy
from clouddatamesh.storage.scratch import KEY, MARK, Scratch, Unproven, Unsupported, is_denied, is_not_done
from clouddatamesh.storage.settings import BLOCK

_TRIED: Final = {"Key": "clouddatamesh.dev/tried", "Value": "true"}
_USER_PATH: Final = "/clouddatamesh-probe/"
_WRONG_OWNER: Final = "000000000000"
_GONE: Final = ("NoSuchEntity", "NoSuchEntityException")


@contextmanager
def _undone(undo: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(ClientError):
            undo()


def _is_refused(act: Callable[[], object]) -> bool:
    """Whether the store refuses what it should. A conflict or a busy store is no refusal, and raised."""
    try:
        act()
    except ClientError as error:
        if is_denied(error) or is_not_done(error):
            return True
        raise
    return False


def _tags(scratch: Scratch) -> None:
    """Beside the mark, which stays."""
    s3, bucket = scratch.patient_s3, scratch.bucket
    want = [MARK, _TRIED]
    with _undone(lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [MARK]})):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": want})
        scratch.shows(lambda: _by_key(scratch.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == want, "Tags were not read back as written")
        scratch.write_and_read("PutBucketTagging")


def _by_key(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(tags, key=lambda tag: tag["Key"])


def _block_public_access(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    with _undone(lambda: s3.delete_public_access_block(Bucket=bucket)):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCK)
        scratch.shows(
            lambda: scratch.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == BLOCK,
            "The public access block was not read back as written",
        )
        scratch.write_and_read("PutPublicAccessBlock")
        scratch.shows(lambda: _refuses_public_policy(scratch), "A public policy is accepted while public access is blocked")


def _refuses_public_policy(scratch: Scratch) -> bool:
    """Public for reading one object that holds nothing, for the moment until it is seen to be accepted.

    A policy that harms nobody goes first: a store that takes none at all, or none from us, refuses the public one for another reason.
    """
    s3, bucket = scratch.patient_s3, scratch.bucket
    with _undone(lambda: s3.delete_bucket_policy(Bucket=bucket)):
        try:
            s3.put_bucket_policy(Bucket=bucket, Policy=_document("Deny", "s3:PutBucketWebsite", bucket))
        except ClientError as error:
            if is_not_done(error):
                return True
            raise
        public = _document("Allow", "s3:GetObject", f"{bucket}/{KEY}")
        return _is_refused(lambda: scratch.s3.put_bucket_policy(Bucket=bucket, Policy=public))


def _document(effect: str, action: str, place: str) -> str:
    statement = {"Effect": effect, "Principal": "*", "Action": [action], "Resource": [f"arn:aws:s3:::{place}"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _tls_only(scratch: Scratch) -> None:
    """Over plain http the statement would lock ourselves out, so there it is not even tried.

    Only objects are denied here, so that the policy can be removed also where a proxy ends TLS and the store takes all for plain http.
    """
    s3, bucket = scratch.patient_s3, scratch.bucket
    if not scratch.s3.meta.endpoint_url.startswith("https://"):
        raise Unsupported("The endpoint is spoken to without TLS")
    condition = ("Bool", "aws:SecureTransport", ("false",))
    actions = ("s3:GetObject", "s3:PutObject")
    statement = b.Statement(f"{b.PREFIX}TlsOnly", "Deny", actions, (f"arn:aws:s3:::{bucket}/*",), ("*",), (condition,))
    with _undone(lambda: s3.delete_bucket_policy(Bucket=bucket)):
        s3.put_bucket_policy(Bucket=bucket, Policy=build_document((statement,)))
        scratch.shows(
            lambda: parse_policy(scratch.s3.get_bucket_policy(Bucket=bucket)["Policy"])[0] == (statement,),
            "The bucket policy was not read back as written",
        )
        try:
            scratch.write_and_read("PutBucketPolicy")
        except ClientError as error:
            if not is_denied(error):
                raise
            raise Unsupported("A request over TLS is refused as one without; something before the store ends TLS") from error


def _encryption(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]

    def is_set() -> bool:
        found = scratch.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return bool(found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256")

    with _undone(lambda: s3.delete_bucket_encryption(Bucket=bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        scratch.shows(is_set, "Encryption was not read back as written")
        scratch.write_and_read("PutBucketEncryption")


def _ownership(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    with _undone(lambda: s3.delete_bucket_ownership_controls(Bucket=bucket)):
        scratch.shows(
            lambda: scratch.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == controls,
            "Ownership controls were not read back as written",
        )
        scratch.write_and_read("PutBucketOwnershipControls")


def _lifecycle(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    rule = {"ID": "probe", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
    with _undone(lambda: s3.delete_bucket_lifecycle(Bucket=bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        scratch.shows(
            lambda: scratch.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule],
            "Lifecycle rules were not read back as written",
        )
        scratch.write_and_read("PutBucketLifecycleConfiguration")


def _versioning(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    with _undone(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        scratch.shows(
            lambda: scratch.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled", "Versioning was not read back as written"
        )
        before = len(scratch.versions())
        scratch.write_and_read("PutBucketVersioning")
        scratch.write_and_read("PutBucketVersioning")
        scratch.shows(lambda: len(scratch.versions()) >= before + 2, "An overwritten version was not kept")


def _expected_owner(scratch: Scratch) -> None:
    s3, bucket = scratch.patient_s3, scratch.bucket
    if not scratch.account:
        raise Unsupported("The store does not say whose account this is")
    s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=scratch.account)
    if not _is_refused(lambda: scratch.s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=_WRONG_OWNER)):
        raise Unsupported("A wrong expected bucket owner is not refused")


@contextmanager
def _user(scratch: Scratch) -> Iterator[str]:
    """A user of the probe's own, for the moment."""
    name = scratch.bucket[:60]
    _remove_user(scratch.iam, name)
    with _undone(lambda: _remove_user(scratch.iam, name)):
        scratch.patient_iam.create_user(UserName=name, Path=_USER_PATH)
        yield name


def _identities(scratch: Scratch) -> None:
    iam = scratch.patient_iam
    statement = b.Statement(f"{b.PREFIX}Probe", "Allow", ("s3:GetObject",), (f"arn:aws:s3:::{scratch.bucket}/*",))
    with _user(scratch) as name:
        scratch.shows(lambda: scratch.iam.get_user(UserName=name)["User"]["Path"] == _USER_PATH, "A user's path was not kept")
        iam.put_user_policy(UserName=name, PolicyName="probe", PolicyDocument=build_document((statement,)))
        scratch.shows(
            lambda: scratch.iam.list_user_policies(UserName=name)["PolicyNames"] == ["probe"], "A user's policy was not read back"
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        scratch.shows(lambda: _key_ids(scratch.iam, name) == [key], "A user's key was not read back")


def _key_ids(iam: Any, name: str) -> list[str]:
    return [str(item["AccessKeyId"]) for item in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]


def _attached_policies(scratch: Scratch) -> None:
    with _user(scratch) as name:
        answer = scratch.patient_iam.list_attached_user_policies(UserName=name)
        scratch.shows(lambda: answer["AttachedPolicies"] == [], "A new user's managed policies were not read as none")


def _groups(scratch: Scratch) -> None:
    with _user(scratch) as name:
        answer = scratch.patient_iam.list_groups_for_user(UserName=name)
        scratch.shows(lambda: answer["Groups"] == [], "A new user's groups were not read as none")


def _remove_user(iam: Any, name: str) -> None:
    """A probe's own user by its path, whatever an interrupted probe left of it; anything else of that name is left."""
    try:
        path = iam.get_user(UserName=name)["User"].get("Path")
    except ClientError as error:
        if code_of(error) in _GONE:
            return
        raise
    if path != _USER_PATH:
        raise Unproven(f"IAM user {name} is needed for probing and is somebody's; remove it")
    for key in _key_ids(iam, name):
        iam.delete_access_key(UserName=name, AccessKeyId=key)
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
    b.ATTACHED_POLICIES: _attached_policies,
    b.GROUPS: _groups,
}
