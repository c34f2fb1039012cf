"""Whether the watches watch: what each kind's stream was last heard to bring, and what the cache learned that no stream brought.

A quiet kind has no events. But the API server answers each watch at once, sends a bookmark every minute, and ends each watch by itself
after some minutes. A stream that does none of that, or lacks what a list or a write of ours has shown, is blind.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

SERVED: Final = 300
"""Seconds after which the API server is asked to end a watch."""
_CUT: Final = 0.9 * SERVED
"""Seconds: a watch that is opened again sooner was cut by something else."""
SILENT: Final = 80.0
"""Seconds without a sign of life after which a watch counts as blind; bookmarks come every 60 s, and kopf reconnects after 70 s."""
BARREN: Final = 65.0
"""Seconds that a stream was open without bringing anything, after which opening the next one is no sign of life."""
BEHIND: Final = 45.0
"""Seconds that a watch may take to bring what the cache knows already."""


@dataclass
class _Stream:
    """Of one kind. Times in seconds of our clock, versions as numbers."""

    sign: float
    """When it last gave a sign of life."""
    opened: float = 0.0
    """When the API server last answered a watch; 0: never."""
    is_barren: bool = False
    """Whether the former stream brought nothing for so long that it was given up."""
    heard: float = 0.0
    delivered: int = 0
    awaited: int = 0
    """The version that is known from elsewhere and was not delivered; 0: none."""
    newest: int = 0
    since: float = 0.0


class Streams:
    """Thread-safe; `kinds` are those that should be watched. `resumed` is told of a kind whose watch was cut and is open again."""

    def __init__(
        self, kinds: Iterable[str], *, resumed: Callable[[str], object] = lambda _: None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._resumed, self._lock = now, resumed, threading.Lock()
        self._streams = {kind: _Stream(sign=now()) for kind in kinds}
        self._sends_bookmarks = False
        self.lacked = 0
        """Runs in a row that ended because a kind was not watched."""

    def open(self, kind: str) -> None:
        """The API server answered a watch. After a barren stream that proves nothing, where it is known to send bookmarks."""
        with self._lock:
            stream, stream_now = self._streams[kind], self._now()
            was_cut = stream.opened > 0 and stream_now - stream.opened < _CUT
            stream.opened = stream_now
            if not (stream.is_barren and self._sends_bookmarks):
                stream.sign = stream_now
        if was_cut:
            self._resumed(kind)

    def hear(self, kind: str, *, bookmark: int = 0) -> None:
        """Something came; of a bookmark its version, up to which nothing is missing any more."""
        with self._lock:
            stream = self._streams[kind]
            stream.sign = stream.heard = self._now()
            stream.is_barren = False
            if bookmark:
                self._sends_bookmarks = True
                self._deliver(stream, bookmark)

    def close(self, kind: str, *, by_server: bool) -> None:
        """A stream ended: the other side closed it, which is a sign of life, or it was given up."""
        with self._lock:
            stream, now = self._streams[kind], self._now()
            if by_server:
                stream.sign, stream.is_barren = now, False
            elif now - max(stream.opened, stream.heard) >= BARREN:
                stream.is_barren = True

    def deliver(self, kind: str, version: int) -> None:
        """An event of that version was brought by the watch; so was everything before it."""
        with self._lock:
            self._deliver(self._streams[kind], version)

    def expect(self, kind: str, version: int) -> None:
        """The cache knows of that version; the watch must bring it too."""
        with self._lock:
            stream = self._streams.get(kind)
            if stream is None or version <= stream.delivered:
                return
            stream.newest = max(stream.newest, version)
            if not stream.awaited:
                stream.awaited, stream.since = version, self._now()

    def delivered(self, kind: str) -> int:
        """The version up to which the watch has brought everything."""
        with self._lock:
            return self._streams[kind].delivered

    def restart(self) -> None:
        """Versions begin again: the API server was restored, and what was awaited never comes."""
        with self._lock:
            for stream in self._streams.values():
                stream.delivered = stream.awaited = stream.newest = 0

    def now(self) -> float:
        """Its own clock, in seconds."""
        return self._now()

    def ages(self) -> Mapping[str, float]:
        """Of each kind the seconds since its watch gave a sign of life."""
        with self._lock:
            return {kind: self._now() - stream.sign for kind, stream in self._streams.items()}

    def describe(self) -> tuple[str, ...]:
        """What speaks against all kinds being watched."""
        with self._lock:
            found = ((kind, self._fault(stream)) for kind, stream in sorted(self._streams.items()))
            return tuple(f"the watch of {kind} {fault}" for kind, fault in found if fault)

    def is_sound(self, kind: str) -> bool:
        """Whether nothing speaks against the watch of a kind."""
        with self._lock:
            return not self._fault(self._streams[kind])

    def _fault(self, stream: _Stream) -> str:
        if not stream.opened:
            return "has not begun"
        if (silent := self._now() - stream.sign) > SILENT:
            return f"has brought nothing for {silent:.0f} s"
        if stream.awaited and (behind := self._now() - stream.since) > BEHIND:
            return f"has been behind what is known from elsewhere for {behind:.0f} s"
        return ""

    def _deliver(self, stream: _Stream, version: int) -> None:
        stream.delivered = max(stream.delivered, version)
        if stream.awaited and stream.delivered >= stream.awaited:
            is_behind = stream.newest > stream.delivered
            stream.awaited, stream.since = (stream.newest, self._now()) if is_behind else (0, 0.0)
