"""What became of each field of a foreign document: a line for each, which a person can act on."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_MOST: Final = 60


class Verdict(StrEnum):
    """What became of a field."""

    MAPPED = "mapped"
    """A field of ours holds it as it is."""
    CHANGED = "changed"
    """A field of ours holds it in another form."""
    KEPT = "kept"
    """No field of ours holds it; a ConfigMap next to the product does, and an export writes it back."""
    LOST = "lost"
    """Nothing holds it."""
    ERROR = "error"
    """The document cannot be taken as it is."""


@dataclass(frozen=True)
class Entry:
    """One field. `path` is a JSON path in the document, `target` a path in our manifest, `message` what happened and what to do."""

    path: str
    verdict: Verdict
    target: str = ""
    message: str = ""
    document: str = ""
    """Where the document is: a file, and its number there if it is not the first."""


Report = tuple[Entry, ...]


def mapped(path: str, target: str) -> Entry:
    """Held as it is."""
    return Entry(path, Verdict.MAPPED, target)


def changed(path: str, target: str, message: str) -> Entry:
    """Held in another form."""
    return Entry(path, Verdict.CHANGED, target, message)


def kept(path: str, message: str = "No field of ours holds it") -> Entry:
    """Held by the ConfigMap."""
    return Entry(path, Verdict.KEPT, "", message)


def lost(path: str, message: str) -> Entry:
    """Held by nothing."""
    return Entry(path, Verdict.LOST, "", message)


def error(path: str, message: str) -> Entry:
    """Not taken."""
    return Entry(path, Verdict.ERROR, "", message)


def has(report: Iterable[Entry], verdict: Verdict) -> bool:
    """Whether a field had this fate."""
    return any(entry.verdict is verdict for entry in report)


def shown(value: Any) -> str:
    """A value in a sentence, cut where it is long."""
    said = repr(value)
    return said if len(said) <= _MOST else f"{said[:_MOST]}…"
