"""Packages of the npm registry in a folder of their own, by a lock file, kept in the cache. No script of a package runs."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from hack.tools.binaries import HERE, get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud
from hack.tools.venvs import get_venv

_OLDEST = 20
"""The oldest major version of Node.js that runs the packages."""


def get_node(*, say: Say = say_aloud) -> Path:
    """The folder with `node` and `npm`: the machine's where it is new enough, else that of the package index. Raises ToolError."""
    installed = shutil.which("node")
    if installed and shutil.which("npm", path=str(Path(installed).parent)) and _major(installed) >= _OLDEST:
        return Path(installed).parent
    return get_venv("nodejs", say=say)


def get_packages(name: str, *, say: Say = say_aloud) -> Path:
    """The folder with `node_modules` for hack/tools/<name>/package-lock.json; it is made first where it is absent. Raises ToolError."""
    pins = HERE / name / "package-lock.json"
    place = get_cache() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:16]}"
    node = get_node(say=say)
    with lock(name, say=say):
        if not (place / "ready").exists():
            say(f"installing what {name}/{pins.name} names")
            _install(place, pins, node)
    return place


def _major(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def _install(place: Path, pins: Path, node: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for file in (pins, pins.with_name("package.json")):
        shutil.copyfile(file, place / file.name)
    command = [str(node / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    env = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    if subprocess.run(command, cwd=place, env=env, check=False).returncode:
        raise ToolError(f"npm ci failed; the packages for {pins.parent.name} were not installed")
    (place / "ready").touch()
