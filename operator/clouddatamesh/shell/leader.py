"""Who works: the replica that holds the Lease, be it the only one. Every replica watches."""

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from clouddatamesh.errors import MeshError
from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
DEADLINE: Final = 10.0
"""Seconds after the last renewal began at which a leader writes no more; others wait 15."""
ROUND: Final = 2.0
"""Seconds between two renewals, and until the next attempt where the API server does not answer."""
STANDBY: Final = 0.5
"""Seconds until a replica that does not lead looks again: how long a Lease that was given back lies there."""


def boot_time() -> float:
    """Seconds of this machine's clock, which goes on while it sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease(Protocol):
    """What a leader asks of a Lease."""

    def hold(self) -> bool: ...

    def release(self) -> None: ...


class Leader:
    """Renews the lease every 2 s, or tries for it twice a second; `gained` and `lost` are told of each turn.

    `leads` is judged by the clock alone, at any moment.
    """

    def __init__(self, lease: Lease, *, gained: Callable[[], None], lost: Callable[[], None], now: Callable[[], float] = boot_time) -> None:
        self._lease, self._gained, self._lost, self._now = lease, gained, lost, now
        self._until = 0.0
        self._working = False
        self._repeat = Repeat("leader", self.run_once)

    def start(self) -> None:
        """Begin to try."""
        self._repeat.start()

    def stop(self) -> None:
        """Give the lease back; call it when all work has ended."""
        self._repeat.stop(seconds=ROUND)
        if self.leads():
            self._until = 0.0
            try:
                self._lease.release()
            except MeshError as error:
                _log.warning("%s; the next leader waits for its end", error)

    def leads(self) -> bool:
        """Whether this replica may write now."""
        return self._now() < self._until

    def run_once(self) -> float:
        """Take or renew the lease; after how many seconds to do so again."""
        began, again = self._now(), ROUND
        try:
            held = self._lease.hold()
            self._until, again = (began + DEADLINE, ROUND) if held else (0.0, STANDBY)
        except MeshError as error:
            _log.warning("%s", error)
        if self.leads() != self._working:
            self._working = not self._working
            _log.info("This replica %s", "leads" if self._working else "no longer leads")
            (self._gained if self._working else self._lost)()
        return again
