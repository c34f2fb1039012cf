"""Asks for every Secret that is to be there, spread over a round, so that one that was deleted is back within a minute."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
ROUND: Final = 30.0
"""Seconds for one round: each Secret is asked for so often, whatever their number."""


class Patrol:
    """`expected` tells owners and their Secrets, `is_there` asks the API server for one, `wake` is told of each owner that lost its own.

    `works` says whether this replica works; one that does not asks for nothing.
    """

    def __init__(
        self,
        expected: Callable[[], Iterable[tuple[Key, Key]]],
        is_there: Callable[[Key], bool],
        wake: Callable[[Key], object],
        *,
        works: Callable[[], bool] = lambda: True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected, self._is_there, self._wake, self._works, self._now = expected, is_there, wake, works, now
        self._stop = threading.Event()
        self._repeat = Repeat("patrol", self.run_once, first=ROUND / 2)

    def start(self) -> None:
        """Begin."""
        self._repeat.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._repeat.stop()

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._repeat.is_alive()

    def run_once(self) -> float:
        """One round; the seconds that are left of it."""
        began = self._now()
        due = tuple(self._expected()) if self._works() else ()
        for index, (owner, secret) in enumerate(due):
            if self._stop.wait(max(began + ROUND * index / len(due) - self._now(), 0.0)):
                break
            if not self._is_there(secret):
                _log.debug("%s is gone", secret)
                self._wake(owner)
        return max(began + ROUND - self._now(), 0.0)
