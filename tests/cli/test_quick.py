"""What makes list and search quick says the same as what is slower, and stays quick."""

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.kubectl import Kubectl
from clouddatamesh.cli.output import is_painted
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.view.naming import port_names
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.search import describe, find, score

SLOW = ("rich", "yaml", "boto3", "kubernetes", "clouddatamesh.api.kinds", "clouddatamesh.plan")


@pytest.mark.parametrize("command", ["list", "search"])
def test_what_a_list_does_not_need_is_not_imported(command: str) -> None:
    code = f"import sys; from clouddatamesh.cli.app import load_commands; load_commands({command!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*SLOW} & {*done.stdout.split()}


NAMES = st.sampled_from(("daily", "weekly", "", 7, None))
PORTS = st.lists(st.one_of(st.fixed_dictionaries({}, optional={"name": NAMES, "version": NAMES, "draining": st.booleans()}), st.just("x")))


@settings(deadline=None)
@given(listed=PORTS, states=PORTS)
def test_ports_in_a_list_are_those_of_the_page(listed: list[Any], states: list[Any]) -> None:
    product = {"metadata": {}, "spec": {"outputPorts": listed}, "status": {"outputPorts": states}}
    assert port_names(product) == tuple(f"{port.name}/{port.version}" for port in ports_of(product))


TEXTS = st.text(st.sampled_from("abß\u0130\u017f\u03c2\u03a3 ."), max_size=6)


@settings(deadline=None)
@given(titles=st.lists(TEXTS, max_size=5), asked=st.lists(TEXTS.map(str.strip), max_size=2))
def test_a_product_that_answers_is_never_passed_over(titles: list[str], asked: list[str]) -> None:
    products: list[dict[str, Any]] = [
        {"kind": "DataProduct", "metadata": {"namespace": "sales", "name": f"p{n}"}, "spec": {"displayName": title, "tags": [title[::-1]]}}
        for n, title in enumerate(titles)
    ]
    expected = {product["metadata"]["name"] for product in products if score(describe(product), asked)}
    assert {product["metadata"]["name"] for product in find(products, asked)} == expected


@pytest.mark.parametrize("colors", [{}, {"NO_COLOR": "1"}, {"NO_COLOR": ""}, {"FORCE_COLOR": "1"}, {"FORCE_COLOR": ""}])
@pytest.mark.parametrize("terminal", [{}, {"TERM": "dumb"}, {"TERM": "xterm-256color"}, {"TTY_COMPATIBLE": "1"}, {"TTY_COMPATIBLE": "0"}])
def test_colors_are_where_rich_has_them(colors: dict[str, str], terminal: dict[str, str]) -> None:
    environ = {**colors, **terminal}
    console = Console(_environ=environ)
    assert is_painted(environ) == (console.color_system is not None and not console.no_color)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body, status, packed = b"", 200, False

    def address_string(self) -> str:
        return "here"

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self.send_response(self.status)
        if self.packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(self.body), 1000):
            part = self.body[start : start + 1000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Whoever hangs up early is no error."""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubectl]:
    """A Kubectl whose proxy is `_Handler`."""
    server = _Server(str(tmp_path / "s"), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()

    def start(self: Kubectl) -> None:
        self._socket = tmp_path / "s"

    monkeypatch.setattr(Kubectl, "_start", start)
    monkeypatch.setattr("shutil.which", lambda _: "kubectl")
    with Kubectl(()) as started:
        yield started
    server.shutdown()
    server.server_close()


def test_pages_follow_one_another_on_a_connection(api: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"items": [{"n": n, "text": "x" * 100} for n in range(500)], "metadata": {"continue": "more"}}
    data = json.dumps(listed).encode()
    pack = zlib.compressobj(wbits=31)
    for body, packed in ((data, False), (pack.compress(data) + pack.flush(), True)):
        monkeypatch.setattr(_Handler, "body", body)
        monkeypatch.setattr(_Handler, "packed", packed)
        assert list(api.page("/x", {"limit": "1"})) == listed["items"]
    monkeypatch.setattr(_Handler, "packed", False)
    monkeypatch.setattr(_Handler, "body", data)
    assert api.request("GET", "/x") == listed


def test_whoever_stops_early_can_ask_for_something_else(api: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"items": [{"n": n, "text": "x" * 1000} for n in range(20_000)], "metadata": {}}
    monkeypatch.setattr(_Handler, "body", json.dumps(listed).encode())
    reading = api.page("/x", {})
    assert next(reading)["n"] == 0
    reading.close()
    monkeypatch.setattr(_Handler, "body", b'{"kind":"Status"}')
    assert api.request("GET", "/y") == {"kind": "Status"}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (403, b'{"kind":"Status","reason":"Forbidden","message":"no"}', ApiError, "HTTP 403"),
        (502, b"dial tcp: refused", Failed, "cannot be reached: dial tcp: refused"),
        (200, b"<html>Sign in</html>", Failed, "What answered is not the API server"),
        (200, b'{"items":[{"a":1},', Failed, "What answered is not the API server"),
        (200, b'{"items":["\xff"]}', Failed, "What answered is not the API server"),
    ],
)
def test_what_is_no_page_is_a_sentence(
    api: Kubectl, monkeypatch: pytest.MonkeyPatch, *, status: int, body: bytes, error: type[Exception], said: str
) -> None:
    monkeypatch.setattr(_Handler, "status", status)
    monkeypatch.setattr(_Handler, "body", body)
    with pytest.raises(error, match=said):
        list(api.page("/x", {}))
