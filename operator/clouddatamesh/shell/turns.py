"""A turn as leader: what access rests on is listed again before work begins, for a cache that is behind would give again what was taken."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Turns:
    """`fill` lists them and may take long, so it runs in parallel to the lease's renewals; `begin` and `pause` switch the work.

    Where the lease was lost while it listed, nothing begins: the next turn lists again. A turn that fails is told to `failed`, as a
    leader that is idle is worse than none.
    """

    def __init__(
        self, *, fill: Callable[[], bool], begin: Callable[[], None], pause: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        self._fill, self._begin, self._pause, self._failed = fill, begin, pause, failed
        self._lock = threading.Lock()
        self._turn = 0

    def gained(self) -> None:
        """The lease is ours: list, then begin."""
        with self._lock:
            self._turn += 1
            turn = self._turn
        threading.Thread(target=self._run, args=(turn,), name="turn", daemon=True).start()

    def lost(self) -> None:
        """The lease is another's: nothing more is begun."""
        with self._lock:
            self._turn += 1
            self._pause()

    def _run(self, turn: int) -> None:
        try:
            if not self._fill():
                return
            with self._lock:
                if turn == self._turn:
                    self._begin()
        except Exception as error:
            _log.exception("Taking over failed")
            self._failed(error)
