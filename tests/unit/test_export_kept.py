"""A long rest is kept in parts that `kubectl apply` can write, and read only where all of them are there."""

import json
from typing import Any

import pytest

from clouddatamesh.export.bitol import kept, odcs
from clouddatamesh.export.bitol.report import Verdict
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.names import hash80
from clouddatamesh.view.mesh import Mesh
from tests.support.exchange import imported, mesh_of, product_of

KEY = kept.key_of_port(Key("DataProduct", "sales", "orders"), "daily", "1.0.0")
_ANNOTATIONS = 262_144


def contract(columns: int) -> dict[str, Any]:
    properties = [
        {"name": f"column_{n}", "logicalType": "string", "description": f'Ä "quoted" \\ {n} \U0001f4c8 and words', "required": n % 2 == 0}
        for n in range(columns)
    ]
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "c-1",
        "name": "orders",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "orders", "properties": properties}],
    }


@pytest.mark.parametrize("columns", [10, 900, 6000], ids=["short", "64 KiB and more", "many parts"])
def test_a_contract_of_any_length_comes_back(columns: int) -> None:
    before = contract(columns)
    found = imported(before)
    assert {entry.verdict for entry in found.report} <= {Verdict.MAPPED, Verdict.CHANGED, Verdict.KEPT}
    (document,) = odcs.write(mesh_of(*found.manifests), [product_of(found)])
    assert document.body == before


def test_each_part_can_be_applied_by_kubectl() -> None:
    made = kept.keep(KEY, "odcs", {"schema": '"\\' * 200_000})
    assert len(made) > 2
    assert all(len(json.dumps(part)) < _ANNOTATIONS for part in made)
    assert len({key_of(part) for part in made}) == len(made)


def test_a_longer_one_is_not_kept() -> None:
    assert kept.keep(KEY, "odcs", {"a": "x" * kept.MOST_KEPT}) == ()


def parts() -> list[dict[str, Any]]:
    return [*kept.keep(KEY, "odcs", {"a": "x" * 300_000})]


def held(*manifests: dict[str, Any]) -> dict[str, Any]:
    return kept.held(Mesh.of(manifests), KEY, "odcs")


def test_parts_count_only_together() -> None:
    first, second, third = parts()
    assert held(first, second, third) == {"a": "x" * 300_000}
    assert held(first, third) == {}
    assert held(second, third) == {}
    assert held(first, {**second, "metadata": {**second["metadata"], "labels": {}}}, third) == {}
    other = {**second, "data": {"odcs.json": second["data"]["odcs.json"].replace("x", "y", 1)}}
    assert held(first, other, third) == {}


@pytest.mark.parametrize(
    "said",
    ["[" * 100_000, '{"a":' * 70 + "1" + "}" * 70, '{"a":NaN}', "[1]", "{", ""],
    ids=["deep", "70 levels", "NaN", "a list", "open", "empty"],
)
def test_what_somebody_wrote_into_a_part_cannot_harm(said: str) -> None:
    digest = hash80(said)
    made = parts()[0]
    annotations = {name: f"1/1 {digest}" for name in made["metadata"]["annotations"]}
    assert held({**made, "metadata": {**made["metadata"], "annotations": annotations}, "data": {"odcs.json": said}}) == {}


def test_names_of_parts_are_valid_for_long_names() -> None:
    key = kept.key_of_port(Key("DataProduct", "sales", "a" * 183), "b" * 63, "1.0.0")
    names = [one["metadata"]["name"] for one in kept.keep(key, "odcs", {"a": "x" * 300_000})]
    assert len({*names}) == 3
    assert all(len(name) <= 253 for name in names)
