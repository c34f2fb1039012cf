"""Argo CD's own engine runs our scripts, from the part of argocd-cm that we print: its command works on files and needs no cluster."""

import os
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from hack.tools.binaries import get_binary
from hack.tools.children import say_nothing
from tests.support.installation import ROOT

pytestmark = pytest.mark.real
CONFIG: Final = ROOT / "examples/argocd/argocd-cm.yaml"
FOLDER: Final = ROOT / "examples/argocd/resource_customizations/clouddatamesh.dev"
ACTIONS: Final = FOLDER / "DataProduct/actions"


def argocd(*args: str | Path, home: Path) -> str:
    """`argocd admin settings …`; what it prints."""
    env = {**os.environ, "ARGOCD_BINARY_NAME": "argocd", "HOME": str(home)}
    command = [get_binary("argocd", say=say_nothing), "admin", "settings", *args, "--argocd-cm-path", CONFIG]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    customized = 2 + len([path for path in FOLDER.iterdir() if path.name != "_"])  # the wildcard, each kind, and Argo CD's own default
    assert f"{customized} resource overrides" in argocd("validate", home=tmp_path)


def test_health(tmp_path: Path) -> None:
    for test in yaml.safe_load((FOLDER / "_/health_test.yaml").read_text())["tests"]:
        found = argocd("resource-overrides", "health", FOLDER / "_" / test["inputPath"], home=tmp_path)
        assert found == "STATUS: {status}\nMESSAGE: {message}\n".format(**test["healthStatus"]), test["inputPath"]


def test_actions(tmp_path: Path) -> None:
    tests: dict[str, Any] = yaml.safe_load((ACTIONS / "action_test.yaml").read_text())
    for test in tests["discoveryTests"]:
        lines = argocd("resource-overrides", "list-actions", ACTIONS / test["inputPath"], home=tmp_path).splitlines()[1:]
        wanted = {one["name"]: str(one["disabled"]).lower() for one in test["result"]}
        assert dict(line.split() for line in lines) == wanted
    for test in tests["actionTests"]:
        found = argocd("resource-overrides", "run-action", ACTIONS / test["inputPath"], test["action"], home=tmp_path)
        before, after = ((ACTIONS / test[path]).read_text().splitlines() for path in ("inputPath", "expectedOutputPath"))
        changed = [line for line in found.splitlines() if line.startswith(("<", ">"))]
        assert changed == [f"{mark} {line}" for mark, line in zip("<>", (only(before, after), only(after, before)), strict=True)]


def only(lines: list[str], others: list[str]) -> str:
    """The one line that the others lack."""
    (found,) = [line for line in lines if line not in others]
    return found


def test_reconcile_sets_the_annotation(tmp_path: Path) -> None:
    found = argocd("resource-overrides", "run-action", ACTIONS / "testdata/running.yaml", "reconcile", home=tmp_path)
    changed = [line for line in found.splitlines() if line.startswith(("<", ">"))]
    assert changed[0] == ">   annotations:"
    assert changed[1].startswith(">     clouddatamesh.dev/reconcile-requested-at: ") and len(changed) == 2
