"""One registry for one process: counters that move as things happen, and readings taken at each scrape."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from clouddatamesh.metrics.catalogue import Metric
from clouddatamesh.metrics.tally import Reading

_log = logging.getLogger(__name__)
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Of what `Exporter.render` gives."""


class Exporter:
    """`add`, `observe` and `move` are thread-safe. `read` is asked at each scrape and must not block a worker."""

    def __init__(self, read: Callable[[], Iterable[Reading]] = tuple) -> None:
        # Else the library adds a series to each counter that says when it began.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own types are not complete
        self._registry = CollectorRegistry(auto_describe=False)
        self._made: dict[Metric, Any] = {}
        self._lock = threading.Lock()
        self._registry.register(_Readings(read))
        ProcessCollector(registry=self._registry)

    def add(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Raise a counter."""
        self._of(metric, labels).inc(by)

    def observe(self, metric: Metric, *labels: str, seconds: float) -> None:
        """Take one duration into a histogram."""
        self._of(metric, labels).observe(seconds)

    def move(self, metric: Metric, *labels: str, by: float) -> None:
        """Raise or lower a gauge."""
        self._of(metric, labels).inc(by)

    def start(self, metric: Metric, *labels: str) -> None:
        """Let a series begin with 0, so that its first increase is one."""
        self._of(metric, labels)

    def render(self) -> bytes:
        """Everything, as Prometheus text."""
        return generate_latest(self._registry)

    def _of(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        with self._lock:
            made = self._made.get(metric)
            if made is None:
                made = self._made[metric] = self._make(metric)
        return made.labels(*labels) if metric.labels else made

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        name = metric.name.removesuffix("_total")
        if metric.type == "histogram":
            return Histogram(name, metric.help, metric.labels, buckets=metric.buckets, registry=self._registry)
        return (Counter if metric.type == "counter" else Gauge)(name, metric.help, metric.labels, registry=self._registry)


class _Readings(Collector):
    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """An error in one reading loses the readings after it, never the scrape."""
        families: dict[Metric, GaugeMetricFamily | CounterMetricFamily] = {}
        try:
            for metric, labels, value in self._read():
                if metric not in families:
                    family = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
                    families[metric] = family(metric.name, metric.help, labels=metric.labels)
                families[metric].add_metric(labels, value)
        except Exception:
            _log.exception("Some metrics could not be read")
        yield from families.values()
