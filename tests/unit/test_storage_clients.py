"""Clients: one per connection, no credentials but the given ones, no words below INFO, a certificate that must verify."""

import io
import logging
import ssl
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import LIFECYCLE, Bucket
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import Connection
from clouddatamesh.storage.clients import BotoStores
from tests.support.certificates import make_certificate
from tests.support.evidence import error_of

SECRET = "planted/secret+of/forty/characters/long0"
KEY_XML = (
    b"<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><AccessKeyId>NEWKEY</AccessKeyId>"
    b"<SecretAccessKey>issued-secret</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
)
AWAY = Connection("us-east-1", "http://127.0.0.1:9", "http://127.0.0.1:9", access_key_id="AKIAPLANTED", secret_access_key=SECRET)


def client_of(stores: BotoStores, connection: Connection, service: str = "s3") -> Any:
    return stores._client(service, connection)


@contextmanager
def answering(
    body: bytes, *, status: int = 200, tls: ssl.SSLContext | None = None, drop: bool = False
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives one answer to everything, or drops the connection instead, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if drop:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away while shaking hands is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def at(endpoint: str, **changes: Any) -> Connection:
    return replace(AWAY, endpoint=endpoint, iam_endpoint=endpoint, **changes)


def test_equal_connections_share_their_clients_and_settings_make_no_new_ones() -> None:
    stores = BotoStores()
    assert client_of(stores, AWAY) is client_of(stores, replace(AWAY, settings=frozenset({LIFECYCLE}), expected_owner="1"))
    assert client_of(stores, AWAY) is not client_of(stores, replace(AWAY, secret_access_key="rotated"))
    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(lambda _: client_of(stores, AWAY), range(32))))) == 1


def test_clients_that_nobody_asks_for_are_forgotten() -> None:
    stores = BotoStores()
    first = client_of(stores, AWAY)
    for number in range(384):
        client_of(stores, replace(AWAY, secret_access_key=f"other-{number}"))
    assert client_of(stores, AWAY) is not first


def test_ambient_credentials_and_endpoints_are_never_used_beside_given_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    ambient = {
        "AWS_ACCESS_KEY_ID": "AMBIENT",
        "AWS_SECRET_ACCESS_KEY": "ambient",
        "AWS_SESSION_TOKEN": "ambient",
        "AWS_ENDPOINT_URL": "http://ambient",
    }
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)
    given = client_of(BotoStores(), replace(AWAY, endpoint=None))
    credentials = given._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("AKIAPLANTED", SECRET, None)
    assert "ambient" not in given.meta.endpoint_url
    chain = client_of(BotoStores(), replace(AWAY, access_key_id=None, secret_access_key=None))
    assert chain._request_signer._credentials.access_key == "AMBIENT"


def test_half_a_key_is_credentials_missing_and_not_half_ambient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient")
    with pytest.raises(Terminal) as caught:
        BotoStores().buckets(replace(AWAY, secret_access_key=None))
    assert caught.value.reason == reasons.CREDENTIALS_MISSING


def test_nothing_is_printed_below_info_even_where_the_root_logger_is_at_debug() -> None:
    heard = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(heard)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with answering(KEY_XML) as (endpoint, asked):
            issued = BotoStores().identities(at(endpoint)).create_key("orders")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert (issued.id, issued.secret) == ("NEWKEY", "issued-secret")
    assert "authorization" in asked[0]
    for loud in ("issued-secret", SECRET, "AKIAPLANTED", "Signature", "botocore"):
        assert loud not in heard.getvalue()
    for name in ("botocore.auth", "botocore.parsers", "urllib3.connectionpool", "boto3.resources"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_a_store_that_does_not_answer_is_transient_and_says_where_to_look() -> None:
    errors = [error_of(BotoStores().buckets(AWAY).observe("b")), error_of(BotoStores().identities(AWAY).observe("u"))]
    for act in (BotoStores().buckets(AWAY).account, lambda: BotoStores().identities(AWAY).list("/clouddatamesh/acme/")):
        with pytest.raises(Transient) as caught:
            act()
        errors.append(caught.value)
    for error in errors:
        assert (type(error), error.reason) == (Transient, reasons.STORE_UNAVAILABLE)
        assert "spec.endpointUrl" in error.message


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"not XML at all", b""], ids=["html", "text", "nothing"])
def test_a_server_that_is_no_store_passes_neither_for_a_bucket_nor_for_its_absence(body: bytes, status: int) -> None:
    with answering(body, status=status) as (endpoint, _):
        identities = BotoStores().identities(at(endpoint))
        assert error_of(BotoStores().buckets(at(endpoint)).observe("orders"))
        assert error_of(identities.observe("orders"))
        with pytest.raises(MeshError):
            identities.list("/orders/")


