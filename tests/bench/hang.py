"""One store hangs: a proxy before the same store stops answering, and the neighbours of its product are timed with and without that."""

import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from hack.tools.store import Store
from tests.bench.api import PRODUCTS, Raw, ReadyWatch, in_parallel, percentile
from tests.support.installation import Installation
from tests.support.manifests import a_product, a_store


class Proxy:
    """Passes TCP on to a store, until it is told to hang: then it accepts, reads, and never answers."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname or "127.0.0.1", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.hangs = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, holds: bool) -> None:
        with source, sink:
            while data := _receive(source):
                if holds and self.hangs.is_set():
                    time.sleep(60)
                    return
                try:
                    sink.sendall(data)
                except OSError:
                    return

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def measure_hang(mesh: Installation, store: Store, raw: Raw, watch: ReadyWatch, count: int) -> dict[str, Any]:
    """p99 from apply to Ready of products applied at once, without and with a neighbour's store that hangs."""
    proxy = Proxy(store.endpoint)
    try:
        mesh.apply(a_store("proxied", endpointUrl=proxy.endpoint, region=store.region, bucketPrefix="proxied"))
        mesh.wait("objectstore", "proxied")
        mesh.apply(a_product("stuck", storage={"storeRef": {"name": "proxied"}}))
        mesh.wait("dataproduct", "stuck", "sales")
        free = _time(raw, watch, [f"free-{n}" for n in range(count)])
        proxy.hangs.set()
        nudge = {"metadata": {"annotations": {"clouddatamesh.dev/reconcile-requested-at": "hang"}}}
        raw.send("PATCH", f"{PRODUCTS}/stuck", nudge, content="application/merge-patch+json")
        hung = _time(raw, watch, [f"hung-{n}" for n in range(count)])
        proxy.hangs.clear()
        mesh.cluster.kubectl("delete", "dataproduct", "stuck", "-n", "sales", "--timeout=90s")
        mesh.cluster.kubectl("delete", "objectstore", "proxied", "--timeout=90s")
    finally:
        proxy.close()
    return {"count": count, "p99_seconds": free, "p99_seconds_while_hanging": hung, "ratio": hung / free}


def _time(raw: Raw, watch: ReadyWatch, names: list[str]) -> float:
    started: dict[str, float] = {}

    def create(name: str) -> None:
        started[name] = time.monotonic()
        raw.send("POST", PRODUCTS, a_product(name))

    in_parallel(create, names)
    ready = watch.wait(names, seconds=600)
    return percentile([ready[name] - started[name] for name in names], 0.99)
