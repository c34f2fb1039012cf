"""For how long access has existed that must have ended."""

import time
from collections.abc import Callable, Iterable

from clouddatamesh.model.objects import Key


class Overdue:
    """`look` is called at each round with the requests whose access must end and still exists. Each counts from its first round."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since: dict[Key, float] = {}
        self._looked = now()

    def look(self, keys: Iterable[Key]) -> None:
        """Exactly these are overdue now."""
        self._looked = self._now()
        self._since = {key: self._since.get(key, self._looked) for key in keys}

    def seconds(self) -> float:
        """For how long the oldest of them had been overdue at the last round."""
        return max((self._looked - since for since in self._since.values()), default=0.0)
