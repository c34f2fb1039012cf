"""The one place where everything meets: it builds the parts, starts them in order, and ends them in the opposite one."""

import logging
import os
import signal
import threading
from typing import Final

from clouddatamesh import __version__
from clouddatamesh.cel.process import CelProcess
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.access import find_missing
from clouddatamesh.kube.cache import Cache, version_of
from clouddatamesh.kube.cluster import KubeCluster
from clouddatamesh.kube.lists import current_version, list_into
from clouddatamesh.kube.skew import Skew
from clouddatamesh.metrics.exporter import Exporter
from clouddatamesh.metrics.instruments import CallMeter, WorkMeter, observe_cluster
from clouddatamesh.metrics.tally import Tally
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.plan.names import spread
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.dispatch import ACCESS, GROUNDS, LABELLED, RECONCILED, WATCHED, first_due, overdue, reconcile, urgent
from clouddatamesh.reconcile.lanes import LIMITS, lane
from clouddatamesh.reconcile.secrets import find_expected
from clouddatamesh.reconcile.wakes import wakes
from clouddatamesh.reconcile.wakes_policies import everything
from clouddatamesh.shell import health, logs
from clouddatamesh.shell.access import AccessCheck
from clouddatamesh.shell.clients import Clients
from clouddatamesh.shell.clock import SystemClock
from clouddatamesh.shell.fence import Gate, fence
from clouddatamesh.shell.leader import Leader, boot_time
from clouddatamesh.shell.lease import KubeLease
from clouddatamesh.shell.overdue import Overdue
from clouddatamesh.shell.patrol import Patrol
from clouddatamesh.shell.queue import Queue
from clouddatamesh.shell.readability import Readability
from clouddatamesh.shell.readings import Parts, read
from clouddatamesh.shell.record import MeshRecord
from clouddatamesh.shell.resync import ACCESS_INTERVAL, Resync
from clouddatamesh.shell.rewind import Rewind
from clouddatamesh.shell.settings import ShellSettings
from clouddatamesh.shell.streams import Streams
from clouddatamesh.shell.supervisor import Supervisor
from clouddatamesh.shell.traces import open_traces
from clouddatamesh.shell.turns import Turns
from clouddatamesh.shell.watches import run_kopf
from clouddatamesh.shell.workers import Workers
from clouddatamesh.storage.clients import BotoStores

_log = logging.getLogger(__name__)
_AGAIN: Final = 15.0
"""Seconds until the record of the mesh's name is read again."""
_GRACE: Final = 20.0
"""Seconds for running reconciliations to end; the kubelet's patience is 30."""
_RESTORED: Final = 60.0
"""Seconds in which one restored kind after the other is noticed: watches begin again once for all of them."""
_JUDGED_WITHIN: Final = 60.0
"""Seconds after a start in which every object is judged by the policies, which may have changed meanwhile."""
_LANE_SHARE: Final = 0.8
"""Of all workers, what one store may have at most."""


