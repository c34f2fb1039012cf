"""A manifest against the structural schema of its kind: defaults are set, unknown fields and wrong values are named."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from clouddatamesh.checking.documents import Path
from clouddatamesh.checking.faults import (
    DUPLICATE,
    INVALID,
    REQUIRED,
    TOO_LONG,
    TOO_MANY,
    UNKNOWN,
    Fault,
    as_json,
    invalid,
    type_of,
    unsupported,
    written,
    wrong_type,
)  # fmt: skip

Schema = Mapping[str, Any]
Match = Callable[[str, str], bool]
"""Whether a text has a match of a pattern of RE2, in this order."""
_DAYS: Final = "%Y-%m-%d"
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def with_defaults(value: Any, schema: Schema) -> Any:
    """The value as the API server stores it: defaults set, and null taken as absent where a default or no null is allowed."""
    if isinstance(value, dict) and "properties" in schema:
        parts = schema["properties"]
        given = {name: inner for name, inner in value.items() if inner is not None or name not in parts}
        missing = {name: part["default"] for name, part in parts.items() if name not in given and "default" in part}
        return {name: with_defaults(inner, parts.get(name, {})) for name, inner in (given | missing).items()}
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), Mapping):
        return {name: with_defaults(inner, schema["additionalProperties"]) for name, inner in value.items()}
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(inner, schema["items"]) for inner in value]
    return value


def find_unknown(value: Any, schema: Schema, path: Path = ()) -> Iterator[Fault]:
    """Fields that the schema does not have."""
    if isinstance(value, dict) and ("properties" in schema or schema.get("type") == "object"):
        parts, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            here = (*path, name)
            if name in parts:
                yield from find_unknown(inner, parts[name], here)
            elif isinstance(rest, Mapping):
                yield from find_unknown(inner, rest, here)
            elif not rest and parts and not schema.get("x-kubernetes-preserve-unknown-fields"):
                yield Fault(here, UNKNOWN, f'unknown field "{written(here)}"')
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from find_unknown(inner, schema.get("items", {}), (*path, at))


def check_value(value: Any, schema: Schema, match: Match, path: Path = ()) -> Iterator[Fault]:
    """Everything that is wrong with a value and what is in it; a value of the wrong type is not looked into."""
    if not _has_type(value, schema):
        yield wrong_type(path, value, schema["type"])
        return
    if "enum" in schema and value not in schema["enum"]:
        yield unsupported(path, value, schema["enum"])
    check = _CHECKS.get(type_of(value))
    if check:
        yield from check(value, schema, match, path)


def _has_type(value: Any, schema: Schema) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return type_of(value) in ("integer", "string")
    wanted, found = schema.get("type"), type_of(value)
    return wanted in (None, found) or (wanted == "number" and found == "integer")


def _check_text(value: str, schema: Schema, match: Match, path: Path) -> Iterator[Fault]:
    if len(value) > schema.get("maxLength", len(value)):
        yield Fault(path, TOO_LONG, f"Too long: may not be more than {schema['maxLength']} bytes")
    elif len(value) < schema.get("minLength", 0):
        yield invalid(path, value, f"{written(path)} in body should be at least {schema['minLength']} chars long")
    elif "pattern" in schema and not match(value, schema["pattern"]):
        yield invalid(path, value, f"{written(path)} in body should match '{schema['pattern']}'")
    form = str(schema.get("format", ""))
    if form in _FORMATS and not _FORMATS[form](value):
        yield wrong_type(path, value, form)


def _check_number(value: float, schema: Schema, _match: Match, path: Path) -> Iterator[Fault]:
    if value > schema.get("maximum", value):
        yield invalid(path, value, f"{written(path)} in body should be less than or equal to {schema['maximum']}")
    if value < schema.get("minimum", value):
        yield invalid(path, value, f"{written(path)} in body should be greater than or equal to {schema['minimum']}")


def _check_list(value: list[Any], schema: Schema, match: Match, path: Path) -> Iterator[Fault]:
    if len(value) > schema.get("maxItems", len(value)):
        yield Fault(path, TOO_MANY, f"Too many: {len(value)}: must have at most {schema['maxItems']} items")
    if len(value) < schema.get("minItems", 0):
        yield Fault(path, INVALID, f"Invalid value: {len(value)}: {written(path)} in body should have at least {schema['minItems']} items")
    for at, inner in enumerate(value):
        yield from check_value(inner, schema.get("items", {}), match, (*path, at))
    yield from _check_twice(value, schema, path)


def _check_twice(value: list[Any], schema: Schema, path: Path) -> Iterator[Fault]:
    kind, seen = schema.get("x-kubernetes-list-type"), set()
    for at, inner in enumerate(value):
        if kind == "map" and isinstance(inner, dict):
            found: Any = {name: inner[name] for name in schema["x-kubernetes-list-map-keys"] if name in inner}
        elif kind == "set":
            found = inner
        else:
            continue
        identity = json.dumps(found, sort_keys=True)
        if identity in seen:
            yield Fault((*path, at), DUPLICATE, f"Duplicate value: {as_json(found)}")
        seen.add(identity)


def _check_map(value: dict[str, Any], schema: Schema, match: Match, path: Path) -> Iterator[Fault]:
    if len(value) > schema.get("maxProperties", len(value)):
        yield Fault(path, TOO_MANY, f"Too many: {len(value)}: must have at most {schema['maxProperties']} items")
    yield from (Fault((*path, name), REQUIRED, "Required value") for name in schema.get("required", ()) if name not in value)
    parts, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for name, inner in value.items():
        part = parts.get(name) or (rest if isinstance(rest, Mapping) else None)
        if part is not None:
            yield from check_value(inner, part, match, (*path, name))


def _is_day(text: str) -> bool:
    try:
        return datetime.strptime(text, _DAYS).date() == date.fromisoformat(text)  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    """As the API server's library reads it: the year 0000 passes, and any two digits of a zone."""
    found = _MOMENT.fullmatch(text)
    try:
        return bool(found) and bool(datetime.strptime(f"2{text[1:19].upper()}", "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 - its form alone counts
    except ValueError:
        return False


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {"date": _is_day, "date-time": _is_moment}
_CHECKS: Final[Mapping[str, Callable[[Any, Schema, Match, Path], Iterator[Fault]]]] = {
    "string": _check_text,
    "integer": _check_number,
    "number": _check_number,
    "array": _check_list,
    "object": _check_map,
}
