"""A second reader of the policies that we are about to send. It knows nothing of how they were made, only what they must never say."""

import re
from collections.abc import Iterable, Iterator

from clouddatamesh.model.bucket import Statement

_ACTION = re.compile(r"s3:[A-Z][A-Za-z]+")
_FORBIDDEN_ACTION = re.compile(
    r"s3:(DeleteBucket|Put(Bucket|Account|Lifecycle|Encryption|Replication|ObjectAcl)|DeleteObjectVersion|Bypass)"
)
_MAX_LENGTH = 2048


def find_faults(statements: Iterable[Statement], *, bucket: str, prefix: str) -> tuple[str, ...]:
    """Everything that makes these statements of a user policy unfit to be sent, as sentences; empty where they are sound."""
    found = tuple(statements)
    faults = [fault for statement in found for fault in _faults_of(statement, bucket, prefix)]
    if sum(len(repr(statement)) for statement in found) > 2 * _MAX_LENGTH:
        faults.append("The policy is longer than a user policy may be")
    return tuple(faults)


def _faults_of(statement: Statement, bucket: str, prefix: str) -> Iterator[str]:
    if statement.effect != "Allow":
        yield f"{statement.sid}: the effect is {statement.effect}"
    if statement.principals:
        yield f"{statement.sid}: a user policy names principals"
    for action in statement.actions:
        if not _ACTION.fullmatch(action) or _FORBIDDEN_ACTION.match(action):
            yield f"{statement.sid}: action {action} is not one to hand out"
    for resource in statement.resources:
        if not _lies_within(resource, bucket, prefix):
            yield f"{statement.sid}: resource {resource} lies outside bucket {bucket} and path {prefix or '/'}"


def _lies_within(resource: str, bucket: str, prefix: str) -> bool:
    arn = f"arn:aws:s3:::{bucket}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        return False
    if resource == arn:
        return True
    inside = resource.removeprefix(f"{arn}/{prefix}")
    return resource.startswith(f"{arn}/{prefix}") and inside == "*"
