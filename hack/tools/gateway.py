"""A door to a local API server on another address. It can let every watch hang while everything else goes on, and tell a wrong time."""

import http.client
import json
import queue
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hack.tools.controlplane import ControlPlane

_OWN = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
"""Headers that are about one connection."""
_LONGEST = 600.0
"""Seconds for an answer, or for the next part of one."""


class Gateway:
    """`with Gateway(cluster, ("198.18.78.1", 443)) as gateway:` passes requests on; `hang` and `release` are for watches alone.

    It shows the API server's own certificate, so that whoever trusts that one trusts this.
    """

    def __init__(self, cluster: ControlPlane, address: tuple[str, int]) -> None:
        self._server = _Server(address, cluster)
        self._server.gate.set()
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def server(self) -> str:
        """Its URL."""
        host, port = self._server.server_address[:2]
        return f"https://{host!s}:{port}"

    def hang(self) -> None:
        """From now on watches bring nothing and new ones are not answered; their connections stay open."""
        self._server.gate.clear()

    def release(self) -> None:
        """Watches go on where they were."""
        self._server.gate.set()

    def shift(self, seconds: float) -> None:
        """From now on the API server's clock seems to be that much ahead; negative: behind."""
        self._server.shift = seconds

    def break_one(self) -> None:
        """One watch that hangs without an answer gets an error in its stream."""
        self._server.breaks.put(None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], cluster: ControlPlane) -> None:
        super().__init__(address, _Handler)
        self.gate = threading.Event()
        self.shift = 0.0
        self.breaks: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.upstream = urlsplit(cluster.endpoint.server).netloc
        self.trust = ssl.create_default_context(cafile=str(cluster.endpoint.ca))
        tls, shown = cluster.dir / "tls", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(tls / "apiserver.crt", tls / "apiserver.key")
        # The handshake is left to the thread of each connection.
        self.socket = shown.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPSConnection(self.server.upstream, context=self.server.trust, timeout=_LONGEST)

    def handle(self) -> None:
        with suppress(OSError, http.client.HTTPException):
            super().handle()

    def finish(self) -> None:
        self._upstream.close()
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        is_watch = "watch=true" in self.path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if is_watch and self._is_to_break():
            self._break()
            return
        self._upstream.request(self.command, self.path, body or None, _passed_on(self.headers.items()))
        answer = self._upstream.getresponse()
        self.send_response_only(answer.status)
        for name, value in _passed_on(answer.getheaders()).items():
            self.send_header(name, _shifted(value, self.server.shift) if name == "Date" else value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := answer.read1(65536):
            if is_watch:
                self.server.gate.wait()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        answer.close()  # else the next request on this connection is refused
        self.wfile.write(b"0\r\n\r\n")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's

    def _is_to_break(self) -> bool:
        """Wait until watches may pass, or until this one is to break."""
        while not self.server.gate.wait(0.1):
            with suppress(queue.Empty):
                self.server.breaks.get_nowait()
                return True
        return False

    def _break(self) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "etcdserver: no leader"}
        body = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
        pass


def _passed_on(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OWN}


def _shifted(date: str, seconds: float) -> str:
    return formatdate(parsedate_to_datetime(date).timestamp() + seconds, usegmt=True)
