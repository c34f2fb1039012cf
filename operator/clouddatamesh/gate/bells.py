"""Watches that ring when something may have changed. Nothing is decided by what they bring: each round reads whole lists."""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Final, Protocol

from clouddatamesh.errors import MeshError
from clouddatamesh.governance.gate.policies import is_looked_at, stalled_by
from clouddatamesh.governance.gate.reach import Area
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.resources import collection
from clouddatamesh.model.judging import POLICY_KINDS

_log = logging.getLogger(__name__)
WATCH_SECONDS: Final = 240
_PAUSE: Final = 5.0
"""Seconds until a watch that failed is opened again."""


class Watched(Protocol):
    """What is asked of kube.client.Client."""

    def watch(self, path: str, *, seconds: int) -> Iterator[dict[str, Any]]: ...


class Bells:
    """A thread for each kind. `ring` is called for what is new to it, and when a watch begins again, for it may have missed something."""

    def __init__(self, client: Watched, kinds: tuple[str, ...], ring: Callable[[], object]) -> None:
        self._client, self._ring = client, ring
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(kind,), name=f"watch-{kind}", daemon=True) for kind in kinds]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ring no more. The threads end with their watches, or with the process."""
        self._ended.set()

    def ended(self) -> tuple[str, ...]:
        """Kinds that nobody watches any more."""
        return tuple(thread.name.removeprefix("watch-") for thread in self._threads if thread.ident is not None and not thread.is_alive())

    def _follow(self, kind: str) -> None:
        while not self._ended.is_set():
            self.follow_once(kind)

    def follow_once(self, kind: str) -> None:
        """One watch until its end. What fails is said, and tried again after a pause."""
        known: dict[Hashable, Hashable] = {}
        self._ring()
        try:
            for event in self._client.watch(collection(kind), seconds=WATCH_SECONDS):
                if self._ended.is_set() or event.get("type") == "ERROR":
                    return
                if is_news(known, event):
                    self._ring()
        except (MeshError, ApiError) as error:
            _log.info("The watch of %s ended: %s", kind, error)
            self._ended.wait(_PAUSE)


def is_news(known: dict[Hashable, Hashable], event: Mapping[str, Any]) -> bool:
    """Whether an event tells more than that somebody wrote a status. `known` is what was told before, and is brought up to date."""
    found = event.get("object") or {}
    metadata = found.get("metadata") or {}
    key = (metadata.get("namespace"), metadata.get("name"))
    told = (event.get("type") == "DELETED", metadata.get("uid"), metadata.get("generation"), _marks(metadata), _told_by_status(found))
    is_new = known.get(key) != told
    known[key] = told
    return is_new


def _marks(metadata: Mapping[str, Any]) -> Hashable:
    marks = (tuple(sorted((metadata.get(part) or {}).items())) for part in ("labels", "annotations"))
    return (*marks, metadata.get("deletionTimestamp"))


def _told_by_status(found: Mapping[str, Any]) -> Hashable:
    """Of a Domain the namespaces, by which a home is known; of a policy whether the operator applies it, and why not."""
    if found.get("kind") in POLICY_KINDS:
        return (is_looked_at(found), *stalled_by(found))
    return Area.of(found).holds if found.get("kind") == "Domain" else ()
