"""The Clock port."""

from datetime import UTC, datetime

from clouddatamesh.kube.skew import Skew


class SystemClock:
    """The Clock port over the machine's clock, which is trusted while it agrees with the API server's."""

    def __init__(self, skew: Skew) -> None:
        self._skew = skew

    def now(self) -> datetime:
        return datetime.now(UTC)

    def is_trusted(self) -> bool:
        return self._skew.is_trusted()
