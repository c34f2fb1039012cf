"""Manifests in files and folders, with the place of each."""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any, Final

from clouddatamesh.checking.documents import MOST_BYTES, Document, Path, Unreadable, read_documents
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.output import note

_ENDINGS: Final = (".yaml", ".yml", ".json")
STDIN: Final = "-"


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Found:
    """A manifest, or (with `fault`) a document that is none."""

    place: Place
    manifest: Mapping[str, Any]
    document: Document | None = None
    within: Path = ()
    """Where in the document the manifest is: in the items of a list."""
    fault: str = ""

    def place_of(self, path: Path) -> Place:
        """Of a field of the manifest."""
        return Place(self.place.file, self.document.line_of((*self.within, *path))) if self.document else self.place


def read_files(names: Sequence[str], *, recursive: bool = True) -> Iterator[Found]:
    """Every document of files, of folders (`recursive`: with those in them), and of standard input (`-`). Raises Failed where one is not
    there."""
    for name in names:
        for file in _expand(name, recursive=recursive):
            yield from _read(file)


def _expand(name: str, *, recursive: bool) -> Iterator[str]:
    if os.path.isdir(name):  # noqa: PTH112 - of pathlib's, a name that is too long raises
        everything = sorted(path for path in File(name).rglob("*") if path.suffix in _ENDINGS and path.is_file())
        inside = [path for path in everything if recursive or path.parent == File(name)]
        left = len(everything) - len(inside)
        if not inside:
            below = f"; -R reads its subfolders, which have {left}" if left else ""
            raise Failed(f"Folder {name} has no file that ends in {', '.join(_ENDINGS)}{below}", code=2)
        if left:
            note(f"{left} files in subfolders of {name} are left out, as by kubectl; -R reads them")
        yield from map(str, inside)
    elif name == STDIN or os.path.exists(name):  # noqa: PTH110 - a pipe of the shell is no regular file
        yield name
    else:
        raise Failed(f"There is no file {name:.200}", code=2)


def _read(file: str) -> Iterator[Found]:
    shown = "stdin" if file == STDIN else file
    try:
        for document in _documents(_text(file)):
            yield from _manifests(shown, document)
    except Unreadable as error:
        yield Found(Place(shown, error.line), {}, fault=str(error))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        yield Found(Place(shown, 1), {}, fault=f"The file cannot be read: {why}")


def _documents(text: str) -> Iterator[Document]:
    """As kubectl: a text that begins with a brace is one JSON document after the other, and no YAML. Raises Unreadable."""
    if not text.lstrip().startswith("{"):
        yield from read_documents(text)
        return
    for before, part in _json_parts(text):
        try:
            for found in read_documents(part):
                yield Document(found.value, {path: line + before for path, line in found.lines.items()})
        except Unreadable as error:
            raise Unreadable(error.line + before, str(error)) from None


def _json_parts(text: str) -> Iterator[tuple[int, str]]:
    """Each document, and how many lines are before it."""
    at, before = 0, 0
    while begin := _SOMETHING.search(text, at):
        before += text.count("\n", at, begin.start())
        at = begin.start()
        try:
            end = _JSON.raw_decode(text, at)[1]
        except RecursionError:
            end = len(text)  # which is found too deep where its values are read
        except ValueError as error:
            line = text.count("\n", 0, getattr(error, "pos", at)) + 1
            why = f"kubectl reads a file that begins with {{ as JSON, and this is none ({getattr(error, 'msg', error)})"
            raise Unreadable(line, f"{why}; write JSON, or begin the file with ---") from None
        yield before, text[at:end]
        before += text.count("\n", at, end)
        at = end


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


_SOMETHING: Final = re.compile(r"[^ \t\r\n]")
_JSON: Final = json.JSONDecoder(parse_constant=_refuse)


def _text(file: str) -> str:
    """All of a file, or nothing of one that is too large. Raises Unreadable, OSError, UnicodeDecodeError."""
    data = _bytes(file)
    if len(data) > MOST_BYTES:
        raise Unreadable(1, f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB; divide it")
    return data.decode("utf-8-sig")


def _bytes(file: str) -> bytes:
    """At most one byte more than is allowed, so that a huge file costs no more."""
    if file == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with File(file).open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def read_text(name: str) -> str:
    """The text of one file that a user names. Raises Failed with the way out."""
    try:
        return _text(name)
    except Unreadable as error:
        raise Failed(f"{name}: {error}") from None
    except OSError as error:
        raise Failed(f"{name} cannot be read: {error.strerror or error}; check the name", code=2) from None
    except UnicodeDecodeError as error:
        raise Failed(f"{name} is no UTF-8 text at byte {error.start:,}; save it as UTF-8") from None


def _manifests(file: str, document: Document) -> Iterator[Found]:
    """The manifest, or those in its `items`: as kubectl, whatever the kind of the list is."""
    value = document.value
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        yield _found(file, document, value, ())
        return
    kind, version = str(value.get("kind", "")), value.get("apiVersion")
    given = {"apiVersion": version, "kind": kind.removesuffix("List")} if kind not in ("", "List") else {}
    for at, item in enumerate(value["items"]):
        found = _found(file, document, {**given, **item} if isinstance(item, dict) else item, ("items", at))
        is_list = isinstance(item, dict) and isinstance(item.get("items"), list)
        yield replace(found, fault="A list is in a list; write its manifests as documents of their own") if is_list else found


def _found(file: str, document: Document, value: Any, within: Path) -> Found:
    place = Place(file, document.line_of(within))
    if not isinstance(value, dict):
        return Found(place, {}, fault="This is no manifest; a manifest is a map with apiVersion, kind and metadata")
    if not (isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str)):
        return Found(place, value, document, within, fault="This is no manifest; it needs apiVersion and kind, as texts")
    return Found(place, value, document, within)
