"""One store hangs: a proxy before the same store stops answering, and the neighbours of its product are timed with and without that."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hack.tools.store import Store
from tests.bench.api import PRODUCTS, Raw, ReadyWatch, in_parallel, percentile
from tests.support.installation import Installation
from tests.support.manifests import a_product, a_store

STUCK = "stuck"


class Proxy:
    """Passes TCP on to a store, until it is told to hang: then it accepts, reads, and never answers."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname or "127.0.0.1", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.hangs, self.held = threading.Event(), 0
        self._ended = threading.Event()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def close(self) -> None:
        """Let go of everything that is held, and accept nobody any more."""
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for source, sink, asks in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=(source, sink, asks), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(65536):
                if asks and self.hangs.is_set():
                    self.held += 1
                    self._ended.wait()
                    return
                sink.sendall(data)


class Hang:
    """A product on a store of its own, which can be made to hang, beside products on the main store."""

    def __init__(self, mesh: Installation, store: Store, raw: Raw, watch: ReadyWatch) -> None:
        self._mesh, self._store, self._raw, self._watch = mesh, store, raw, watch

    def measure(self, count: int) -> dict[str, Any]:
        """p99 from apply to Ready of products applied at once: without the hang, with it, and without it again."""
        proxy = Proxy(self._store.endpoint)
        with contextlib.closing(proxy):
            self._mesh.apply(a_store("proxied", endpointUrl=proxy.endpoint, region=self._store.region, bucketPrefix="proxied"))
            self._mesh.wait("objectstore", "proxied")
            self._mesh.apply(a_product(STUCK, storage={"storeRef": {"name": "proxied"}}))
            self._mesh.wait("dataproduct", STUCK, "sales")
            before = self._time([f"before-{n}" for n in range(count)])
            proxy.hangs.set()
            with self._nudged():
                hung = self._time([f"hung-{n}" for n in range(count)])
            proxy.hangs.clear()
            held = proxy.held
        after = self._time([f"after-{n}" for n in range(count)])
        plain = (before + after) / 2
        return {"count": count, "p99_s": [before, after], "p99_hanging_s": hung, "ratio": hung / plain, "requests_held": held}

    @contextlib.contextmanager
    def _nudged(self) -> Iterator[None]:
        """Ask for looks at the stuck product, again and again, and give the first time to hang."""
        ended = threading.Event()

        def nudge() -> None:
            while not ended.wait(0.5):
                self._raw.nudge(STUCK)

        thread = threading.Thread(target=nudge, daemon=True)
        thread.start()
        time.sleep(2)
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _time(self, names: list[str]) -> float:
        started: dict[str, float] = {}

        def create(name: str) -> None:
            started[name] = time.monotonic()
            self._raw.send("POST", PRODUCTS, a_product(name))

        in_parallel(create, names)
        ready = self._watch.wait(names, seconds=600)
        return percentile([ready[name] - started[name] for name in names], 0.99)
