"""Policies in the demo: one that reports, with a waiver, and one that refuses at `kubectl apply`."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import yaml

from hack.tools.children import ToolError
from tests.support.installation import ROOT, Installation
from tests.support.manifests import a_product

POLICIES: Final = ROOT / "examples" / "policies" / "policies.yaml"
REFUSED: Final = a_product("leads", "sales", personalData=True, classification="internal")
_PATIENCE: Final = 60.0


def judge_mesh(mesh: Installation, say: Callable[[str], None]) -> dict[str, bool]:
    """Apply the policies, look at what they find, and be refused."""
    mesh.apply(*yaml.safe_load_all(POLICIES.read_text()))
    found = _wait(lambda: _counts(mesh) == (2, 1))
    say(mesh.cluster.kubectl("get", "governancepolicies,policywaivers"))
    rendered = subprocess.run(
        [sys.executable, "-m", "clouddatamesh", "policies", "render", str(POLICIES), "-o", "yaml"],
        check=True,
        capture_output=True,
        text=True,
    )
    mesh.cluster.kubectl("apply", "-f", "-", stdin=rendered.stdout)
    refused = _wait(lambda: bool(_refusal(mesh)))
    say(_refusal(mesh))
    return {
        "two products break a rule that reports, and a third has a waiver": found,
        "a product that breaks a rule that denies is refused at kubectl apply": refused,
    }


def _counts(mesh: Installation) -> tuple[int, int]:
    status = mesh.get("governancepolicy", "support")["status"]
    return status.get("violations", 0), status.get("waived", 0)


def _refusal(mesh: Installation) -> str:
    """What kubectl says of a product with personal data that is not classified so; empty where it takes it. Nothing is written."""
    try:
        mesh.cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(REFUSED))
    except ToolError as error:
        return next((line for line in str(error).splitlines() if "personal data" in line), "")
    return ""


def _wait(held: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE
    while not held():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True
