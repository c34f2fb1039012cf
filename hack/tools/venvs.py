"""Programs from the package index in venvs of their own, made of hash-pinned requirements and kept in the cache."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from hack.tools.binaries import HERE, get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud


def get_venv(name: str, *, say: Say = say_aloud) -> Path:
    """The bin folder of the venv for hack/tools/<name>.txt; it is made first where there is none yet. Raises ToolError."""
    pins = HERE / f"{name}.txt"
    venv = get_cache() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    with lock(name, say=say):
        if not (venv / "ready").exists():
            say(f"installing what {pins.name} names")
            _install(venv, pins)
    return venv / "bin"


def _install(venv: Path, pins: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    pip = (str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(pins))
    for command in ((sys.executable, "-m", "venv", str(venv)), pip):
        if subprocess.run(command, check=False).returncode:
            raise ToolError(f"{command[0]} failed; the venv for {pins.name} was not made")
    (venv / "ready").touch()
