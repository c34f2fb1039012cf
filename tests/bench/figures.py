"""The figures, each beside a ceiling or a count that was taken in the same run."""

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hack.tools.audit import Request
from hack.tools.store import Store
from tests.bench.api import API, PRODUCTS, Raw, ReadyWatch, cpu_of, in_parallel, memory_of, percentile
from tests.bench.hang import Hang
from tests.bench.replay import Replay
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_domain, a_product, a_store

USER = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"
DEPLOYMENT = "clouddatamesh"
COUNTED = 20
DRIFT_SECONDS = 300
"""The chart's default. A drift check asks the API server for a Secret's metadata; four times that rate is not rest."""
_WAIT = 1800


class Bench:
    """One installation on one store, and the figures that can be taken on it."""

    def __init__(self, mesh: Installation, store: Store) -> None:
        self.mesh, self.store = mesh, store
        self.raw = Raw(mesh.cluster)
        mesh.give_credentials(store)
        mesh.apply(a_store(endpointUrl=store.endpoint, region=store.region), a_domain("sales"))
        mesh.wait("objectstore", "main")
        mesh.wait("domain", "sales")
        found = mesh.get("objectstore", "main")["status"]["capabilities"]
        self.replay = Replay(self.raw, store, frozenset(capability["name"] for capability in found if capability["supported"]))
        self.watch = ReadyWatch(self.raw)

    def create(self, name: str) -> None:
        """What a user does."""
        self.raw.send("POST", PRODUCTS, a_product(name))

    def memory(self) -> float:
        """Resident MB of the operator's process."""
        return memory_of(self.mesh.kubelet.pods()[0].pid)

    def cpu(self) -> float:
        """Seconds of CPU that the operator's process has used."""
        return cpu_of(self.mesh.kubelet.pods()[0].pid)

    def latency(self, count: int) -> dict[str, Any]:
        """Apply to Ready of one product on an idle system, one after the other; the same calls by hand."""
        taken = [self._time_one(f"single-{n}") for n in range(count)]
        with self.replayed([f"single-hand-{n}" for n in range(count)]) as names:
            by_hand = [milliseconds(lambda name=name: self.replay.make(name)) for name in names]  # type: ignore[misc]
        figures = {f"p{share}_ms": percentile(taken, share / 100) for share in (50, 99)}
        hand = {f"by_hand_p{share}_ms": percentile(by_hand, share / 100) for share in (50, 99)}
        return {"count": count, **figures, **hand, "ratio_p50": figures["p50_ms"] / hand["by_hand_p50_ms"]}

    def _time_one(self, name: str) -> float:
        started = time.monotonic()
        self.create(name)
        return (self.watch.wait([name], seconds=60)[name] - started) * 1000

    def burst(self, count: int) -> dict[str, Any]:
        """Many products applied at once, all Ready; the same calls by hand, equally parallel."""
        names = [f"burst-{n}" for n in range(count)]
        started = time.monotonic()
        in_parallel(self.create, names)
        applied = time.monotonic() - started
        seconds = max(self.watch.wait(names, seconds=_WAIT).values()) - started
        memory = self.memory()
        with self.replayed([f"burst-hand-{n}" for n in range(count)]) as hands:
            by_hand = in_parallel(self.replay.make, hands)
        rates = {"per_second": count / seconds, "by_hand_s": by_hand, "by_hand_per_second": count / by_hand, "ratio": seconds / by_hand}
        return {"count": count, "seconds": seconds, "applied_s": applied, **rates, "memory_mb": memory}

    def calls(self, count: int = COUNTED) -> dict[str, Any]:
        """Requests per new product, per drift check of a Ready one, and per product by hand."""
        names = [f"counted-{n}" for n in range(count)]
        made, stored = self.count(lambda: [self._time_one(name) for name in names])
        checked, looks = self.count(lambda: in_parallel(self.raw.nudge, names))
        with self.replayed([f"counted-hand-{n}" for n in range(count)]) as hands:
            before = self.store.requests()
            in_parallel(self.replay.make, hands)
            by_hand = self.store.requests() - before
        own = [request for request in made if request.resource not in ("domains", "objectstores")]
        return {
            "writes_per_product": writes_of(own) / count,
            "reads_per_product": sum(not request.writes and request.verb != "watch" for request in own) / count,
            "store_calls_per_product": stored / count,
            "store_calls_by_hand": by_hand / count,
            "store_calls_per_drift_check": looks / count,
            "reads_per_drift_check": sum(not request.writes and request.verb != "watch" for request in checked) / count,
            "other_writes": writes_of(made) - writes_of(own),
            "kubernetes": by_kind(made),
            "kubernetes_drift": by_kind(checked),
        }

    def count(self, act: Callable[[], object]) -> tuple[tuple[Request, ...], int]:
        """What the operator asks of API server and store because of an act, until it rests."""
        mark, before = self.mesh.cluster.audit.mark(), self.store.requests()
        act()
        self.rest()
        return self.mesh.cluster.audit.read(since=mark, user=USER), self.store.requests() - before

    def quiet(self, seconds: float) -> dict[str, Any]:
        """What an unchanged mesh costs."""
        self.rest()
        mark, before = self.mesh.cluster.audit.mark(), self.store.requests()
        time.sleep(seconds)
        found = self.mesh.cluster.audit.read(since=mark, user=USER)
        stored = self.store.requests() - before
        kinds = by_kind(found)
        per_minute = stored * 60 / seconds
        return {
            **self._count_scheduled(),
            "seconds": seconds,
            "writes": writes_of(found),
            "store_per_minute": per_minute,
            "kubernetes": kinds,
        }

    def restart(self) -> dict[str, Any]:
        """SIGKILL with everything Ready: what is written afterwards, and when the operator asks nothing more."""
        self.rest()
        mark, pod, before = self.mesh.cluster.audit.mark(), self.mesh.kubelet.pods()[0], self.store.requests()
        restarts, started = pod.restarts, time.monotonic()
        pod.kill(signal.SIGKILL)
        self.mesh.kubelet.wait(DEPLOYMENT, lambda p: p.restarts > restarts and p.is_ready, seconds=120)
        ready = time.monotonic() - started
        quiet = self.rest() - started
        found = self.mesh.cluster.audit.read(since=mark, user=USER)
        counts = {"writes": writes_of(found), "store_requests": self.store.requests() - before, "kubernetes": by_kind(found)}
        return {**self._count_scheduled(), "ready_s": ready, "quiet_s": quiet, "memory_mb": self.memory(), **counts}

    def hang(self, count: int) -> dict[str, Any]:
        """A neighbour's store hangs."""
        return Hang(self.mesh, self.store, self.raw, self.watch).measure(count)

    def rest(self, *, still: float = 2.0, most: float = 120.0) -> float:
        """Wait until the operator asks for no more than its drift schedule does; the moment at which that began.

        Beyond a few dozen products the schedule never pauses for two seconds, so that no request at all would wait for ever.
        """
        allowed = 4 * sum(self._count_scheduled().values()) * still / DRIFT_SECONDS
        since, end = time.monotonic(), time.monotonic() + most
        while self._asked_within(still) > allowed:
            since = time.monotonic()
            if since > end:
                raise TimeoutError(f"the operator does not rest within {most} s")
        return since

    def _asked_within(self, seconds: float) -> int:
        """Without watches, and without the patrol, which asks for every Secret each half minute."""
        mark = self.mesh.cluster.audit.mark()
        time.sleep(seconds)
        found = self.mesh.cluster.audit.read(since=mark, user=USER)
        return sum(request.verb != "watch" and (request.verb, request.resource) != ("get", "secrets") for request in found)

    def _count_scheduled(self) -> dict[str, int]:
        """How many objects the drift schedule looks at."""
        requests = self.raw.send("GET", f"{API}/accessrequests")["items"]
        standing = sum("principal" in request.get("status", {}) for request in requests)
        return {"products": len(self.raw.send("GET", f"{API}/dataproducts")["items"]), **({"requests": standing} if standing else {})}

    @contextlib.contextmanager
    def replayed(self, names: list[str], forget: Callable[[str], object] | None = None) -> Iterator[list[str]]:
        """Around calls by hand: the operator is away meanwhile, for it would reconcile what they make; then they are forgotten."""
        self.mesh.cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=0")
        self.mesh.until(lambda: not self.mesh.kubelet.runs(), seconds=60, what="the operator is away")
        yield names
        in_parallel(forget or self.replay.forget, names)
        self.mesh.cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=1")
        self.mesh.kubelet.wait(DEPLOYMENT, lambda pod: pod.is_ready, seconds=120)
        self.rest()


def milliseconds(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return (time.monotonic() - started) * 1000


def writes_of(requests: Iterable[Request]) -> int:
    return sum(request.writes for request in requests)


def by_kind(requests: Iterable[Request]) -> dict[str, int]:
    """`patch dataproducts/status` -> how often."""
    named = (f"{r.verb} {r.resource}{'/' * bool(r.subresource)}{r.subresource}" for r in requests)
    return dict(Counter(named).most_common())
