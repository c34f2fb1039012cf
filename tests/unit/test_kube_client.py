"""The transport against a small HTTP server: one request per call, tokens that rotate, errors that become ours."""

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.client import LOGIN_ERRORS, Client, Manner
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.transport import MERGE


@dataclass
class Served:
    """What a server answers next, and what it was asked."""

    port: int = 0
    status: int = 200
    body: bytes = b"{}"
    delay: float = 0.0
    """Seconds until it answers."""
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def served() -> Iterator[Served]:
    told = Served()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.seen.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
            time.sleep(told.delay)
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(told.body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clock() -> list[float]:
    """The time, in its only element."""
    return [0.0]


def write_config(folder: Path, *, port: int) -> Path:
    """A kubeconfig of a server on this machine, whose token is in a file."""
    (folder / "token").write_text("first")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"tokenFile": str(folder / "token")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    return folder / "kubeconfig"


@pytest.fixture
def client(served: Served, tmp_path: Path, clock: list[float]) -> Iterator[Client]:
    opened = Client(kubeconfig=write_config(tmp_path, port=served.port), monotonic=lambda: clock[0])
    yield opened
    opened.close()


def test_a_request_carries_body_query_headers_and_token(served: Served, client: Client) -> None:
    served.body = b'{"a": 1}'
    answer = client.request("PATCH", "/api/v1/x", body={"b": "ü"}, query={"fieldManager": "m&n"}, headers={"Content-Type": MERGE})
    (seen,) = served.seen
    assert answer == {"a": 1}
    assert (seen["method"], seen["path"]) == ("PATCH", "/api/v1/x?fieldManager=m%26n")
    assert json.loads(seen["body"]) == {"b": "ü"}
    assert (seen["headers"]["Authorization"], seen["headers"]["Content-Type"]) == ("Bearer first", MERGE)


def test_a_token_that_was_rotated_is_read_again_within_a_minute(served: Served, client: Client, clock: list[float], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("second")
    for now in (59.0, 60.0, 61.0):
        clock[0] = now
        client.request("GET", "/")
    assert [seen["headers"]["Authorization"] for seen in served.seen] == ["Bearer first", "Bearer second", "Bearer second"]


def test_the_gate_is_asked_before_each_write_and_what_it_refuses_is_not_sent(served: Served, tmp_path: Path) -> None:
    def refuse() -> None:
        raise Transient(reasons.CONFLICT, "Another replica leads")

    client = Client(kubeconfig=write_config(tmp_path, port=served.port), manner=Manner("clouddatamesh/1 (pod-0)", refuse))
    client.request("GET", "/")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(Transient, match="Another replica leads"):
            client.request(method, "/", body={})
    assert [(seen["method"], seen["headers"]["User-Agent"]) for seen in served.seen] == [("GET", "clouddatamesh/1 (pod-0)")]
    client.close()


def test_a_login_that_cannot_be_read_for_a_moment_leaves_the_old_one(
    served: Served, client: Client, clock: list[float], tmp_path: Path
) -> None:
    (tmp_path / "kubeconfig").unlink()
    clock[0] = 60.0
    client.request("GET", "/")
    assert served.seen[0]["headers"]["Authorization"] == "Bearer first"


@pytest.mark.parametrize("status", [301, 404, 409, 429, 500, 503])
def test_an_answer_that_is_an_error_is_raised_and_nothing_is_tried_again(served: Served, client: Client, status: int) -> None:
    served.status, served.body = status, b'{"reason": "R", "message": "M"}'
    with pytest.raises(ApiError) as caught:
        client.request("GET", "/")
    assert (caught.value.status, caught.value.reason, caught.value.message) == (status, "R", "M")
    assert len(served.seen) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'"a"'])
def test_an_answer_that_is_no_object_is_transient(served: Served, client: Client, body: bytes) -> None:
    served.body = body
    with pytest.raises(Transient) as caught:
        client.request("GET", "/")
    assert caught.value.reason == reasons.CLUSTER_UNAVAILABLE


def test_nobody_there_is_transient(tmp_path: Path) -> None:
    nobody = Client(kubeconfig=write_config(tmp_path, port=1))
    with pytest.raises(Transient) as caught:
        nobody.request("GET", "/")
    assert caught.value.reason == reasons.CLUSTER_UNAVAILABLE
    assert "127.0.0.1" not in caught.value.message
    nobody.close()


def test_connection_and_answer_have_a_time_of_their_own(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that takes longer than a connection may, as behind a slow admission webhook, is waited for."""
    given: list[tuple[object, ...]] = []

    def send(self: urllib3.PoolManager, *_: object, timeout: urllib3.Timeout, **__: object) -> urllib3.HTTPResponse:  # noqa: ARG001
        given.append((timeout.total, timeout.connect_timeout, timeout.clone().read_timeout))
        return urllib3.HTTPResponse(b"{}", status=200)

    monkeypatch.setattr(urllib3.PoolManager, "request", send)
    config = write_config(tmp_path, port=served.port)
    for manner in (Manner(), Manner(timeout=(2.0, 2.5))):
        Client(kubeconfig=config, manner=manner).request("GET", "/")
    assert given == [(None, 5.0, 30.0), (None, 2.0, 2.5)]


def test_an_answer_may_take_longer_than_a_connection(served: Served, tmp_path: Path) -> None:
    served.delay = 0.4
    for read, answers in ((30.0, True), (0.2, False)):
        client = Client(kubeconfig=write_config(tmp_path, port=served.port), manner=Manner(timeout=(0.2, read)))
        with contextlib.nullcontext() if answers else pytest.raises(Transient, match="did not answer: ReadTimeoutError"):
            client.request("GET", "/")
        client.close()


def test_each_request_is_reported_with_its_method_and_its_end(served: Served, tmp_path: Path) -> None:
    reported: list[tuple[str, str]] = []
    client = Client(kubeconfig=write_config(tmp_path, port=served.port), report=lambda *request: reported.append(request))
    client.request("GET", "/api/v1/namespaces")
    served.status = 409
    with pytest.raises(ApiError):
        client.request("POST", "/api/v1/namespaces", body={})
    client.close()
    silent = Client(kubeconfig=write_config(tmp_path, port=9), report=lambda *request: reported.append(request))
    with pytest.raises(Transient):
        silent.request("GET", "/api/v1/namespaces")
    silent.close()
    assert reported == [("GET", "200"), ("POST", "409"), ("GET", "<error>")]


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_page_that_is_no_json_is_read_whatever_its_status(served: Served, client: Client, status: int) -> None:
    served.status, served.body = status, b"the watch of Domain has not begun\n"
    assert client.read("/api/v1/namespaces/a/pods/p:8080/proxy/readyz") == (status, served.body)
    assert served.seen[0]["headers"]["Accept"] == "*/*"
    assert served.seen[0]["headers"]["Authorization"] == "Bearer first"


def test_another_context_of_the_kubeconfig_is_another_server(served: Served, tmp_path: Path) -> None:
    config = json.loads(write_config(tmp_path, port=9).read_text())
    config["clusters"].append({"name": "d", "cluster": {"server": f"http://127.0.0.1:{served.port}"}})
    config["contexts"].append({"name": "d", "context": {"cluster": "d", "user": "u"}})
    (tmp_path / "both").write_text(json.dumps(config))
    client = Client(kubeconfig=tmp_path / "both", context="d")
    client.request("GET", "/api")
    client.close()
    assert len(served.seen) == 1
    with pytest.raises(LOGIN_ERRORS):
        Client(kubeconfig=tmp_path / "both", context="e")
