"""Whether the API server was restored from a backup, asked as soon as a watch that was cut is open again.

Its versions are then lower than those that were known, and the watch brings nothing until they have come again. Lists find that out, too,
but only when their turn comes.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from clouddatamesh.errors import MeshError
from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
_RETRY: Final = 2.0
_IDLE: Final = 3600.0


class Rewind:
    """`known` tells the latest version that was heard of a kind, `current` asks the API server for its own; `found` is told of a kind.

    A thread of its own asks, since the watches share one that must not wait.
    """

    def __init__(self, *, known: Callable[[str], int], current: Callable[[str], int], found: Callable[[str], object]) -> None:
        self._known, self._current, self._found = known, current, found
        self._lock, self._kinds = threading.Lock(), set[str]()
        self._repeat = Repeat("rewind", self.run_once, first=_IDLE)

    def start(self) -> None:
        """Begin."""
        self._repeat.start()

    def stop(self) -> None:
        """End."""
        self._repeat.stop()

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._repeat.is_alive()

    def ask(self, kind: str) -> None:
        """A watch of the kind is open again."""
        with self._lock:
            self._kinds.add(kind)
        self._repeat.soon()

    def run_once(self) -> float:
        """Compare the versions of each such kind; after how many seconds to do so again."""
        with self._lock:
            kinds, self._kinds = sorted(self._kinds), set()
        failed = {kind for kind in kinds if not self._compare(kind)}
        with self._lock:
            self._kinds |= failed
        return _RETRY if failed else _IDLE

    def _compare(self, kind: str) -> bool:
        """False where the API server did not answer. What was known before it was asked is what counts."""
        known = self._known(kind)
        try:
            current = self._current(kind)
        except MeshError as error:
            _log.warning("A version was not read: %s", error)
            return False
        if 0 < current < known:
            _log.warning("The version of %s is %d, and %d was known: the API server was restored", kind, current, known)
            self._found(kind)
        return True
