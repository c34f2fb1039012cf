"""`kubectl mesh check` and the API server say the same: both take a manifest, or both refuse it for the same fields in the same words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from clouddatamesh.cel import engine
from clouddatamesh.checking.documents import read_documents
from clouddatamesh.checking.faults import UNKNOWN
from clouddatamesh.checking.manifest import Engine, check_manifest
from clouddatamesh.cli.check import definitions
from hack.tools.controlplane import ControlPlane
from tests.e2e.accepted import ACCEPTED
from tests.e2e.bounds import BOUNDS
from tests.e2e.cases import Manifest
from tests.e2e.refusals import RULES
from tests.support.crds import rehearse, with_crds
from tests.support.manifests import a_product
from tests.support.rest import Api, ApiError

MORE: dict[str, Manifest] = {
    "a name in capitals": a_product("Orders"),
    "a name of 300 characters": a_product("x" * 300),
    "no name": {**a_product(), "metadata": {"namespace": "sales"}},
    "a name to be made": {**a_product(), "metadata": {"generateName": "x-", "namespace": "sales"}},
    "labels that are none": {**a_product(), "metadata": {"name": "x", "namespace": "sales", "labels": {"a b": "c", "ok": "b c"}}},
    "an annotation that is none": {**a_product(), "metadata": {"name": "x", "namespace": "sales", "annotations": {"a b": "c"}}},
    "a prefix that is none": {**a_product(), "metadata": {"name": "x", "namespace": "sales", "labels": {"A_b/c": "d"}}},
    "a finalizer that is none": {**a_product(), "metadata": {"name": "x", "namespace": "sales", "finalizers": ["a b"]}},
    "an unknown field of metadata": {**a_product(), "metadata": {"name": "x", "namespace": "sales", "label": {}}},
    "an unknown field on top": {**a_product(), "sepc": {}},
    "an unknown field of status": {**a_product(), "status": {"phase": "x"}},
    "a wrong status, which is not looked at": {**a_product(), "status": {"pendingRequestCount": -1}},
    "a text with NUL": a_product(owner={"name": "a", "email": "a\0@b.c"}),
    "two faults, and one rule that is not looked at": a_product(lifecycle="x", version="v1", owner={"name": 3}),
    "null for the spec": {**a_product(), "spec": None},
    "a list for the spec": {**a_product(), "spec": []},
    "null for a field": a_product(description=None),
    "null for a field that is required": a_product(owner={"name": None}),
    "a text that cannot be seen": a_product(owner={"name": "a", "email": "\u200b"}),
}
CASES: dict[str, Manifest] = {
    **{f"{case.manifest['kind']}: {case.what}": case.manifest for case in (*RULES, *BOUNDS) if case.after is None},
    **{f"accepted: {what}": manifest for what, manifest in ACCEPTED.items()},
    **MORE,
}
ONLY_THERE = ("Checked value must be of type", "Invalid date-time formatted string", "some validation rules were not checked")
"""What the API server says in addition to the fault itself."""
WORDS = (
    *(
        "on",
        "off",
        "Yes",
        "n",
        "~",
        "null",
        "nUll",
        "012",
        "0o17",
        "0x1F",
        "0b11",
        "1_000",
        "1e3",
        "1.5",
        "1.0",
        ".5",
        "1:30",
        "1.2.3",
        "-7",
    ),
    *("+7", "09", "2024-01-01", "2024-01-01T10:00:00Z", "9223372036854775807", "1e400x", "=", '"on"', "'12'"),
)
NO_KEYS = ("~", "null")
"""kubectl refuses them as keys."""
ENGINE = Engine(engine.match, engine.judge)
Cause = tuple[str, str, str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    with with_crds() as started:
        yield started


@pytest.fixture(scope="module")
def api(cluster: ControlPlane) -> Api:
    return Api(cluster.kubeconfig)


def causes(api: Api, manifest: Manifest) -> list[Cause]:
    """What the API server has against a new object: field, reason and sentence of each fault; of unknown fields only the sentences."""
    try:
        rehearse(api, manifest)
    except ApiError as error:
        status = json.loads(str(error).partition(" ")[2])
        named = status.get("details", {}).get("causes")
        if named:
            found = [(cause["field"].replace("<nil>", ""), cause["reason"], cause["message"]) for cause in named]
            return sorted(cause for cause in found if not any(part in cause[2] for part in ONLY_THERE))
        return [("", UNKNOWN, status["message"].partition("strict decoding error: ")[2])]
    return []


def remarks(manifest: Manifest) -> list[Cause]:
    """The same of `check`."""
    faults = check_manifest(manifest, definitions()[manifest["kind"]], ENGINE)
    unknown = [fault.message for fault in faults if fault.reason == UNKNOWN]
    return [("", UNKNOWN, ", ".join(unknown))] if unknown else sorted((fault.field, fault.reason, fault.message) for fault in faults)


def test_there_are_enough_cases_of_both() -> None:
    assert len(CASES) >= 500
    assert sum(what.startswith("accepted") for what in CASES) >= 40


@pytest.mark.parametrize("what", CASES)
def test_they_say_the_same(api: Api, what: str) -> None:
    assert remarks(CASES[what]) == causes(api, CASES[what])


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_read_as_kubectl_reads_it(cluster: ControlPlane, word: str) -> None:
    key = "" if word in NO_KEYS else f", {word}: key"
    text = f"apiVersion: clouddatamesh.dev/v1alpha1\nkind: Domain\nmetadata: {{name: x}}\nspec: {{word: {word}{key}}}\n"
    read: Any = json.loads(cluster.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", stdin=text))
    (document,) = read_documents(text)
    assert document.value["spec"] == read["spec"]
