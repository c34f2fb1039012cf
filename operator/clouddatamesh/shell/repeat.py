"""A thread that does one thing again and again until it is told to stop. What it raises is logged, and never ends it."""

import logging
import threading
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)
_AFTER_FAULT: Final = 5.0


class Repeat:
    """`act` returns after how many seconds it wants to be called again; `soon` cuts that short. The first call comes after `first`."""

    def __init__(self, name: str, act: Callable[[], float], *, first: float = 0.0) -> None:
        self._act, self._first = act, first
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def soon(self) -> None:
        """Call again now, or right after the call that is running."""
        self._wake.set()

    def stop(self, *, seconds: float = 0.0) -> None:
        """Call no more; wait so many seconds for the end of a running call."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._pause(self._first)
        while not self._stop.is_set():
            self._pause(self._try())

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        if not self._stop.is_set():
            self._wake.clear()

    def _try(self) -> float:
        try:
            return self._act()
        except Exception:
            _log.exception("%s failed; it goes on in %.0f s", self._thread.name, _AFTER_FAULT)
            return _AFTER_FAULT
