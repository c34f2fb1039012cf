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
_SETTINGS: Final = tuple(name for name, root in ROOTS.items() if name.startswith("Get") and root != "LocationConstraint") + _JSON
"""Questions about a bucket's settings. Some stores list the bucket in answer to one that they do not know."""
_UNSET_IF_UNKNOWN: Final = ("GetBucketEncryption", "GetBucketOwnershipControls", "GetPublicAccessBlock")
"""Of these such a list is read as an answer without the setting."""
_UNKNOWN: Final = b"<Error><Code>NotImplemented</Code><Message>The store does not know it, and lists the bucket</Message></Error>"
_FIRST: Final = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
_BEFORE: Final = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!", b">"))
"""What may stand before the first element: how it begins and ends."""
_LONGEST: Final = 4096
"""Bytes in which the first element begins."""


class NotAnAnswerError(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """Somebody else answered."""

    fmt = "{operation} was answered by something else than a store"


def check_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Called by botocore before it reads an answer; raises where it is not the store's. A list for a setting is made an error of S3."""
    name, body = operation_model.name, response_dict.get("body")
    if operation_model.has_streaming_output or not isinstance(body, bytes) or not 200 <= response_dict["status_code"] < 300:
        return
    if name in _SETTINGS and _first_element(body[:_LONGEST]) == ROOTS["ListObjectsV2"]:
        if name not in _UNSET_IF_UNKNOWN:
            response_dict |= {"status_code": 501, "body": _UNKNOWN}
        return
    if not _is_answer(name, body):
        raise NotAnAnswerError(operation=name)


def _is_answer(operation: str, body: bytes) -> bool:
    if operation in _ASKED_OF_ANYBODY:
        return True
    if operation in _JSON:
        return _is_policy(body)
    first = _first_element(body[:_LONGEST])
    if operation not in ROOTS:
        return first.lower() != "html"
    return first in (ROOTS[operation], *(f"{operation}{end}" for end in ("Response", "Result", "Output")))  # some name it for the request


def _first_element(body: bytes) -> str:
    """The name of the first element; empty where there is none. One pass: whoever answers must not make us search."""
    rest = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    while (end := next((end for begin, end in _BEFORE if rest.startswith(begin)), None)) is not None:
        _, found, rest = rest.partition(end)
        if not found:
            return ""
        rest = rest.lstrip()
    first = _FIRST.match(rest)
    return first[1].decode(errors="replace") if first is not None else ""


def _is_policy(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and "Statement" in found
