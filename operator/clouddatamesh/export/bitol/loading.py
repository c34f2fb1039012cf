"""Descriptors as data. The bounds are those of manifests (`checking.documents`); words are read as the tools of the standards do.

Those are PyYAML with dates as texts: `y`, `012` and `1_000` stay texts, as they were written, and keys are texts always.
"""

import math
import re
from typing import Any, Final

from clouddatamesh.checking import documents

_MOST_DOCUMENTS: Final = 1000
_MOST_DIGITS: Final = 300
_CORE: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset({None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "timestamp"))})
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}


class Unreadable(Exception):
    """Why a text is no document; one sentence with the line."""


def load(text: str) -> tuple[Any, ...]:
    """The documents of a text, as JSON knows them; empty ones are left out. Raises Unreadable."""
    found: list[Any] = []
    try:
        for document in documents.read_documents(text, resolve=_resolve, resolve_key=_key):
            if len(found) == _MOST_DOCUMENTS:
                raise Unreadable(f"It has more than {_MOST_DOCUMENTS:,} documents; divide it")
            found.append(document.value)
    except documents.Unreadable as error:
        raise Unreadable(f"{error}, line {error.line}") from None
    return tuple(found)


def _key(text: str, tag: str | None, *, is_plain: bool) -> str:
    del is_plain
    _check(tag)
    return text


def _resolve(text: str, tag: str | None, *, is_plain: bool) -> Any:
    _check(tag)
    if not is_plain or tag == f"{_CORE}str":
        return text
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if len(text) <= _MOST_DIGITS else text


def _number(text: str) -> Any:
    if _INT.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else math.nan
    return number if math.isfinite(number) else text


def _check(tag: str | None) -> None:
    if tag not in _TAGS:
        raise ValueError(f"The tag {str(tag)[:80]} is not allowed; write plain YAML")
