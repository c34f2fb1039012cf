"""Is an answer of 200 the store's at all? A page of some proxy holds no setting and no object, and would pass for a bucket without any."""

import json
import re
from typing import Any, Final

from botocore.exceptions import BotoCoreError

ROOTS: Final = {
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketEncryption": "ServerSideEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketOwnershipControls": "OwnershipControls",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetPublicAccessBlock": "PublicAccessBlockConfiguration",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjectsV2": "ListBucketResult",
}
"""With what element an answer of S3 begins. Those of IAM and STS are not read without the element that is named for their request."""
_JSON: Final = ("GetBucketPolicy",)
_ASKED_OF_ANYBODY: Final = ("GetUser", "GetCallerIdentity")
"""Also asked of stores that know neither IAM nor STS, which may answer with a page of their own."""
_FIRST: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!doctype[^>]*>\s*)*<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL | re.IGNORECASE
)


class NotAnAnswerError(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """Somebody else answered."""

    fmt = "{operation} was answered by something else than a store"


def check_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Called by botocore before it reads an answer; raises where it is not the store's."""
    name, body = operation_model.name, response_dict.get("body")
    if operation_model.has_streaming_output or not isinstance(body, bytes) or not 200 <= response_dict["status_code"] < 300:
        return
    if not _is_answer(name, body):
        raise NotAnAnswerError(operation=name)


def _is_answer(operation: str, body: bytes) -> bool:
    if operation in _ASKED_OF_ANYBODY:
        return True
    if operation in _JSON:
        return _is_policy(body)
    found = _FIRST.match(body)
    first = found[1].decode(errors="replace") if found is not None else ""
    if operation not in ROOTS:
        return first.lower() != "html"
    if operation == "GetBucketOwnershipControls" and first == ROOTS["ListObjectsV2"]:
        return True  # RGW does not know the question and lists the bucket
    return first in (ROOTS[operation], *(f"{operation}{end}" for end in ("Response", "Result", "Output")))  # some name it for the request


def _is_policy(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and "Statement" in found
