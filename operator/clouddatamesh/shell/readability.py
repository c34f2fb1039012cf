"""How much of each kind this operator cannot read: a few objects are somebody's mistake, many are a fault of ours, such as a rollback."""

import threading
from collections.abc import Callable, Iterable
from typing import Final

from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.model.objects import Manifest
from clouddatamesh.reconcile.dispatch import RECONCILED
from clouddatamesh.reconcile.parse import is_readable

SHARE: Final = 0.1
FEW: Final = 2
"""More than a tenth of a kind, and more than two of them, are too many."""


class Readability:
    """`list_kind` gives the cached objects of a kind. Each is read again only when its spec changed."""

    def __init__(self, list_kind: Callable[[str], Iterable[Manifest]]) -> None:
        self._list_kind = list_kind
        self._known: dict[str, tuple[int, bool]] = {}
        self._lock = threading.Lock()
        self.unreadable: dict[str, int] = {}
        self.distrusted: frozenset[str] = frozenset()
        """Kinds of which so many cannot be read that nothing is taken for that reason."""

    def look(self) -> None:
        """Count again."""
        known: dict[str, tuple[int, bool]] = {}
        counts: dict[str, tuple[int, int]] = {}
        for kind in RECONCILED:
            found = [self._read(kind, manifest, known) for manifest in self._list_kind(kind)]
            counts[kind] = (found.count(False), len(found))
        with self._lock:
            self._known = known
            self.unreadable = {kind: bad for kind, (bad, _) in counts.items()}
            self.distrusted = frozenset(kind for kind, (bad, total) in counts.items() if bad > FEW and bad > SHARE * total)

    def _read(self, kind: str, manifest: Manifest, known: dict[str, tuple[int, bool]]) -> bool:
        uid, generation = manifest["metadata"]["uid"], manifest["metadata"].get("generation", 0)
        before = self._known.get(uid)
        readable = before[1] if before is not None and before[0] == generation else is_readable(KIND_BY_NAME[kind].model, manifest)
        known[uid] = (generation, readable)
        return readable

    def describe(self) -> tuple[str, ...]:
        """What speaks against being ready."""
        return tuple(
            f"{self.unreadable[kind]} objects of kind {kind} cannot be read by this version of the operator; run the one that wrote them"
            for kind in sorted(self.distrusted)
        )
