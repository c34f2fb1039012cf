"""The readings of each scrape. Each reads a number that a part keeps anyway; none iterates over products, requests or grants.

Domains are listed once, for the values of their label."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clouddatamesh.metrics import catalogue as c
from clouddatamesh.metrics.domains import domain_labels
from clouddatamesh.metrics.instruments import controller_of
from clouddatamesh.metrics.tally import Reading, Tally
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.dispatch import RECONCILED
from clouddatamesh.shell.access import AccessCheck
from clouddatamesh.shell.queue import Queue
from clouddatamesh.shell.readability import Readability
from clouddatamesh.shell.resync import Resync
from clouddatamesh.shell.settings import ShellSettings
from clouddatamesh.shell.streams import Streams
from clouddatamesh.shell.supervisor import Supervisor
from clouddatamesh.shell.workers import Workers


@dataclass(frozen=True)
class Parts:
    """The parts of a running operator that know a number."""

    settings: ShellSettings
    queue: Queue
    workers: Workers
    resync: Resync
    streams: Streams
    watcher: Supervisor
    access: AccessCheck
    readability: Readability
    tally: Tally
    cluster: Cluster
    skew: float
    leads: bool
    overdue: float
    now: datetime


def read(parts: Parts) -> Iterator[Reading]:
    """Every reading; of the mesh only where this replica leads, so that a sum over replicas counts nothing twice."""
    yield from _read_process(parts)
    yield from _read_workers(parts)
    if parts.leads:
        yield from _read_mesh(parts)


def _read_process(parts: Parts) -> Iterator[Reading]:
    yield c.INFO, (parts.settings.core.mesh, parts.settings.core.version), 1.0
    yield c.LEADING, ("clouddatamesh",), float(parts.leads)
    yield c.QUEUE_OLDEST, (), parts.queue.oldest() if parts.leads else 0.0  # the others only add keys
    yield c.LIST_AGE, (), parts.resync.age()
    yield c.WATCHER_RESTARTS, (), float(parts.watcher.restarts)
    yield c.SKEW, (), parts.skew
    yield c.MISSING, (), float(len(parts.access.missing))
    yield from ((c.WATCH_AGE, (kind,), age) for kind, age in sorted(parts.streams.ages().items()))
    yield from ((c.UNREADABLE, (kind,), float(count)) for kind, count in sorted(parts.readability.unreadable.items()))


def _read_workers(parts: Parts) -> Iterator[Reading]:
    running: defaultdict[str, list[float]] = defaultdict(list)
    for key, seconds in parts.workers.running():
        running[key.kind].append(seconds)
    for kind in RECONCILED:
        name, times = controller_of(kind), running[kind]
        yield c.UNFINISHED, (name, name), sum(times)
        yield c.LONGEST, (name, name), max(times, default=0.0)
        yield c.ACTIVE, (name,), float(len(times))
        yield c.MOST_ACTIVE, (name,), float(parts.settings.threads)


def _read_mesh(parts: Parts) -> Iterator[Reading]:
    yield c.OVERDUE, (), parts.overdue
    yield from parts.tally.read(parts.now, domain_labels(parts.cluster))
