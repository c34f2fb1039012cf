"""How each setting of a bucket is read and written over S3: one request each. Compares nothing."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.lifecycle import build_rules, parse_rules
from clouddatamesh.storage.policy import VERSION, build_document, parse_frame, parse_policy

BLOCK: Final = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
UNSET: Final = (
    "NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError", "NoSuchOwnershipControls", "NoSuchBucketPolicy",
    "ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration", "NoSuchTagSet", "NoSuchTagSetError",
)  # fmt: skip
"""Codes that say: this setting is not there."""

_USUAL_MINIMUM: Final = "all_storage_classes_128K"
"""What AWS takes where nothing is sent; another choice has to be sent with every write, or it is lost."""

Request = tuple[str, dict[str, Any]]


class Read(Protocol):
    """One request about a bucket, an empty answer where the setting is not there."""

    def __call__(self, operation: str, name: str) -> dict[str, Any]: ...


def _read_block(read: Read, name: str) -> dict[str, Any]:
    found = read("get_public_access_block", name).get("PublicAccessBlockConfiguration", {})
    return {"public_access_blocked": all(found.get(part) for part in BLOCK)}


def _read_ownership(read: Read, name: str) -> dict[str, Any]:
    rules = (read("get_bucket_ownership_controls", name).get("OwnershipControls") or {}).get("Rules") or ()
    return {"ownership_enforced": any(rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in rules)}


def _read_policy(read: Read, name: str) -> dict[str, Any]:
    text = read("get_bucket_policy", name).get("Policy")
    try:
        ours, foreign = parse_policy(text) if text else ((), ())
        version, id_ = parse_frame(text) if text else (VERSION, "")
    except ValueError as error:
        raise Terminal(reasons.STORE_REFUSED, f"The policy of bucket {name} cannot be read; remove or correct it ({error})") from None
    return {"policy": ours, "foreign_statements": foreign, "policy_version": version, "policy_id": id_}


def _read_encryption(read: Read, name: str) -> dict[str, Any]:
    rules = (read("get_bucket_encryption", name).get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    return {"encryption": (rules[0].get("ApplyServerSideEncryptionByDefault") or {}).get("SSEAlgorithm")}


def _read_versioning(read: Read, name: str) -> dict[str, Any]:
    return {"versioning": read("get_bucket_versioning", name).get("Status") or "Off"}


def _read_lifecycle(read: Read, name: str) -> dict[str, Any]:
    found = read("get_bucket_lifecycle_configuration", name)
    ours, foreign = parse_rules(found.get("Rules", ()))
    minimum = str(found.get("TransitionDefaultMinimumObjectSize") or "")
    return {"lifecycle": ours, "foreign_rules": foreign, "transition_minimum": "" if minimum == _USUAL_MINIMUM else minimum}


READERS: Final[dict[str, Callable[[Read, str], dict[str, Any]]]] = {
    b.BLOCK_PUBLIC_ACCESS: _read_block,
    b.OBJECT_OWNERSHIP: _read_ownership,
    b.TLS_ONLY: _read_policy,
    b.ENCRYPTION: _read_encryption,
    b.VERSIONING: _read_versioning,
    b.LIFECYCLE: _read_lifecycle,
}
"""By capability: the values of a Bucket that one request tells."""


def _write_tags(want: b.Bucket) -> Request:
    if not want.tags:
        return "delete_bucket_tagging", {}
    return "put_bucket_tagging", {"Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in want.tags]}}


def _write_block(want: b.Bucket) -> Request:
    if not want.public_access_blocked:
        return "delete_public_access_block", {}
    return "put_public_access_block", {"PublicAccessBlockConfiguration": BLOCK}


def _write_ownership(want: b.Bucket) -> Request:
    """Never by DeleteBucketOwnershipControls, which says the same as ObjectWriter: RGW takes it for DeleteBucket."""
    ownership = "BucketOwnerEnforced" if want.ownership_enforced else "ObjectWriter"
    return "put_bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}}


def _write_policy(want: b.Bucket) -> Request:
    if not want.policy and not want.foreign_statements:
        return "delete_bucket_policy", {}
    document = build_document(want.policy or (), want.foreign_statements, version=want.policy_version, id_=want.policy_id)
    return "put_bucket_policy", {"Policy": document}


def _write_encryption(want: b.Bucket) -> Request:
    if not want.encryption:
        return "delete_bucket_encryption", {}
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": want.encryption}}
    return "put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def _write_versioning(want: b.Bucket) -> Request:
    """What was once on can only be suspended."""
    return "put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled" if want.versioning == "Enabled" else "Suspended"}}


def _write_lifecycle(want: b.Bucket) -> Request:
    rules = build_rules(want.lifecycle or (), want.foreign_rules)
    if not rules:
        return "delete_bucket_lifecycle", {}
    minimum = {"TransitionDefaultMinimumObjectSize": want.transition_minimum} if want.transition_minimum else {}
    return "put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": rules}, **minimum}


WRITERS: Final[dict[b.BucketPath, Callable[[b.Bucket], Request]]] = {
    "tags": _write_tags,
    "publicAccessBlock": _write_block,
    "ownership": _write_ownership,
    "policy": _write_policy,
    "encryption": _write_encryption,
    "versioning": _write_versioning,
    "lifecycle": _write_lifecycle,
}
"""By path: the one request that makes a setting what it is in `want`."""
