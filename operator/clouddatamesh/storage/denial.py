"""What a refusal is told as: it proves nothing of whose a bucket is, and where a setting of its owner causes it, that is named."""

import json
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.openings import name_public

_WHY: Final = "a Deny in the bucket's policy or a missing permission of the operator refuses it; nothing is taken"
_TLS: Final = "; a bucket that was made over https refuses requests without TLS: then set the ObjectStore's spec.endpointUrl back to https"


def explain_denial(error: MeshError, *, endpoint: str | None = None) -> MeshError:
    """The same error, with what it may come from where it is a refusal."""
    if error.reason != reasons.ACCESS_DENIED:
        return error
    without = _TLS if endpoint is not None and endpoint.startswith("http://") else ""
    return type(error)(error.reason, f"{error.message}; {_WHY}{without}")


def explain_refusal(error: MeshError, want: b.Bucket, path: b.BucketPath) -> MeshError:
    """A write of a setting that the store refuses because of what somebody else set: the error names that."""
    if path == "policy" and error.reason == reasons.ACCESS_DENIED:
        public = name_public(list(map(json.loads, want.foreign_statements)))
        if public:
            why = f"the policy allows something to everybody, refused while public access is blocked: statement {', '.join(public)}"
            return Terminal(reasons.STORE_REFUSED, f"{error.message}; {why}; remove or narrow it")
    if path == "ownership" and "InvalidBucketAclWithObjectOwnership" in error.message:
        why = "its ACL gives something to others; take these grants off, as by canned ACL private"
        return Terminal(reasons.STORE_REFUSED, f"{error.message}; {why}")
    return error
