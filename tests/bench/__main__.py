"""`python -m tests.bench`: what the operator costs, each figure beside a ceiling or a count from the same run. It judges nothing."""

import argparse
import json
import os
import platform
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hack.tools.controlplane import ControlPlane
from hack.tools.s3_moto import Moto
from hack.tools.s3_rgw import Rgw
from tests.bench import known, policies, scrape, takeover, terminal
from tests.bench.access import Access
from tests.bench.figures import Bench
from tests.support.installation import ROOT, Installation, git_describe

FIGURES = (
    *("memory", "latency", "calls", "burst", "quiet", "restart", "access-latency", "access-burst", "hang"),
    *("failover", "known", "scrape", "terminal", "policies"),
)
ON_MOTO = ("latency", "calls", "burst")
"""moto shows what the operator does where the store costs little; the other figures are no different on it."""
REPLAYS = {"guard.breakGlassGroups": "{system:masters}"}
"""The ceilings are taken by an administrator who writes status in the operator's place."""


def measure(kind: str, wanted: tuple[str, ...], options: argparse.Namespace) -> dict[str, Any]:
    """The wanted figures on one kind of store, in the order of FIGURES."""
    with ExitStack() as stack:
        cluster = stack.enter_context(ControlPlane())
        store = stack.enter_context((Rgw if kind == "rgw" else Moto)())
        mesh = stack.enter_context(Installation(cluster, mesh="acme", values=REPLAYS))
        bench = Bench(mesh, store)
        access = cache(lambda: Access(bench))
        takers: dict[str, Callable[[], dict[str, Any]]] = {
            "memory": lambda: {"empty_mb": bench.memory()},
            "latency": lambda: bench.latency(options.latencies),
            "calls": bench.calls,
            "burst": lambda: bench.burst(options.products),
            "quiet": lambda: bench.quiet(options.quiet_seconds),
            "restart": bench.restart,
            "access-latency": lambda: access().latency(options.latencies),
            "access-burst": lambda: access().burst(options.requests, min(options.quiet_seconds, 60)),
            "hang": lambda: bench.hang(options.neighbours),
            "failover": lambda: takeover.measure(mesh, options.products),
            "known": lambda: known.measure(mesh, options.known),
            "scrape": lambda: scrape.measure(options.known),
            "terminal": lambda: terminal.measure(mesh, options.known),
            "policies": lambda: policies.measure(mesh, options.products),
        }
        found: dict[str, Any] = {}
        for name in FIGURES:
            if name in wanted:
                found[name] = show(kind, name, _attempt(takers[name]))
        return found


def _attempt(take: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A figure that cannot be taken says why, and does not cost the others."""
    try:
        return take()
    except (TimeoutError, RuntimeError) as error:
        return {"error": str(error)[:500]}


def show(kind: str, name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """One figure as rows of the table, as soon as it is known."""
    rounded = {key: _round(value) for key, value in figures.items()}
    for key, value in rounded.items():
        print(f"{kind:5} {name:14} {key:36} {value}", flush=True)  # noqa: T201
    return rounded


def _round(value: Any) -> Any:
    if isinstance(value, list):
        return [_round(part) for part in value]
    return round(value, 2) if isinstance(value, float) else value


def describe_machine() -> dict[str, Any]:
    """What the figures hold for."""
    versions = {name: version(name) for name in ("boto3", "kopf", "kubernetes", "moto", "pydantic")}
    return {
        "commit": git_describe(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "versions": versions,
    }


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--products", type=int, default=1000, help="applied at once, or known to two replicas")
    parser.add_argument("--latencies", type=int, default=100, help="applied, or granted and revoked, one after the other")
    parser.add_argument("--requests", type=int, default=2000, help="for access, granted at once and revoked at once")
    parser.add_argument("--neighbours", type=int, default=200, help="applied at once while another store hangs")
    parser.add_argument("--known", type=int, default=10_000, help="products, with two requests and two grants each, that a replica knows")
    parser.add_argument("--quiet-seconds", type=float, default=180, help="for which nobody touches anything")
    parser.add_argument("--only", action="append", choices=FIGURES, help="this figure; may be repeated")
    parser.add_argument("--store", choices=("rgw", "moto", "both"), default="both")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write the JSON after each store."""
    options = parse_options()
    report: dict[str, Any] = {"machine": describe_machine(), "options": {key: str(value) for key, value in vars(options).items()}}
    for kind in ("rgw", "moto") if options.store == "both" else (options.store,):
        usual = FIGURES if kind == "rgw" or options.store == "moto" else ON_MOTO
        report[kind] = measure(kind, tuple(options.only or usual), options)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
