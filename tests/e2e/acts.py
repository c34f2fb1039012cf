"""Everything that somebody with a key may try: each act is one or a few calls of S3 or IAM, by the words of the table that judges them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BODY = b"one row\n"
WIDE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]})
Act = Callable[[], object]


@dataclass(frozen=True)
class Place:
    """Where acts are tried: the port's own path, another one in the same bucket, another bucket, and who tries."""

    bucket: str
    path: str
    elsewhere: str
    other: str
    user: str
    version: str
    """Of the object `old` within the path: one that was overwritten."""


def acts(s3: Any, iam: Any, place: Place) -> Mapping[str, Act]:
    """Every act with one key, in an order in which none spoils a later one."""
    return {**_within(s3, place), **_without(s3, place), **_settings(s3, place), **_users(iam, place)}


def _within(s3: Any, place: Place) -> dict[str, Act]:
    bucket, path = place.bucket, place.path
    old: dict[str, Any] = {"Bucket": bucket, "Key": f"{path}old"}
    return {
        "get an object": lambda: s3.get_object(Bucket=bucket, Key=f"{path}seed"),
        "get an old version": lambda: s3.get_object(**old, VersionId=place.version),
        "list within the port": lambda: s3.list_objects_v2(Bucket=bucket, Prefix=f"{path}s"),
        "put an object": lambda: s3.put_object(Bucket=bucket, Key=f"{path}new", Body=BODY),
        "put over an object": lambda: s3.put_object(Bucket=bucket, Key=f"{path}seed", Body=BODY),
        "upload in parts": lambda: _upload(s3, bucket, f"{path}parts"),
        "delete an object": lambda: s3.delete_object(Bucket=bucket, Key=f"{path}doomed"),
        "destroy a version": lambda: s3.delete_object(**old, VersionId=place.version),
        "tag an object": lambda: s3.put_object_tagging(**old, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
    }


def _upload(s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    begun = {"Bucket": bucket, "Key": key, "UploadId": upload}
    part = s3.upload_part(**begun, PartNumber=1, Body=BODY)
    s3.list_parts(**begun)
    s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
    abandoned = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=abandoned)


def _without(s3: Any, place: Place) -> dict[str, Act]:
    """Beyond the port: the rest of its bucket, other buckets."""
    bucket, elsewhere, other = place.bucket, place.elsewhere, place.other
    return {
        "list another port": lambda: s3.list_objects_v2(Bucket=bucket, Prefix=elsewhere),
        "list by a part of the path": lambda: s3.list_objects_v2(Bucket=bucket, Prefix=place.path[:-1]),
        "list without a prefix": lambda: s3.list_objects_v2(Bucket=bucket),
        "list versions": lambda: s3.list_object_versions(Bucket=bucket, Prefix=place.path),
        "list uploads": lambda: s3.list_multipart_uploads(Bucket=bucket, Prefix=place.path),
        "get from another port": lambda: s3.get_object(Bucket=bucket, Key=f"{elsewhere}seed"),
        "put into another port": lambda: s3.put_object(Bucket=bucket, Key=f"{elsewhere}new", Body=BODY),
        "upload in parts into another port": lambda: _upload(s3, bucket, f"{elsewhere}parts"),
        "delete from another port": lambda: s3.delete_object(Bucket=bucket, Key=f"{elsewhere}doomed"),
        "copy from another port": lambda: s3.copy_object(Bucket=bucket, Key=f"{place.path}new", CopySource=f"{bucket}/{elsewhere}seed"),
        "get from another bucket": lambda: s3.get_object(Bucket=other, Key=f"{place.path}seed"),
        "list another bucket": lambda: s3.list_objects_v2(Bucket=other, Prefix=place.path),
        "put into another bucket": lambda: s3.put_object(Bucket=other, Key=f"{place.path}new", Body=BODY),
        "delete from another bucket": lambda: s3.delete_object(Bucket=other, Key=f"{place.path}doomed"),
        "make a bucket": lambda: s3.create_bucket(Bucket=f"{bucket[:50]}-mine"),
    }


def _settings(s3: Any, place: Place) -> dict[str, Act]:
    bucket = {"Bucket": place.bucket}
    tags = {"TagSet": [{"Key": "clouddatamesh.dev/namespace", "Value": "mine"}]}
    rules = {"Rules": [{"ID": "mine", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    return {
        "get the policy": lambda: s3.get_bucket_policy(**bucket),
        "put a policy": lambda: s3.put_bucket_policy(**bucket, Policy=WIDE),
        "get versioning": lambda: s3.get_bucket_versioning(**bucket),
        "put versioning": lambda: s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"}),
        "get tags": lambda: s3.get_bucket_tagging(**bucket),
        "put tags": lambda: s3.put_bucket_tagging(**bucket, Tagging=tags),
        "get the lifecycle": lambda: s3.get_bucket_lifecycle_configuration(**bucket),
        "put a lifecycle": lambda: s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration=rules),
        "get the ACL": lambda: s3.get_bucket_acl(**bucket),
        "put an ACL": lambda: s3.put_bucket_acl(**bucket, ACL="public-read"),
        "get encryption": lambda: s3.get_bucket_encryption(**bucket),
        "put encryption": lambda: s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration=encryption),
        "delete the bucket": lambda: s3.delete_bucket(**bucket),
    }


def _users(iam: Any, place: Place) -> dict[str, Act]:
    return {
        "list users": iam.list_users,
        "get its own user": iam.get_user,
        "list its own keys": iam.list_access_keys,
        "make a key for itself": lambda: iam.create_access_key(UserName=place.user),
        "put a policy for itself": lambda: iam.put_user_policy(UserName=place.user, PolicyName="mine", PolicyDocument=WIDE),
        "make a user": lambda: iam.create_user(UserName=f"{place.user[:50]}-mine"),
    }
