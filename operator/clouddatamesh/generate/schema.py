"""From a pydantic model to the structural schema that the API server wants. Whatever has no exact counterpart is refused with its path."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel

from clouddatamesh.api.base import Model, Rule

Schema = dict[str, Any]

_KEPT: Final = (
    "type", "pattern", "enum", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "default", "description", "format",
)  # fmt: skip
_DROPPED: Final = frozenset({"title", "examples", "$defs"})
_HANDLED: Final = frozenset(
    {
        "properties",
        "required",
        "items",
        "additionalProperties",
        "anyOf",
        "const",
        "$ref",
        "propertyNames",
        "maxProperties",
        "exclusiveMinimum",
    }
    | {"x-list-map-keys", "x-list-set", "x-undefaulted", "x-free"}
)
_LOOK_AROUND: Final = re.compile(r"\(\?[=!<]|\\[1-9]")
_TYPES: Final = ("object", "array", "string", "integer", "number", "boolean")


class Refused(ValueError):
    """A model says something that no structural schema can; the message begins with the path."""


def build_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model, references inlined, with the CEL rules of every model on its place."""
    raw = model.model_json_schema(by_alias=True, mode="validation")
    return _Builder(raw.get("$defs", {}), _rules_of(model)).build(raw, model.__name__, model.__name__)


def _rules_of(root: type[BaseModel]) -> dict[str, tuple[Rule, ...]]:
    """Rules by model name, for every model that can be reached. Two models of one name would lose theirs: refused."""
    found: dict[str, type[BaseModel]] = {}
    todo: list[Any] = [root]
    while todo:
        current = todo.pop()
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            todo += get_args(current)
        elif current.__name__ not in found:
            found[current.__name__] = current
            todo += [field.annotation for field in current.model_fields.values()]
        elif found[current.__name__] is not current:
            raise Refused(f"{root.__name__}: two models are named {current.__name__}, and their rules would be lost; rename one")
    return {name: _rules_on(model) for name, model in found.items()}


def _rules_on(model: type[BaseModel]) -> tuple[Rule, ...]:
    return model.RULES if issubclass(model, Model) else ()


