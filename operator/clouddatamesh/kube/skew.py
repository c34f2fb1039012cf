"""How far this machine's clock is from the API server's, by the `Date` of its answers. Where they differ, ours is not to be acted on."""

import logging
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

_log = logging.getLogger(__name__)
LIMIT: Final = 60.0
"""Seconds that the two clocks may differ."""
_LOOKS: Final = 2
"""Looks in a row that must agree after one that did not."""


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Skew:
    """Thread-safe. `wall` is the clock that is judged, `steady` one that nobody sets; both in seconds."""

    def __init__(self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _boot_time) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._missing = 1
        self._seen = False
        self._offset = 0.0
        self._seconds = 0.0
        self._agreed = True
        """As the log tells."""

    def look(self, date: str | None, round_trip: float) -> None:
        """Take in the `Date` of an answer that just came, and how long it took; what is no date is no look."""
        theirs = _parse(date)
        if theirs is None:
            return
        with self._lock:
            now = self._wall()
            # A Date has whole seconds, and was written at some time within the round trip.
            self._seconds = (now - round_trip / 2) - (theirs + 0.5)
            tolerance = round_trip / 2 + 0.5
            if abs(self._seconds) - tolerance > LIMIT:
                self._missing = _LOOKS
            else:
                self._missing = max(self._missing - 1, 0)
                self._offset = now - self._steady()
            self._seen = True
            before = self._agreed
            if self._missing in (0, _LOOKS):
                self._agreed = not self._missing
            agreed = self._agreed
        if agreed != before:
            self._tell(agreed=agreed)

    def _tell(self, *, agreed: bool) -> None:
        """One line when trust is lost, one when it is back."""
        if not agreed:
            _log.warning("ClockSkewed: %s", "; ".join(self.describe()), extra={"fields": {"reason": "ClockSkewed"}})
        else:
            _log.info("This machine's clock agrees with the API server's again")

    def is_trusted(self) -> bool:
        """Whether the last looks agreed, and nobody has set our clock since."""
        with self._lock:
            return not self._missing and abs(self._moved()) <= LIMIT

    def seconds(self) -> float:
        """Ours minus theirs at the last look, and what ours was set by since."""
        with self._lock:
            return self._seconds + (0.0 if self._missing else self._moved())

    def describe(self) -> tuple[str, ...]:
        """What speaks against acting on this clock."""
        if self.is_trusted():
            return ()
        if not self._seen:
            return ("the API server's clock has not been seen yet",)
        return (f"this machine's clock is {abs(self.seconds()):.0f} s {self._side()} the API server's; nothing is given or taken by time",)

    def _side(self) -> str:
        return "ahead of" if self.seconds() > 0 else "behind"

    def _moved(self) -> float:
        return self._wall() - self._steady() - self._offset


def _parse(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
