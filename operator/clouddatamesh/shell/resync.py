"""Our own lists: all of them before any work begins, and again on a schedule, for what a watch missed."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from clouddatamesh.errors import MeshError
from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.client import Client
from clouddatamesh.kube.lists import list_into
from clouddatamesh.reconcile.dispatch import LABELLED, WATCHED

_log = logging.getLogger(__name__)
INTERVAL: Final = 600.0
_RETRY: Final = 2.0


class Resync:
    """Lists every watched kind into the cache, whose listener learns of each difference."""

    def __init__(self, cache: Cache, client: Client) -> None:
        self._cache, self._client = cache, client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="resync", daemon=True)

    def fill(self) -> bool:
        """List everything once, however long the API server takes to answer; False when stopped before."""
        for kind in WATCHED:
            while not self._attempt(lambda kind=kind: list_into(self._cache, self._client, kind, labelled=kind in LABELLED)):  # type: ignore[misc]
                if self._stop.wait(_RETRY):
                    return False
        return True

    def start(self) -> None:
        """Begin the schedule."""
        self._thread.start()

    def stop(self) -> None:
        """End the schedule."""
        self._stop.set()

    def _repeat(self) -> None:
        while not self._stop.wait(INTERVAL):
            for kind in WATCHED:
                self._attempt(lambda kind=kind: list_into(self._cache, self._client, kind, labelled=kind in LABELLED))  # type: ignore[misc]

    @staticmethod
    def _attempt(act: Callable[[], object]) -> bool:
        try:
            act()
        except MeshError as error:
            _log.warning("A list failed: %s", error)
            return False
        return True
