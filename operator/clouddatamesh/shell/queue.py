"""The work queue: each key once at a time, coalesced, delayed, with backoff, in lanes of which none can starve the others."""

import heapq
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from clouddatamesh.model.objects import Key

FIRST, LONGEST = 0.25, 300.0
"""Seconds: the first backoff, and the longest."""


@dataclass
class _Lane:
    """Keys that wait on one outside system, urgent ones apart, and how many of them are being worked on."""

    urgent: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    plain: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    busy: int = 0

    def pop(self) -> Key:
        return (self.urgent or self.plain).popitem(last=False)[0]


class Queue:
    """Thread-safe. `lane` says which outside system a key waits on (empty: none), `urgent` whether it goes first in its lane.

    Lanes take turns, and a named lane never has more than `lane_limit` workers: a store that hangs holds only those.
    """

    def __init__(
        self,
        *,
        lane: Callable[[Key], str] = lambda _: "",
        urgent: Callable[[Key], bool] = lambda _: False,
        lane_limit: int = 12,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lane_of, self._is_urgent, self._limit, self._now = lane, urgent, lane_limit, now
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._queued: dict[Key, tuple[str, float]] = {}
        self._working: dict[Key, str] = {}
        self._again: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._delayed: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._closed = False
        self._changed = threading.Condition()

    def add(self, key: Key) -> None:
        """Due now. A key that is being worked on is worked on once more afterwards."""
        with self._changed:
            self._add(key)
            self._changed.notify()

    def add_after(self, key: Key, seconds: float) -> None:
        """Due after a while, or earlier where that was asked already."""
        with self._changed:
            self._add_at(key, self._now() + seconds)
            self._changed.notify()

    def add_backoff(self, key: Key) -> float:
        """Due after a time that doubles with each failure in a row, less up to a fifth; returns that time in seconds."""
        with self._changed:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            seconds = min(FIRST * 2.0 ** min(failures - 1, 16), LONGEST) * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
            self._add_at(key, self._now() + seconds)
            self._changed.notify()
            return seconds

    def reset(self, key: Key) -> None:
        """The key went well: its next failure is its first."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self, *, wait: float = 1.0) -> Key | None:
        """The next key, which is then this caller's until `done`. None after `wait` seconds without one, or when closed."""
        end = self._now() + wait
        with self._changed:
            while not self._closed:
                self._release_due()
                key = self._take()
                if key is not None:
                    return key
                left = min(end, self._delayed[0][0] if self._delayed else end) - self._now()
                if self._now() >= end:
                    return None
                self._changed.wait(max(left, 0.001))
            return None

    def done(self, key: Key) -> None:
        """The caller is finished with a key."""
        with self._changed:
            self._lanes[self._working.pop(key)].busy -= 1
            if key in self._again:
                self._again.discard(key)
                self._add(key)
            self._changed.notify()

    def close(self) -> None:
        """Give out nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether it gives out nothing any more."""
        return self._closed

    def depth(self) -> int:
        """Keys that are due and wait for a worker."""
        return len(self._queued)

    def oldest(self) -> float:
        """Seconds for which the key that has waited longest has been due; 0 where none waits."""
        with self._changed:
            return max((self._now() - since for _, since in self._queued.values()), default=0.0)

    def _add(self, key: Key) -> None:
        self._due.pop(key, None)
        if key in self._working:
            self._again.add(key)
        elif key not in self._queued:
            name = self._lane_of(key)
            lane = self._lanes.setdefault(name, _Lane())
            (lane.urgent if self._is_urgent(key) else lane.plain)[key] = None
            self._queued[key] = (name, self._now())

    def _add_at(self, key: Key, due: float) -> None:
        if key in self._queued or key in self._again or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._delayed, (due, key))

    def _release_due(self) -> None:
        """Entries of the heap that were overtaken by an earlier one are dropped here."""
        while self._delayed and self._delayed[0][0] <= self._now():
            due, key = heapq.heappop(self._delayed)
            if self._due.get(key) == due:
                self._add(key)

    def _take(self) -> Key | None:
        for name, lane in self._lanes.items():
            if (lane.urgent or lane.plain) and (not name or lane.busy < self._limit):
                key = lane.pop()
                lane.busy += 1
                del self._queued[key]
                self._working[key] = name
                self._lanes.move_to_end(name)
                return key
        return None
