"""Reads that are late: what a service of the fake shows is its state of some calls, or of some time, ago."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Lag: TypeAlias = int | timedelta
"""How late reads are: by so many calls of the service, or by so much time. 0: not at all."""


class Late(Generic[T]):
    """One service. `state` takes a picture of it; pictures are kept only while there is a lag."""

    def __init__(self, state: Callable[[], Mapping[str, T]], now: Callable[[], datetime]) -> None:
        self._state, self._now = state, now
        self._lag: Lag = 0
        self._calls = 0
        self._pictures: deque[tuple[int, datetime, Mapping[str, T]]] = deque()

    def be_late(self, lag: Lag) -> None:
        """From now on reads are late by this; 0 ends it."""
        self._lag = lag
        self._pictures.clear()
        if lag:
            self._take()

    def call(self) -> None:
        """A call begins; what others changed since the last one is in its picture."""
        if self._lag:
            self._take()
            self._calls += 1

    def written(self) -> None:
        """A call changed something."""
        if self._lag:
            self._take()

    def seen(self) -> Mapping[str, T]:
        """What a read shows; the first picture where none is old enough."""
        if not self._lag:
            return self._state()
        while len(self._pictures) > 1 and self._is_due(self._pictures[1]):
            self._pictures.popleft()
        return self._pictures[0][2]

    def _take(self) -> None:
        self._pictures.append((self._calls, self._now(), self._state()))

    def _is_due(self, picture: tuple[int, datetime, Mapping[str, T]]) -> bool:
        if isinstance(self._lag, timedelta):
            return picture[1] <= self._now() - self._lag
        return picture[0] <= self._calls - self._lag
