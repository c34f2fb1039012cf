"""Plain requests to the API server: how the bench acts, and what a figure is held against."""

import contextlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

from hack.tools.controlplane import ControlPlane

API = "/apis/clouddatamesh.dev/v1alpha1"
PRODUCTS = f"{API}/namespaces/sales/dataproducts"
MERGE = "application/merge-patch+json"
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
        headers = {**self._headers, "Content-Type": content}
        answer = self._pool.request(method, self._server + path, body=data, headers=headers, retries=False)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data.decode()[:300]}")
        return dict(json.loads(answer.data))

    def find(self, path: str) -> dict[str, Any] | None:
        """One object, None where it does not exist."""
        try:
            return self.send("GET", path)
        except RuntimeError as error:
            if ": 404 " not in str(error):
                raise
        return None

    def nudge(self, name: str) -> None:
        """Ask for a look at a product now."""
        token = {"clouddatamesh.dev/reconcile-requested-at": f"{time.time_ns()}"}
        self.send("PATCH", f"{PRODUCTS}/{name}", {"metadata": {"annotations": token}}, content=MERGE)

    def watch(self, path: str, version: str) -> Iterator[dict[str, Any]]:
        """Events since a version, until the server ends the watch."""
        url = f"{self._server}{path}?watch=1&resourceVersion={version}&timeoutSeconds=300"
        timeout = urllib3.Timeout(5, 310)
        answer = self._pool.request("GET", url, headers=self._headers, preload_content=False, timeout=timeout, retries=False)
        rest = b""
        with contextlib.closing(answer):
            for chunk in answer.stream(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from map(json.loads, filter(None, lines))


def is_ready(manifest: dict[str, Any]) -> bool:
    """Whether an object's condition Ready is True."""
    conditions = manifest.get("status", {}).get("conditions", ())
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


class ReadyWatch:
    """Notes when each object below a path first came into a state, as a user's watch sees it, for as long as the bench lasts."""

    def __init__(self, raw: Raw, path: str = PRODUCTS, **states: Callable[[dict[str, Any]], bool]) -> None:
        self._raw, self._path = raw, path
        self._states = states or {"ready": is_ready}
        self._seen: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._follow, name="ready-watch", daemon=True).start()

    def wait(self, names: list[str], *, seconds: float, state: str = "ready") -> dict[str, float]:
        """The moments at which these objects were Ready, or in another state; raises TimeoutError."""
        end = time.monotonic() + seconds
        with self._changed:
            while missing := sum((state, name) not in self._seen for name in names):
                self._changed.wait(max(end - time.monotonic(), 0.01))
                if time.monotonic() > end:
                    raise TimeoutError(f"{len(names) - missing} of {len(names)} in {self._path} are {state}")
            return {name: self._seen[state, name][0] for name in names}

    def found(self, name: str, *, state: str = "ready") -> dict[str, Any]:
        """An object as it was when it first came into a state that was waited for."""
        return self._seen[state, name][1]

    def _follow(self) -> None:
        """List and watch, and again whenever the server ends the watch."""
        while True:
            with contextlib.suppress(urllib3.exceptions.HTTPError, OSError, RuntimeError):
                listed = self._raw.send("GET", self._path)
                for manifest in listed["items"]:
                    self._note(manifest)
                for event in self._raw.watch(self._path, listed["metadata"]["resourceVersion"]):
                    self._note(event["object"])
            time.sleep(0.1)

    def _note(self, manifest: dict[str, Any]) -> None:
        for state, holds in self._states.items():
            if "name" in manifest.get("metadata", {}) and holds(manifest):
                with self._changed:
                    self._seen.setdefault((state, manifest["metadata"]["name"]), (time.monotonic(), manifest))
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
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


def memory_of(pid: int) -> float:
    """Resident memory of a process in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used since its start."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
