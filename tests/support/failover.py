"""Two replicas and a mesh under churn: which of them writes, and how long nobody does when the leader ends, dies or stands still."""

import base64
import contextlib
import json
import random
import signal
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from urllib3.exceptions import HTTPError

from hack.tools.audit import Request
from tests.bench.api import API, PRODUCTS, Raw, is_ready
from tests.support import pod as pods
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_product
from tests.support.pod import Pod

SALES: Final = f"{API}/namespaces/sales"
DEPLOYMENT: Final = "clouddatamesh"
LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/clouddatamesh"
OPERATOR: Final = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"
NUDGES, REALS = 0.1, 0.7
"""Seconds between two looks that are asked for, and between two products that are made and deleted."""
_REST: Final = 8.0
"""Seconds before a frozen leader continues, in which nothing is asked for any more."""
_BATCH: Final = 100
_REQUESTS: Final = 6
"""So many a new leader sends one after the other before its first write: it takes the Lease and lists."""
_REFUSED: Final = (RuntimeError, HTTPError)
"""What a request meets at an API server that is too busy: the next one follows."""
_KEPT: Final = 8
"""Products with storage that are there at a time under churn."""


@dataclass(frozen=True)
class Frozen:
    """A leader that stands still, and the seconds until the other one wrote."""

    former: Pod
    seconds: float


class Churn:
    """Looks at products without storage, and products with storage made and deleted, until the end of `with`."""

    def __init__(self, raw: Raw, names: Sequence[str]) -> None:
        self._raw, self._names = raw, names
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=act, daemon=True) for act in (self._nudge, self._make)]
        self.kept: list[str] = []

    def __enter__(self) -> "Churn":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _nudge(self) -> None:
        lots = random.Random(1)  # noqa: S311 - no secret
        while not self._ending.wait(NUDGES):
            with contextlib.suppress(*_REFUSED):
                self._raw.nudge(lots.choice(self._names))

    def _make(self) -> None:
        number = 0
        while not self._ending.wait(REALS):
            number += 1
            with contextlib.suppress(*_REFUSED):
                self._replace(f"real-{time.time_ns():x}-{number}")

    def _replace(self, name: str) -> None:
        """One product more, and one less where there are enough."""
        self._raw.send("POST", PRODUCTS, a_product(name, storage={"deletionPolicy": "Delete"}))
        self.kept.append(name)
        if len(self.kept) > _KEPT:
            self._raw.send("DELETE", f"{PRODUCTS}/{self.kept.pop(0)}")


