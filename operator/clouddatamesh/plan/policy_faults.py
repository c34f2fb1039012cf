"""A second reader of the policies that we are about to send. It knows nothing of how they were made, only what they must never say."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from clouddatamesh.model.bucket import Statement

_WRITES: Final = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"}
_ON_OBJECTS: Final[dict[str, frozenset[str]]] = {
    "Producer": frozenset({"s3:GetObject", "s3:DeleteObject", *_WRITES}),
    "ReadWrite": frozenset({"s3:GetObject", "s3:DeleteObject", *_WRITES}),
    "ReadOnly": frozenset({"s3:GetObject"}),
    "WriteOnly": frozenset(_WRITES),
}
"""What each mode may do with objects. Nobody ever destroys a version."""
_ON_BUCKET: Final[dict[str, frozenset[str]]] = {
    "Producer": frozenset({"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"}),
    "ReadWrite": frozenset({"s3:GetBucketLocation", "s3:ListBucket"}),
    "ReadOnly": frozenset({"s3:GetBucketLocation", "s3:ListBucket"}),
    "WriteOnly": frozenset({"s3:GetBucketLocation"}),
}
_OF_THE_WHOLE: Final = frozenset({"s3:ListBucketMultipartUploads"})
"""On the bucket, what no condition can hold to a path."""
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"([A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*/)+")
_LISTS: Final = "s3:ListBucket"
_ACCOUNT: Final = "s3:ResourceAccount"
_MAX_LENGTH: Final = 2048


def find_faults(
    statements: Iterable[Statement], *, bucket: str, prefix: str, mode: str, account: str = "", partition: str = "aws"
) -> tuple[str, ...]:
    """Everything that makes these statements of a user policy unfit to be sent, as sentences; empty where they are sound.

    `prefix` is the path within the bucket, empty for the whole; only mode Producer may have the whole. `partition` is that of the ARNs.
    Where `account` is given, every statement must hold for buckets of that account only.
    """
    found = tuple(statements)
    faults = [*_faults_of_bounds(bucket, prefix, mode)]
    if not faults:
        place = f"arn:{partition}:s3:::{bucket}"
        faults = [fault for statement in found for fault in _faults_of(statement, place, prefix, mode)]
        faults += [fault for statement in found for fault in _faults_of_account(statement, account)]
    if sum(_length_of(statement) for statement in found) > _MAX_LENGTH:
        faults.append("The policy is longer than a user policy may be")
    return tuple(faults)


def _faults_of_bounds(bucket: str, prefix: str, mode: str) -> Iterator[str]:
    if mode not in _ON_OBJECTS:
        yield f"mode {mode} is not known"
    if not _BUCKET.fullmatch(bucket):
        yield f"{bucket!r} is no name of a bucket"
    if prefix and not _PREFIX.fullmatch(prefix):
        yield f"{prefix!r} is no path that may be handed out"
    if not prefix and mode != "Producer":
        yield f"mode {mode} would reach the whole bucket"


def _faults_of(statement: Statement, place: str, prefix: str, mode: str) -> Iterator[str]:
    if statement.effect != "Allow":
        yield f"{statement.sid}: the effect is {statement.effect}"
    if statement.principals:
        yield f"{statement.sid}: a user policy names principals"
    if not statement.actions or not statement.resources:
        yield f"{statement.sid}: it names no action or no resource"
    for resource in statement.resources:
        yield from _faults_of_resource(statement, resource, (place, prefix, mode))
    yield from _faults_of_conditions(statement, prefix)


def _faults_of_resource(statement: Statement, resource: str, bounds: tuple[str, str, str]) -> Iterator[str]:
    place, prefix, mode = bounds
    if resource == place:
        allowed = _ON_BUCKET[mode] - _OF_THE_WHOLE if prefix else _ON_BUCKET[mode]
    elif resource == f"{place}/{prefix}*":
        allowed = _ON_OBJECTS[mode]
    else:
        yield f"{statement.sid}: resource {resource} lies outside bucket {place.rpartition(':')[2]} and path {prefix or '/'}"
        return
    for action in sorted(set(statement.actions) - allowed):
        yield f"{statement.sid}: action {action} on {resource} is not one to hand out in mode {mode}"


def _faults_of_conditions(statement: Statement, prefix: str) -> Iterator[str]:
    """A condition narrows. Except for the account, we know one: which part of a bucket may be listed."""
    conditions = tuple(condition for condition in statement.conditions if condition[1] != _ACCOUNT)
    if not conditions:
        if prefix and _LISTS in statement.actions:
            yield f"{statement.sid}: it lists the bucket without naming a path"
        return
    if len(conditions) != 1 or conditions[0][:2] != ("StringLike", "s3:prefix"):
        yield f"{statement.sid}: it has a condition that is not understood"
        return
    values = conditions[0][2]
    if not values or set(values) - {prefix, f"{prefix}*"} or (not prefix):
        yield f"{statement.sid}: it lists more than path {prefix or '/'}"


def _faults_of_account(statement: Statement, account: str) -> Iterator[str]:
    """Where the account is known, a statement that also holds in another one reaches a stranger's bucket of that name."""
    found = [condition for condition in statement.conditions if condition[1] == _ACCOUNT]
    if found != ([("StringEquals", _ACCOUNT, (account,))] if account else []):
        yield f"{statement.sid}: it is not bound to account {account or 'of none'}"


def _length_of(statement: Statement) -> int:
    """Characters of the statement as it is sent, without blanks, which IAM does not count; a little more rather than less."""
    words = (statement.sid, statement.effect, *statement.actions, *statement.resources)
    conditions = [part for operator, key, values in statement.conditions for part in (operator, key, *values)]
    return sum(len(word) + 3 for word in (*words, *conditions)) + 70
