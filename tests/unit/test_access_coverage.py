"""The decision on access has no branch that no row of its table goes through."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMES = ("approvers", "decision", "facts", "faults", "lenient", "terms")
DECISION = tuple(f"operator/clouddatamesh/plan/access/{name}.py" for name in _NAMES)
TESTS = (
    "tests/unit/test_access_decision.py",
    "tests/unit/test_access_facts.py",
    "tests/unit/test_terms.py",
    "tests/unit/test_approvers.py",
)


def _coverage(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coverage", words[0], f"--data-file={tmp_path / 'coverage'}", *words[1:]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_branch_of_the_decision_is_a_row(tmp_path: Path) -> None:
    include = f"--include={','.join(str(ROOT / path) for path in DECISION)}"
    ran = _coverage(tmp_path, "run", "--branch", include, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    assert ran.returncode == 0, ran.stdout
    told = _coverage(tmp_path, "report", "--show-missing", "--fail-under=100")
    assert told.returncode == 0, told.stdout
    assert all(path in told.stdout for path in DECISION), told.stdout
