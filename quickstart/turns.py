"""Requests in turns: moto walks over its own state without a lock, so two at once now and then end in HTTP 500."""

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


class InTurn:
    """A WSGI application that answers one request at a time. Bodies are read before, so that a slow client keeps nobody waiting."""

    def __init__(self, application: Application) -> None:
        self._application, self._turn = application, threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        environ["wsgi.input"] = io.BytesIO(_read(environ))
        with self._turn:
            return self._application(environ, start)


def _read(environ: dict[str, Any]) -> bytes:
    """The whole body; werkzeug marks a chunked one, which has no length, as one that ends by itself."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        return bytes(environ["wsgi.input"].read(int(length)))
    return bytes(environ["wsgi.input"].read()) if environ.get("wsgi.input_terminated") else b""
