"""The cluster's own record of its mesh: what is read counts, and a page of something in front of the API server is no answer."""

import json
from typing import Any

import pytest

from clouddatamesh.errors import MeshError
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.shell.record import ANNOTATION, NAME, MeshRecord

ABSENT = ApiError(404, json.dumps({"reason": "NotFound", "details": {"name": NAME}}).encode())
PAGE = ApiError(404, b"default backend - 404")
EXISTS = ApiError(409, json.dumps({"reason": "AlreadyExists", "details": {"name": NAME}}).encode())


def recorded(mesh: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {ANNOTATION: mesh}}}


def fault_of(*answers: dict[str, Any] | ApiError) -> str:
    """What is found where the API server answers so, one after the other."""
    left = list(answers)

    class Server:
        def request(self, *_: Any, **__: Any) -> dict[str, Any]:
            answer = left.pop(0)
            if isinstance(answer, ApiError):
                raise answer
            return answer

    fault = MeshRecord(Server(), namespace="system", mesh="retail").find_fault()
    assert not left
    return fault


@pytest.mark.parametrize("answers", [[recorded("retail")], [ABSENT, recorded("retail")], [ABSENT, EXISTS, recorded("retail")]])
def test_this_mesh_is_served_where_the_record_names_it_or_is_made(answers: list[dict[str, Any] | ApiError]) -> None:
    assert fault_of(*answers) == ""


@pytest.mark.parametrize("answers", [[recorded("retial")], [ABSENT, EXISTS, recorded("retial")]], ids=["read", "made by another one"])
def test_another_name_in_the_record_is_a_fault(answers: list[dict[str, Any] | ApiError]) -> None:
    assert "served as mesh retial" in fault_of(*answers)


@pytest.mark.parametrize("answers", [[PAGE], [ABSENT, PAGE], [ABSENT, EXISTS, PAGE], [ABSENT, EXISTS, ABSENT]])
def test_without_an_answer_nothing_is_known(answers: list[dict[str, Any] | ApiError]) -> None:
    with pytest.raises(MeshError):
        fault_of(*answers)
