"""A container's probes, asked on 127.0.0.1 as a kubelet asks them; an eager one four times a second until it says yes."""

import http.client
import socket
from collections.abc import Mapping
from typing import Any

HURRY = 0.25


class Probe:
    """One httpGet or tcpSocket probe and what it has said so far."""

    def __init__(self, spec: Mapping[str, Any], ports: Mapping[str, int], *, eager: bool = False) -> None:
        self._spec = spec
        self._eager = eager
        self._ports = ports
        self._due = 0.0
        self._failures = 0
        self.ok = False

    @property
    def has_failed(self) -> bool:
        """Whether failureThreshold is reached."""
        return self._failures >= int(self._spec.get("failureThreshold", 3))

    def poll(self, now: float) -> None:
        """Ask, where it is time to."""
        if self._due == 0.0:
            self._due = now + float(self._spec.get("initialDelaySeconds", 0))
        if now < self._due:
            return
        said_yes = self._ask()
        self._failures = 0 if said_yes else self._failures + 1
        self.ok = said_yes or (self.ok and not self.has_failed)
        period = float(self._spec.get("periodSeconds", 10))
        self._due = now + (min(period, HURRY) if self._eager and not self.ok else period)

    def _ask(self) -> bool:
        timeout = float(self._spec.get("timeoutSeconds", 1))
        try:
            if "httpGet" in self._spec:
                return self._ask_http(self._spec["httpGet"], timeout)
            port = self._port(self._spec["tcpSocket"]["port"])
            socket.create_connection(("127.0.0.1", port), timeout).close()
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _ask_http(self, target: Mapping[str, Any], timeout: float) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port(target["port"]), timeout=timeout)
        try:
            connection.request("GET", target.get("path", "/"))
            return 200 <= connection.getresponse().status < 400
        finally:
            connection.close()

    def _port(self, port: int | str) -> int:
        return self._ports[port] if isinstance(port, str) else port
