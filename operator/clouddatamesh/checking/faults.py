"""What is wrong with a manifest, in the words of the API server: a reason, a field and a sentence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.checking.documents import Path

REQUIRED: Final = "FieldValueRequired"
TYPE: Final = "FieldValueTypeInvalid"
UNSUPPORTED: Final = "FieldValueNotSupported"
INVALID: Final = "FieldValueInvalid"
TOO_LONG: Final = "FieldValueTooLong"
TOO_MANY: Final = "FieldValueTooMany"
DUPLICATE: Final = "FieldValueDuplicate"
UNKNOWN: Final = "UnknownField"
"""Not of the API server, which refuses unknown fields before it looks at values."""
_LONGEST: Final = 1000
"""Characters of a value that a sentence shows."""
BLOCKING: Final = frozenset({REQUIRED, TYPE, UNSUPPORTED, TOO_LONG, TOO_MANY, UNKNOWN})
"""With one of these the API server looks at no rule."""


@dataclass(frozen=True)
class Fault:
    """One fault. `message` is what the API server says after the field."""

    path: Path
    reason: str
    message: str

    @property
    def field(self) -> str:
        """`spec.outputPorts[0].name`; empty for the whole object."""
        return written(self.path)


def written(path: Path) -> str:
    """A path as the API server writes it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def invalid(path: Path, value: Any, sentence: str) -> Fault:
    """A value with a sentence against it."""
    return Fault(path, INVALID, f"Invalid value: {as_json(value)}: {sentence}")


def wrong_type(path: Path, value: Any, wanted: str) -> Fault:
    """A value of another type; `wanted` is a type or format of the schema."""
    shown = as_json(value if wanted in ("date", "date-time") else type_of(value))
    return Fault(path, TYPE, f"Invalid value: {shown}: {written(path)} in body must be of type {wanted}: {shown}")


def unsupported(path: Path, value: Any, supported: Sequence[Any]) -> Fault:
    """A value that is not on a list."""
    return Fault(path, UNSUPPORTED, f"Unsupported value: {as_json(value)}: supported values: {', '.join(map(as_json, supported))}")


def as_json(value: Any) -> str:
    """Compact, keys sorted, with escapes for what cannot be seen, as Go writes it."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    names: tuple[tuple[type, str], ...] = ((int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")
