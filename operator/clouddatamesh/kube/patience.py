"""What the API server asks for by Retry-After: no request of those who share one Patience is sent before that time is over."""

import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 300.0
"""Seconds that are obeyed at most: a page of a proxy in maintenance may say an hour, and access has to be taken away meanwhile."""
_HEADER: Final = "Retry-After"


class Patience:
    """Thread-safe. Of several answers the one counts that asks for the longest time."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._until = 0.0

    def heed(self, status: int, headers: Mapping[str, str]) -> None:
        """Take note of an answer, whatever it is."""
        if status < 400 or _HEADER not in headers:
            return
        seconds = min(_seconds_in(headers[_HEADER], headers.get("Date", "")), LONGEST)
        with self._lock:
            self._until = max(self._until, self._now() + seconds)

    def left(self) -> float:
        """Seconds for which nothing is to be sent; 0 where it may be."""
        with self._lock:
            return max(self._until - self._now(), 0.0)


def _seconds_in(asked: str, date: str) -> float:
    """A number of seconds, or a moment of the clock by which the answer is dated. What cannot be read asks for nothing."""
    try:
        return max(float(asked), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(asked) - parsedate_to_datetime(date)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
