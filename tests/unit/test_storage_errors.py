"""The table of errors knows every code and exception that botocore's own models name, and its messages show no secret."""

import inspect
from typing import Any

import botocore.session
import pytest
from botocore import exceptions as wire
from botocore.parsers import ResponseParserError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.storage.errors import code_of, redact, translate, translate_code, verdict_of_code, verdict_of_exception

_ABSTRACT = {"BotoCoreError", "ClientError"}
"""The roots: the one is unknown by definition, the other goes by its code."""


def client_error(code: str | None, message: str = "", status: int = 400) -> wire.ClientError:
    body = {"Error": {"Code": code, "Message": message}} if code else {}
    response: Any = {**body, "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "tx000-request"}}
    return wire.ClientError(response, "PutBucketTagging")


@pytest.mark.parametrize("service", ["s3", "iam", "sts"])
def test_every_code_of_botocores_service_models_is_in_the_table(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    codes = {str(shape.metadata.get("error", {}).get("code", shape.name)) for shape in model.error_shapes}
    assert codes
    assert sorted(code for code in codes if verdict_of_code(code) is None) == []


def test_every_exception_of_botocore_is_in_the_table() -> None:
    classes = [found for _, found in inspect.getmembers(wire, inspect.isclass) if issubclass(found, Exception)]
    own = [found for found in classes if found.__module__ == wire.__name__ and not issubclass(found, Warning)]
    assert len(own) > 50
    assert sorted(found.__name__ for found in own if verdict_of_exception(found.__name__) is None and found.__name__ not in _ABSTRACT) == []


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (client_error("NoSuchThingEver"), Transient, reasons.STORE_UNAVAILABLE),
        (client_error(None, status=405), Terminal, reasons.STORE_REFUSED),
        (client_error(None, status=503), Transient, reasons.STORE_UNAVAILABLE),
        (client_error(None, status=0), Transient, reasons.STORE_UNAVAILABLE),
        (client_error("ExpiredTokenException"), Terminal, reasons.CREDENTIALS_INVALID),
        (client_error("SlowDown", status=503), Transient, reasons.THROTTLED),
        (client_error("DeleteConflict"), Transient, reasons.CONFLICT),
        (client_error("BucketAlreadyExists"), Terminal, reasons.NOT_OWNED),
        (client_error("BucketNotEmpty"), Terminal, reasons.BUCKET_NOT_EMPTY),
        (wire.EndpointConnectionError(endpoint_url="http://x"), Transient, reasons.STORE_UNAVAILABLE),
        (wire.ReadTimeoutError(endpoint_url="http://x"), Transient, reasons.STORE_UNAVAILABLE),
        (wire.SSLError(endpoint_url="https://x", error="no"), Terminal, reasons.CERTIFICATE_INVALID),
        (wire.NoCredentialsError(), Terminal, reasons.CREDENTIALS_MISSING),
        (wire.ProfileNotFound(profile="x"), Terminal, reasons.CREDENTIALS_MISSING),
        (wire.ParamValidationError(report="x"), Terminal, reasons.STORE_REFUSED),
        (ResponseParserError("this is no XML"), Transient, reasons.STORE_UNAVAILABLE),
        (wire.BotoCoreError(), Transient, reasons.STORE_UNAVAILABLE),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {code_of(value)}" if isinstance(value, wire.ClientError) else getattr(value, "__name__", None)
    ),
)
def test_each_family_has_its_class_and_reason(error: Exception, kind: type[MeshError], reason: str) -> None:
    found = translate(error, "PutBucketTagging on bucket acme-orders")
    assert (type(found), found.reason) == (kind, reason)
    assert found.message.startswith("PutBucketTagging on bucket acme-orders failed: ")
    assert not found.message.endswith(".")


def test_the_stores_words_are_kept_on_one_line_without_the_request_id() -> None:
    found = translate(client_error("MalformedPolicy", "Missing\n  required field.\n"), "PutBucketPolicy on bucket acme-orders")
    assert found.message == "PutBucketPolicy on bucket acme-orders failed: MalformedPolicy: Missing required field"


@pytest.mark.parametrize(
    "secret",
    ["AKIAIOSFODNN7EXAMPLE", "BGIJ9KKA990T78000A4Z", "Signature=abc/def+", "Credential=AKIA/2026", "f" * 64, "the-operators-own-secret"],
)
def test_nothing_that_is_or_looks_like_a_key_is_shown(secret: str) -> None:
    hide = ("the-operators-own-secret",)
    assert secret not in redact(f"before {secret} after", hide=hide)
    assert secret not in translate(client_error("InvalidAccessKeyId", f"{secret} is unknown"), "X", hide=hide).message
    assert secret not in translate_code("AccessDenied", f"no: {secret}", "X", hide=hide).message


def test_accounts_and_names_are_shown() -> None:
    text = "arn:aws:iam::RGW00000000000000001:user/clouddatamesh-orders in bucket acme-orders-0123456789abcdef0123"
    assert redact(text) == text
