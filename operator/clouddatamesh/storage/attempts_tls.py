"""Does the store refuse requests without TLS, and none with it? Both are tried with the key of a user of the probe's own.

Not with the operator's: some stores let their administrators pass any policy, and nothing of the operator's is to be sent without TLS.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh.plan import policies
from clouddatamesh.storage.attempts_users import is_let_in, is_refused, make_reader, undone
from clouddatamesh.storage.calls import WIRE_ERRORS
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document, parse_policy
from clouddatamesh.storage.scratch import Harmful, Scratch, Shown, Unproven, Unseen, Unsupported, is_denied

_ACTIONS: Final = ("s3:GetObject", "s3:PutObject")
_CUTS: Final = (
    "A request over TLS is refused as one without: the condition is not looked at, or a proxy ends TLS and the store does not know of it"
)
_SERVED: Final = "A request without TLS is served, whatever the policy says"
_NO_PLACE: Final = "no endpoint without TLS is known; set spec.plainEndpointUrl"
_UNTRIED: Final = "The policy is in place, but a request without TLS could not be tried"


def try_tls_only(scratch: Scratch) -> Shown:
    """The statements that buckets get, but about objects alone: else the policy could not be removed where it refuses everybody."""
    if not scratch.s3.meta.endpoint_url.startswith("https://"):
        raise Unsupported("The endpoint is spoken to without TLS")
    with _readers(scratch) as (reader, plain, why):
        obstacle = why or _obstacle_of(scratch, plain)
        with undone(lambda: scratch.patient_s3.delete_bucket_policy(Bucket=scratch.bucket)):
            _deny(scratch)
            _check_lets_through(scratch, reader)
            return ("Unproven", f"{_UNTRIED}: {obstacle}") if obstacle else _prove(scratch, plain)


@contextmanager
def _readers(scratch: Scratch) -> Iterator[tuple[Any, Any, str]]:
    """Who asks over TLS, who asks without, and why nobody asks without.

    On AWS no identity passes a Deny, and a new key may take longer than a probe waits: there the operator asks over TLS in its place.
    """
    if scratch.open_as is None:
        yield scratch.s3, None, _NO_PLACE
        return
    key = make_reader(scratch)
    with scratch.client(key) as reader, scratch.client(key, plain=True) as plain:
        if is_let_in(scratch, reader):
            yield reader, plain, "" if plain is not None else _NO_PLACE
        elif scratch.is_aws:
            yield scratch.s3, None, "a new user's key was not accepted in time"
        else:
            raise Unproven("A new user's key does not read what its policy allows, so nothing was tried with it")


def _obstacle_of(scratch: Scratch, plain: Any) -> str:
    """Why a refusal would prove nothing: without TLS nothing is served in any case."""
    try:
        answer = "" if scratch.is_served(plain) else "something else"
    except WIRE_ERRORS as error:
        answer = code_of(error) if isinstance(error, ClientError) else "nothing"
    return f"{plain.meta.endpoint_url} answers {answer}" if answer else ""


def _deny(scratch: Scratch) -> None:
    written, objects = policies.tls_only(scratch.bucket, partition=scratch.partition), (f"{scratch.arn}/*",)
    statements = tuple(replace(statement, actions=_ACTIONS, resources=objects) for statement in written)
    scratch.patient_s3.put_bucket_policy(Bucket=scratch.bucket, Policy=build_document(statements))
    scratch.shows(
        lambda: parse_policy(scratch.s3.get_bucket_policy(Bucket=scratch.bucket)["Policy"])[0] == tuple(sorted(statements)),
        "The bucket policy was not read back as written",
    )


def _check_lets_through(scratch: Scratch, reader: Any) -> None:
    """What is refused with the policy, let in without it, and refused with it again, the policy refuses."""
    if not _is_denied(scratch, reader):
        return
    scratch.patient_s3.delete_bucket_policy(Bucket=scratch.bucket)
    if not is_let_in(scratch, reader):
        raise Unproven("The scratch bucket may not be read at the moment")
    _deny(scratch)
    if _is_denied(scratch, reader):
        raise Harmful(_CUTS)


def _is_denied(scratch: Scratch, reader: Any) -> bool:
    try:
        scratch.is_served(reader)
    except ClientError as error:
        if is_denied(error):
            return True
        raise
    return False


def _prove(scratch: Scratch, plain: Any) -> Shown:
    """The same request was served a moment before the policy was there."""
    try:
        scratch.shows(lambda: is_refused(lambda: scratch.is_served(plain)), _SERVED)
    except (Unseen, Unproven):
        if scratch.is_aws:
            return "Unproven", "A request without TLS was still served some seconds after the policy was read back"
        raise
    except WIRE_ERRORS as error:
        return "Unproven", f"{_UNTRIED}: {code_of(error) if isinstance(error, ClientError) else 'no answer came'}"
    return "Refused", ""
