"""Lenient readings of a manifest for people. A field that is absent, or of another type than expected, reads as empty.

Objects are dicts, as JSON is read: to ask for any Mapping took half of the time of a list of 10,000 products.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from clouddatamesh.api.texts import parse_time
from clouddatamesh.model.objects import Manifest


def text(manifest: Manifest | None, *path: str) -> str:
    """The text, number or truth value at a path of field names; empty where there is none."""
    found = value(manifest, *path)
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, int | float) else ""


def value(manifest: Manifest | None, *path: str) -> Any:
    """Whatever is at a path of field names, or None."""
    found: Any = manifest
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def entries(manifest: Manifest | None, *path: str) -> Iterator[Manifest]:
    """The objects in the list at a path."""
    found = value(manifest, *path)
    return (entry for entry in found if isinstance(entry, dict)) if isinstance(found, list | tuple) else iter(())


def words(manifest: Manifest | None, *path: str) -> tuple[str, ...]:
    """The texts in the list at a path."""
    found = value(manifest, *path)
    return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list | tuple) else ()


def moment(manifest: Manifest, *path: str) -> datetime | None:
    """The time at a path, in UTC."""
    try:
        return parse_time(text(manifest, *path))
    except ValueError:
        return None
