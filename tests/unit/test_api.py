"""The models say what the CRDs say, with the path of the field; durations mean what they say."""

from datetime import timedelta
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_duration
from clouddatamesh.api.kinds import KIND_BY_NAME, KINDS
from clouddatamesh.errors import Terminal
from clouddatamesh.reconcile.parse import parse
from tests.e2e.bounds import BOUNDS
from tests.e2e.cases import Refusal
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("1d2h3m", timedelta(days=1, hours=2, minutes=3)),
        ("36h", timedelta(days=1, hours=12)),
        ("0d", timedelta()),
        ("007d", timedelta(days=7)),
        ("99999d", timedelta(days=99999)),
    ],
)
def test_a_duration(text: str, means: timedelta) -> None:
    assert parse_duration(text) == means


@pytest.mark.parametrize("text", ["", "d", "7", "1w", "1h1d", "1d1d", "-1d", "+1d", "1.5d", "1d ", " 1d", "1D", "1d\n", "٣d", "1s"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write days, hours and minutes"):
        parse_duration(text)


# What pydantic need not refuse: an old operator reads newer objects; the API server alone compares list entries and tells "yes" from true.
_ONLY_THE_SERVER = (
    "unknown field",
    "Duplicate value",
    "spec: Required value",
    "spec.deletionEnabled",
    "spec.permanent",
    "must be of type date",
)
_SCHEMA = [case for case in BOUNDS if not any(part in case.says for part in _ONLY_THE_SERVER)]


@pytest.mark.parametrize("case", _SCHEMA, ids=lambda case: case.what)
def test_the_model_refuses_what_the_schema_refuses(case: Refusal) -> None:
    kind = KIND_BY_NAME[case.manifest["kind"]]
    with pytest.raises(Terminal) as caught:
        parse(kind.model, case.manifest)
    assert caught.value.reason == reasons.INVALID_SPEC
    field = case.says.split(": ")[0].replace("[", ".").replace("]", "")
    assert any(fault.startswith(field) for fault in caught.value.message.split("; "))


@pytest.mark.parametrize(
    "manifest", [a_store(), a_domain(), a_product(), a_request(), a_grant()], ids=lambda manifest: str(manifest["kind"])
)
def test_unknown_fields_are_passed_over(manifest: dict[str, Any]) -> None:
    newer = {**manifest, "spec": {**manifest["spec"], "inventedLater": {"a": 1}}, "status": {"inventedLater": 1}}
    assert parse(KIND_BY_NAME[manifest["kind"]].model, newer).kind == manifest["kind"]


def test_values_are_never_echoed() -> None:
    with pytest.raises(Terminal) as caught:
        parse(KIND_BY_NAME["ObjectStore"].model, a_store(endpointUrl="https://key:planted-secret@s3.test"))
    assert "planted-secret" not in caught.value.message


def test_kinds_are_named_once() -> None:
    names = [name for kind in KINDS for name in (kind.plural, kind.singular, *kind.short_names)]
    assert len(names) == len(set(names))