class _Builder:
    """Walks one JSON schema. Holds the definitions and rules that its references lead to."""

    def __init__(self, definitions: Mapping[str, Schema], rules: Mapping[str, tuple[Rule, ...]]) -> None:
        self._definitions = definitions
        self._rules = rules
        self._open: list[str] = []

    def build(self, raw: Schema, path: str, root: str = "") -> Schema:
        raw, model = self._resolve(raw, path)
        model = model or root
        self._refuse_unknown(raw, path)
        if model and model in self._open:
            raise Refused(f"{path}: {model} contains itself, which has no structural schema")
        self._open.append(model)
        built = self._build_known(raw, model, path)
        self._open.pop()
        return built

    def _build_known(self, raw: Schema, model: str, path: str) -> Schema:
        built = self._kept(raw, path)
        if "const" in raw:
            if not isinstance(raw["const"], str):
                raise Refused(f"{path}: a constant that is no string has no structural schema")
            built.update(type="string", enum=[raw["const"]])
        if "exclusiveMinimum" in raw:
            built.update(minimum=raw["exclusiveMinimum"], exclusiveMinimum=True)
        kind = built.get("type")
        if kind not in _TYPES:
            raise Refused(f"{path}: type {kind!r} has no structural schema")
        parts: dict[str, Callable[[Schema, str], Schema]] = {"object": self._object, "array": self._array, "string": self._string}
        if kind in parts:
            built.update(parts[kind](raw, path))
        return {**built, **self._validations(raw, model, path)}

    def _validations(self, raw: Schema, model: str, path: str) -> Schema:
        """Rules of the model that this object is. One that cannot be found by its name is refused, since its rules would be lost."""
        if "properties" not in raw:
            return {}
        if model not in self._rules:
            raise Refused(f"{path}: {model or 'an object'} is not found among the models, and its rules would be lost")
        rules = [rule.as_schema() for rule in self._rules[model]]
        return {"x-kubernetes-validations": rules} if rules else {}

    def _kept(self, raw: Schema, path: str) -> Schema:
        built: Schema = {
            name: raw[name] for name in _KEPT if name in raw and not (name == "default" and (raw[name] is None or "x-undefaulted" in raw))
        }
        if isinstance(built.get("default"), dict):
            if not self._is_made_of_defaults(raw["default"], raw):
                raise Refused(f"{path}: a default that differs from its members' own defaults would be lost; give these to the members")
            built["default"] = {}  # the members' own defaults fill it in
        return built

    def _is_made_of_defaults(self, default: Schema, raw: Schema) -> bool:
        members = raw.get("properties", {})
        return all(name in members and self._is_default_of(value, members[name]) for name, value in default.items())

    def _is_default_of(self, value: Any, member: Schema) -> bool:
        if isinstance(value, dict) and "$ref" in member:
            return self._is_made_of_defaults(value, self._definitions[member["$ref"].rsplit("/", 1)[-1]])
        return bool(value == member.get("default"))

    def _resolve(self, raw: Schema, path: str) -> tuple[Schema, str]:
        """References and `X | None` become X; what is next to a reference (a description, a default) wins."""
        model = ""
        while "$ref" in raw or "anyOf" in raw:
            beside = {name: value for name, value in raw.items() if name not in ("$ref", "anyOf")}
            if "$ref" in raw:
                model = raw["$ref"].rsplit("/", 1)[-1]
                raw = {**self._definitions[model], **beside}
            else:
                options = [option for option in raw["anyOf"] if option.get("type") != "null"]
                if len(options) != 1:
                    raise Refused(f"{path}: a union has no structural schema; use optional members and a rule that says exactly one")
                raw = {**options[0], **beside}
        return raw, model

    @staticmethod
    def _refuse_unknown(raw: Schema, path: str) -> None:
        unknown = set(raw) - set(_KEPT) - _DROPPED - _HANDLED
        if unknown:
            raise Refused(f"{path}: {', '.join(sorted(unknown))} has no structural schema")

    def _object(self, raw: Schema, path: str) -> Schema:
        if "x-free" in raw:
            return {"x-kubernetes-preserve-unknown-fields": True}
        if "properties" not in raw:
            return self._map(raw, path)
        if raw.get("additionalProperties"):
            raise Refused(f"{path}: known members next to unknown ones have no structural schema; forbid or ignore extra ones")
        built: Schema = {"properties": {name: self.build(value, f"{path}.{name}") for name, value in sorted(raw["properties"].items())}}
        if raw.get("required"):
            built["required"] = sorted(raw["required"])
        return built

    def _map(self, raw: Schema, path: str) -> Schema:
        values = raw.get("additionalProperties")
        if not isinstance(values, dict) or not values:
            raise Refused(f"{path}: an object without known members has no structural schema")
        if "maxProperties" not in raw:
            raise Refused(f"{path}: the map has no bound; give max_length")
        built: Schema = {"additionalProperties": self.build(values, f"{path}.*"), "maxProperties": raw["maxProperties"]}
        longest = raw.get("propertyNames", {}).get("maxLength")
        if longest is None:
            raise Refused(f"{path}: the map's keys have no bound; give max_length")
        rule = {"rule": f"self.all(key, size(key) > 0 && size(key) <= {longest})", "message": f"A key has 1 to {longest} characters"}
        return {**built, "x-kubernetes-validations": [rule]}

    def _array(self, raw: Schema, path: str) -> Schema:
        if not isinstance(raw.get("items"), dict):
            raise Refused(f"{path}: a tuple of fixed places has no structural schema")
        if "maxItems" not in raw:
            raise Refused(f"{path}: the list has no bound; give max_length")
        items = self.build(raw["items"], f"{path}[]")
        built: Schema = {"items": items}
        if "x-list-set" in raw:
            built["x-kubernetes-list-type"] = "set"
        if "x-list-map-keys" in raw:
            built.update(_list_map(raw["x-list-map-keys"], items, path))
        return built

    @staticmethod
    def _string(raw: Schema, path: str) -> Schema:
        if _LOOK_AROUND.search(raw.get("pattern", "")):
            raise Refused(f"{path}: a pattern with look-around or back-reference has no structural schema")
        if raw.get("format", "date") not in ("date", "date-time"):
            raise Refused(f"{path}: format {raw['format']!r} is not one that the API server checks; give a pattern")
        if not {"maxLength", "enum", "const"} & set(raw):
            raise Refused(f"{path}: the string has no bound; give max_length")
        return {}


def _list_map(keys: list[str], items: Schema, path: str) -> Schema:
    for key in keys:
        if key not in items.get("required", ()) and "default" not in items["properties"].get(key, {}):
            raise Refused(f"{path}: key {key} of a list map must be required or have a default")
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
