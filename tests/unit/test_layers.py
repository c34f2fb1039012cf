"""The layer contracts hold, and each of them fails when it is broken: one planted import per contract, in a copy of the code."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(place: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(place), "PATH": ""}, cwd=place)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "operator" / "clouddatamesh", tmp_path / "clouddatamesh", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("plan/names.py", "import clouddatamesh.kube.cache", "Layers"),
        ("kube/cache.py", "import clouddatamesh.storage.memory", "Layers"),
        ("export/dcat.py", "import clouddatamesh.kube.cache", "Layers"),
        ("model/objects.py", "import boto3", "From reconcile down, no door to the world"),
        ("reconcile/parse.py", "import kopf", "From reconcile down, no door to the world"),
        ("storage/policy.py", "import kopf", "Adapters know neither kopf nor each other"),
    ],
)
def test_a_broken_layer_is_found(copy: Path, module: str, planted: str, contract: str) -> None:
    target = copy / "clouddatamesh" / module
    target.write_text(f"{target.read_text()}\n{planted}\n")
    done = lint(copy)
    assert done.returncode
    assert f"{contract} BROKEN" in done.stdout


def test_the_standard_librarys_operator_is_not_shadowed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.__file__)"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "clouddatamesh" not in done.stdout
    assert not (ROOT / "operator" / "__init__.py").exists()