class Failover:
    """An installation with two replicas and a domain `sales` of which the operator knows so many `products` that need no store."""

    def __init__(self, mesh: Installation, products: int) -> None:
        self.mesh, self.raw = mesh, Raw(mesh.cluster)
        self.names = [f"quiet-{number:04}" for number in range(products)]
        self.hand_overs = 0
        self.delay = 0.0
        """Seconds that a busy machine adds to the last hand-over: for each request of a new leader the slowest one of a plain client."""

    def prepare(self) -> None:
        """Two replicas whose caches are full, and products that are all Ready: the operator makes one, the others are copies in etcd."""
        first, *others = self.names
        self.mesh.cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=2")
        self.raw.send("POST", PRODUCTS, proposed(first))
        self.mesh.until(lambda: self.not_ready() == 0, seconds=90, what="the first product")
        self.mesh.until(lambda: self.raw.find(f"{SALES}/accessinboxes/{first}"), seconds=60, what="its inbox")
        self.mesh.rests()
        made = {plural: self.raw.send("GET", f"{SALES}/{plural}/{first}") for plural in ("dataproducts", "accessinboxes")}
        uid = made["dataproducts"]["metadata"]["uid"]
        for plural, manifest in made.items():
            del manifest["metadata"]["resourceVersion"]
            text = json.dumps(manifest)
            own = manifest["metadata"]["uid"]
            copies = [(name, text.replace(uid, uid_of(name)).replace(own, uid_of(name, plural)).replace(first, name)) for name in others]
            self._write(plural, copies)
        self.mesh.until(lambda: [pod.is_ready for pod in self.pods()] == [True, True], seconds=180, what="two replicas")
        self.mesh.until(self._rest, seconds=240, what="an operator that has seen all of them")

    def _write(self, plural: str, objects: Sequence[tuple[str, str]]) -> None:
        """Put objects where the API server keeps them, as a restored backup does."""
        places = ((f"/registry/clouddatamesh.dev/{plural}/sales/{name}", text) for name, text in objects)
        puts = [{"requestPut": {"key": _encoded(place), "value": _encoded(text)}} for place, text in places]
        for batch in range(0, len(puts), _BATCH):
            body = json.dumps({"success": puts[batch : batch + _BATCH]}).encode()
            urllib.request.urlopen(f"{self.mesh.cluster.etcd}/v3/kv/txn", data=body, timeout=30).close()  # noqa: S310 - always http

    def _rest(self) -> bool:
        """Whether nothing is written for two seconds, and all products are there."""
        mark = self.mesh.cluster.audit.mark()
        time.sleep(2)
        return not self.writes(since=mark) and len(self.raw.send("GET", PRODUCTS)["items"]) >= len(self.names)

    def not_ready(self) -> int:
        """How many products are not Ready, or are being deleted and still there."""
        found = self.raw.send("GET", PRODUCTS)["items"]
        return sum(not is_ready(one) or "deletionTimestamp" in one["metadata"] for one in found)

    def pods(self) -> tuple[Pod, ...]:
        return self.mesh.kubelet.pods(DEPLOYMENT)

    def leader(self) -> Pod:
        """The Pod that the Lease names."""
        holder = self.raw.send("GET", LEASE)["spec"]["holderIdentity"]
        (found,) = (pod for pod in self.pods() if pod.name == holder)
        return found

    def hand_over(self, number: signal.Signals, *, most: float = 60.0) -> float:
        """Send the leader a signal under churn; seconds until the next write of the other one. Both are there again afterwards."""
        self.hand_overs += 1
        with held_back():
            with Churn(self.raw, self.names):
                former, mark, began = self._begin()
                restarts = former.restarts
                former.kill(number)
                took = self._wait_for_other(former, mark, began, most)
            # It ends after it has given its Lease back, and is not to be taken for the one that is started after it.
            self.mesh.until(lambda: former.restarts > restarts, seconds=60, what="the end of the former leader")
        former.start_now()
        self.mesh.until(lambda: bool(former.pid) and former.is_ready, seconds=120, what="the former leader as a standby")
        return took

    def freeze(self, *, seconds: float) -> Frozen:
        """SIGSTOP of the leader under churn, until those seconds are over and the new leader has nothing more to do."""
        with contextlib.ExitStack() as stack:
            with Churn(self.raw, self.names):
                former, mark, began = self._begin()
                former.kill(signal.SIGSTOP)
                stack.callback(former.kill, signal.SIGCONT)  # should anything fail from here on
                stopped = time.monotonic()
                took = self._wait_for_other(former, mark, began, 60.0)
                time.sleep(max(stopped + seconds - _REST - time.monotonic(), 0.0))
            self.mesh.until(lambda: self.not_ready() == 0, seconds=30, what="a new leader that rests")
            time.sleep(max(stopped + seconds - time.monotonic(), 2.0))
            stack.pop_all()
        return Frozen(former, took)

    def thaw(self, frozen: Frozen, *, seconds: float = 6.0) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
        """SIGCONT; what the former leader wrote in the seconds after, and what the new one did."""
        mark = self.mesh.cluster.audit.mark()
        frozen.former.kill(signal.SIGCONT)
        time.sleep(seconds)
        found = self.writes(since=mark)
        late = tuple(one for one in found if frozen.former.name in one.agent)
        return late, tuple(one for one in found if one not in late)

    def _begin(self) -> tuple[Pod, int, datetime]:
        """Churn goes on for a moment; then the leader, and from where on the audit log is read."""
        time.sleep(2)
        return self.leader(), self.mesh.cluster.audit.mark(), datetime.now(UTC)

    def writes(self, *, since: int) -> tuple[Request, ...]:
        """What the replicas wrote, but the Lease."""
        return tuple(found for found in self.mesh.cluster.audit.read(since=since, user=OPERATOR) if found.writes)

    def _wait_for_other(self, former: Pod, mark: int, began: datetime, most: float) -> float:
        found: list[float] = []
        self.delay = 0.0

        def is_there() -> bool:
            asked = time.monotonic()
            self.raw.send("GET", LEASE)
            self.delay = max(self.delay, _REQUESTS * (time.monotonic() - asked))
            found.extend((one.at - began).total_seconds() for one in self.writes(since=mark) if former.name not in one.agent)
            return bool(found)

        self.mesh.until(is_there, seconds=most, what="a write of the other replica")
        return min(found)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """The stand-in for the kubelet starts nothing again for half a minute, as if the node were gone."""
    kept, pods.BACKOFF_FIRST = pods.BACKOFF_FIRST, 30.0
    try:
        yield
    finally:
        pods.BACKOFF_FIRST = kept


def proposed(name: str) -> dict[str, Any]:
    """A product that is validated, and asks nothing of a store."""
    return a_product(name, lifecycle="proposed")


def uid_of(name: str, plural: str = "dataproducts") -> str:
    """A uid that is always the same for a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{plural}/{name}"))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
