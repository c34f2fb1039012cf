"""What can this store do? Every capability is tried on a scratch bucket, which the probe makes, marks and keeps."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from botocore.exceptions import ClientError

from clouddatamesh.errors import MeshError
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.answers import NotAnAnswerError
from clouddatamesh.storage.attempts import ATTEMPTS
from clouddatamesh.storage.attempts_users import remove_user
from clouddatamesh.storage.calls import WIRE_ERRORS, Calls
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.scratch import KEY, MARK, Harmful, Scratch, Unproven, Unseen, Unsupported, is_not_done
from clouddatamesh.storage.settings import UNSET

_ABSENT: Final = ("NoSuchBucket",)
_NO_TAGS: Final = ("NotImplemented", "MethodNotAllowed")
_SILENCE: Final = "The store did not answer while it was probed"
_MOST: Final = 240.0
"""Seconds after which nothing more is tried: a look that takes ten minutes ends the process."""
_SLOW: Final = f"The store answers too slowly to be probed within {_MOST:.0f} s"


def probe(s3: Calls, scratch: Scratch, *, make: Callable[[], None]) -> tuple[b.Capability, ...]:
    """Every capability with its verdict. Where the scratch bucket cannot be used, or the store does not answer, all is Unclear.

    `make` creates the bucket.
    """
    blocked = _prepare(s3, scratch, make)
    if blocked:
        return tuple(b.Capability(name, "Unclear", blocked) for name in sorted(ATTEMPTS))
    found: list[b.Capability] = []
    began = time.monotonic()
    for name in sorted(ATTEMPTS):
        silent = bool(found) and found[-1].message == _SILENCE
        given_up = _SILENCE if silent else _SLOW if time.monotonic() - began > _MOST else ""
        found.append(b.Capability(name, "Unclear", given_up) if given_up else _try(name, scratch))
    _clean(scratch)
    if scratch.guest.name:
        with suppress(*WIRE_ERRORS):
            remove_user(scratch.iam, scratch.guest.name)
    return tuple(found)


def _clean(scratch: Scratch) -> None:
    """What stays for want of an answer is removed by the next probe."""
    with suppress(*WIRE_ERRORS):
        scratch.clean()


def _try(name: str, scratch: Scratch) -> b.Capability:
    try:
        proof, message = ATTEMPTS[name](scratch)
    except Unsupported as shown:
        return b.Capability(name, "No", str(shown), harmful=isinstance(shown, Harmful))
    except Unseen as shown:
        # AWS has all of it, and shows some of it late: there nothing is concluded.
        return b.Capability(name, "Unclear" if scratch.is_aws else "Unseen", str(shown))
    except Unproven as shown:
        return b.Capability(name, "Unclear", str(shown))
    except (KeyError, IndexError, ValueError):
        return b.Capability(name, "Unclear", "The answer could not be read")
    except NotAnAnswerError as error:
        return b.Capability(name, "Unclear", str(error))
    except WIRE_ERRORS as error:
        if not isinstance(error, ClientError):
            scratch.patience.give_up()
            return b.Capability(name, "Unclear", _SILENCE)
        verdict: b.Verdict = "No" if is_not_done(error) else "Unclear"
        return b.Capability(name, verdict, f"{error.operation_name} failed: {code_of(error)}")
    return b.Capability(name, "Yes", message, proof)


def _prepare(s3: Calls, scratch: Scratch, make: Callable[[], None]) -> str:
    """Make the bucket, or find it and clean it; in the end an object must go in and come out. Why it cannot be used, else nothing."""
    try:
        if _is_ours(s3, scratch):
            _clean(scratch)
        else:
            make()
        _mark(s3, scratch)
    except MeshError as error:
        return error.message
    except Unproven as shown:
        return str(shown)
    try:
        scratch.write_and_read("CreateBucket")
    except Unsupported as shown:
        return str(shown)
    except WIRE_ERRORS as error:
        return s3.explain(error, "put_object", f"on bucket {scratch.bucket}").message
    return ""


def _is_ours(s3: Calls, scratch: Scratch) -> bool:
    """Whether the bucket is there. One whose tags or objects no probe made is somebody's, and not touched."""
    bucket, words = scratch.bucket, f"on bucket {scratch.bucket}"
    if s3.get("list_objects_v2", words, unless=_ABSENT, Bucket=bucket, MaxKeys=1) is None:
        return False
    tags = (s3.get("get_bucket_tagging", words, unless=(*UNSET, *_ABSENT, *_NO_TAGS), Bucket=bucket) or {}).get("TagSet") or [MARK]
    listed = s3.do("list_object_versions", words, Bucket=bucket)
    keys = {item["Key"] for part in ("Versions", "DeleteMarkers") for item in listed.get(part, ())}
    if MARK not in tags or keys - {KEY}:
        raise Unproven(f"Bucket {bucket} is needed for probing and is somebody's; remove it")
    return True


def _mark(s3: Calls, scratch: Scratch) -> None:
    """A store that keeps no tags is no reason to stop."""
    try:
        scratch.patient_s3.put_bucket_tagging(Bucket=scratch.bucket, Tagging={"TagSet": [MARK]})
    except WIRE_ERRORS as error:
        if not isinstance(error, ClientError) or not is_not_done(error):
            raise s3.explain(error, "put_bucket_tagging", f"on bucket {scratch.bucket}") from None