def test_settings_carry_the_digest_that_older_stores_ask_for() -> None:
    with answering(b"") as (endpoint, asked):
        buckets = BotoStores().buckets(at(endpoint))
        buckets.update(Bucket("b", tags=(("a", "b"),)), ("tags",))
    assert "content-md5" in asked[0]


def test_the_owner_is_sent_with_each_request_where_one_is_expected() -> None:
    with answering(b"<Tagging><TagSet/></Tagging>") as (endpoint, asked):
        buckets = BotoStores().buckets(at(endpoint, expected_owner="111122223333", settings=frozenset({LIFECYCLE})))
        buckets.observe("b")
        buckets.update(Bucket("b", tags=(("a", "b"),)), ("tags",))
        buckets.delete("b")
    assert [headers.get("x-amz-expected-bucket-owner") for headers in asked] == ["111122223333"] * 4


def test_the_certificate_verifies_against_the_bundle_and_against_nothing_else(tmp_path: Path) -> None:
    pem, context = make_certificate(tmp_path)
    other, _ = make_certificate(tmp_path)
    garbage = "-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n"
    with answering(b"<Tagging><TagSet/></Tagging>", tls=context) as (endpoint, _):
        assert BotoStores().buckets(at(endpoint, ca_bundle=pem)).observe("b") == Present(Bucket("b"))
        for wrong in (other, garbage, None):
            error = error_of(BotoStores().buckets(at(endpoint, ca_bundle=wrong)).observe("b"))
            assert (type(error), error.reason) == (Terminal, reasons.CERTIFICATE_INVALID)
            assert "spec.caBundle" in error.message


def test_the_bundle_lies_in_a_private_folder_that_goes_with_the_stores() -> None:
    stores = BotoStores()
    folder = Path(stores._bundle("pem")).parent
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600]
    assert stores._bundle("pem") == stores._bundle("pem") != stores._bundle("other")
    del stores
    assert not folder.exists()


def test_a_bundle_is_written_once_and_never_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other clients of the same store open it at any moment."""
    stores, written = BotoStores(), []
    write_text = Path.write_text

    def write(path: Path, text: str) -> int:
        written.append(path.name)
        return write_text(path, text)

    monkeypatch.setattr(Path, "write_text", write)
    paths = {stores._bundle("pem") for _ in range(3)}
    (path,) = map(Path, paths)
    assert path.read_text() == "pem"
    assert len(written) == 1
    assert path.name not in written


def test_a_client_that_found_no_credentials_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that hands out identities may be up later than the operator."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    seconds = [100.0]
    stores = BotoStores(monotonic=lambda: seconds[0])
    ambient = replace(AWAY, access_key_id=None, secret_access_key=None)
    for _ in range(2):
        with pytest.raises(Terminal) as caught:
            stores.buckets(ambient)
        assert caught.value.reason == reasons.CREDENTIALS_MISSING
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LATE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "late")
    client_of(stores, AWAY)
    seconds[0] += 10
    assert client_of(stores, ambient)._request_signer._credentials.access_key == "LATE"
