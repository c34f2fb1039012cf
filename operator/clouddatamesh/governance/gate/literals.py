"""JSON values as literals of CEL. Every entry is dyn(), because the API server takes no list or map whose entries differ in type."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.governance.gate.tokens import Unsafe

_LEAST, _MOST = -(2**63), 2**63 - 1
MOST_DEPTH: Final = 16
"""The parsers of CEL bound the depth of an expression."""


def literal(value: Any) -> str:
    """A JSON value in CEL, of the type dyn. Raises Unsafe where CEL has no such value."""
    return f"dyn({_literal(value, MOST_DEPTH)})"


def text(value: str) -> str:
    """A text in CEL. JSON's escapes are among CEL's; letters beyond the first plane stay as they are."""
    return json.dumps(value, ensure_ascii=False)


def texts(values: tuple[str, ...]) -> str:
    """A list of texts in CEL."""
    return f"[{', '.join(map(text, values))}]"


def _literal(value: Any, depth: int) -> str:
    if depth == 0:
        raise Unsafe(f"are nested deeper than {MOST_DEPTH} levels")
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{text(str(name))}: dyn({_literal(part, depth - 1)})' for name, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(f'dyn({_literal(part, depth - 1)})' for part in value)}]"
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise Unsafe(f"hold {value}, which has more than 64 bits; write it as a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unsafe("hold a number that is not finite")
    if isinstance(value, float) and value.is_integer() and _LEAST <= value <= _MOST:
        return repr(int(value))  # the API server stores 2.0 as 2
    return repr(value)
