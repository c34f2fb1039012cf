"""Values of raw manifests as far as they are of the kind that is expected: what is not counts as missing, and never raises."""

from collections.abc import Mapping
from typing import Any


def map_of(value: Any) -> Mapping[str, Any]:
    """A map; empty where it is none."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> list[Any]:
    """A list; empty where it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def text_of(value: Any) -> str | None:
    """A text."""
    return value if isinstance(value, str) else None


def count(value: Any) -> int | None:
    """A number of things, at least one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
