"""The CEL rules of a schema, applied to a manifest as the API server applies them to a new object."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from clouddatamesh.checking.documents import Path
from clouddatamesh.checking.faults import INVALID, Fault
from clouddatamesh.checking.schema import Schema

Judge = Callable[[str, Any], bool]
"""Whether `self` keeps a rule; oldSelf is absent. Raises RuleError."""
_RESERVED: Final = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"}
    | {"namespace", "return", "var", "void", "while"}
)


class RuleError(Exception):
    """A rule that could not be evaluated on a value."""


def check_rules(value: Any, schema: Schema, judge: Judge, path: Path = ()) -> Iterator[Fault]:
    """Every rule that a value and what is in it break. Rules on a change are left out: nothing changes."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" in rule["rule"] and not rule.get("optionalOldSelf"):
            continue
        try:
            broken = "" if judge(rule["rule"], escaped(value, schema)) else rule["message"]
        except RuleError as error:
            broken = f"{error} evaluating rule: {rule['message']}"
        if broken:
            yield Fault(path, INVALID, f"Invalid value: {broken}")
    for name, inner, part in _parts(value, schema):
        yield from check_rules(inner, part, judge, (*path, name))


def _parts(value: Any, schema: Schema) -> Iterator[tuple[str | int, Any, Schema]]:
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            part = known.get(name) or (rest if isinstance(rest, Mapping) else None)
            if part:
                yield name, inner, part
    elif isinstance(value, list):
        yield from ((at, inner, schema.get("items", {})) for at, inner in enumerate(value))


def escaped(value: Any, schema: Schema) -> Any:
    """The value with fields under the names that rules know them by: `namespace` is a word of CEL, so it is `__namespace__`."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        inner = rest if isinstance(rest, Mapping) else {}
        return {_name(name) if name in known else name: escaped(one, known.get(name, inner)) for name, one in value.items()}
    return [escaped(one, schema.get("items", {})) for one in value] if isinstance(value, list) else value


def _name(field: str) -> str:
    return f"__{field}__" if field in _RESERVED else field
