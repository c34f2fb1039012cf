"""The workflows for CI and release: checked by actionlint, every action pinned by its commit, and no more rights than needed."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.tools.binaries import get_binary
from tests.support.installation import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[a-z0-9-]+/[a-z0-9-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
WRITES = {"release.yml": {"packages", "id-token", "attestations", "contents"}}


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(
        [get_binary("actionlint"), "-no-color", "-shellcheck=", "-pyflakes=", *WORKFLOWS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_actionlint_finds_a_planted_fault(tmp_path: Path) -> None:
    planted = tmp_path / "planted.yml"
    planted.write_text(
        WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-1.0", 1), encoding="utf-8"
    )
    done = subprocess.run([get_binary("actionlint"), "-shellcheck=", planted], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ubuntu-1.0" in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not action.startswith("./") and not PINNED.match(action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_writes_nothing_but_what_a_release_needs(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}
    written = {right for job in jobs(path).values() for right, how in job.get("permissions", {}).items() if how == "write"}
    assert written == WRITES.get(path.name, set())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_of_make_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {target for line in re.findall(r"run: make (.+)", path.read_text(encoding="utf-8")) for target in line.split()}
    assert called <= targets


def test_what_dependabot_looks_at_exists() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    folders = [folder for update in updates for folder in update.get("directories", [update.get("directory")])]
    assert [folder for folder in folders if not (ROOT / folder.lstrip("/")).is_dir()] == []
