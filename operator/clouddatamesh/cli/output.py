"""What a command prints: a table, one page, or the same as data. Texts of tenants cannot steer the terminal."""

import dataclasses
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Any, Final

from clouddatamesh.view.health import Health

_CODES: Final = {"Ready": 32, "InProgress": 33, "Stalled": 31, "Deleting": 35, "Unseen": 33}
"""Select graphic rendition of ECMA-48: green, yellow, red, magenta."""
_FIRST: Final = 500
"""Rows by which the widths of columns are found; what comes later is printed as it arrives."""


class Form(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


Cell = str | Health
Row = Sequence[Cell]


def note(sentence: str) -> None:
    """A remark on standard error: the result is on standard output."""
    sys.stderr.write(f"{clean(sentence)}\n")


def clean(text: str, *, keep_indent: bool = False) -> str:
    """One line without control characters and marks of direction, which a tenant could use to hide or fake text."""
    indent = " " * (len(text) - len(text.lstrip(" "))) if keep_indent else ""
    line = " ".join(text.split())
    return indent + (line if line.isprintable() else "".join(_shown(letter) for letter in line))


def _shown(letter: str) -> str:
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else letter


def print_table(head: Sequence[str], rows: Iterable[Row], *, empty: str) -> None:
    """Columns as kubectl prints them, as rows arrive. `empty` is said where there is no row."""
    arriving = iter(rows)
    first = list(islice(arriving, _FIRST))
    if not first:
        note(empty)
        return
    shown = [[_word(cell) for cell in row] for row in first]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    paint = _paint if is_painted() else str
    sys.stdout.write(_line(head, head, widths, paint))
    for row, words in chain(zip(first, shown, strict=True), ((row, [_word(cell) for cell in row]) for row in arriving)):
        sys.stdout.write(_line(row, words, widths, paint))


def _word(cell: Cell) -> str:
    return cell.word if isinstance(cell, Health) else clean(cell)


def _line(cells: Sequence[Cell], words: Sequence[str], widths: Sequence[int], paint: Callable[[str], str]) -> str:
    """Padded by what is seen, and painted then: colors have no width. Built here, since rich takes 0.2 ms for a line."""
    padded = [
        (paint(word) if isinstance(cell, Health) else word) + " " * (width - len(word))
        for cell, word, width in zip(cells, words, widths, strict=True)
    ]
    return "   ".join(padded).rstrip() + "\n"


def is_painted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether standard output shows colors, decided as rich does, which takes a tenth of a second to be imported."""
    if environ.get("NO_COLOR") or environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    if environ.get("TTY_COMPATIBLE") in ("0", "1"):
        return environ["TTY_COMPATIBLE"] == "1"
    forced = environ.get("FORCE_COLOR")
    return sys.stdout.isatty() if forced is None else forced != ""


def _paint(word: str) -> str:
    return f"\x1b[{_CODES[word]}m{word}\x1b[0m"


def as_data(found: Any) -> Any:
    """A value of view/ as JSON knows it, fields in camelCase as in manifests. A key is `{kind, namespace, name}`."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        return {_camel(part.name): as_data(getattr(found, part.name)) for part in dataclasses.fields(found)}
    if isinstance(found, StrEnum):
        return found.value
    if isinstance(found, dict):
        return {name: as_data(inner) for name, inner in found.items()}
    return [as_data(inner) for inner in found] if isinstance(found, list | tuple) else found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def print_data(found: Any, form: Form) -> None:
    """One document of JSON or YAML; a list is `{"items": […]}`."""
    from clouddatamesh.export.writing import to_json, to_yaml

    data = as_data(found)
    whole = {"items": data} if isinstance(data, list) else data
    sys.stdout.write(to_json(whole) if form is Form.JSON else to_yaml([whole]))


def print_names(names: Iterable[str]) -> None:
    """One name a line, for scripts."""
    for name in names:
        sys.stdout.write(f"{name}\n")


def print_list(form: Form, found: Iterable[Any], *, name: Callable[[Any], str], table: Callable[[Iterator[Any]], None]) -> None:
    """A list in any form; a table is printed as the entries arrive."""
    if form is Form.NAME:
        print_names(name(entry) for entry in found)
    elif form in (Form.JSON, Form.YAML):
        print_data(list(found), form)
    else:
        table(iter(found))
