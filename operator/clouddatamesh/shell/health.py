"""A small HTTP server for probes and metrics. Liveness asks whether work goes on, readiness whether everything needed is there."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_log = logging.getLogger(__name__)
_LONGEST: Final = 600.0
"""Seconds that one reconciliation may take, or due keys may find no worker, before the process counts as stuck."""
_UNLISTED: Final = 3600.0
"""Seconds in which no kind could be listed; an API server that is away for less is no reason to end."""


@dataclass(frozen=True)
class Checks:
    """What the probes ask; each returns the sentences that speak against being alive or ready."""

    alive: Callable[[], tuple[str, ...]]
    ready: Callable[[], tuple[str, ...]]
    metrics: Callable[[], bytes]


class _Server(ThreadingHTTPServer):
    """Listens on IPv6 and IPv4 at once, since a cluster has the one, the other or both; on IPv4 alone where the kernel has no IPv6."""

    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class HealthServer:
    """Serves /healthz, /readyz and /metrics on one port, from a thread of its own."""

    def __init__(self, port: int, checks: Checks) -> None:
        self._server = _Server(("", port), _handler(checks))
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(checks: Checks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds in which a caller must have said what it wants

        def do_GET(self) -> None:
            code, body = answer(self.path, checks)
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # whoever asked did not wait
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
            _log.debug(format, *args)

    return Handler


def answer(path: str, checks: Checks) -> tuple[int, bytes]:
    """HTTP status and body for a path."""
    if path == "/metrics":
        return 200, checks.metrics()
    asked = {"/healthz": checks.alive, "/readyz": checks.ready}.get(path)
    if asked is None:
        return 404, b"not found\n"
    against = asked()
    return (503, ("\n".join(against) + "\n").encode()) if against else (200, b"ok\n")


@dataclass(frozen=True)
class Pulse:
    """What liveness is judged by; times in seconds."""

    longest: float = 0.0
    """Of the longest running reconciliation."""
    stalled: float = 0.0
    """For which due keys could have been given to a worker and none was."""
    unlisted: float = 0.0
    """Since any kind was last listed."""
    ended: tuple[str, ...] = ()
    """Parts whose thread has ended."""


def find_stuck(pulse: Pulse) -> tuple[str, ...]:
    """What speaks against the process being alive."""
    found = [f"the {part} has ended" for part in pulse.ended]
    if pulse.longest > _LONGEST:
        found.append(f"a reconciliation has run for {pulse.longest:.0f} s")
    if pulse.stalled > _LONGEST:
        found.append(f"due keys have found no worker for {pulse.stalled:.0f} s")
    if pulse.unlisted > _UNLISTED:
        found.append(f"no list has succeeded for {pulse.unlisted:.0f} s")
    return tuple(found)
