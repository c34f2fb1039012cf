"""Each call of a store is reported once, with operation and result, however often the client retries."""

from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from clouddatamesh.errors import MeshError
from clouddatamesh.storage.clients import BotoStores
from tests.unit.test_storage_clients import AWAY, answering, at, client_of

LIST = b"<ListAllMyBucketsResult><Owner><ID>me</ID></Owner><Buckets/></ListAllMyBucketsResult>"


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, LIST, "success"),
        (400, error("InvalidArgument"), "error"),
        (401, error("InvalidToken"), "refused"),
        (403, error("AccessDenied"), "refused"),
        (404, error("NoSuchBucket"), "not_found"),
        (409, error("OperationAborted"), "conflict"),
        (412, error("PreconditionFailed"), "conflict"),
        (400, error("Throttling"), "throttled"),
        (503, error("SlowDown"), "throttled"),
        (500, error("InternalError"), "unavailable"),
    ],
)
def test_each_call_has_one_result(status: int, body: bytes, result: str) -> None:
    reported: list[tuple[str, str, str, float]] = []
    with answering(body, status=status) as (endpoint, _), suppress(Exception):
        client_of(BotoStores(report=lambda *call: reported.append(call)), at(endpoint)).list_buckets()
    ((service, operation, found, seconds),) = reported
    assert (service, operation, found) == ("s3", "ListBuckets", result)
    assert 0 < seconds < 60


@pytest.mark.parametrize(("page", "result"), [(b"<html/>", "unavailable"), (b"<Unheard/>", "error")], ids=["a proxy's", "of no known form"])
def test_an_answer_that_is_none_of_the_api(page: bytes, result: str) -> None:
    reported: list[tuple[str, str, str, float]] = []
    with answering(page) as (endpoint, _), pytest.raises(MeshError):
        BotoStores(report=lambda *call: reported.append(call)).identities(at(endpoint)).list("/")
    assert [call[:3] for call in reported] == [("iam", "ListUsers", result)]


def test_a_store_that_does_not_answer() -> None:
    reported: list[tuple[str, str, str, float]] = []
    with pytest.raises(MeshError):
        BotoStores(report=lambda *call: reported.append(call)).identities(AWAY).list("/")
    assert [call[:3] for call in reported] == [("iam", "ListUsers", "unavailable")]


def test_attempts_that_must_be_refused_are_not_reported() -> None:
    reported: list[object] = []
    stores = BotoStores(report=lambda *call: reported.append(call))
    with answering(error("AccessDenied"), status=403) as (endpoint, _), pytest.raises(ClientError):
        stores._open_as(at(endpoint), endpoint, ("key", "secret"), plain=False).list_buckets()
    assert reported == []
