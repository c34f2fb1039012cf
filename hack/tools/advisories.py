"""`python -m hack.tools.advisories`: what the package index knows of faults in the versions that the images contain."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.tools.children import ROOT, ToolError
from hack.tools.venvs import get_venv

SHIPPED = (ROOT / "requirements.txt", ROOT / "quickstart" / "requirements.txt")


@dataclass(frozen=True)
class Advisories:
    """What was found, each as a sentence, and which packages the index said nothing of."""

    found: tuple[str, ...]
    unchecked: tuple[str, ...]


def ask(requirements: Sequence[Path] = SHIPPED) -> Advisories:
    """Ask with pip-audit. It calls an index that does not answer "no known vulnerabilities", so what it skipped counts as unchecked.

    Raises ToolError where pip-audit itself fails.
    """
    program = get_venv("advisories") / "pip-audit"
    files = [part for path in requirements for part in ("--requirement", str(path))]
    flags = ["--require-hashes", "--disable-pip", "--format=json", "--progress-spinner=off"]
    done = subprocess.run([str(program), *flags, *files], capture_output=True, text=True, check=False)
    try:
        return read_answer(json.loads(done.stdout))
    except ValueError:
        raise ToolError(f"pip-audit failed: {done.stderr.strip()[-500:]}") from None


def read_answer(answer: dict[str, Any]) -> Advisories:
    """The same from pip-audit's JSON."""
    found, unchecked = set(), set()
    for package in answer["dependencies"]:
        if "skip_reason" in package:
            unchecked.add(package["name"])
        for fault in package.get("vulns", ()):
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            found.add(f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}")
    return Advisories(tuple(sorted(found)), tuple(sorted(unchecked)))


def main() -> int:
    """1 where something was found."""
    advisories = ask()
    for line in advisories.found:
        print(line)
    if advisories.unchecked:
        print(f"not checked, because the package index did not answer: {', '.join(advisories.unchecked)}")
    elif not advisories.found:
        print("no known vulnerabilities")
    return 1 if advisories.found else 0


if __name__ == "__main__":
    sys.exit(main())
