"""JSON of the API server, no deeper and no larger than its readers can take: `params` of a policy may be nested ten thousand levels deep.

Whatever reads JSON in Python calls itself for each level, and ends at some hundreds; and a megabyte of empty maps takes thirty in memory.
One object that nobody can read would hide all others of its kind, in lists and in watches, as long as it exists.
"""

import json
import re
from typing import Any, Final

DEEPEST: Final = 64
"""Levels that are read; what is deeper is read as null. It is more than any object of a typed schema has."""
LARGEST: Final = 65_536
"""Bytes of free values; in place of more a text is read that is longer than `params` may be, so that their policy has a fault."""
_FREE: Final = b'params"'
"""The end of the one name below which the CRDs allow anything, also in `managedFields`."""
_NAMES: Final = (b'"params"', b'"f:params"')
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)
_TOO_LARGE: Final = b'{"":"' + b"x" * 8192 + b'"}'


def read_json(data: bytes) -> Any:
    """Raises ValueError where it is no JSON."""
    return json.loads(cut_down(data))


def cut_down(data: bytes) -> bytes:
    """The same JSON without what is deeper than DEEPEST, and without free values that are larger than LARGEST."""
    return _Cut(data).whole() if _FREE in data else data


class _Cut:
    """One pass over a text. What is kept of it is in `parts`, and what comes after `taken`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts: list[bytes] = []
        self._taken = self._depth = self._named = 0
        self._free: tuple[int, int, int, int] | None = None
        """Where free values begin: position, depth, and what was kept before."""

    def whole(self) -> bytes:
        for token in _TOKEN.finditer(self._data):
            match self._data[token.start() : token.start() + 1]:
                case b'"':
                    self._named = token.end() if token[0] in _NAMES else 0
                case b"[" | b"{":
                    self._open(token.start())
                case _:
                    self._close(token.end())
        return b"".join((*self._parts, self._data[self._taken :]))

    def _open(self, at: int) -> None:
        self._depth += 1
        if self._named and self._free is None and self._data[self._named : at].strip() == b":":
            self._free = at, self._depth, len(self._parts), self._taken
        if self._depth == DEEPEST + 1:
            self._parts += [self._data[self._taken : at], b"null"]

    def _close(self, end: int) -> None:
        if self._depth == DEEPEST + 1:
            self._taken = end
        if self._free is not None and self._depth == self._free[1]:
            began, _, parts, taken = self._free
            self._free = None
            if end - began > LARGEST:
                self._parts[parts:] = [self._data[taken:began], _TOO_LARGE]
                self._taken = end
        self._depth -= 1
