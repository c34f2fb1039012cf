"""JSON of the API server, no deeper than its readers can follow: `params` of a policy may be nested ten thousand levels deep.

Whatever reads JSON in Python calls itself for each level, and ends at some hundreds. One object that nobody can read would hide all others
of its kind, in lists and in watches, as long as it exists.
"""

import json
import re
from typing import Any, Final

DEEPEST: Final = 64
"""Levels that are read; what is deeper is read as null. It is more than any object of a typed schema has."""
_FREE: Final = b'params"'
"""The end of the one name below which the CRDs allow anything, also in `managedFields`."""
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)


def read_json(data: bytes) -> Any:
    """Raises ValueError where it is no JSON."""
    return json.loads(shallow(data))


def shallow(data: bytes) -> bytes:
    """The same JSON without what is deeper than DEEPEST."""
    if _FREE not in data:
        return data
    parts, kept, depth = [], 0, 0
    for token in _TOKEN.finditer(data):
        match data[token.start() : token.start() + 1]:
            case b"[" | b"{":
                depth += 1
                if depth == DEEPEST + 1:
                    parts += [data[kept : token.start()], b"null"]
            case b"]" | b"}":
                if depth == DEEPEST + 1:
                    kept = token.end()
                depth -= 1
    return b"".join((*parts, data[kept:]))
