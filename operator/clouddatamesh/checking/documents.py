"""YAML and JSON as kubectl reads it, with the line of every field. Safe with hostile texts: size, depth and aliases are bounded."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import yaml

from clouddatamesh.checking.scalars import resolve

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_DEPTH: Final = 64
MOST_VALUES: Final = 200_000
"""In one document, aliases counted with all that they repeat. A long text counts as several: 32 kB of aliases of one could be gigabytes."""
_LETTERS: Final = 64
"""Of a text that count as one value more: a document holds 12.8 MB of text at most."""
_MERGE: Final = "<<"
_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
Path = tuple[str | int, ...]


class Unreadable(Exception):
    """A text that is no document; `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class Document:
    """One document of a file: its value as JSON, and where each of its fields begins."""

    value: Any
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of a field, or of the nearest one around it that is written."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


@dataclass
class _Open:
    """A list or map that is being read."""

    value: Any
    path: Path
    line: int
    anchor: str | None
    began: int
    """Values counted when it began."""
    key: str | None = None
    """Of a map: the key whose value comes next."""
    merges: bool = False
    """That key is the plain word <<, whose value is merged."""
    own: set[str] = field(default_factory=set)
    """Keys that the map has by itself."""


class Resolve(Protocol):
    """The value of a scalar. Raises ValueError with a sentence."""

    def __call__(self, text: str, tag: str | None, *, is_plain: bool) -> Any: ...


def read_documents(text: str, *, resolve: Resolve = resolve, resolve_key: Resolve = resolve) -> Iterator[Document]:
    """The documents of a file, empty ones left out; scalars as kubectl reads them unless said otherwise. Raises Unreadable."""
    if len(text) > MOST_BYTES:
        raise Unreadable(1, f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB; divide it")
    builder = _Builder(resolve, resolve_key)
    text = _PAIR.sub(_letter, text) if text.lstrip()[:1] in ("{", "[") else text
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder = _Builder(resolve, resolve_key) if isinstance(event, yaml.DocumentStartEvent) else builder
            found = builder.take(event)
            if found is not None and found.value is not None:
                yield found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, f"This is not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "The file has a character that YAML does not allow; save it as text in UTF-8") from None


def _letter(pair: re.Match[str]) -> str:
    """JSON writes a letter beyond the first plane as two escapes, which YAML does not know."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


class _Builder:
    """The value of one document from its events, without recursion."""

    def __init__(self, resolve: Resolve, resolve_key: Resolve) -> None:
        self._resolve, self._resolve_key = resolve, resolve_key
        self._open: list[_Open] = []
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def take(self, event: Any) -> Document | None:
        """Read one event; the document that it ends, if it ends one."""
        line = event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent() if self._is_merge(event):
                self._open[-1].key, self._open[-1].merges = _MERGE, True
            case yaml.ScalarEvent():
                return self._put(self._scalar(event, line), line, event.anchor, 1 + len(event.value) // _LETTERS)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise Unreadable(line, f"The alias *{event.anchor} has no anchor before it")
                value, size = self._anchors[event.anchor]
                return self._put(value, line, None, size)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, event, line)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                done = self._open.pop()
                return self._put(done.value, done.line, done.anchor, 1, began=done.began)
        return None

    def _is_key(self) -> bool:
        """Whether the next value is a key of a map."""
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _is_merge(self, event: yaml.ScalarEvent) -> bool:
        return bool(event.value == _MERGE and event.implicit[0] and self._is_key())

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Any:
        try:
            return (self._resolve_key if self._is_key() else self._resolve)(event.value, event.tag, is_plain=bool(event.implicit[0]))
        except ValueError as error:
            raise Unreadable(line, str(error)) from None

    def _begin(self, value: Any, event: Any, line: int) -> None:
        if event.tag not in _TAGS:
            raise Unreadable(line, f"The tag {event.tag} is not allowed; write plain YAML")
        if len(self._open) >= MOST_DEPTH:
            raise Unreadable(line, f"The document is nested deeper than {MOST_DEPTH} levels")
        if self._is_key():
            raise Unreadable(line, "A key is a list, a map or null; a key must be text")
        path = self._path() if self._open else ()
        self._lines.setdefault(path, line)
        self._open.append(_Open(value, path, line, event.anchor, self._count))

    def _path(self) -> Path:
        """Of the value that comes next."""
        around = self._open[-1]
        return (*around.path, len(around.value) if isinstance(around.value, list) else around.key or "")

    def _put(self, value: Any, line: int, anchor: str | None, size: int, *, began: int | None = None) -> Document | None:
        self._count += size
        if self._count > MOST_VALUES:
            raise Unreadable(line, f"The document has more than {MOST_VALUES:,} values, aliases counted with what they repeat; divide it")
        if anchor:
            self._anchors[anchor] = value, size if began is None else self._count - began
        if not self._open:
            self._lines.setdefault((), line)
            return Document(value, self._lines)
        around = self._open[-1]
        if isinstance(around.value, list):
            self._lines.setdefault(self._path(), line)
            around.value.append(value)
        elif around.key is None:
            self._begin_entry(around, value, line)
        elif around.merges:
            _merge(around.value, value, line)
            around.key, around.merges = None, False
        else:
            around.value[around.key] = value
            around.key = None
        return None

    def _begin_entry(self, around: _Open, key: Any, line: int) -> None:
        if isinstance(key, dict | list) or key is None:
            raise Unreadable(line, "A key is a list, a map or null; a key must be text")
        around.key = _key_text(key)
        if around.key in around.own:
            raise Unreadable(line, f"The key {around.key:.200} is there twice; remove one")
        around.own.add(around.key)
        self._lines.setdefault((*around.path, around.key), line)


def _key_text(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _merge(target: dict[str, Any], value: Any, line: int) -> None:
    """As kubectl merges: where << stands, over the keys before it; of a list of maps the first wins."""
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise Unreadable(line, "<< merges maps; give it the alias of a map")
    for one in reversed(found):
        target.update(one)
