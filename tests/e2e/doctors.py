"""`clouddatamesh doctor` as a user runs it, and its report."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Said:
    """A report."""

    code: int
    report: dict[str, Any] = field(repr=False)

    @property
    def findings(self) -> list[dict[str, str]]:
        return list(self.report["findings"])

    @property
    def to_do(self) -> list[dict[str, str]]:
        return [one for one in self.findings if one["level"] == "ToDo"]

    @property
    def unchecked(self) -> list[dict[str, Any]]:
        return list(self.report["notChecked"])

    def about(self, thing: str, words: str) -> dict[str, str]:
        """The one finding about an object that says these words."""
        found = [one for one in self.findings if one["object"] == thing and words in one["what"]]
        assert len(found) == 1, (thing, words, json.dumps(self.findings, indent=1))
        return found[0]


def doctor(kubeconfig: Path, *args: str) -> Said:
    """Run it as a user does."""
    command = [sys.executable, "-m", "clouddatamesh", "doctor", f"--kubeconfig={kubeconfig}", "--output=json", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    return Said(done.returncode, json.loads(done.stdout))


def doctor_of_the_sound(kubeconfig: Path, *args: str, seconds: float = 60) -> Said:
    """The same of what is sound in a moment: the first report without anything to do or unknown, the last one where none comes."""
    end = time.monotonic() + seconds
    while (said := doctor(kubeconfig, *args)).code and time.monotonic() < end:
        time.sleep(0.5)
    return said
