"""Argo CD reads every status as kstatus does, but for a request that waits for an answer; actions change what they say and nothing else.

The scripts are run as Argo CD runs them: in Lua, with the base and table libraries and no others.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import lupa
import pytest
import yaml

from clouddatamesh import reasons
from clouddatamesh.__main__ import main
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.generate.argocd import actions_of, argocd_cm, resource_customizations
from tests.support.installation import ROOT
from tests.support.mesh import Mesh
from tests.support.statuses import REASONS, SENTENCE, Case, an_object, deleted, every_case

DATA: Final[Mapping[str, str]] = yaml.safe_load(argocd_cm())["data"]
HEALTH: Final = yaml.safe_load(DATA["resource.customizations"])["clouddatamesh.dev/*"]["health.lua"]
WITH_SPEC: Final = tuple(kind for kind in KINDS if "spec" in kind.model.model_fields)
NATIVE: Final = {"Current": "Healthy", "Failed": "Degraded", "InProgress": "Progressing", "Terminating": "Progressing"}
FOLDER: Final = ROOT / "examples/argocd/resource_customizations/clouddatamesh.dev"
CASES: Final = tuple(every_case())


def run(script: str, obj: Mapping[str, Any]) -> Any:
    """What a script returns of an object."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=False)
    lua.execute("""
        local date = os.date
        os, io, string, math, debug, coroutine = nil, nil, nil, nil, nil, nil
        require = function(name) return name == "os" and {date = date} or error(name) end
    """)
    function: Any = lua.eval(f"function(obj) {script} end")
    return function(lua.table_from(obj, recursive=True))


