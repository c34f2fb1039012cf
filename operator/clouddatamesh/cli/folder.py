"""Documents as files of a folder: never by a name that somebody else chose as it is, and nothing is overwritten unasked."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from clouddatamesh.cli.errors import Failed
from clouddatamesh.plan.names import hash80

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,249}")


def write_texts(folder: str, texts: Iterable[tuple[str, str]], *, force: bool) -> list[Path]:
    """Write files into a folder, which is made. Raises Failed before anything is written where one may not be."""
    place, wanted = Path(folder), _distinct(texts)
    for name in wanted:
        if not force and os.path.lexists(place / name):
            raise Failed(f"{place / name} exists already; choose another --output-dir, or overwrite it with --force", code=2)
    try:
        place.mkdir(parents=True, exist_ok=True)
        return [_write(place / name, text) for name, text in wanted.items()]
    except OSError as error:
        raise Failed(f"{folder} cannot be written: {error.strerror or error}; choose another --output-dir", code=2) from None


def _safe(name: str) -> str:
    """The name of a file. One of other characters, or too long, gets a hash, so that no product keeps the others from being written."""
    if _SAFE.fullmatch(name):
        return name
    stem, dot, ending = re.sub(r"[^A-Za-z0-9._-]", "-", name).rpartition(".")
    return f"{(stem or ending)[:150].strip('-._') or 'document'}-{hash80(name)}{dot}{ending[:20] if stem else ''}".rstrip(".")


def _distinct(texts: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, text in ((_safe(name), text) for name, text in texts):
        if name in found:
            raise Failed(f"Two documents would be the file {name}; export them one at a time")
        found[name] = text
    return found


def _write(path: Path, text: str) -> Path:
    """All of it or nothing; what has this name is replaced and not followed."""
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
