"""What can this store do? Every capability is tried on a scratch bucket that is made, and in the end removed, by the probe alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.attempts import ATTEMPTS, KEY, MARK, Scratch, Unsupported
from clouddatamesh.storage.calls import WIRE_ERRORS, Calls
from clouddatamesh.storage.errors import code_of, status_of, verdict_of_code
from clouddatamesh.storage.settings import UNSET

_ABSENT: Final = ("NoSuchBucket",)
_NO_VERDICT: Final = (reasons.STORE_UNAVAILABLE, reasons.THROTTLED, reasons.CREDENTIALS_INVALID)


def probe(s3: Calls, iam: Calls, scratch: Scratch, *, make: Callable[[], None]) -> tuple[b.Capability, ...]:
    """Every capability with its verdict. What the store refuses is a verdict; that it does not answer is raised.

    `make` creates the bucket.
    """
    with _scratch_bucket(s3, scratch, make):
        return tuple(_try(name, iam if name == b.IDENTITIES else s3, scratch) for name in sorted(ATTEMPTS))


def _try(name: str, calls: Calls, scratch: Scratch) -> b.Capability:
    try:
        ATTEMPTS[name](scratch)
    except Unsupported as found:
        return b.Capability(name, False, str(found))
    except (KeyError, IndexError, ValueError):
        return b.Capability(name, False, "The setting was not read back as written")
    except WIRE_ERRORS as error:
        if not isinstance(error, ClientError) or not _is_verdict(error):
            raise calls.explain(error, f"probe_{name}", f"on bucket {scratch.bucket}") from None
        return b.Capability(name, False, f"{error.operation_name} failed: {code_of(error)}")
    return b.Capability(name, True)


def _is_verdict(error: ClientError) -> bool:
    """A store that is down or slow says nothing of what it can do; one that answers 501 does."""
    verdict = verdict_of_code(code_of(error))
    return status_of(error) in (405, 501) or (status_of(error) < 500 and (verdict is None or verdict[1] not in _NO_VERDICT))


@contextmanager
def _scratch_bucket(s3: Calls, scratch: Scratch, make: Callable[[], None]) -> Iterator[None]:
    """Made new, so that no setting of an interrupted probe is left on it. Removed in the end, whatever happened."""
    if _exists(s3, scratch.bucket):
        _remove(s3, scratch.bucket)
    make()
    try:
        yield
    except MeshError:
        _remove_quietly(s3, scratch.bucket)
        raise
    _remove(s3, scratch.bucket)


def _exists(s3: Calls, bucket: str) -> bool:
    """Whether the bucket is there. One whose tags or objects no probe made is Terminal(NotOwned)."""
    words = f"on bucket {bucket}"
    if s3.get("list_objects_v2", words, unless=_ABSENT, Bucket=bucket, MaxKeys=1) is None:
        return False
    tags = (s3.get("get_bucket_tagging", words, unless=UNSET, Bucket=bucket) or {}).get("TagSet") or [MARK]
    if tags != [MARK] or {key for key, _ in _versions(s3, bucket)} - {KEY}:
        raise Terminal(reasons.NOT_OWNED, f"Bucket {bucket} is needed for probing and is somebody's; remove it")
    return True


def _versions(s3: Calls, bucket: str) -> list[tuple[str, str]]:
    found = s3.do("list_object_versions", f"on bucket {bucket}", Bucket=bucket)
    return [(item["Key"], item["VersionId"]) for part in ("Versions", "DeleteMarkers") for item in found.get(part, ())]


def _remove(s3: Calls, bucket: str) -> None:
    for key, version in _versions(s3, bucket):
        if key == KEY:
            s3.do("delete_object", f"on bucket {bucket}", Bucket=bucket, Key=key, VersionId=version)
    s3.get("delete_bucket", bucket, unless=_ABSENT, Bucket=bucket)


def _remove_quietly(s3: Calls, bucket: str) -> None:
    """After a failure that is told already; what stays is removed by the next probe."""
    try:
        _remove(s3, bucket)
    except MeshError:
        return
