"""For how long access has existed that must not exist any more: the one number of which any is too much."""

import time
from collections.abc import Callable, Iterable

from clouddatamesh.model.objects import Key


class Overdue:
    """`look` is told at each round which requests still have access that must end. One that is first seen counts from then."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since: dict[Key, float] = {}
        self._looked = now()

    def look(self, keys: Iterable[Key]) -> None:
        """These are overdue now, and no others."""
        self._looked = self._now()
        self._since = {key: self._since.get(key, self._looked) for key in keys}

    def seconds(self) -> float:
        """For how long the one that is longest so had been overdue at the last look."""
        return max((self._looked - since for since in self._since.values()), default=0.0)
