"""A door to the API server behind which it fails as real ones do: it refuses, throttles, hangs, is gone, and its watches break.

Only the operator goes through it; whoever judges asks the API server itself. It notes each request, so that Retry-After can be judged.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from hack.tools.controlplane import ControlPlane

_OWN: Final = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
"""Headers that are about one connection."""
_CROSSED: Final = 2.0
"""Seconds in which a request may have been on its way while the answer to another one was: where all watches are opened again at once, on a
machine that is busy, the door takes a second to hear them."""
_REASONS: Final = {410: "Expired", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}


@dataclass
class Asked:
    """One request, when it was begun, and what it was told."""

    method: str
    path: str
    at: float
    status: int = 0
    answered: float = 0.0
    retry_after: float = 0.0

    @property
    def is_watch(self) -> bool:
        return "watch=true" in self.path

    @property
    def is_lease(self) -> bool:
        """Leading has a client of its own, which is throttled by itself."""
        return "/leases/clouddatamesh" in self.path


@dataclass(eq=False)
class Fault:
    """What becomes of requests: an error with this status, or, without one, no answer until it is lifted."""

    is_about: Callable[[Asked], bool] = lambda _: True
    status: int = 0
    retry_after: str = ""


class _Stream:
    """An open watch."""

    def __init__(self, path: str, handler: "_Handler") -> None:
        self.plural = urlsplit(path).path.rpartition("/")[2]
        self._handler, self._lock = handler, threading.Lock()
        self.is_silent = False

    def pass_on(self, chunk: bytes) -> None:
        with self._lock:
            if not self.is_silent:
                self._handler.write_chunk(chunk)

    def end_with(self, code: int) -> None:
        """An ERROR within the stream, and its end."""
        with self._lock, contextlib.suppress(OSError):
            self._handler.write_chunk(json.dumps({"type": "ERROR", "object": _status(code)}).encode() + b"\n")
            self._handler.write_chunk(b"")
        self.cut()

    def cut(self) -> None:
        """In the middle, as by a load balancer."""
        with contextlib.suppress(OSError):
            self._handler.connection.shutdown(socket.SHUT_RDWR)


class ApiDoor:
    """`with ApiDoor(cluster) as door:` has a `server`; `with door.fault(status=503):`, `with door.gone():`, `door.silence("domains")`."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), cluster, self)
        self.server = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._faults: list[Fault] = []
        self._lifted = threading.Condition()
        self.streams: set[_Stream] = set()
        self.is_gone = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="api-door", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

    @contextlib.contextmanager
    def fault(self, is_about: Callable[[Asked], bool] = lambda _: True, *, status: int = 0, retry_after: str = "") -> Iterator[None]:
        """New requests fail, watches that are open go on."""
        fault = Fault(is_about, status, retry_after)
        with self._lifted:
            self._faults.append(fault)
        try:
            yield
        finally:
            with self._lifted:
                self._faults.remove(fault)
                self._lifted.notify_all()

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Every connection ends, and no other is made."""
        self.is_gone = True
        self._server.hang_up()
        try:
            yield
        finally:
            self.is_gone = False

    def silence(self, plural: str) -> None:
        """What watches of a kind are open bring nothing any more, and do not end; those that are opened later work."""
        for stream in tuple(self.streams):
            stream.is_silent = stream.is_silent or stream.plural == plural

    def has_watch(self, plural: str) -> bool:
        """Whether one is open that brings what there is."""
        return any(stream.plural == plural and not stream.is_silent for stream in tuple(self.streams))

    def cut(self, *, but: str = "") -> None:
        """Every watch that is open ends, but those of one kind."""
        for stream in tuple(self.streams):
            if stream.plural != but:
                stream.cut()

    def end_with(self, code: int) -> None:
        """Every watch that is open ends with an error in its stream."""
        for stream in tuple(self.streams):
            stream.end_with(code)

    def undercuts(self) -> list[str]:
        """Requests that were sent earlier than an answer asked for, each with that answer."""
        told = [asked for asked in self.asked if asked.retry_after]
        return [
            f"{early.path}, {early.at - first.answered:.2f} s after {first.path} was told to wait for {first.retry_after:.0f} s"
            for first in told
            for early in self.asked
            if early.is_lease == first.is_lease and _CROSSED < early.at - first.answered < first.retry_after
        ]

    def judge(self, asked: Asked) -> Fault | None:
        """The fault that meets a request; where that is to hang, it is waited for its end here."""
        with self._lifted:
            self.asked.append(asked)
            while (fault := next((fault for fault in self._faults if fault.is_about(asked)), None)) and not fault.status:
                self._lifted.wait()
        return fault


def _status(code: int) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": _REASONS[code],
        "message": "by a rule of the test",
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """Of more connections at once than the usual five, the kernel lets those that come after wait for a second or three."""

    def __init__(self, address: tuple[str, int], cluster: ControlPlane, door: ApiDoor) -> None:
        super().__init__(address, _Handler)
        self.door = door
        self.upstream = urlsplit(cluster.endpoint.server).netloc
        self.trust = ssl.create_default_context(cafile=str(cluster.endpoint.ca))
        tls, shown = cluster.dir / "tls", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(tls / "apiserver.crt", tls / "apiserver.key")
        self._open: set[Any] = set()
        # The handshake is left to the thread of each connection.
        self.socket = shown.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver's
        return not self.door.is_gone

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for request in tuple(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._began = time.monotonic()
        self._upstream = http.client.HTTPSConnection(self.server.upstream, context=self.server.trust, timeout=600)

    def finish(self) -> None:
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # Who connects has decided to ask before that, and shaking hands takes its time.
        asked = Asked(self.command, self.path, self._began or time.monotonic())
        self._began = 0.0
        fault = self.server.door.judge(asked)
        if fault is not None:
            self._refuse(asked, fault)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        self._upstream.request(self.command, self.path, body or None, headers)
        answer = self._upstream.getresponse()
        asked.status = answer.status
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._pass_on(answer, asked)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's

    def _pass_on(self, answer: http.client.HTTPResponse, asked: Asked) -> None:
        stream = _Stream(asked.path, self)
        if asked.is_watch:
            self.server.door.streams.add(stream)
        try:
            while chunk := answer.read1(65536):
                stream.pass_on(chunk)
            answer.close()  # else the next request on this connection is refused
            stream.pass_on(b"")
        finally:
            self.server.door.streams.discard(stream)

    def write_chunk(self, chunk: bytes) -> None:
        """A chunk without content is the end."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def _refuse(self, asked: Asked, fault: Fault) -> None:
        body = json.dumps(_status(fault.status)).encode()
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if fault.retry_after:
            self.send_header("Retry-After", fault.retry_after)
        # Noted before the client can have it: whoever counts from then counts no less than was waited.
        asked.status, asked.answered, asked.retry_after = fault.status, time.monotonic(), float(fault.retry_after or 0)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
        pass
