"""Whose a label is: those that were applied go with the file, others stay."""

import json
from typing import Any

import pytest

from clouddatamesh.view.applied import foreign

HAD = {"a": "1", "b": "2"}
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def live(*, last: Any = None, managed: Any = ()) -> dict[str, Any]:
    annotations = {LAST: last if isinstance(last, str) else json.dumps(last)} if last is not None else {}
    return {"metadata": {"labels": HAD, "annotations": annotations, "managedFields": managed}}


def manager(operation: str, *names: str) -> dict[str, Any]:
    return {"operation": operation, "fieldsV1": {"f:metadata": {"f:labels": {f"f:{name}": {} for name in names}}}}


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (live(), {"a", "b"}),
        (live(last={"metadata": {"labels": {"a": "1"}}}), {"b"}),
        (live(last="{"), {"a", "b"}),
        (live(last={"metadata": {"labels": ["a"]}}), {"a", "b"}),
        (live(managed=[manager("Apply", "a")]), {"b"}),
        (live(managed=[manager("Update", "a"), {"operation": "Apply"}]), {"a", "b"}),
        ({"metadata": {}}, set()),
    ],
)
def test_what_nobody_applied_stays(found: dict[str, Any], kept: set[str]) -> None:
    assert set(foreign(found, "labels")) == kept


def test_the_record_of_kubectl_stays() -> None:
    assert set(foreign(live(last={}), "annotations")) == {LAST}
