"""JSON that is deeper or larger than Python reads it, as free values of a policy may be."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.api.v1alpha1.policy import MOST_PARAMS
from clouddatamesh.governance.policies import find_params_fault
from clouddatamesh.kube.bounded import DEEPEST, cut_down, read_json

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
    (fault,) = find_params_fault(found["spec"]["params"])
    assert ("levels deep" in fault) or levels > 1000


@pytest.mark.parametrize("params", ["{}", '{"a":[1,{"b":"]]]]"}]}', nested(16, opening='{"a":', closing="}"), '"\\\\"'])
def test_what_is_not_too_deep_is_read_as_it_is(params: str) -> None:
    assert cut_down(policy(params)) == policy(params)
    assert read_json(policy(params)) == json.loads(policy(params))
    assert list(find_params_fault(json.loads(params))) == []


@pytest.mark.parametrize(
    "value",
    ["[" + "{}," * 400_000 + "{}]", '{"a":' + nested(9000, "{}," * 90_000 + "1") + "}", '{"a":"' + "x" * 99_999 + '"}'],
    ids=["many", "many and deep", "long"],
)
def test_what_is_too_large_takes_no_memory_and_is_a_fault(value: str) -> None:
    before, after = policy("{}"), policy('{"b":[1]}')
    found = read_json(b"[" + b",".join((before, policy(value), after)) + b"]")
    assert [found[0], found[2]] == [json.loads(before), json.loads(after)]
    assert found[1]["spec"]["x"] == ']}"{['
    assert len(json.dumps(found[1])) < 3 * MOST_PARAMS
    assert list(find_params_fault(found[1]["spec"]["params"])) == ["spec.params has more than 8,192 characters as JSON; shorten it"]


@pytest.mark.parametrize(
    "text", ['{"params":"x","a":[1]}', '{"params" : {"params":{"a":1}},"b":{}}', '["params",{"a":2}]', '{"f:params":{}}']
)
def test_a_name_or_a_text_like_that_changes_nothing(text: str) -> None:
    assert cut_down(text.encode()) == text.encode()


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
