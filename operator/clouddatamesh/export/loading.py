"""YAML and JSON texts as plain data: no tags that run code, no aliases that explode, no duplicate keys, dates as text."""

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

MOST_BYTES: Final = 10_000_000
MOST_VALUES: Final = 200_000
"""Values of a document, those of an alias counted each time that it is used. A real contract of 200 kB has 6,000."""
MOST_DEPTH: Final = 64
MOST_DOCUMENTS: Final = 1000
_MOST_DIGITS: Final = 300
_CORE: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
    size = len(text.encode(errors="replace"))
    if size > MOST_BYTES:
        raise Unreadable(f"It has {size:,} bytes, and at most {MOST_BYTES:,} are read; split it into several files")
    try:
        return tuple(document for document in _documents(text) if document is not None)
    except yaml.YAMLError as error:
        raise Unreadable(_sentence(error)) from None


def _sentence(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None:
        return f"It is no YAML: {str(error).splitlines()[0] if str(error) else 'a character is not allowed'}; correct it and try again"
    return f"It is no YAML: {problem}, line {mark.line + 1}; correct it and try again"


def _documents(text: str) -> Iterator[Any]:
    builder, count = _Builder(), 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            builder, count = _Builder(), count + 1
            if count > MOST_DOCUMENTS:
                raise Unreadable(f"It has more than {MOST_DOCUMENTS:,} documents; split it into several files")
        elif isinstance(event, yaml.DocumentEndEvent):
            yield builder.whole
        else:
            builder.take(event)


@dataclass
class _Open:
    """A list or mapping that is being read. `first` is how many values were there before it."""

    value: Any
    anchor: str | None
    first: int
    keys: set[str] = field(default_factory=set)
    key: str | None = None
    merged: list[Any] = field(default_factory=list)


@dataclass
class _Builder:
    """Builds one document from events, and counts what it becomes."""

    whole: Any = None
    count: int = 0
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._start(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._end()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        _check_tag(event)
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event)
            return
        value = _value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, 1, event)

    def _key(self, top: _Open, event: yaml.ScalarEvent) -> None:
        if event.value in top.keys:
            raise Unreadable(f"The key {event.value[:80]!r} is there twice, line {_line(event)}; remove one of them")
        top.keys.add(event.value)
        top.key = event.value
        if event.anchor:
            self._anchors[event.anchor] = (event.value, 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise Unreadable(
                f"The alias *{str(event.anchor)[:80]}, line {_line(event)}, refers to nothing that ends before it; write the value out"
            )
        value, count = self._anchors[event.anchor]
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise Unreadable(f"An alias is used as a key, line {_line(event)}; write the key out")
        self._add(value, count, event)

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        _check_tag(event)
        if len(self._open) >= MOST_DEPTH:
            raise Unreadable(f"It is nested deeper than {MOST_DEPTH} levels, line {_line(event)}; write it flatter")
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise Unreadable(f"A key is not a text, line {_line(event)}; use a text as the key")
        self._open.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor, self.count))

    def _end(self) -> None:
        done = self._open.pop()
        for merged in reversed(done.merged):
            done.value = {**merged, **done.value}
        if done.anchor:
            self._anchors[done.anchor] = (done.value, self.count - done.first + 1)
        self._add(done.value, 1, None)

    def _add(self, value: Any, count: int, event: yaml.Event | None) -> None:
        self.count += count
        if self.count > MOST_VALUES:
            raise Unreadable(f"It has more than {MOST_VALUES:,} values, each alias counted as its whole value; split it into several files")
        if not self._open:
            self.whole = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key == "<<" and isinstance(value, dict | list):
            top.merged.extend(_mappings(value, event))
            top.key = None
        else:
            top.value[str(top.key)] = value
            top.key = None


def _mappings(value: Any, event: yaml.Event | None) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise Unreadable(f"<< merges what is no mapping{f', line {_line(event)}' if event else ''}; name a mapping")
    return list(found)


def _check_tag(event: Any) -> None:
    tag = event.tag
    if tag not in (None, "!") and tag not in _TAGS:
        raise Unreadable(f"The tag {str(tag)[:80]}, line {_line(event)}, is not read: a document is data; remove the tag")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _value(event: yaml.ScalarEvent) -> Hashable:
    """A plain scalar by its form, everything else as text. A date is a text, as the schemas of the standards want it."""
    said = str(event.value)
    if event.tag == _CORE + "str" or not event.implicit[0]:
        return said
    if said in _WORDS:
        return _WORDS[said]
    if len(said) <= _MOST_DIGITS and _INT.fullmatch(said):
        return int(said)
    if len(said) <= _MOST_DIGITS and _FLOAT.fullmatch(said):
        number = float(said)
        return number if math.isfinite(number) else said
    return said