def health(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Status and message as Argo CD shows them: of what is being deleted, only a deletionMessage counts."""
    found = run(HEALTH, obj)
    return str(found["status"]), str(found["deletionMessage" if "deletionTimestamp" in obj["metadata"] else "message"])


def as_python(value: Any) -> Any:
    """A Lua table as a dict."""
    return {key: as_python(item) for key, item in value.items()} if lupa.lua_type(value) == "table" else value


def test_health_is_what_kstatus_says() -> None:
    found = {case.name: health(case.object) for case in CASES}
    assert {name: status for name, (status, _) in found.items()} == {case.name: wanted(case) for case in CASES}
    assert all(SENTENCE in message or "not reconciled" in message for _, message in found.values())


def wanted(case: Case) -> str:
    """What kstatus calls Current without any status is unknown here; a request that waits for an answer is in order."""
    if case.name == "absent":
        return "Progressing"
    waits = case.reason == reasons.AWAITING_GRANT and case.kstatus == "InProgress"
    return "Healthy" if waits else NATIVE[case.kstatus]


def test_all_reasons_are_tried() -> None:
    assert len(REASONS) > 60
    assert {reasons.READY, reasons.AWAITING_GRANT, reasons.IN_USE, reasons.NOT_OWNED} <= {case.reason for case in CASES}


def test_what_is_being_deleted_is_never_healthy_and_says_what_it_waits_for() -> None:
    for case in CASES:
        found, message = health(deleted(case).object)
        assert found == ("Degraded" if case.kstatus == "Failed" else "Progressing"), case.name
        blocked = any(found["type"] == "DeletionBlocked" for found in case.object.get("status", {}).get("conditions", ()))
        assert message.startswith("Deletion waits: " if blocked else "Being deleted: "), case.name
        assert SENTENCE in message or "not reconciled" in message, case.name


def test_what_no_operator_has_reconciled_is_progressing() -> None:
    assert health(an_object(None)) == ("Progressing", "The operator has not reconciled this generation yet")


def test_an_inbox_is_healthy_and_counts_requests() -> None:
    assert health(an_object({"pendingCount": 2}, kind="AccessInbox")) == ("Healthy", "Requests that wait for an answer: 2")
    assert health(an_object({"observedGeneration": -1}, kind="AccessInbox"))[0] == "Healthy"


@pytest.mark.parametrize("case", sorted((ROOT / "tests/golden/cases").glob("*.in.yaml")), ids=lambda path: path.name)
def test_health_of_what_conversations_lead_to(case: Any) -> None:
    """The objects of the golden conversations, as the operator leaves them after each step."""
    mesh = Mesh()
    for manifest in yaml.safe_load_all(case.read_text()):
        mesh.apply(manifest).settle()
        for kind in WITH_SPEC:
            for found in mesh.cluster.list(kind.kind):
                ready = next(c for c in found["status"]["conditions"] if c["type"] == "Ready")
                stalled = any(c["type"] == "Stalled" for c in found["status"]["conditions"])
                expected = "Degraded" if stalled else "Healthy" if ready["status"] == "True" else "Progressing"
                assert health(found) == (expected, f"{ready['reason']}: {ready['message']}")


@pytest.mark.parametrize("kind", WITH_SPEC, ids=lambda kind: kind.kind)
def test_every_kind_has_its_actions_and_none_approves(kind: Any) -> None:
    actions = yaml.safe_load(DATA[f"resource.customizations.actions.clouddatamesh.dev_{kind.kind}"])
    offered = set(as_python(run(actions["discovery.lua"], an_object({}, kind=kind.kind))))
    assert offered == {definition["name"] for definition in actions["definitions"]} == set(actions_of(kind))
    assert offered <= {"reconcile", "suspend", "resume"}
    assert ("suspend" in offered) == (kind.kind in ("Domain", "DataProduct"))


def test_actions_change_what_they_say_and_nothing_else() -> None:
    actions = yaml.safe_load(DATA["resource.customizations.actions.clouddatamesh.dev_DataProduct"])
    scripts = {definition["name"]: definition["action.lua"] for definition in actions["definitions"]}
    before = an_object({"observedGeneration": 3})
    suspended = as_python(run(scripts["suspend"], before))
    assert suspended == {**before, "spec": {"suspend": True}}
    assert as_python(run(scripts["resume"], suspended)) == {**before, "spec": {"suspend": False}}
    reconciled = as_python(run(scripts["reconcile"], before))
    asked = reconciled["metadata"].pop("annotations")
    assert list(asked) == ["clouddatamesh.dev/reconcile-requested-at"]
    assert datetime.fromisoformat(asked["clouddatamesh.dev/reconcile-requested-at"]).tzinfo is not None
    assert reconciled == before


def test_an_action_that_would_change_nothing_is_not_offered() -> None:
    script = yaml.safe_load(DATA["resource.customizations.actions.clouddatamesh.dev_Domain"])["discovery.lua"]
    running, held = an_object({}, kind="Domain"), {**an_object({}, kind="Domain"), "spec": {"suspend": True}}
    disabled = {
        name: [as_python(run(script, obj))[name]["disabled"] for obj in (running, held)] for name in ("suspend", "resume", "reconcile")
    }
    assert disabled == {"suspend": [False, True], "resume": [True, False], "reconcile": [False, False]}


def test_the_folder_for_argo_cd_itself_holds_the_same_scripts() -> None:
    files = dict(resource_customizations())
    assert files.pop("clouddatamesh.dev/_/health.lua") == HEALTH
    for kind in WITH_SPEC:
        actions = yaml.safe_load(DATA[f"resource.customizations.actions.clouddatamesh.dev_{kind.kind}"])
        assert files.pop(f"clouddatamesh.dev/{kind.kind}/actions/discovery.lua") == actions["discovery.lua"]
        for definition in actions["definitions"]:
            assert files.pop(f"clouddatamesh.dev/{kind.kind}/actions/{definition['name']}/action.lua") == definition["action.lua"]
    assert not files


@pytest.mark.parametrize("test", yaml.safe_load((FOLDER / "_/health_test.yaml").read_text())["tests"], ids=lambda test: test["inputPath"])
def test_the_folder_has_the_tests_that_argo_cd_asks_for(test: Mapping[str, Any]) -> None:
    found = as_python(run((FOLDER / "_/health.lua").read_text(), read(FOLDER / "_" / test["inputPath"])))
    assert found == test["healthStatus"]


def test_the_folder_has_tests_of_actions() -> None:
    folder = FOLDER / "DataProduct/actions"
    tests = yaml.safe_load((folder / "action_test.yaml").read_text())
    for test in tests["discoveryTests"]:
        found = as_python(run((folder / "discovery.lua").read_text(), read(folder / test["inputPath"])))
        assert [{"name": name, **found[name]} for name in sorted(found)] == sorted(test["result"], key=lambda result: str(result["name"]))
    for test in tests["actionTests"]:
        found = as_python(run((folder / test["action"] / "action.lua").read_text(), read(folder / test["inputPath"])))
        assert found == read(folder / test["expectedOutputPath"])


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_command_prints_the_example(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["clouddatamesh", "argocd"])
    assert main() == 0
    assert capsys.readouterr().out == (ROOT / "examples/argocd/argocd-cm.yaml").read_text()
