"""JSON that is nested more deeply than Python reads it, as free values of a policy may be."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.governance.policies import find_params_fault
from clouddatamesh.kube.nesting import DEEPEST, read_json, shallow
from clouddatamesh.shell.resync import Resync

ROOT = Path(__file__).resolve().parents[2]


def nested(levels: int, inner: str = "1", opening: str = "[", closing: str = "]") -> str:
    return opening * levels + inner + closing * levels


def policy(params: str) -> bytes:
    return f'{{"spec":{{"params":{params},"x":"]}}\\"{{["}},"metadata":{{"managedFields":[{{"f:params":{params}}}]}}}}'.encode()


@pytest.mark.parametrize("levels", [DEEPEST + 1, 1000, 10_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"]":1},{"a":"}\\\\","b":', "}]")])
def test_what_is_deeper_is_null_and_all_else_is_as_it_was(levels: int, opening: str, closing: str) -> None:
    found = read_json(policy(nested(levels, opening=opening, closing=closing)))
    assert found["spec"]["x"] == ']}"{['
    assert list(found["metadata"]["managedFields"][0]) == ["f:params"]
    assert find_params_fault(found["spec"]["params"])
    assert "levels deep" in next(find_params_fault(found["spec"]["params"]))


@pytest.mark.parametrize("params", ["{}", '{"a":[1,{"b":"]]]]"}]}', nested(16, opening='{"a":', closing="}"), '"\\\\"'])
def test_what_is_not_too_deep_is_read_as_it_is(params: str) -> None:
    assert shallow(policy(params)) == policy(params)
    assert read_json(policy(params)) == json.loads(policy(params))
    assert list(find_params_fault(json.loads(params))) == []


def test_torn_json_is_an_error_and_no_end() -> None:
    for text in (b'{"params":' + b"[" * 9000, b'{"params":"' + b"[" * 9000, b'{"params":]]]]'):
        with pytest.raises(json.JSONDecodeError):
            read_json(text)


def free_values(schema: Any, path: str = "") -> list[str]:
    if isinstance(schema, list):
        return [name for inner in schema for name in free_values(inner, path)]
    if not isinstance(schema, dict):
        return []
    own = [path] if schema.get("x-kubernetes-preserve-unknown-fields") else []
    return own + [name for part, inner in schema.items() for name in free_values(inner, part)]


def test_no_other_field_of_a_kind_takes_anything() -> None:
    crds = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert {name for crd in crds for name in free_values(crd)} == {"params"}


def test_a_kind_that_cannot_be_listed_hides_no_other() -> None:
    asked = []

    def list_kind(kind: str) -> None:
        asked.append(kind)
        if kind == "b":
            raise RecursionError

    resync = Resync(list_kind, kinds=("a", "b", "c"))
    assert resync.run_once() < resync._interval
    assert asked == ["a", "b", "c"]
