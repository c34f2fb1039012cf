"""What the messages of store errors say, and what they leave out, over every exception of botocore and every bare HTTP status."""

import inspect
import string
from typing import Any

import pytest
from botocore import exceptions as wire

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.storage.errors import code_of, redact, translate, translate_code

UNABLE: dict[str, dict[str, Any]] = {
    "PaginationError": {"message": "x"},
    "WaiterError": {"name": "x", "reason": "x", "last_response": {}},
}
"""Those whose constructor does not say in `fmt` what it wants."""
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def exception_classes() -> list[type[Exception]]:
    found = [cls for _, cls in inspect.getmembers(wire, inspect.isclass) if issubclass(cls, Exception)]
    return [cls for cls in found if cls.__module__ == wire.__name__ and not issubclass(cls, wire.ClientError | Warning)]


def an_exception(cls: type[Exception]) -> Exception:
    """With a secret in every part of its own message."""
    fields = {name for _, name, _, _ in string.Formatter().parse(getattr(cls, "fmt", "")) if name}
    return cls(**UNABLE.get(cls.__name__, dict.fromkeys(fields, SECRET)))


@pytest.mark.parametrize("cls", exception_classes(), ids=lambda cls: str(cls.__name__))
def test_every_exception_becomes_ours_and_none_of_its_words_are_repeated(cls: type[Exception]) -> None:
    found = translate(an_exception(cls), "PutBucketPolicy on bucket b")
    assert isinstance(found, Terminal | Transient)
    assert found.message.startswith("PutBucketPolicy on bucket b failed: ")
    assert SECRET not in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (403, Transient, reasons.ACCESS_DENIED),
        (404, Transient, reasons.CONFLICT),
        (405, Terminal, reasons.STORE_REFUSED),
        (409, Transient, reasons.CONFLICT),
        (429, Transient, reasons.THROTTLED),
        *((status, Transient, reasons.STORE_UNAVAILABLE) for status in (418, 500, 502, 503, 504)),
    ],
)
@pytest.mark.parametrize("body", [{}, {"Error": {}}, {"Error": {"Code": "", "Message": ""}}, {"Error": {"Code": None, "Message": None}}])
def test_an_error_without_a_code_is_judged_by_its_status(body: dict[str, Any], status: int, kind: type[MeshError], reason: str) -> None:
    """So RGW answers a call that it does not know, and every HEAD is answered."""
    error = wire.ClientError({**body, "ResponseMetadata": {"HTTPStatusCode": status}}, "Act")
    found = translate(error, "Act")
    assert (code_of(error), type(found), found.reason) == (str(status), kind, reason)
    assert found.message.startswith(f"Act failed: {status}")
    assert "None" not in found.message


@pytest.mark.parametrize("body", [{}, {"ResponseMetadata": {}}])
def test_an_error_with_nothing_in_it_is_unknown(body: dict[str, Any]) -> None:
    found = translate(wire.ClientError(body, "Act"), "Act")
    assert (type(found), found.reason, found.message) == (Transient, reasons.STORE_UNAVAILABLE, "Act failed: Unknown")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (wire.ClientError({"Error": {"Code": "InvalidAccessKeyId"}}, "Act"), "spec.credentialsSecretRef"),
        (wire.EndpointConnectionError(endpoint_url="http://x"), "spec.endpointUrl"),
        (wire.SSLError(endpoint_url="https://x", error="no"), "spec.caBundle"),
        (wire.NoCredentialsError(), "spec.credentialsSecretRef or workload identity"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_message_names_the_field_that_mends_it(error: Exception, words: str) -> None:
    assert words in translate(error, "Act").message


@pytest.mark.parametrize("planted", [SECRET, "AKIAIOSFODNN7EXAMPLE", "0555B35654AD1656D804", "f0e1" * 16])
def test_a_message_that_is_cut_short_shows_no_half_of_a_key(planted: str) -> None:
    for length in range(240, 310):
        found = translate_code("AccessDenied", f"{'x' * length} {planted} more", "Act", hide=(SECRET,)).message
        assert planted[:8] not in found
        assert planted[-8:] not in found


def test_hiding_what_is_very_short_does_not_garble_the_words() -> None:
    assert redact("a table", hide=("a", "")) == "a table"


def test_a_code_is_not_said_twice() -> None:
    assert translate_code("SlowDown", "SlowDown", "Act").message == "Act failed: SlowDown"
