"""Each capability tried on a scratch bucket: set it, read it back, write and read an object, have refused what it refuses, undo it."""

import json
from collections.abc import Callable
from typing import Final

from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.storage.attempts_tls import try_tls_only
from clouddatamesh.storage.attempts_users import is_refused, try_attached_policies, try_groups, try_identities, undone
from clouddatamesh.storage.scratch import KEY, MARK, Scratch, Shown, Unsupported, is_not_done
from clouddatamesh.storage.settings import BLOCK

_TRIED: Final = {"Key": "clouddatamesh.dev/tried", "Value": "true"}
_WRONG_OWNER: Final = "000000000000"


def _tags(scratch: Scratch) -> Shown:
    """In addition to the mark, which stays."""
    s3, bucket = scratch.patient_s3, scratch.bucket
    want = [MARK, _TRIED]
    with undone(lambda: s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [MARK]})):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": want})
        scratch.shows(lambda: _by_key(scratch.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == want, "Tags were not read back as written")
        scratch.write_and_read("PutBucketTagging")
    return "ReadBack", ""


def _by_key(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(tags, key=lambda tag: tag["Key"])


def _block_public_access(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    with undone(lambda: s3.delete_public_access_block(Bucket=bucket)):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCK)
        scratch.shows(
            lambda: scratch.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == BLOCK,
            "The public access block was not read back as written",
        )
        scratch.write_and_read("PutPublicAccessBlock")
        scratch.holds(lambda: _refuses_public_policy(scratch), "A public policy is accepted while public access is blocked")
        scratch.holds(lambda: _refuses_acl(scratch, "public-read"), "A public ACL is accepted while public access is blocked")
    return "Refused", ""


def _refuses_acl(scratch: Scratch, acl: str) -> bool:
    """Of the one object, which holds nothing."""
    about = {"Bucket": scratch.bucket, "Key": KEY}
    if is_refused(lambda: scratch.s3.put_object_acl(**about, ACL=acl)):
        return True
    with undone(lambda: scratch.s3.put_object_acl(**about, ACL="private")):
        return False


def _refuses_public_policy(scratch: Scratch) -> bool:
    """Public for reading one object that holds nothing, for the moment until it is seen to be accepted.

    A policy that harms nobody goes first: a store that takes none at all, or none from us, refuses the public one for another reason.
    """
    s3, bucket = scratch.patient_s3, scratch.bucket
    with undone(lambda: s3.delete_bucket_policy(Bucket=bucket)):
        try:
            s3.put_bucket_policy(Bucket=bucket, Policy=_document("Deny", "s3:PutBucketWebsite", scratch.arn))
        except ClientError as error:
            if is_not_done(error):
                return True
            raise
        public = _document("Allow", "s3:GetObject", f"{scratch.arn}/{KEY}")
        return is_refused(lambda: scratch.s3.put_bucket_policy(Bucket=bucket, Policy=public))


def _document(effect: str, action: str, arn: str) -> str:
    statement = {"Effect": effect, "Principal": "*", "Action": [action], "Resource": [arn]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _encryption(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]

    def is_set() -> bool:
        found = scratch.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return bool(found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256")

    with undone(lambda: s3.delete_bucket_encryption(Bucket=bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        scratch.shows(is_set, "Encryption was not read back as written")
        answer = scratch.write_and_read("PutBucketEncryption")
    if answer.get("ServerSideEncryption") != "AES256":
        return "ReadBack", "The store does not say of an object whether it is encrypted"
    return "Effect", ""


def _ownership(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    with undone(lambda: s3.delete_bucket_ownership_controls(Bucket=bucket)):
        scratch.shows(
            lambda: scratch.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == controls,
            "Ownership controls were not read back as written",
        )
        scratch.write_and_read("PutBucketOwnershipControls")
        scratch.holds(lambda: _refuses_acl(scratch, "authenticated-read"), "An ACL is accepted while the bucket's owner owns every object")
    return "Refused", ""


def _lifecycle(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    rule = {"ID": "probe", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
    with undone(lambda: s3.delete_bucket_lifecycle(Bucket=bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        scratch.shows(
            lambda: scratch.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule],
            "Lifecycle rules were not read back as written",
        )
        scratch.write_and_read("PutBucketLifecycleConfiguration")
    return "ReadBack", ""


def _versioning(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    with undone(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        scratch.shows(
            lambda: scratch.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled", "Versioning was not read back as written"
        )
        before = len(scratch.versions())
        scratch.write_and_read("PutBucketVersioning")
        scratch.write_and_read("PutBucketVersioning")
        scratch.shows(lambda: len(scratch.versions()) >= before + 2, "An overwritten version was not kept")
    return "Effect", ""


def _expected_owner(scratch: Scratch) -> Shown:
    s3, bucket = scratch.patient_s3, scratch.bucket
    if not scratch.account:
        raise Unsupported("The store does not say whose account this is")
    s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=scratch.account)
    if not is_refused(lambda: scratch.s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=_WRONG_OWNER)):
        raise Unsupported("A wrong expected bucket owner is not refused")
    return "Refused", ""


ATTEMPTS: Final[dict[str, Callable[[Scratch], Shown]]] = {
    b.TAGS: _tags,
    b.BLOCK_PUBLIC_ACCESS: _block_public_access,
    b.TLS_ONLY: try_tls_only,
    b.ENCRYPTION: _encryption,
    b.OBJECT_OWNERSHIP: _ownership,
    b.LIFECYCLE: _lifecycle,
    b.VERSIONING: _versioning,
    b.EXPECTED_OWNER: _expected_owner,
    b.IDENTITIES: try_identities,
    b.ATTACHED_POLICIES: try_attached_policies,
    b.GROUPS: try_groups,
}
