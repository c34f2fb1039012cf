"""A mesh that is driven as the shell drives it: by what a change of the cache makes due and by what each reconciliation asks for."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.reconcile.dispatch import RECONCILED, first_due, overdue, reconcile
from clouddatamesh.reconcile.wakes import wakes
from clouddatamesh.shell.queue import BRIEF, FIRST, LONGEST
from tests.support.mesh import Mesh

_MOST_IN_A_MOMENT = 60
"""So many reconciliations of one object without any time passing, and it is a loop."""
_LONGEST_REST = timedelta(minutes=11)
"""What a reconciliation may ask for at most: ten minutes, and a tenth."""

_RAISED = (Next(backoff=True), Next(backoff=True, brief=True))
"""What the workers make of an error that could not even be written to status, and of one for which the API server is away."""


class Driven:
    """One process of the operator over a mesh. The clock jumps to the next moment at which anything is due.

    Nothing is listed again and nothing is looked at but by a change that the cache shows and by what `Next` says; so what one of them
    forgets stays forgotten. Where several keys are due at one moment, `seed` draws which comes first.
    """

    def __init__(self, mesh: Mesh, *, seed: int = 0) -> None:
        self.mesh = mesh
        self.steps = 0
        self.after_step: list[Callable[[Key], object]] = []
        self.before_store_write: list[Callable[[str], object]] = []
        self._random = random.Random(seed)  # noqa: S311 - an order, no secret
        self._due: dict[Key, datetime] = {}
        self._failures: Counter[Key] = Counter()
        self._moment: Counter[Key] = Counter()
        self._shown: dict[Key, Manifest] = {}
        mesh.cluster.before_write = self._before_cluster_write
        mesh.stores.before_write = self._before_store_write
        self._begin()

    def _begin(self) -> None:
        """As a process begins: what must not stand at once, the rest when it is due."""
        cluster, now = self.mesh.cluster, self.mesh.clock.now()
        self._shown = self._show()
        for key in overdue(cluster, self.mesh.clock):
            self._add(key, 0.0)
        for kind in RECONCILED:
            for manifest in cluster.list(kind):
                self._add(key_of(manifest), first_due(manifest, self.mesh.settings.drift_interval.total_seconds(), now, cluster))

    def restart(self) -> "Driven":
        """Another process takes over; what this one had queued and seen is lost."""
        self.mesh.cluster.restart()
        other = Driven(self.mesh, seed=self._random.randrange(1000))
        other.after_step, other.before_store_write = self.after_step, self.before_store_write
        return other

    def wake_all(self) -> "Driven":
        """Everything is looked at now, as if the drift schedule had come to it."""
        for kind in RECONCILED:
            for manifest in self.mesh.cluster.list(kind):
                self._add(key_of(manifest), 0.0)
        return self

    def run(self, **delta: float) -> "Driven":
        """Let time pass, and everything be done that becomes due in it."""
        end = self.mesh.clock.now() + timedelta(**delta)
        self.notice()
        while self._due and min(self._due.values()) <= end:
            self._step()
        self.mesh.clock.time = max(end, self.mesh.clock.now())
        self._moment.clear()
        return self

    def notice(self) -> None:
        """Learn what changed in the cache, and whom that wakes."""
        shown = self._show()
        changed = [key for key in {**self._shown, **shown} if self._shown.get(key) is not shown.get(key)]
        before, self._shown = self._shown, shown
        for key in changed:
            for wake in wakes(before.get(key), shown.get(key), self.mesh.cluster):
                self._add(wake.key, wake.after)

    def due_in(self, key: Key) -> float | None:
        """Seconds until a key is due, None where it never is."""
        return (self._due[key] - self.mesh.clock.now()).total_seconds() if key in self._due else None

    def _show(self) -> dict[Key, Manifest]:
        cluster = self.mesh.cluster
        return {key: found for key in {*cluster.all_keys(), *self._shown} if (found := cluster.get(key)) is not None}

    def _add(self, key: Key, after: float) -> None:
        due = self.mesh.clock.now() + timedelta(seconds=after)
        self._due[key] = min(due, self._due.get(key, due))

    def _step(self) -> None:
        first = max(min(self._due.values()), self.mesh.clock.now())
        if first > self.mesh.clock.now():
            self.mesh.clock.time = first
            self._moment.clear()
        key = self._random.choice(sorted(key for key, due in self._due.items() if due <= first))
        del self._due[key]
        self._moment[key] += 1
        self.steps += 1
        assert self._moment[key] < _MOST_IN_A_MOMENT, f"{key} is looked at again and again without any time passing"
        self._schedule(key, self._reconcile(key))
        self.notice()
        for look in self.after_step:
            look(key)

    def _reconcile(self, key: Key) -> Next:
        try:
            return reconcile(key, self.mesh.ports)
        except MeshError as error:
            return _RAISED[isinstance(error, Away)]

    def _schedule(self, key: Key, said: Next) -> None:
        """As the workers do. No object that is there ever leaves the schedule, and no fault is the operator's own."""
        assert reasons.INTERNAL not in said.failures, f"{key} met a fault of the operator's own"
        if self.mesh.cluster.get(key) is not None and said not in _RAISED:
            assert said.after is not None, f"{key} left the schedule"
            assert said.after <= _LONGEST_REST.total_seconds(), f"{key} rests for {said.after} s"
        self._failures[key] = self._failures[key] + 1 if said.backoff else 0
        if said.backoff:
            self._add(key, min(FIRST * 2.0 ** min(self._failures[key] - 1, 16), BRIEF if said.brief else LONGEST))
        if said.after is not None:
            self._add(key, said.after)

    def _before_cluster_write(self, verb: str, key: Key) -> None:
        """One write at a time is noticed, as each is answered and each is an event."""
        self.notice()
        self.mesh.trap_before(f"{verb} {key}")

    def _before_store_write(self, what: str) -> None:
        for look in self.before_store_write:
            look(what)
        self.mesh.trap_before(what)
