"""`python -m tests.bench`: what the operator costs, each figure beside a ceiling or a count from the same run. It judges nothing."""

import argparse
import json
import os
import platform
import signal
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

from hack.tools.controlplane import ControlPlane
from hack.tools.s3_moto import Moto
from hack.tools.s3_rgw import Rgw
from hack.tools.store import Store
from tests.bench.api import PRODUCTS, Raw, ReadyWatch, in_parallel, memory_of, percentile
from tests.bench.hang import measure_hang
from tests.bench.replay import Replay
from tests.support.installation import NAMESPACE, ROOT, Installation, git_describe
from tests.support.manifests import a_domain, a_product, a_store

USER = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"


class Bench:
    """One installation on one store, and the figures taken on it in their order."""

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

    @property
    def pid(self) -> int:
        """The operator's process."""
        return self.mesh.kubelet.pods()[0].pid

    def create(self, name: str) -> None:
        self.raw.send("POST", PRODUCTS, a_product(name))

    def measure_latency(self, count: int) -> dict[str, Any]:
        """Apply to Ready of one product on an idle system, one after the other; the same calls by hand."""
        taken, by_hand = [], []
        for n in range(count):
            name = f"single-{n}"
            started = time.monotonic()
            self.create(name)
            taken.append((self.watch.wait([name], seconds=30)[name] - started) * 1000)
            self.raw.send("POST", PRODUCTS, a_product(f"hand-{n}", suspend=True))
            started = time.monotonic()
            self.replay.calls(f"hand-{n}")
            by_hand.append((time.monotonic() - started) * 1000)
        self.replay.clean([f"hand-{n}" for n in range(count)])
        figures = {"p50_ms": percentile(taken, 0.5), "p99_ms": percentile(taken, 0.99), "by_hand_p50_ms": percentile(by_hand, 0.5)}
        return {"count": count, **figures, "ratio_p50": figures["p50_ms"] / figures["by_hand_p50_ms"]}

    def measure_calls(self, count: int = 20) -> dict[str, Any]:
        """Requests per new product, and per drift check of a Ready one."""
        names = [f"counted-{n}" for n in range(count)]
        mark, before = self.mesh.cluster.audit.mark(), self.store.requests()
        for name in names:
            self.create(name)
            self.watch.wait([name], seconds=30)
        time.sleep(2)
        made = [request for request in self.mesh.cluster.audit.read(since=mark, user=USER) if request.resource != "domains"]
        store_calls = self.store.requests() - before
        before = self.store.requests()
        for name in names:
            self.raw.send("PATCH", f"{PRODUCTS}/{name}", _nudge(), content="application/merge-patch+json")
        time.sleep(4)
        return {
            "kubernetes_writes_per_product": sum(request.writes for request in made) / count,
            "kubernetes_reads_per_product": sum(not request.writes for request in made) / count,
            "store_calls_per_product": store_calls / count,
            "store_calls_per_drift_check": (self.store.requests() - before) / count,
        }

    def measure_burst(self, count: int) -> dict[str, Any]:
        """Many products applied at once, all Ready; the same calls by hand, equally parallel."""
        names = [f"burst-{n}" for n in range(count)]
        started = time.monotonic()
        in_parallel(self.create, names)
        seconds = max(self.watch.wait(names, seconds=1200).values()) - started
        replayed = [f"byhand-{n}" for n in range(count)]
        by_hand = in_parallel(self.replay.make, replayed)
        self.replay.clean(replayed)
        return {"count": count, "seconds": seconds, "per_second": count / seconds, "by_hand_seconds": by_hand, "ratio": seconds / by_hand}

    def measure_quiet(self, seconds: float) -> dict[str, Any]:
        """What an unchanged mesh costs."""
        time.sleep(5)
        mark, before = self.mesh.cluster.audit.mark(), self.store.requests()
        time.sleep(seconds)
        found = self.mesh.cluster.audit.read(since=mark, user=USER)
        reads = Counter(f"{request.verb} {request.resource}" for request in found if not request.writes)
        writes = sum(request.writes for request in found)
        return {"seconds": seconds, "kubernetes_writes": writes, "reads": dict(reads), "store_requests": self.store.requests() - before}

    def measure_restart(self) -> dict[str, Any]:
        """SIGKILL with everything Ready: writes afterwards, and seconds until the operator is ready and asks nothing more."""
        mark, pod = self.mesh.cluster.audit.mark(), self.mesh.kubelet.pods()[0]
        restarts, started = pod.restarts, time.monotonic()
        pod.kill(signal.SIGKILL)
        self.mesh.kubelet.wait("clouddatamesh", lambda p: p.restarts > restarts and p.is_ready, seconds=120)
        ready = time.monotonic() - started
        quiet = self._until_quiet(started)
        found = self.mesh.cluster.audit.read(since=mark, user=USER)
        return {"ready_seconds": ready, "quiet_seconds": quiet, "kubernetes_writes": sum(request.writes for request in found)}

    def _until_quiet(self, started: float) -> float:
        last, since = self.store.requests(), time.monotonic()
        while time.monotonic() - since < 2:
            time.sleep(0.25)
            if (now := self.store.requests()) > last + 4:
                since = time.monotonic()
            last = now
        return since - started


def _nudge() -> dict[str, Any]:
    return {"metadata": {"annotations": {"clouddatamesh.dev/reconcile-requested-at": str(time.time())}}}


def measure(kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """All figures on one kind of store."""
    with ExitStack() as stack:
        cluster = stack.enter_context(ControlPlane())
        store = stack.enter_context((Rgw if kind == "rgw" else Moto)())
        mesh = stack.enter_context(Installation(cluster, mesh="acme"))
        bench = Bench(mesh, store)
        figures: dict[str, Any] = {"memory_mb": {"empty": memory_of(bench.pid)}}
        figures["latency"] = show(f"{kind}: one product", bench.measure_latency(options.latencies))
        figures["calls"] = show(f"{kind}: calls", bench.measure_calls())
        figures["burst"] = show(f"{kind}: burst", bench.measure_burst(options.products))
        figures["memory_mb"]["full"] = memory_of(bench.pid)
        show(f"{kind}: memory", figures["memory_mb"])
        if kind == "rgw":
            figures["hang"] = show(f"{kind}: hanging store", measure_hang(bench.mesh, store, bench.raw, bench.watch, options.neighbours))
            figures["quiet"] = show(f"{kind}: quiet", bench.measure_quiet(options.quiet_seconds))
            figures["restart"] = show(f"{kind}: restart", bench.measure_restart())
        return figures


def show(title: str, figures: dict[str, Any]) -> dict[str, Any]:
    """One line of the table, as soon as it is known."""
    rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()}
    print(f"{title:24} " + "  ".join(f"{name}={value}" for name, value in rounded.items()), flush=True)  # noqa: T201
    return rounded


def main() -> None:
    """Measure, print, write build/bench.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--latencies", type=int, default=100)
    parser.add_argument("--neighbours", type=int, default=200)
    parser.add_argument("--quiet-seconds", type=float, default=180)
    parser.add_argument("--stores", default="rgw,moto")
    options = parser.parse_args()
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "commit": git_describe()}
    figures = {kind: measure(kind, options) for kind in options.stores.split(",")}
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "options": vars(options), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
