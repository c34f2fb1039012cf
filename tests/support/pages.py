"""Commands of a page of docs/, so that a test runs what a reader runs."""

import os
import re
import subprocess
from pathlib import Path

from hack.tools.binaries import get_binaries
from hack.tools.controlplane import ControlPlane
from tests.support.installation import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(page: Path, language: str) -> dict[str, list[str]]:
    """Blocks of code in one language, by the heading that they stand below."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        found[title] = [code for name, code in _BLOCK.findall(body) if name == language]
    return found


class Reader:
    """A person in the checkout, with kubectl and Helm on the PATH, who is an administrator of a cluster."""

    def __init__(self, cluster: ControlPlane, page: Path) -> None:
        places = dict.fromkeys(str(path.parent) for path in get_binaries(("kubectl", "helm")).values())
        self._env = {**cluster.env(), "PATH": os.pathsep.join([*places, os.environ["PATH"]])}
        self._blocks = read_blocks(page, "sh")
        self._unread = dict(self._blocks)

    def follow(self, title: str) -> str:
        """Run the commands below a heading; what they say. Raises AssertionError with all of it where one fails."""
        del self._unread[title]
        code = "\n".join(self._blocks[title])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True, cwd=ROOT, env=self._env, check=False
        )
        assert not done.returncode, f"{title}: {done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def unread(self) -> list[str]:
        """Headings with commands that nobody followed yet."""
        return [title for title, blocks in self._unread.items() if blocks]
