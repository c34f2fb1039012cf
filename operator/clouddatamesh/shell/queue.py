"""The work queue: each key once at a time, coalesced, delayed, with backoff, in lanes of which none can starve the others."""

import heapq
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.meters import Meter, NoMeter

_NO_METER: Final = NoMeter()
_NO_LIMITS: Final[Mapping[str, int]] = MappingProxyType({})
FIRST, LONGEST, BRIEF = 0.25, 300.0, 8.0
"""Seconds: the first backoff, the longest, and the longest where nothing but the API server's return is waited for."""
RETRIES: Final = 20.0
"""Of those a second, where many keys wait: each attempt reads the store before the API server refuses it again."""
CROWD, CROWDED = 16, 10.0
"""Each so many keys that wait add once more what counting waits anyhow; and how many times as long it waits at most."""
SLOW = 5.0
"""Seconds of work on one key after which its lane counts as slow."""
URGENT_IN_A_ROW = 4
"""After so many urgent keys a plain one that is due has its turn, so that no flood of urgent ones keeps all others waiting."""


@dataclass
class _Lane:
    """Keys that wait on one outside system, urgent ones apart, and how many of them are being worked on."""

    urgent: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    plain: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    busy: dict[Key, float] = field(default_factory=dict)
    """Since when each key is being worked on."""
    was_slow: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to be remembered of it: anybody may name a store that does not exist, and another one each time."""
        return not (self.urgent or self.plain or self.busy or self.was_slow)

    def count_slow(self, now: float) -> int:
        return sum(now - since > SLOW for since in self.busy.values())


class Queue:
    """Thread-safe. `lane` says which outside system a key waits on (empty: none), `urgent` whether it goes first in its lane.

    Urgent keys have four turns of five, lanes take turns, and a named lane never has more than `lane_limit` workers, or what `limits` says
    of it. A slow lane gets no more than a third of that: while so many of its keys take longer than SLOW, or after one that did, until one
    is quick again. Nor do all slow lanes together have more than `lane_limit`: what waits on stores that hang leaves workers for others.
    """

    def __init__(
        self,
        *,
        lane: Callable[[Key], str] = lambda _: "",
        urgent: Callable[[Key], bool] = lambda _: False,
        lane_limit: int = 12,
        limits: Mapping[str, int] = _NO_LIMITS,
        meter: Meter = _NO_METER,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lane_of, self._is_urgent, self._now, self._meter = lane, urgent, now, meter
        self._limit, self._slow_limit, self._limits = lane_limit, max(lane_limit // 3, 1), limits
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._queued: dict[Key, tuple[str, float]] = {}
        self._working: dict[Key, str] = {}
        self._again: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._delayed: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._closed = self._paused = False
        self._urgent_in_a_row = 0
        self._first: set[Key] = set()
        self._given = self._led = now()
        self._changed = threading.Condition()

    def add(self, key: Key) -> None:
        """Due now. A key that is being worked on is worked on once more afterwards."""
        with self._changed:
            self._add(key)
            self._changed.notify()

    def begin_with(self, keys: Iterable[Key]) -> None:
        """Due now, and nothing else is given out until each was worked on once; no longer than SLOW seconds in which none was done."""
        with self._changed:
            self._first, self._led = set(keys), self._now()
            for key in self._first:
                self._add(key)
            self._changed.notify_all()

    def add_after(self, key: Key, seconds: float) -> None:
        """Due after a while, or earlier where that was asked already."""
        with self._changed:
            self._add_at(key, self._now() + seconds)
            self._changed.notify()

    def add_counted(self, key: Key, seconds: float) -> None:
        """Due after a while, up to CROWDED times as long while many keys wait: what counts others counts a burst once."""
        self.add_after(key, seconds * min(1.0 + self.depth() / CROWD, CROWDED))

    def add_backoff(self, key: Key, *, brief: bool = False) -> float:
        """Due after a time that doubles with each failure in a row, less up to a fifth; returns that time in seconds.

        `brief`: it waits for the API server alone, and is to be tried soon after its return.
        """
        with self._changed:
            longest = min(max(BRIEF, len(self._failures) / RETRIES), LONGEST) if brief else LONGEST
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            seconds = min(FIRST * 2.0 ** min(failures - 1, 16), longest) * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
            self._add_at(key, self._now() + seconds)
            self._meter.retried(key)
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
                    self._changed.notify()
                    return key
                left = min(end, self._delayed[0][0] if self._delayed else end, self._led + SLOW if self._first else end) - self._now()
                if self._now() >= end:
                    return None
                self._changed.wait(max(left, 0.001))
            return None

    def done(self, key: Key) -> None:
        """The caller is finished with a key."""
        with self._changed:
            name = self._working.pop(key)
            lane = self._lanes[name]
            worked = self._now() - lane.busy.pop(key)
            lane.was_slow = worked > SLOW
            self._meter.done(key, worked=worked)
            if lane.is_idle:
                del self._lanes[name]
            if key in self._again:
                self._again.discard(key)
                self._add(key)
            if key in self._first:
                self._first.discard(key)
                self._led = self._now()
                self._changed.notify_all()
            self._changed.notify()

    def pause(self) -> None:
        """Give out nothing until `resume`; take in as before."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Give out again."""
        with self._changed:
            self._paused, self._given = False, self._now()
            self._changed.notify_all()

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
            first = next(iter(self._queued.values()), None)  # they are kept in the order in which they became due
            return self._now() - first[1] if first is not None else 0.0

    def stalled(self) -> float:
        """Seconds for which a key could have been given out and none was: 0 while work goes on, is held back by lanes, or is paused."""
        with self._changed:
            self._release_due()
            ready = [since for name, since in self._queued.values() if self._has_room(name)]
            return 0.0 if self._paused or not ready else max(self._now() - max(min(ready), self._given), 0.0)

    def _add(self, key: Key) -> None:
        self._due.pop(key, None)
        if key in self._working:
            self._again.add(key)
            return
        name = self._queued[key][0] if key in self._queued else self._lane_of(key)
        lane = self._lanes.setdefault(name, _Lane())
        if self._is_urgent(key):
            lane.plain.pop(key, None)
            lane.urgent[key] = None
        elif key not in lane.urgent:
            lane.plain[key] = None
        if key not in self._queued:
            self._queued[key] = name, self._now()
            self._meter.added(key)

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
        if self._now() - self._led >= SLOW:
            self._first.clear()
        if self._paused:
            return None
        urgent_first = self._urgent_in_a_row < URGENT_IN_A_ROW
        for urgent in (urgent_first, not urgent_first):
            for name, lane in self._lanes.items():
                waiting = lane.urgent if urgent else lane.plain
                key = next((key for key in waiting if key in self._first or not self._first), None)
                if key is not None and self._has_room(name):
                    del waiting[key]
                    self._urgent_in_a_row = self._urgent_in_a_row + 1 if urgent else 0
                    return self._give(name, key)
        return None

    def _has_room(self, name: str) -> bool:
        if not name:
            return True
        busy = len(self._lanes[name].busy)
        if busy >= self._limits.get(name, self._limit):
            return False
        if not self._is_slow(name):
            return True
        return busy < self._slow_limit and sum(self._is_slow(other) for other in self._working.values() if other) < self._limit

    def _is_slow(self, name: str) -> bool:
        lane = self._lanes[name]
        return lane.was_slow or lane.count_slow(self._now()) >= self._slow_limit

    def _give(self, name: str, key: Key) -> Key:
        _, since = self._queued.pop(key)
        self._working[key] = name
        self._given = self._lanes[name].busy[key] = self._now()
        self._meter.given(key, waited=self._given - since)
        self._lanes.move_to_end(name)
        return key
