"""Stock S3 clients (boto3, AWS CLI, DuckDB, pandas, pyarrow, polars, s3fs) in a venv of their own, from hash-pinned requirements."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from hack.tools.binaries import HERE, get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud


def get_readers(*, say: Say = say_aloud) -> Path:
    """The venv's bin folder; it is made first where there is none yet. Raises ToolError."""
    pins = HERE / "readers.txt"
    venv = get_cache() / f"readers-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    with lock("readers", say=say):
        if not (venv / "ready").exists():
            say("installing stock S3 clients")
            _install(venv, pins)
    return venv / "bin"


def _install(venv: Path, pins: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    pip = (str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(pins))
    for command in ((sys.executable, "-m", "venv", str(venv)), pip):
        if subprocess.run(command, check=False).returncode:
            raise ToolError(f"{command[0]} failed; the venv of stock S3 clients was not made")
    (venv / "ready").touch()
