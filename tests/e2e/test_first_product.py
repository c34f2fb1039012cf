"""docs/first-product.md is true: its commands are run in order on a real API server, and they print what the page shows."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.tools.binaries import get_binary
from hack.tools.controlplane import ControlPlane
from hack.tools.readers import get_readers
from hack.tools.store import Store
from tests.support.installation import ROOT, Installation
from tests.support.manifests import a_store

pytestmark = pytest.mark.real
PAGE = ROOT / "docs" / "first-product.md"
UPDATE = "UPDATE=1 pytest tests/e2e/test_first_product.py"
STEP = re.compile(r"^```bash\n(?P<commands>.*?)^```\n```text\n(?P<shown>.*?)^```\n", re.MULTILINE | re.DOTALL)
END = "--- end of a step ---"
VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b\d+[smhd](\d+[smhd])?\b"), "<age>"),
    (re.compile(r"-[a-z2-7]{8}\b"), "-<hash>"),
    (re.compile(r"[ \t]+"), " "),
)
"""Parts of an output that differ from run to run."""


def settled(text: str) -> str:
    for varies, stands_for in VARIES:
        text = varies.sub(stands_for, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


@pytest.fixture(scope="module")
def mesh(moto: Store) -> Iterator[Installation]:
    """What the page asks for: the operator, and an ObjectStore `main` that is Ready."""
    with ControlPlane() as cluster, Installation(cluster, mesh="acme") as installed:
        installed.give_credentials(moto)
        installed.apply(a_store(endpointUrl=moto.endpoint, region=moto.region))
        installed.wait("objectstore", "main", seconds=90)
        yield installed


def run(mesh: Installation, steps: list[str], home: Path) -> list[str]:
    """The output of each step, all in one shell as a reader has it; a command that fails ends it."""
    (home / "bin").mkdir()
    (home / "bin" / "kubectl").symlink_to(get_binary("kubectl"))
    path = f"{home / 'bin'}:{get_readers()}:{os.environ['PATH']}"
    script = "set -eu -o pipefail\n" + "".join(f"{step}\necho '{END}'\n" for step in steps)
    done = subprocess.run(
        ["bash", "-c", script],
        env={**mesh.cluster.env(), "PATH": path, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{mesh.describe()}"
    return done.stdout.split(f"{END}\n")[:-1]


def test_the_commands_print_what_the_page_shows(mesh: Installation, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    steps = list(STEP.finditer(page))
    assert len(steps) == page.count("```bash\n") > 15
    printed = run(mesh, [step["commands"] for step in steps], tmp_path)
    if os.environ.get("UPDATE"):
        outputs = iter(printed)
        PAGE.write_text(STEP.sub(lambda step: f"```bash\n{step['commands']}```\n```text\n{next(outputs)}```\n", page), encoding="utf-8")
        return
    for step, output in zip(steps, printed, strict=True):
        assert settled(output) == settled(step["shown"]), f"{step['commands']}\nrun {UPDATE} if this is what it should print"
