"""The one place where everything meets: it builds the parts, starts them in order, and ends them in the opposite one."""

import logging
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from clouddatamesh import __version__
from clouddatamesh.api import permissions
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.access import Need, find_missing
from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.client import Client
from clouddatamesh.kube.cluster import KubeCluster
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.dispatch import RECONCILED, WATCHED, first_due, lane, reconcile, urgent, wakes
from clouddatamesh.shell import health, logs
from clouddatamesh.shell.queue import Queue
from clouddatamesh.shell.resync import Resync
from clouddatamesh.shell.settings import ShellSettings
from clouddatamesh.shell.watches import Watcher
from clouddatamesh.shell.workers import Workers
from clouddatamesh.storage.clients import BotoStores

_log = logging.getLogger(__name__)
_GRACE: Final = 25.0
_LANE_SHARE: Final = 0.75
"""Of all workers, what one store may have at most."""


class SystemClock:
    """The Clock port over the machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Operator:
    """One process of the operator."""

    def __init__(self, settings: ShellSettings) -> None:
        self._settings = settings
        self._client = Client(connections=settings.threads + 8)
        self._cache = Cache()
        cluster = KubeCluster(self._client, self._cache, settings.core)
        ports = Ports(cluster, BotoStores(), SystemClock(), settings.core)
        self._cluster = cluster
        self._queue = Queue(
            lane=lambda key: lane(key, cluster),
            urgent=lambda key: urgent(key, cluster),
            lane_limit=max(int(settings.threads * _LANE_SHARE), 1),
        )
        self._workers = Workers(self._queue, lambda key: reconcile(key, ports), threads=settings.threads)
        self._watcher = Watcher(self._cache)
        self._resync = Resync(self._cache, self._client)
        self._health = health.HealthServer(settings.health_port, health.Checks(self._find_stuck, self._find_unready, self._metrics))
        self._missing: tuple[Need, ...] = ()
        self._working = False
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        _log.info("clouddatamesh %s serves mesh %s", __version__, self._settings.core.mesh)
        self._health.start()
        starter = threading.Thread(target=self._start, name="start", daemon=True)
        starter.start()
        self._stop.wait()
        self._end()

    def _start(self) -> None:
        """Watches first, so that nothing that happens during the lists is missed; work last, when all caches are full."""
        self._watcher.start()
        if not self._resync.fill():
            return
        self._check_permissions()
        self._cache.listener = self._wake
        for kind in RECONCILED:
            for manifest in self._cache.list(kind):
                self._queue.add_after(key_of(manifest), first_due(manifest, self._settings.core.drift_interval.total_seconds()))
        self._workers.start()
        self._resync.start()
        self._working = True
        _log.info("All caches are full; %d keys are due", self._queue.depth())

    def _end(self) -> None:
        _log.info("Ending")
        self._resync.stop()
        if self._working and not self._workers.stop(seconds=_GRACE):
            _log.warning("Some reconciliations did not end in %.0f s; each write that was begun is harmless when repeated", _GRACE)
        self._watcher.stop(seconds=2.0)
        self._health.stop()

    def _wake(self, old: Manifest | None, new: Manifest | None) -> None:
        for wake in wakes(old, new, self._cluster):
            if wake.after:
                self._queue.add_after(wake.key, wake.after)
            else:
                self._queue.add(wake.key)

    def _check_permissions(self) -> None:
        try:
            self._missing = find_missing(self._client, needs(self._settings.core.namespace))
        except MeshError as error:
            _log.warning("Permissions could not be checked: %s", error)
        for need in self._missing:
            _log.error("The operator may not %s; install the chart's RBAC", need)

    def _find_stuck(self) -> tuple[str, ...]:
        watching = self._watcher.is_alive() or not self._working
        alive = self._workers.are_alive() or not self._working
        return health.find_stuck(longest=self._workers.longest(), oldest=self._queue.oldest(), threads_alive=alive, watching=watching)

    def _find_unready(self) -> tuple[str, ...]:
        empty = [f"{kind} is not listed yet" for kind in WATCHED if not self._cache.is_full(kind)]
        missing = [f"the operator may not {need}" for need in self._missing]
        return (*empty, *missing, *(() if self._working else ("work has not begun",)))

    def _metrics(self) -> str:
        gauges: Mapping[str, float] = {
            "queue_depth": self._queue.depth(),
            "queue_oldest_seconds": self._queue.oldest(),
            "reconciliation_longest_seconds": self._workers.longest(),
            "missing_permissions": len(self._missing),
            **{f"objects_{kind.lower()}": len(self._cache.list(kind)) for kind in RECONCILED},
        }
        return health.format_metrics(gauges, self._workers.results)


def needs(namespace: str) -> tuple[Need, ...]:
    """Every single permission that is declared, as the API server is asked for it."""
    found = [need for rule in permissions.OPERATOR_CLUSTER for need in _needs_of(rule)]
    found += [need for rule in permissions.OPERATOR_OWN_NAMESPACE for need in _needs_of(rule, namespace=namespace)]
    return tuple(sorted(set(found)))


def _needs_of(rule: permissions.PolicyRule, *, namespace: str = "") -> list[Need]:
    needed: list[Need] = []
    for resource in rule.resources:
        plural, _, subresource = resource.partition("/")
        for name in rule.names or ("",):
            needed += [Need(verb, group, plural, subresource, namespace, name) for group in rule.groups for verb in rule.verbs]
    return needed


def run(settings: ShellSettings) -> None:
    """Set logging up and run the operator until it is told to stop."""
    logs.configure(level=settings.log_level, style=settings.log_format)
    Operator(settings).run()
