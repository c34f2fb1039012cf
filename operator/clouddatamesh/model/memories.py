"""What one process remembers between looks, shared by all its reconciliations: what proved itself, what failed, what was read and built.

It is lost with the process, and nothing is wrong without it: a look learns it again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 4096


class Memory:
    """Thread-safe. What is built is kept until its source changes; what was seen is kept by the object that it was seen of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._built: OrderedDict[Hashable, tuple[object, Any]] = OrderedDict()
        self._seen: dict[Hashable, tuple[str, Mapping[str, Any]]] = {}

    def build(self, identity: Hashable, source: object, make: Callable[[], T]) -> T:
        """What was made of this source, or is made now. An error is not kept.

        It is the source that counts, and no number of it: after etcd was restored, a uid and a generation may be of another spec.
        """
        with self._lock:
            known, made = self._built.get(identity, (None, None))
        if made is not None and known == source:
            found: T = made
            return found
        made = make()
        with self._lock:
            self._built[identity] = (source, made)
            while len(self._built) > _MOST:
                self._built.popitem(last=False)
        return made

    def note(self, key: Hashable, uid: str, facts: Mapping[str, Any]) -> None:
        """What was read of the world for the object of that uid."""
        with self._lock:
            self._seen[key] = (uid, facts)

    def facts(self, key: Hashable, uid: str) -> Mapping[str, Any] | None:
        """What was last read for this very object; None where nothing was in this process."""
        with self._lock:
            known, facts = self._seen.get(key, ("", {}))
            return facts if known == uid else None

    def forget(self, key: Hashable) -> None:
        """The object is gone."""
        with self._lock:
            self._seen.pop(key, None)


class Proofs:
    """When each connection last showed that it leads to the store that it should; shared by all reconciliations of a process."""

    LASTING: Final = timedelta(seconds=30)

    def __init__(self) -> None:
        self.distrusted: frozenset[str] = frozenset()
        """Kinds of which so many objects cannot be read that the fault must be ours."""
        self._at: dict[Hashable, datetime] = {}
        self._lock = threading.Lock()

    def holds(self, key: Hashable, now: datetime) -> bool:
        """Whether that was so little ago that it still counts. A clock that was set back proves nothing."""
        with self._lock:
            at = self._at.get(key)
            return at is not None and timedelta() <= now - at < self.LASTING

    def note(self, key: Hashable, now: datetime) -> None:
        """It was shown now. What is older than it counts is dropped."""
        with self._lock:
            self._at = {known: at for known, at in self._at.items() if timedelta() <= now - at < self.LASTING}
            self._at[key] = now


class Doubts:
    """Since when the looks at an object that was Ready have failed by what may pass by itself; shared as `Proofs` is."""

    PATIENCE: Final = timedelta(seconds=10)
    """For this duration a status stays as it was: one throttled call is not worth telling, and each change is a write and an event."""

    def __init__(self) -> None:
        self._since: dict[Hashable, datetime] = {}
        self._lock = threading.Lock()

    def is_new(self, key: Hashable, now: datetime) -> bool:
        """Note that a look failed; whether that began so little ago that it is not told yet. A clock that was set back tells nothing."""
        with self._lock:
            return timedelta() <= now - self._since.setdefault(key, now) < self.PATIENCE

    def forget(self, key: Hashable) -> None:
        """A look was had, or told of."""
        with self._lock:
            self._since.pop(key, None)
