"""Our own lists: all of them before any work begins, again when the watches began again, and on a schedule, for what a watch missed."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from clouddatamesh.errors import MeshError
from clouddatamesh.reconcile.dispatch import WATCHED
from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
INTERVAL: Final = 600.0
ACCESS_INTERVAL: Final = 60.0
"""Seconds: how long access may stand that a missed event should have ended."""
RETRY: Final = 2.0
LONG: Final = 90.0
"""Seconds after which a watch that brings nothing is known for it."""
SETTLED: Final = 5.0
"""Seconds after which new watches have their first list: what went before that and after ours would be seen by neither."""


class Resync:
    """`list_kind` brings the cache up to date with one kind; the cache's listener learns of each difference. `then` follows each round."""

    def __init__(
        self,
        list_kind: Callable[[str], object],
        *,
        kinds: tuple[str, ...] = WATCHED,
        interval: float = INTERVAL,
        then: Callable[[], object] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._list_kind, self._kinds, self._interval, self._then, self._now = list_kind, kinds, interval, then, now
        self._listed = self._answered = now()
        self._stop = threading.Event()
        self._repeat = Repeat("resync", self.run_once, first=interval)

    def fill(self, *, is_known: Callable[[str], bool] = lambda _: False) -> bool:
        """List everything once, however long the API server takes to answer; False when stopped before.

        A kind that cannot be listed for LONG is done without where it `is_known` from elsewhere.
        """
        began, is_whole = self._now(), True
        for kind in self._kinds:
            while not self._attempt(kind):
                if self._now() - began > LONG and is_known(kind):
                    _log.warning("%s could not be listed for %.0f s, and what its watch brought counts", kind, LONG)
                    is_whole = False
                    break
                if self._stop.wait(RETRY):
                    return False
        self._listed = self._now() if is_whole else self._listed
        return not self._stop.is_set()

    def start(self) -> None:
        """Begin the schedule."""
        self._repeat.start()

    def stop(self) -> None:
        """End the schedule."""
        self._stop.set()
        self._repeat.stop()

    def is_alive(self) -> bool:
        """Whether the schedule goes on."""
        return self._repeat.is_alive()

    def expect(self) -> None:
        """Watches begin: list once more as soon as those have their own first list."""
        timer = threading.Timer(SETTLED, self._repeat.soon)
        timer.daemon = True
        timer.start()

    def soon(self) -> None:
        """List everything once more, now or right after the list that is running."""
        self._repeat.soon()

    def age(self) -> float:
        """Seconds since everything was last listed without an error."""
        return self._now() - self._listed

    def silence(self) -> float:
        """Seconds since any kind was listed: a kind that cannot be listed alone is no reason to end what works without it."""
        return self._now() - self._answered

    def run_once(self) -> float:
        """List everything; after how many seconds to do so again, sooner where a list failed."""
        began = self._now()
        if not all([self._attempt(kind) for kind in self._kinds]):
            return self._interval / 10
        self._listed = began
        self._then()
        return self._interval

    def _attempt(self, kind: str) -> bool:
        try:
            self._list_kind(kind)
        except MeshError as error:
            _log.warning("A list failed: %s", error)
            return False
        except Exception:
            # One object that no code of ours expected must not keep all other kinds from being listed.
            _log.exception("Listing %s failed", kind)
            return False
        self._answered = self._now()
        return True
