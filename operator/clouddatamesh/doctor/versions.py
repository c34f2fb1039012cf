"""Which version an object of the chart is of, by the chart's own label, and whose doctor may judge it."""

import re
from typing import Final

from clouddatamesh.doctor.subject import Subject
from clouddatamesh.model.objects import Manifest

WHY: Final = "This program knows only its own version; its chart would install the objects of that version over these"
_LABEL: Final = "app.kubernetes.io/version"
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def version_of(found: Manifest) -> str:
    """As the chart labelled it; empty where something else than the chart installed it."""
    return str((found["metadata"].get("labels") or {}).get(_LABEL) or "")


def is_foreign(version: str, subject: Subject) -> bool:
    """Whether this program can neither judge an object of a version nor advise on it.

    Older objects are its own to judge where the release runs this version: an upgrade left them behind.
    """
    if version in ("", subject.version):
        return False
    return not (subject.is_installed and is_older(version, subject.version))


def is_older(one: str, other: str) -> bool:
    """Whether a version is known to precede another one; of two pre-releases of a version that is not known."""
    first, second = _numbers(one), _numbers(other)
    return bool(first and second) and first < second


def _numbers(version: str) -> tuple[int, ...]:
    found = _VERSION.match(version)
    return tuple(int(part) for part in found.groups()) if found else ()
