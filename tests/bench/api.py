"""Plain requests to the API server and plain calls to a store: what a figure is held against, and how the bench itself acts."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import urllib3

from hack.tools.controlplane import ControlPlane

PRODUCTS = "/apis/clouddatamesh.dev/v1alpha1/namespaces/sales/dataproducts"
THREADS = 16


class Raw:
    """A pool of connections to the API server, as an administrator; JSON in and out."""

    def __init__(self, cluster: ControlPlane) -> None:
        config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
        self._server = config["clusters"][0]["cluster"]["server"]
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self._pool = urllib3.PoolManager(maxsize=THREADS * 2, ca_certs=str(cluster.endpoint.ca))

    def send(self, method: str, path: str, body: Any = None, *, content: str = "application/json") -> dict[str, Any]:
        """One request; raises RuntimeError with the answer where it is refused."""
        data = json.dumps(body).encode() if body is not None else None
        answer = self._pool.request(
            method, self._server + path, body=data, headers={**self._headers, "Content-Type": content}, retries=False
        )
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data.decode()[:300]}")
        return dict(json.loads(answer.data))

    def events(self, path: str, stop: threading.Event) -> Iterator[dict[str, Any]]:
        """Watch a collection from now on."""
        version = self.send("GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
        url = f"{self._server}{path}?watch=1&resourceVersion={version}&timeoutSeconds=600"
        answer = self._pool.request("GET", url, headers=self._headers, preload_content=False, timeout=urllib3.Timeout(5, 5), retries=False)
        buffer = b""
        for chunk in answer.stream(65536):
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                yield dict(json.loads(line))
            if stop.is_set():
                answer.release_conn()
                return


class ReadyWatch:
    """Notes when each product became Ready, as a user's watch sees it."""

    def __init__(self, raw: Raw) -> None:
        self.seen: dict[str, float] = {}
        self._stop, self._changed = threading.Event(), threading.Condition()
        self._thread = threading.Thread(target=self._follow, args=(raw,), daemon=True)
        self._thread.start()
        time.sleep(0.5)  # until the watch stands

    def wait(self, names: list[str], *, seconds: float) -> dict[str, float]:
        """The moments at which these products were Ready; raises TimeoutError."""
        end = time.monotonic() + seconds
        with self._changed:
            while not all(name in self.seen for name in names):
                if not self._changed.wait(max(end - time.monotonic(), 0.01)) and time.monotonic() > end:
                    raise TimeoutError(f"{sum(name in self.seen for name in names)} of {len(names)} products are Ready")
        return {name: self.seen[name] for name in names}

    def _follow(self, raw: Raw) -> None:
        """A watch that ended begins anew with a list, so that nothing is missed, only seen later."""
        while not self._stop.is_set():
            with suppress(urllib3.exceptions.HTTPError, OSError, KeyError, RuntimeError):
                for item in raw.send("GET", PRODUCTS)["items"]:
                    self._note(item)
                for event in raw.events(PRODUCTS, self._stop):
                    self._note(event["object"])

    def _note(self, product: dict[str, Any]) -> None:
        conditions = product.get("status", {}).get("conditions", ())
        if any(found["type"] == "Ready" and found["status"] == "True" for found in conditions):
            with self._changed:
                self.seen.setdefault(product["metadata"]["name"], time.monotonic())
                self._changed.notify_all()


def in_parallel(act: Callable[[str], object], names: list[str]) -> float:
    """Seconds that an act takes for all names on THREADS threads."""
    started = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(act, names))
    return time.monotonic() - started


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def memory_of(pid: int) -> float:
    """Resident memory of a process in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
