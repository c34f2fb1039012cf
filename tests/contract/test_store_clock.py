"""A machine whose clock is off: a store's own `Date` puts right what is signed, and what it cannot put right is called what it is."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

import botocore.auth
import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Present, Unknown
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.storage.clients import BotoStores
from hack.tools.store import Store
from tests.contract.worlds import fresh, over_boto
from tests.support.evidence import seen

DAY: Final = timedelta(days=1)
AWS_WORDS: Final = "Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z"


@pytest.fixture(params=[DAY, -DAY], ids=["ahead", "behind"])
def off(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """The clock by which requests are signed is a day off."""
    set_clock(monkeypatch, request.param)
    return request.param  # type: ignore[no-any-return]


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC).replace(tzinfo=None) + by)


class Strict(BaseHTTPRequestHandler):
    """A store that looks at nothing but the time of a signature."""

    protocol_version = "HTTP/1.1"
    code, words, date = "RequestTimeTooSkewed", "The difference is too large", True
    seen: ClassVar[list[bool]] = []

    def do_POST(self) -> None:
        """IAM's calls: GetUser alone is asked."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        signed = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        good = abs(signed - datetime.now(UTC)) < timedelta(minutes=15)
        self.seen.append(good)
        fault = f"<ErrorResponse><Error><Code>{self.code}</Code><Message>{self.words}</Message></Error></ErrorResponse>"
        user = "<User><Path>/</Path><UserName>x</UserName><UserId>1</UserId><Arn>arn:aws:iam::1:user/x</Arn></User>"
        body = (f"<GetUserResponse><GetUserResult>{user}</GetUserResult></GetUserResponse>" if good else fault).encode()
        self.send_response_only(200 if good else 403)
        if self.date:
            self.send_header("Date", format_datetime(datetime.now(UTC), usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def strict() -> Iterator[tuple[Connection, type[Strict]]]:
    handler = type("Handler", (Strict,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield Connection(region="us-east-1", endpoint=url, iam_endpoint=url, access_key_id="AKIA", secret_access_key="s"), handler
        server.shutdown()


def ask(connection: Connection, stores: BotoStores | None = None) -> None:
    """One call that needs no other."""
    client = (stores or BotoStores())._client("iam", connection)
    client.get_user(UserName="x")


def test_a_day_off_a_call_is_signed_again_by_the_stores_time_and_the_next_one_at_once(
    strict: tuple[Connection, type[Strict]], off: timedelta
) -> None:
    connection, store = strict
    stores = BotoStores()
    ask(connection, stores)
    ask(connection, stores)
    assert store.seen == [False, True, True], off


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired", "RequestInTheFuture"])
def test_so_it_is_in_the_words_of_others(strict: tuple[Connection, type[Strict]], off: timedelta, code: str) -> None:
    connection, store = strict
    store.code, store.words = code, AWS_WORDS
    ask(connection)
    assert store.seen == [False, True], off


def test_a_clock_that_is_set_right_meanwhile_is_believed_again(
    strict: tuple[Connection, type[Strict]], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, store = strict
    stores = BotoStores()
    for by in (DAY, timedelta(), -DAY):
        set_clock(monkeypatch, by)
        ask(connection, stores)
    assert store.seen == [False, True] * 3


@pytest.mark.usefixtures("off")
def test_without_a_date_that_helps_it_is_called_what_it_is(strict: tuple[Connection, type[Strict]]) -> None:
    connection, store = strict
    store.date = False
    found = BotoStores().identities(connection).observe("x")
    assert isinstance(found, Unknown)
    assert (type(found.error), found.error.reason) == (Transient, reasons.CLOCK_SKEWED)
    assert "set the clocks" in found.error.message


def test_a_wrong_secret_is_no_matter_of_time(strict: tuple[Connection, type[Strict]], monkeypatch: pytest.MonkeyPatch) -> None:
    connection, store = strict
    set_clock(monkeypatch, DAY)
    store.code, store.words = "SignatureDoesNotMatch", "The request signature we calculated does not match"
    found = BotoStores().identities(connection).observe("x")
    assert isinstance(found, Unknown)
    assert found.error.reason == reasons.CREDENTIALS_INVALID
    assert store.seen == [False]


@pytest.mark.usefixtures("off")
def test_on_a_real_store_everything_goes_on(rgw: Store) -> None:
    world = over_boto(rgw)
    stores = BotoStores()
    name, user = fresh(), fresh("skewed")
    buckets = stores.buckets(replace(world.connection, settings=frozenset({b.VERSIONING})))
    buckets.create(b.Bucket(name))
    buckets.update(b.Bucket(name, tags=(("a", "b"),)), ("tags",))
    assert dict(seen(buckets.observe(name)).tags) == {"a": "b"}
    identities = stores.identities(world.connection)
    identities.create(Principal(user, "/clouddatamesh/acme/"))
    key = identities.create_key(user)
    assert isinstance(identities.observe(user), Present)
    identities.delete_key(user, key.id)
    identities.delete(user)
    buckets.delete(name)
    with pytest.raises(MeshError, match="NoSuch"):
        identities.create_key(user)
