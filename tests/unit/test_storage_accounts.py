"""Whose is a bucket that answers 403? A store of several accounts, in words of HTTP: the list decides, page by page, or nothing does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import Connection
from clouddatamesh.storage.clients import BotoStores
from tests.support.evidence import error_of

ERROR = "<Error><Code>{}</Code><Message>no</Message></Error>"
OWNER = "111122223333"


class Account:
    """What the server answers: tags are refused, the list is what `pages` says."""

    def __init__(
        self, *pages: tuple[str, ...], listing: tuple[int, str] | None = None, tagging: tuple[int, str] = (403, "AccessDenied")
    ) -> None:
        self._pages, self._listing, self._tagging = pages, listing, tagging
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, str]:
        self.asked.append(path)
        query = parse_qs(urlsplit(path).query, keep_blank_values=True)
        if "tagging" in query:
            status, code = self._tagging
            return status, ERROR.format(code)
        if self._listing is not None:
            status, body = self._listing
            return status, body if body.startswith("<") else ERROR.format(body)
        return 200, self._list(int(query.get("continuation-token", ["0"])[0]))

    def _list(self, number: int) -> str:
        buckets = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in self._pages[number])
        more = f"<ContinuationToken>{number + 1}</ContinuationToken>" if number + 1 < len(self._pages) else ""
        return f"<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets>{buckets}</Buckets>{more}</ListAllMyBucketsResult>"


@contextmanager
def serving(account: Account) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = account.answer(self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def at(endpoint: str, owner: str | None = OWNER) -> Connection:
    return Connection("us-east-1", endpoint, endpoint, access_key_id="AKIA", secret_access_key="x", expected_owner=owner)


@pytest.mark.parametrize(
    "pages",
    [(("acme",),), (("a", "b"), ("c", "acme")), (("acme", "acme-2"),)],
    ids=["alone", "on the second page of a store that knows no prefix", "beside a longer name"],
)
def test_a_bucket_in_our_list_is_ours_and_refused(pages: tuple[tuple[str, ...], ...]) -> None:
    with serving(Account(*pages)) as endpoint:
        error = error_of(BotoStores().buckets(at(endpoint)).observe("acme"))
    assert (type(error), error.reason) == (Transient, reasons.ACCESS_DENIED)
    assert "a Deny in the bucket's policy or a missing permission" in error.message


@pytest.mark.parametrize("pages", [((),), (("acme-2", "other"),), (("a",), ("b",))], ids=["empty", "others", "two pages"])
def test_a_bucket_that_an_answered_list_lacks_is_of_another_account(pages: tuple[tuple[str, ...], ...]) -> None:
    account = Account(*pages)
    with serving(account) as endpoint:
        assert BotoStores().buckets(at(endpoint)).observe("acme") == Present(Bucket("acme", is_of_other_account=True))
    assert any("prefix=acme" in path for path in account.asked)


def test_a_store_that_does_not_know_accounts_proves_nothing_by_its_list() -> None:
    """It lists what these credentials may read: a Deny takes our own bucket out of it."""
    with serving(Account(("other",))) as endpoint:
        assert error_of(BotoStores().buckets(at(endpoint, None)).observe("acme")).reason == reasons.ACCESS_DENIED


@pytest.mark.parametrize(
    ("listing", "reason"),
    [
        ((403, "AccessDenied"), reasons.ACCESS_DENIED),
        ((503, "SlowDown"), reasons.THROTTLED),
        ((500, "InternalError"), reasons.STORE_UNAVAILABLE),
        ((403, "InvalidAccessKeyId"), reasons.CREDENTIALS_INVALID),
        ((200, "<html>welcome</html>"), reasons.STORE_UNAVAILABLE),
        ((200, "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner></ListAllMyBucketsResult>"), reasons.STORE_UNAVAILABLE),
    ],
    ids=["refused", "throttled", "broken", "wrong key", "a page of a proxy", "a list without a list"],
)
def test_a_list_that_is_not_answered_proves_nothing(listing: tuple[int, str], reason: str) -> None:
    with serving(Account(listing=listing)) as endpoint:
        assert error_of(BotoStores().buckets(at(endpoint)).observe("acme")).reason == reason


@pytest.mark.parametrize(
    ("tagging", "kind", "reason"),
    [
        ((403, "SignatureDoesNotMatch"), Terminal, reasons.CREDENTIALS_INVALID),
        ((409, "OperationAborted"), Transient, reasons.CONFLICT),
        ((404, "NoSuchKey"), Transient, reasons.CONFLICT),
        ((404, "404"), Transient, reasons.CONFLICT),
        ((501, "NotImplemented"), Terminal, reasons.STORE_REFUSED),
        ((301, "PermanentRedirect"), Terminal, reasons.STORE_REFUSED),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_no_other_answer_passes_for_absence_or_for_another_account(tagging: tuple[int, str], kind: type, reason: str) -> None:
    account = Account(("other",), tagging=tagging)
    with serving(account) as endpoint:
        error = error_of(BotoStores().buckets(at(endpoint)).observe("acme"))
    assert (type(error), error.reason) == (kind, reason)
