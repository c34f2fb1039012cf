"""What one process remembers for judging: policies as they were built, and the world as it was last read. Lost with the process."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 4096


class Memory:
    """Thread-safe. What is built once is kept by its identity; what was seen is kept by the object that it was seen of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._built: OrderedDict[Hashable, Any] = OrderedDict()
        self._seen: dict[Hashable, tuple[str, Mapping[str, Any]]] = {}

    def build(self, identity: Hashable, make: Callable[[], T]) -> T:
        """What was made for this identity, or is made now. An error is not kept."""
        with self._lock:
            if identity in self._built:
                found: T = self._built[identity]
                return found
        made = make()
        with self._lock:
            self._built[identity] = made
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
