"""Counters that move as things happen: work on keys, calls of the API server and of stores, writes without the Lease, events, drift."""

from collections.abc import Mapping
from typing import Any, Final, cast

from clouddatamesh import reasons
from clouddatamesh.metrics import catalogue as c
from clouddatamesh.metrics.exporter import Exporter
from clouddatamesh.metrics.tally import REASONS, bounded
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.settings import Next
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.dispatch import RECONCILED
from clouddatamesh.status.summarize import condition_of

PORTS: Final = ("cluster", "buckets", "identities")


def controller_of(kind: str) -> str:
    """The kind as controller-runtime writes it."""
    return kind.lower()


class WorkMeter:
    """Called by the queue and the workers. All its series exist from the start."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        for controller in map(controller_of, RECONCILED):
            for metric in (c.DEPTH, c.ADDS, c.QUEUED, c.WORKED, c.RETRIES):
                exporter.start(metric, controller, controller)
            for metric in (c.ERRORS, c.TERMINAL, c.PANICS, c.RECONCILE_TIME):
                exporter.start(metric, controller)
            for result in ("success", "requeue_after", "error"):
                exporter.start(c.RECONCILED, controller, result)

    def added(self, key: Key) -> None:
        """A key was added to the queue and waits for a worker."""
        name = controller_of(key.kind)
        self._exporter.add(c.ADDS, name, name)
        self._exporter.move(c.DEPTH, name, name, by=1)

    def given(self, key: Key, *, waited: float) -> None:
        """A worker took the key, which had waited for these seconds."""
        name = controller_of(key.kind)
        self._exporter.move(c.DEPTH, name, name, by=-1)
        self._exporter.observe(c.QUEUED, name, name, seconds=waited)

    def done(self, key: Key, *, worked: float) -> None:
        """The worker is finished with the key, after these seconds."""
        name = controller_of(key.kind)
        self._exporter.observe(c.WORKED, name, name, seconds=worked)

    def retried(self, key: Key) -> None:
        """The key is requeued with backoff."""
        name = controller_of(key.kind)
        self._exporter.add(c.RETRIES, name, name)

    def reconciled(self, key: Key, due: Next, *, seconds: float, raised: bool = False) -> None:
        """A reconciliation ended; `raised` where it met a bug."""
        name, failed = controller_of(key.kind), bool(due.failures or due.backoff)
        result = "error" if failed else "success" if due.after is None else "requeue_after"
        self._exporter.add(c.RECONCILED, name, result)
        self._exporter.observe(c.RECONCILE_TIME, name, seconds=seconds)
        if failed:
            self._exporter.add(c.ERRORS, name)
        if failed and not due.backoff:
            self._exporter.add(c.TERMINAL, name)
        if raised or reasons.INTERNAL in due.failures:
            self._exporter.add(c.PANICS, name)
        for reason in due.failures:
            self._exporter.add(c.FAILURES, key.kind, bounded(reason, REASONS))


class CallMeter:
    """Called by the adapters for each call, and by the fence for writes without the Lease."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        for port in PORTS:
            exporter.start(c.FENCED, port)
            exporter.start(c.LATE, port)

    def requested(self, method: str, code: str) -> None:
        """A request to the API server."""
        self._exporter.add(c.REQUESTS, code, method)

    def called(self, service: str, operation: str, result: str, seconds: float) -> None:
        """A call of a store."""
        self._exporter.add(c.STORE_CALLS, service, operation, result)
        self._exporter.observe(c.STORE_TIME, service, operation, seconds=seconds)

    def fenced(self, port: str) -> None:
        """A write was refused, because this replica does not lead."""
        self._exporter.add(c.FENCED, port)

    def late(self, port: str) -> None:
        """A write started while this replica led, and ended when it no longer did."""
        self._exporter.add(c.LATE, port)


def observe_cluster(cluster: Cluster, exporter: Exporter) -> Cluster:
    """The same port; its events and the drift that status reports are counted."""
    for kind in RECONCILED:
        exporter.start(c.DRIFT_FOUND, kind)
        exporter.start(c.DRIFT_REPAIRED, kind)
    return cast(Cluster, _Observed(cluster, exporter))


class _Observed:
    def __init__(self, cluster: Cluster, exporter: Exporter) -> None:
        self._cluster, self._exporter = cluster, exporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def emit(self, key: Key, uid: str, event: Event) -> None:
        self._exporter.add(c.EVENTS, key.kind, event.type, bounded(event.reason, REASONS))
        if event.reason == reasons.REPAIRED:
            self._exporter.add(c.DRIFT_FOUND, key.kind)
            self._exporter.add(c.DRIFT_REPAIRED, key.kind)
        self._cluster.emit(key, uid, event)

    def write_status(self, key: Key, uid: str, status: Mapping[str, Any], *, version: str = "") -> bool:
        before = self._cluster.get(key) or {}
        written = self._cluster.write_status(key, uid, status, version=version)
        if written and _has_drift(status) and not _has_drift(before.get("status") or {}):
            self._exporter.add(c.DRIFT_FOUND, key.kind)
        return written


def _has_drift(status: Mapping[str, Any]) -> bool:
    """Drift that was found and not repaired; a repair is counted by its event."""
    found = condition_of(status, "DriftDetected")
    return found is not None and found["status"] == "True" and found["reason"] == reasons.DRIFTED