class Operator:
    """One process of the operator."""

    def __init__(self, settings: ShellSettings) -> None:
        self._settings = settings
        self._skew = skew = Skew()
        self._clock = SystemClock(skew)
        self._exporter = exporter = Exporter(lambda: read(self._parts()))
        self._tally, self._overdue = Tally(), Overdue()
        calls = CallMeter(exporter)
        self._traces = traces = open_traces(os.environ, version=settings.core.version, pod=settings.pod)
        self._clients = clients = Clients(settings, skew=skew, report=calls.requested)
        self._client = client = clients.plain
        self._cache = cache = Cache(self._tally.take)
        self._rewind = Rewind(known=self._version_known, current=self._version_now, found=self._begin_again)
        self._streams = streams = Streams(WATCHED, resumed=self._rewind.ask)
        gate = Gate(self._leads, calls)
        self._cluster = cluster = KubeCluster(clients.fenced(lambda: gate.check("cluster")), cache, settings.core)
        self._queue = Queue(
            lane=lambda key: lane(key, cluster),
            urgent=lambda key: urgent(key, cluster, self._clock),
            lane_limit=max(int(settings.threads * _LANE_SHARE), 1),
            limits=LIMITS,
            meter=(work := WorkMeter(exporter)),
        )
        self._leader = self._build_leader()
        stores = BotoStores(report=traces.with_calls(calls.called), gate=gate.check_call, agent=clients.agent)
        self._expressions = CelProcess()
        self._ports = ports = Ports(observe_cluster(cluster, exporter), stores, self._clock, settings.core, expressions=self._expressions)
        self._readability = Readability(cluster.list)
        self._record = MeshRecord(client, namespace=settings.core.namespace, mesh=settings.core.mesh)
        fenced = fence(ports, gate)
        self._workers = Workers(self._queue, lambda key: reconcile(key, fenced), threads=settings.threads, meter=work, follow=traces.follow)
        self._resync = Resync(self._list)
        self._grounds = Resync(self._list, kinds=GROUNDS)
        self._access_resync = Resync(self._list, kinds=ACCESS, interval=ACCESS_INTERVAL, then=self._end_overdue)
        self._patrol = Patrol(lambda: find_expected(cluster), cluster.is_there, self._queue.add, works=self._leader.leads)
        self._watcher = Supervisor(lambda stop: run_kopf(cache, streams, clients.patience, stop), started=self._resync.expect)
        core = settings.core
        self._access = AccessCheck(lambda needs: find_missing(client, needs), namespace=core.namespace, bindable=core.bindable_roles)
        self._health = health.HealthServer(settings.health_port, health.Checks(self._find_stuck, self._find_unready, exporter.render))
        self._working = False
        self._restored = -_RESTORED
        self._fault = self._misnamed = ""
        self._stop = threading.Event()

    def run(self) -> bool:
        """Work until SIGTERM or SIGINT; False where the start failed, so that whoever started this process starts another."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        _log.info("clouddatamesh %s serves mesh %s", __version__, self._settings.core.mesh)
        self._health.start()
        starter = threading.Thread(target=self._start_or_end, name="start", daemon=True)
        starter.start()
        self._stop.wait()
        self._end(starter)
        return not self._fault

    def _build_leader(self) -> Leader:
        """Until this replica leads, the queue only takes in. Also the only replica leads by the Lease: on a node that is cut off from
        the cluster it must stop writing before its successor begins.
        """
        self._queue.pause()
        lease = KubeLease(self._clients.lease, namespace=self._settings.core.namespace, identity=self._settings.pod, now=boot_time)
        turns = Turns(fill=self._fill, begin=self._take_over, pause=self._queue.pause, failed=self._end_with)
        return Leader(lease, gained=turns.gained, lost=turns.lost)

    def _leads(self) -> bool:
        return self._leader.leads()

    def _start_or_end(self) -> None:
        """A start that failed half-way cannot be repeated in this process, and must not leave it alive and idle."""
        try:
            self._start()
        except Exception as error:
            _log.exception("The start failed; this process ends, to be started again")
            self._end_with(error)

    def _end_with(self, error: Exception) -> None:
        self._fault = f"the start failed with {type(error).__name__}"
        self._stop.set()

    def _start(self) -> None:
        """Watches first, so that nothing that happens during the lists is missed; work last, when all caches are full."""
        self._access.start()
        self._watcher.start()
        if not self._resync.fill() or not self._is_this_mesh():
            return
        self._judge_readability()
        self._cache.listener = self._wake
        self._resync.start()
        self._access_resync.start()
        self._rewind.start()
        self._patrol.start()
        self._workers.start()
        self._working = True
        self._leader.start()

    def _is_this_mesh(self) -> bool:
        """Under another name than the cluster's record has nothing is begun; it is looked at again until that is so."""
        while not self._stop.is_set():
            try:
                self._misnamed = self._record.find_fault()
            except MeshError as error:
                self._misnamed = str(error)
            if not self._misnamed:
                return True
            _log.error("%s", self._misnamed)
            self._stop.wait(_AGAIN)
        return False

    def _judge_readability(self) -> None:
        self._readability.look()
        self._ports.proofs.distrusted = self._readability.distrusted

    def _list(self, kind: str) -> object:
        return list_into(self._cache, self._client, kind, labelled=kind in LABELLED, restored=self._begin_again)

    def _version_known(self, kind: str) -> int:
        return max(self._cache.newest(kind), self._streams.delivered(kind))

    def _version_now(self, kind: str) -> int:
        return current_version(self._client, kind, labelled=kind in LABELLED)

    def _begin_again(self, _: str) -> None:
        """The API server was restored from a backup: what is known of the other kinds is of another time too, and watches that ask for
        what comes after that time are answered with nothing until it has come again.
        """
        self._streams.restart()
        if boot_time() - self._restored >= _RESTORED:
            self._restored = boot_time()
            self._access_resync.soon()
            self._resync.soon()
            self._watcher.restart()

    def _fill(self) -> bool:
        """What access rests on is listed before a turn begins, everything else right after it. A kind that cannot be listed makes no
        leader idle for good: its watch does, as for a leader that has begun.
        """
        if not self._grounds.fill(is_known=self._streams.is_sound):
            return False
        self._resync.soon()
        return True

    def _take_over(self) -> None:
        """First what must not stand any more; then everything is looked at once, what is Ready in the course of the drift schedule."""
        interval, now = self._settings.core.drift_interval.total_seconds(), self._clock.now()
        self._queue.begin_with(overdue(self._cluster, self._clock))
        for kind in RECONCILED:
            for manifest in self._cache.list(kind):
                self._queue.add_after(key_of(manifest), first_due(manifest, interval, now, self._cluster))
        for key, uid in everything(self._cluster):
            self._queue.add_after(key, spread(uid) * _JUDGED_WITHIN)
        self._queue.resume()
        _log.info("All caches are full; %d objects are known", sum(map(self._cache.count, WATCHED)))

    def _end_overdue(self) -> None:
        """Access that must not be there any more, whatever event was missed and however the clock was set."""
        self._judge_readability()
        keys = overdue(self._cluster, self._clock)
        self._overdue.look(keys)
        for key in keys:
            self._queue.add(key)

    def _end(self, starter: threading.Thread) -> None:
        _log.info("Ending")
        self._access.stop()
        self._resync.stop()
        self._access_resync.stop()
        self._grounds.stop()
        self._rewind.stop()
        self._patrol.stop()
        starter.join(1.0)
        if self._working and not self._workers.stop(seconds=_GRACE):
            _log.warning("Some reconciliations did not end in %.0f s; each write that was begun is harmless when repeated", _GRACE)
        else:
            self._leader.stop()
        self._watcher.stop(seconds=2.0)
        self._health.stop()
        self._traces.stop()
        self._expressions.close()

    def _wake(self, old: Manifest | None, new: Manifest | None) -> None:
        self._tally.take(old, new)
        if new:
            self._streams.expect(new["kind"], version_of(new))
        for wake in wakes(old, new, self._cluster):
            if wake.after:
                self._queue.add_counted(wake.key, wake.after)
            else:
                self._queue.add(wake.key)

    def _find_stuck(self) -> tuple[str, ...]:
        if self._fault or not self._working or self._stop.is_set():
            return (self._fault,) if self._fault else ()
        parts = {
            "watcher": self._watcher.is_alive(),
            "resync": self._resync.is_alive() and self._access_resync.is_alive(),
            "patrol": self._patrol.is_alive(),
            "rewind": self._rewind.is_alive(),
            "pool of workers": self._workers.are_alive(),
        }
        ended = tuple(name for name, alive in parts.items() if not alive)
        return health.find_stuck(health.Pulse(self._workers.longest(), self._queue.stalled(), self._resync.silence(), ended))

    def _find_unready(self) -> tuple[str, ...]:
        empty = [f"{kind} is not listed yet" for kind in WATCHED if not self._cache.is_full(kind)]
        blind = (*self._watcher.describe(), *self._streams.describe())
        idle = () if self._working else (self._fault or self._misnamed or "work has not begun",)
        return (*empty, *blind, *self._skew.describe(), *self._readability.describe(), *self._access.describe(), *idle)

    def _parts(self) -> Parts:
        return Parts(
            settings=self._settings,
            queue=self._queue,
            workers=self._workers,
            resync=self._resync,
            streams=self._streams,
            watcher=self._watcher,
            access=self._access,
            readability=self._readability,
            tally=self._tally,
            cluster=self._cluster,
            skew=self._skew.seconds(),
            leads=self._leader.leads(),
            overdue=self._overdue.seconds(),
            now=self._clock.now(),
        )


def run(settings: ShellSettings) -> bool:
    """Set logging up and run the operator until it is told to stop; False where it could not start."""
    logs.configure(level=settings.log_level, style=settings.log_format)
    return Operator(settings).run()
