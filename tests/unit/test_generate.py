"""The generator says exactly what the models say, or refuses with the path."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import Email
from clouddatamesh.api.kinds import KINDS, Kind
from clouddatamesh.generate.__main__ import find_stale, generated, write
from clouddatamesh.generate.crds import build_crd
from clouddatamesh.generate.schema import Refused, build_schema
from tests.support.installation import ROOT

Short = Annotated[str, StringConstraints(max_length=8)]


class Cat(Model):
    kind: Literal["cat"] = "cat"
    name: Short = ""


class Dog(Model):
    kind: Literal["dog"] = "dog"


class Node(Model):
    below: "tuple[Node, ...]" = Field(default=(), max_length=2)


class Open(Model):
    model_config = ConfigDict(extra="allow")
    name: Short = ""


class Shape(TypedDict):
    name: Short


def a_namesake(of: type[Model]) -> type[Model]:
    """Another model of the same name, with a rule of its own."""
    return type(of.__name__, (Model,), {"__module__": "elsewhere", "RULES": (Rule("false", "Never"),)})


def a_model(annotation: Any, **field: Any) -> type[BaseModel]:
    """A model `Root` with one field `bad`."""
    return type("Root", (Model,), {"__annotations__": {"bad": annotation}, "bad": Field(**field)})


def two_models(one: type[Model], other: type[Model]) -> type[BaseModel]:
    """A model `Root` with one field of each."""
    return type("Root", (Model,), {"__annotations__": {"one": one, "other": other}})


REFUSED: dict[str, tuple[type[BaseModel], str]] = {
    "a union": (a_model(Short | int), "Root.bad: a union"),
    "a discriminated union": (a_model(Cat | Dog, discriminator="kind"), "Root.bad: discriminator, oneOf"),
    "a tuple of fixed places": (a_model(tuple[int, int]), "Root.bad"),
    "anything": (a_model(Any), "Root.bad: type None"),
    "an untyped map": (a_model(dict[Short, Any], max_length=2), "Root.bad: an object without known members"),
    "an untyped object": (a_model(dict), "Root.bad: an object without known members"),
    "look-ahead": (a_model(str, max_length=8, json_schema_extra={"pattern": "^(?!x)"}), "Root.bad: a pattern with look-around"),
    "look-behind": (a_model(str, max_length=8, json_schema_extra={"pattern": "(?<=x)y"}), "Root.bad: a pattern with look-around"),
    "a back-reference": (a_model(str, max_length=8, json_schema_extra={"pattern": r"(a)\1"}), "Root.bad: a pattern with look-around"),
    "a list without bound": (a_model(tuple[int, ...]), "Root.bad: the list has no bound"),
    "a string without bound": (a_model(str), "Root.bad: the string has no bound"),
    "a format": (a_model(str, max_length=8, json_schema_extra={"format": "uri"}), "Root.bad: format"),
    "a map without bound": (a_model(dict[Short, int]), "Root.bad: the map has no bound"),
    "a map whose keys have no bound": (a_model(dict[str, int], max_length=2), "Root.bad: the map's keys have no bound"),
    "a map whose values have no bound": (a_model(dict[Short, str], max_length=2), "Root.bad.*: the string has no bound"),
    "a list whose items have no bound": (a_model(tuple[str, ...], max_length=2), r"Root.bad\[\]: the string has no bound"),
    "an optional key of a list map": (
        a_model(tuple[Dog, ...], max_length=2, json_schema_extra={"x-list-map-keys": ["name"]}),
        "Root.bad: key name of a list map must be required or have a default",
    ),
    "a number as a constant": (a_model(Literal[1]), "Root.bad: a constant that is no string"),
    "a multiple": (a_model(int, multiple_of=5), "Root.bad: multipleOf"),
    "a model that contains itself": (Node, "below"),
    "two models of one name": (two_models(Cat, a_namesake(Cat)), "Root: two models are named Cat"),
    "a model with unknown members": (a_model(Open), "Root.bad: known members next to unknown ones"),
    "an object that is no model": (a_model(Shape), "Root.bad: Shape is not found among the models"),
    "a default that would be lost": (a_model(Cat, default=Cat(name="tom")), "Root.bad: a default that differs"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_with_its_path(what: str) -> None:
    model, says = REFUSED[what]
    with pytest.raises(Refused, match=f"^{says}" if says.startswith("Root") else says):
        build_schema(model)


class Inner(Model):
    """An inner model."""

    name: Short = Field(description="A name. Example: a.")
    RULES: ClassVar[tuple[Rule, ...]] = (Rule("self.name != 'x'", "Not x"),)


class Outer(Model):
    """An outer model."""

    one: Inner | None = None
    many: tuple[Inner, ...] = Field(default=(), max_length=3, json_schema_extra={"x-list-map-keys": ["name"]})
    by_key: dict[Short, Inner] = Field(default={}, max_length=4)
    level: Literal["a", "b"] = "a"
    only: Literal["one"] = "one"
    words: tuple[Short, ...] = Field(default=(), max_length=2, json_schema_extra={"x-list-set": True})
    count: int = Field(default=1, gt=0, le=9)


def test_what_can_be_said_is_said_exactly() -> None:
    said = build_schema(Outer)["properties"]
    rule = [{"rule": "self.name != 'x'", "message": "Not x"}]
    inner = {"type": "object", "required": ["name"], "x-kubernetes-validations": rule}
    assert said["one"].items() >= inner.items()
    assert "default" not in said["one"]
    assert said["many"]["items"].items() >= inner.items()
    assert said["many"].items() >= {"maxItems": 3, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}.items()
    assert said["byKey"]["additionalProperties"].items() >= inner.items()
    assert said["byKey"]["maxProperties"] == 4
    assert said["byKey"]["x-kubernetes-validations"][0]["message"] == "A key has 1 to 8 characters"
    assert said["level"].items() >= {"type": "string", "enum": ["a", "b"], "default": "a"}.items()
    assert said["only"]["enum"] == ["one"]
    assert said["words"]["x-kubernetes-list-type"] == "set"
    assert said["count"].items() >= {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9}.items()


class Titled(Model):
    """A model under a title of its own, with a map that is titled as a model is named."""

    model_config = ConfigDict(title="Something else")
    inner: dict[Short, Short] = Field(default={}, max_length=2)
    one: Inner | None = None
    RULES: ClassVar[tuple[Rule, ...]] = (Rule("has(self.one)", "One"),)


def test_rules_follow_the_model_and_not_the_title() -> None:
    said = build_schema(Titled)
    assert [rule["message"] for rule in said["x-kubernetes-validations"]] == ["One"]
    assert [rule["message"] for rule in said["properties"]["inner"]["x-kubernetes-validations"]] == ["A key has 1 to 8 characters"]
    assert [rule["message"] for rule in said["properties"]["one"]["x-kubernetes-validations"]] == ["Not x"]


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below a schema with its path."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
        yield from fields(child.get("items", {}), f"{path}.{name}[]")


def is_leaf(schema: dict[str, Any]) -> bool:
    return "properties" not in schema and "properties" not in schema.get("items", {})


ALL = [
    (path, schema)
    for kind in KINDS
    for path, schema in fields(build_crd(kind)["spec"]["versions"][-1]["schema"]["openAPIV3Schema"], kind.kind)
    if not path.endswith(".metadata")
]


@pytest.mark.parametrize(("path", "schema"), ALL, ids=[path for path, _ in ALL])
def test_every_field_is_explained(path: str, schema: dict[str, Any]) -> None:
    said = schema.get("description", "")
    assert said.endswith("."), path
    assert not is_leaf(schema) or "Example:" in said, path
    assert len(said) > 10


def test_every_integer_of_a_spec_has_bounds() -> None:
    numbers = [(path, schema) for path, schema in ALL if schema["type"] == "integer" and ".spec." in path]
    assert numbers
    assert [path for path, schema in numbers if not {"minimum", "maximum"} <= set(schema)] == []


RESERVED = "as|break|const|continue|else|for|function|if|import|in|let|loop|namespace|package|return|var|void|while"


def rules_in(part: object) -> Iterator[str]:
    members = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict):
        yield from (rule["rule"] for rule in part.get("x-kubernetes-validations", ()))
    for member in members:
        yield from rules_in(member)


def test_no_rule_uses_a_word_that_cel_reserves() -> None:
    """Later versions of Kubernetes take a field of such a name as it is, the oldest that the chart allows only as `__name__`."""
    rules = [found for kind in KINDS for found in rules_in(build_crd(kind))]
    assert any("__namespace__" in rule for rule in rules)
    assert [rule for rule in rules if re.search(rf"\.({RESERVED})\b", re.sub(r"'[^']*'", "", rule))] == []


def test_the_committed_files_are_what_the_models_declare() -> None:
    assert find_stale(ROOT) == ()


def test_two_runs_say_the_same() -> None:
    assert generated(ROOT) == generated(ROOT)


def test_a_change_and_a_leftover_are_found_and_mended(tmp_path: Any) -> None:
    values = tmp_path / "charts" / "clouddatamesh" / "values.yaml"
    values.parent.mkdir(parents=True)
    values.write_text("# The name.\nmesh: ''\n")
    write(tmp_path)
    assert find_stale(tmp_path) == ()
    changed, *_ = sorted(generated(tmp_path))
    (tmp_path / changed).write_text("edited by hand\n")
    (tmp_path / "crds" / "old.yaml").write_text("left over\n")
    assert [str(path) for path in find_stale(tmp_path)] == sorted([str(changed), "crds/old.yaml"])
    write(tmp_path)
    assert find_stale(tmp_path) == ()
    assert not (tmp_path / "crds" / "old.yaml").exists()


def _defaults_below(schema: object, path: str = "status") -> list[str]:
    if not isinstance(schema, dict):
        return []
    found = [path] if "default" in schema else []
    for name, child in schema.get("properties", {}).items():
        found += _defaults_below(child, f"{path}.{name}")
    return found + _defaults_below(schema.get("items"), f"{path}[]")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_status_has_one_default_since_any_other_would_be_written_again_at_each_look(kind: Kind) -> None:
    root = build_crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert _defaults_below(root["properties"]["status"]) == ["status"]


def _patterns(schema: object, path: str) -> Iterator[tuple[str, str]]:
    """Every pattern of a schema, and every CEL rule, which has patterns too, with its path."""
    if isinstance(schema, list):
        schema = {str(place): inner for place, inner in enumerate(schema)}
    if not isinstance(schema, dict):
        return
    for name, inner in schema.items():
        if name in ("pattern", "rule") and isinstance(inner, str):
            yield f"{path}.{name}", inner
        yield from _patterns(inner, f"{path}.{name}")


PATTERNS = [found for kind in KINDS for found in _patterns(build_crd(kind)["spec"], kind.kind)]


def test_no_pattern_has_classes_in_which_engines_differ() -> None:
    r"""\s, \d, \w and \b are ASCII in the API server's engine, and Unicode in the models'; (?i) and POSIX classes differ likewise."""
    assert len(PATTERNS) > 50
    assert [path for path, pattern in PATTERNS if re.search(r"\\[sSdDwWbBpP]|\[:|\(\?", pattern)] == []


ODD = ("\u00a0", "\u2003", "\u0085", "\v", "\x1c", "\ufeff", "\u200b", "\u0660", "\uff11", "\u017f", "\u212a", "é", "\n", "\r", "\x00")
"""Blanks, digits and letters that one engine takes for such and another does not, and line ends."""


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_the_models_take_no_odd_character_for_another(odd: str) -> None:
    """The e-mail of a user is what people paste from mail programs: it is refused, or taken as it is, by both alike."""
    pattern = re.compile(next(pattern for path, pattern in PATTERNS if path.endswith("owner.properties.email.pattern")), re.ASCII)
    adapter = TypeAdapter(Email)
    for text in (f"kim{odd}@example.com", f"kim@exam{odd}ple.com", f"kim@example.com{odd}", f"{odd}kim@example.com"):
        try:
            adapter.validate_python(text)
            taken = True
        except ValidationError:
            taken = False
        assert taken == bool(pattern.fullmatch(text)), ascii(text)
