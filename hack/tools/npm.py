"""Packages of the npm registry in a folder of their own, by a lock file, kept in the cache. No script of a package runs."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from hack.tools.binaries import HERE, get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud


def get_packages(name: str, *, say: Say = say_aloud) -> Path:
    """The folder with `node_modules` for hack/tools/<name>/package-lock.json; it is made first where it is absent. Raises ToolError."""
    pins = HERE / name / "package-lock.json"
    place = get_cache() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    with lock(name, say=say):
        if not (place / "ready").exists():
            say(f"installing what {name}/{pins.name} names")
            _install(place, pins)
    return place


def find_obstacles() -> str:
    """Why there can be no packages on this machine; empty where there can."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    return f"{' and '.join(missing)} not found; install Node.js" if missing else ""


def _install(place: Path, pins: Path) -> None:
    if obstacle := find_obstacles():
        raise ToolError(obstacle)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for file in (pins, pins.with_name("package.json")):
        shutil.copyfile(file, place / file.name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    if subprocess.run(command, cwd=place, check=False).returncode:
        raise ToolError(f"npm ci failed; the packages for {pins.parent.name} were not installed")
    (place / "ready").touch()
