"""Commands of a page of docs/, so that a test runs what a reader runs."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from hack.tools.binaries import get_binaries
from hack.tools.controlplane import ControlPlane
from tests.support.installation import ROOT

TRANSCRIPTS = ROOT / "build" / "transcripts"
_PATIENCE = 300
"""Seconds after which a reader gives up; `kubectl delete` waits without an end."""
_VARIES = re.compile(r"\b\d+[smhd](\d+[smhd])?\b|\b20\d\d-\d\d-\d\d(T[\d:]+Z)?")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(page: Path, language: str) -> dict[str, list[str]]:
    """Blocks of code in one language, by the heading that they stand below."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        found[title] = [code for name, code in _BLOCK.findall(body) if name == language]
    return found


def unlike(shown: str, said: str) -> list[str]:
    """Lines of a page's output that the commands did not say; ages, dates and spaces do not count."""
    lines = {_normal(line) for line in said.splitlines()}
    return [line for line in shown.splitlines() if _normal(line) not in lines]


def _normal(line: str) -> str:
    return " ".join(_VARIES.sub("<time>", line).split())


class Reader:
    """A person in the checkout, with kubectl and Helm on the PATH, who is an administrator of a cluster.

    `filled` has what the person writes where the page leaves a gap, as in `<your registry>`.
    """

    def __init__(self, cluster: ControlPlane, page: Path, *, filled: Mapping[str, str] | None = None) -> None:
        places = dict.fromkeys(str(path.parent) for path in get_binaries(("kubectl", "helm")).values())
        self._env = {**cluster.env(), "PATH": os.pathsep.join([*places, os.environ["PATH"]])}
        self._blocks, self._shown = read_blocks(page, "sh"), read_blocks(page, "text")
        self._unread, self._filled = dict(self._blocks), dict(filled or {})
        TRANSCRIPTS.mkdir(parents=True, exist_ok=True)
        self._transcript = TRANSCRIPTS / f"{page.stem}.txt"
        self._transcript.write_text("")

    def follow(self, title: str) -> str:
        """Run the commands below a heading; what they say. Raises AssertionError where one fails, or says something else than the page."""
        del self._unread[title]
        code = "\n".join(self._blocks[title])
        for gap, word in self._filled.items():
            code = code.replace(gap, word)
        command = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=self._env, check=False, timeout=_PATIENCE)
        with self._transcript.open("a") as transcript:
            transcript.write(f"## {title}\n{done.stdout}\n")
        assert not done.returncode, f"{title}: {done.stdout}\n{done.stderr}"
        others = [line for block in self._shown[title] for line in unlike(block, done.stdout)]
        assert not others, f"{title}: the page shows {others}, and the commands said:\n{done.stdout}"
        return done.stdout

    @property
    def unread(self) -> list[str]:
        """Headings with commands that nobody followed yet."""
        return [title for title, blocks in self._unread.items() if blocks]
