"""Keeps something running that ends by itself now and then: an error in a watch's stream or a deleted CRD ends kopf, never this process."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
FIRST, LONGEST = 1.0, 10.0
"""Seconds before it starts again: after the first early end, and at most."""
_STEADY: Final = 60.0
"""Seconds after which a run counts as one that went well."""
_IN_VAIN: Final = 3
"""Early ends in a row after which it does not count as running."""


class Supervisor:
    """`run` works until the event is set or it fails; `started` is told of each beginning. The waits double while runs are short."""

    def __init__(
        self,
        run: Callable[[threading.Event], None],
        *,
        started: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run_to_end, self._started, self._now = run, started, now
        self._stop, self._end_run = threading.Event(), threading.Event()
        self._wait = FIRST
        self._began = now()
        self._is_running = False
        self._early = 0
        self._end = ""
        self.restarts = 0
        """How often it ended by itself."""
        self._repeat = Repeat("watcher", self.run_once)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._repeat.start()

    def stop(self, *, seconds: float) -> None:
        """End it, and wait at most this many seconds."""
        self._stop.set()
        self._end_run.set()
        self._repeat.stop(seconds=seconds)

    def restart(self) -> None:
        """End the run that goes on and begin another at once."""
        self._end_run.set()

    def is_alive(self) -> bool:
        """Whether it runs, or will run again."""
        return self._repeat.is_alive()

    def describe(self) -> tuple[str, ...]:
        """What speaks against it running well: it ended early again and again, and has not run for long since."""
        if self._early < _IN_VAIN or (self._is_running and self._now() - self._began >= _STEADY):
            return ()
        return (f"watching ended {self._early} times in a row, at last {self._end}",)

    def run_once(self) -> float:
        """Run until it ends; after how many seconds to run it again."""
        self._began, self._is_running = self._now(), True
        self._end_run = threading.Event()
        if self._stop.is_set():
            return 0.0
        self._started()
        try:
            self._run_to_end(self._end_run)
            self._end = "without an error"
        except Exception as error:
            self._end = f"with {type(error).__name__}: {error}"
        self._is_running = False
        if self._end_run.is_set():
            return 0.0
        if self._now() - self._began >= _STEADY:
            self._wait, self._early = FIRST, 0
        self.restarts, self._early = self.restarts + 1, self._early + 1
        wait, self._wait = self._wait, min(self._wait * 2, LONGEST)
        _log.warning("Watching ended %s; it starts again in %.0f s", self._end, wait)
        return wait
