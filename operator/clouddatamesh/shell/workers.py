"""A bounded pool of threads that take keys off the queue and reconcile them. An error of one key is that key's alone."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError
from clouddatamesh.model.objects import Key
from clouddatamesh.model.settings import Next
from clouddatamesh.reconcile.trail import Follower, at, nobody, reconciling
from clouddatamesh.shell.meters import Meter, NoMeter
from clouddatamesh.shell.queue import Queue

_log = logging.getLogger(__name__)
_NO_METER: Final = NoMeter()


class Workers:
    """`reconcile` is called from many threads, never twice at a time for one key."""

    def __init__(
        self,
        queue: Queue,
        reconcile: Callable[[Key], Next],
        *,
        threads: int,
        meter: Meter = _NO_METER,
        follow: Callable[[], Follower | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue, self._reconcile, self._now, self._meter, self._follow = queue, reconcile, now, meter, follow
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(threads)]
        self._since: dict[str, tuple[Key, float]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self, *, seconds: float) -> bool:
        """Let running reconciliations end; whether all did in time."""
        self._queue.close()
        end = self._now() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(end - self._now(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def longest(self) -> float:
        """Seconds for which the longest running reconciliation has run."""
        return max((seconds for _, seconds in self.running()), default=0.0)

    def running(self) -> tuple[tuple[Key, float], ...]:
        """What is being reconciled now, and for how many seconds each."""
        with self._lock:
            return tuple((key, self._now() - since) for key, since in self._since.values())

    def are_alive(self) -> bool:
        """Whether every thread still runs."""
        return all(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        name = threading.current_thread().name
        while True:
            key = self._queue.get(wait=60.0)
            if key is None:
                if self._queue.is_closed:
                    return
                continue
            with self._lock:
                self._since[name] = key, self._now()
            try:
                self.run(key)
            except Exception:
                _log.exception("Working on %s failed", key)  # of the shell's own making: the thread goes on, and so does the key
            finally:
                with self._lock:
                    del self._since[name]

    def run(self, key: Key) -> None:
        """Reconcile one key and say when it is due again. Whatever is raised is logged here, and the key backs off."""
        try:
            self._run(key)
        finally:
            self._queue.done(key)

    def _run(self, key: Key) -> None:
        with reconciling(key, self._follow() or nobody):
            self._reconcile_one(key)

    def _reconcile_one(self, key: Key) -> None:
        began, raised = self._now(), False
        try:
            due = self._reconcile(key)
        except MeshError as error:
            _log.warning("Reconciling %s could not be concluded: %s", key, error)
            due = Next(backoff=True, failures=(error.reason,), brief=isinstance(error, Away))
        except Exception:
            _log.exception("Reconciling %s failed", key)
            due, raised = Next(backoff=True, failures=(reasons.INTERNAL,)), True
        at("end", failures=due.failures)
        self._meter.reconciled(key, due, seconds=self._now() - began, raised=raised)
        if due.backoff:
            seconds = self._queue.add_backoff(key, brief=due.brief)
            _log.debug("%s is tried again in %.1f s", key, seconds)
        else:
            self._queue.reset(key)
        if due.after is not None:
            self._queue.add_after(key, due.after)
