"""The policy statements that we write, as values. They are checked by plan/policy_faults.py, which shares no code with this file."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeAlias

from clouddatamesh.model.bucket import PREFIX, Statement
from clouddatamesh.plan import names

_LIST: Final = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
Condition: TypeAlias = tuple[str, str, tuple[str, ...]]
_UPLOAD: Final = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")


def arn_of(bucket: str, partition: str) -> str:
    """The ARN of a bucket."""
    return f"arn:{partition}:s3:::{bucket}"


TLS_ONLY_SID: Final = f"{PREFIX}TlsOnly"


def tls_only(bucket: str, *, partition: str = "aws") -> tuple[Statement, ...]:
    """Refuse every request that did not come over TLS. Sorted by Sid.

    Two statements: stores that say nothing of a request without TLS (RGW) match the second alone. Not one with BoolIfExists, which other
    stores do not know.
    """
    arn, secure = arn_of(bucket, partition), "aws:SecureTransport"
    denied = Statement(TLS_ONLY_SID, "Deny", ("s3:*",), (arn, f"{arn}/*"), ("*",), (("Bool", secure, ("false",)),))
    return denied, replace(denied, sid=f"{PREFIX}TlsOnlyKeyAbsent", conditions=(("Null", secure, ("true",)),))


def producer(bucket: str, *, account: str = "", partition: str = "aws") -> tuple[Statement, ...]:
    """Write, read and list the whole bucket; deleting hides an object, and never destroys a version of it."""
    objects, arn = tuple(sorted((*_UPLOAD, "s3:DeleteObject", "s3:GetObject"))), arn_of(bucket, partition)
    return (
        Statement(f"{PREFIX}List", "Allow", _LIST, (arn,), conditions=_of(account)),
        Statement(f"{PREFIX}Objects", "Allow", objects, (f"{arn}/*",), conditions=_of(account)),
    )


def consumer(bucket: str, path: str, mode: str, *, account: str = "", partition: str = "aws") -> tuple[Statement, ...]:
    """What one mode of access allows within one path of a bucket; listing only what lies there. Sorted by Sid."""
    objects = {
        "ReadOnly": ("s3:GetObject",),
        "ReadWrite": tuple(sorted((*_UPLOAD, "s3:DeleteObject", "s3:GetObject"))),
        "WriteOnly": _UPLOAD,
    }[mode]
    arn, ours = arn_of(bucket, partition), _of(account)
    within = (*ours, ("StringLike", "s3:prefix", (path, f"{path}*")))
    listing = (Statement(f"{PREFIX}List", "Allow", ("s3:ListBucket",), (arn,), conditions=within),) if mode != "WriteOnly" else ()
    return (
        *listing,
        Statement(f"{PREFIX}Location", "Allow", ("s3:GetBucketLocation",), (arn,), conditions=ours),
        Statement(f"{PREFIX}Objects", "Allow", objects, (f"{arn}/{path}*",), conditions=ours),
    )


def consumer_place(held: Iterable[Statement]) -> tuple[str, str] | None:
    """The bucket, and the path in it, that a consumer's policy of ours opens; None where it opens none, or more than one."""
    opened = {resource for statement in held if statement.sid == f"{PREFIX}Objects" for resource in statement.resources}
    bucket, _, path = (opened.pop() if len(opened) == 1 else "").rpartition(":::")[2].partition("/")
    return (bucket, path.removesuffix("*")) if bucket and path.endswith("/*") else None


def is_within(statement: Statement, others: Iterable[Statement]) -> bool:
    """Whether one of the others allows all that a statement allows."""
    return any(_covers(other, statement) for other in others)


def _covers(wide: Statement, narrow: Statement) -> bool:
    """By effect, actions, resources and conditions: more conditions allow less. What cannot be read covers nothing but itself."""
    if wide == narrow:
        return True
    bounded = wide.principals == narrow.principals and all(_is_met(condition, narrow.conditions) for condition in wide.conditions)
    actions = all(any(names.is_like(action, pattern) for pattern in wide.actions) for action in narrow.actions)
    resources = all(any(names.is_like(resource, pattern) for pattern in wide.resources) for resource in narrow.resources)
    return wide.effect == narrow.effect == "Allow" and bounded and actions and resources


def _is_met(condition: Condition, others: Iterable[Condition]) -> bool:
    """Whether one of these asks at least as much: the same, or of the same key some of its values, as the prefixes below a prefix are."""
    operator, key, patterns = condition
    same = [values for *about, values in others if about == [operator, key]]
    if operator != "StringLike":
        return patterns in same
    return any(values and all(any(names.is_like(value, pattern) for pattern in patterns) for value in values) for values in same)


def _of(account: str) -> tuple[Condition, ...]:
    """Only while the bucket is of this account: a name that was lost may be a stranger's tomorrow, where names are global."""
    return (("StringEquals", "s3:ResourceAccount", (account,)),) if account else ()
