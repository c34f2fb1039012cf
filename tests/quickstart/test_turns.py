"""Requests in turns: never two in moto at once, and none waits for a client that sends slowly."""

import io
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from quickstart.turns import InTurn


class Store:
    """An application that notices company, and echoes."""

    def __init__(self) -> None:
        self.inside = self.most = 0

    def __call__(self, environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        self.inside -= 1
        return [environ["wsgi.input"].read()]


class Slow(io.BytesIO):
    """A body that comes when it is allowed to."""

    def __init__(self, body: bytes, go: threading.Event) -> None:
        super().__init__(body)
        self._go = go

    def read(self, size: int | None = -1, /) -> bytes:
        assert self._go.wait(10)
        return super().read(size)


def ask(store: InTurn, body: io.BytesIO, **environ: object) -> bytes:
    return b"".join(store({"wsgi.input": body, **environ}, lambda *_: None))


def test_one_request_at_a_time_whatever_the_form_of_its_body() -> None:
    store, forms = (
        Store(),
        [({"CONTENT_LENGTH": "3"}, b"abc"), ({"wsgi.input_terminated": True}, b"abcdef"), ({}, b""), ({"CONTENT_LENGTH": ""}, b"")],
    )
    door = InTurn(store)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda form: ask(door, io.BytesIO(b"abcdef"), **form[0]), forms * 8))
    assert found == [body for _, body in forms] * 8
    assert store.most == 1


def test_a_slow_client_keeps_nobody_waiting() -> None:
    door, go = InTurn(Store()), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, door, Slow(b"late", go), CONTENT_LENGTH="4")
        assert ask(door, io.BytesIO(b"soon"), CONTENT_LENGTH="4") == b"soon"
        go.set()
        assert slow.result(10) == b"late"
