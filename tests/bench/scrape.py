"""What a scrape costs that counts a large mesh, and what each change of an object costs for it. No cluster is needed."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.metrics.domains import domain_labels
from clouddatamesh.metrics.exporter import Exporter
from clouddatamesh.metrics.instruments import CallMeter, WorkMeter
from clouddatamesh.metrics.tally import Tally
from clouddatamesh.model.settings import Settings
from tests.bench.known import objects

_TIMES = 20


def measure(products: int) -> dict[str, Any]:
    """CPU milliseconds of a scrape and its size with so many products, with two requests and two grants each; CPU of one change."""
    cluster, tally = MemoryCluster(Settings(mesh="acme", namespace="mesh-system")), Tally()
    exporter = Exporter(lambda: tally.read(datetime(2026, 1, 20, tzinfo=UTC), domain_labels(cluster)))
    WorkMeter(exporter)
    CallMeter(exporter)
    known = list(objects(products))
    change = _cpu(lambda: deque(map(tally.take, repeat(None), known), maxlen=0)) / len(known)
    taken = sorted(_cpu(exporter.render) for _ in range(_TIMES))
    text = exporter.render()
    figures = {"scrape_cpu_ms": taken[_TIMES // 2] * 1000, "scrape_kb": len(text) / 1024, "change_cpu_us": change * 1e6}
    return {"objects": len(known), **figures, "series": sum(not line.startswith(b"#") for line in text.splitlines())}


def _cpu(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return time.thread_time() - began
