"""A store's request log: passes every byte on to the store, and notes each request that went by, with the moment and what it asks."""

import contextlib
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

END = b"\r\n\r\n"


@dataclass(frozen=True)
class Asked:
    """One request: of IAM with its action and user, of S3 with its method and path."""

    at: datetime
    method: str
    target: str
    action: str = ""
    user: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something or tries to."""
        return not self.action.startswith(("Get", "List")) if self.action else self.method not in ("GET", "HEAD")


class Relay:
    """`with Relay(store.endpoint) as relay:` has an endpoint of its own at `host`, and in `asked` all that went through it."""

    def __init__(self, endpoint: str, *, host: str = "127.0.0.1") -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname or "127.0.0.1", target.port or 80)
        self._listener = socket.create_server((host, 0))
        self.endpoint = f"http://{host}:{self._listener.getsockname()[1]}"
        self.asked: list[Asked] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="relay", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        """One client whose store does not answer costs the others nothing."""
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pump, args=(client, server, _Reader(self.asked)), daemon=True).start()
        self._pump(server, client, None)

    def _pump(self, source: socket.socket, sink: socket.socket, reader: "_Reader | None") -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if reader:
                    reader.read(data)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class _Reader:
    """Cuts one connection's bytes into requests. A body has a Content-Length, as boto3 sends it."""

    def __init__(self, asked: list[Asked]) -> None:
        self._asked, self._rest = asked, b""

    def read(self, data: bytes) -> None:
        self._rest += data
        while END in self._rest:
            head, _, body = self._rest.partition(END)
            length = _length(head)
            if len(body) < length:
                return
            self._asked.append(_parse(head, body[:length]))
            self._rest = body[length:]


def _length(head: bytes) -> int:
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
    return next((int(value) for name, _, value in fields if name == b"content-length"), 0)


def _parse(head: bytes, body: bytes) -> Asked:
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    method, target = words[:2] if len(words) == 3 else ("?", "")  # no HTTP: a probe tries whether TLS is spoken here
    form = parse_qs(body.decode()) if b"application/x-www-form-urlencoded" in head else {}
    first = {name: values[0] for name, values in form.items()}
    return Asked(datetime.now(UTC), method, target, first.get("Action", ""), first.get("UserName", ""))
