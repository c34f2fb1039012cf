"""promtool, which judges rules of Prometheus: the installed one, else that of Debian's or Ubuntu's package, unpacked into the cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hack.tools.binaries import get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud


def get_promtool(*, say: Say = say_aloud) -> Path:
    """The path of promtool, fetched first where there is none yet. Raises ToolError."""
    installed = shutil.which("promtool")
    if installed:
        return Path(installed)
    target = get_cache() / "promtool"
    with lock("promtool", say=say):
        if not target.is_file():
            _fetch(target, say)
    return target


def _fetch(target: Path, say: Say) -> None:
    """With lists of its own, so that neither root nor the machine's apt is needed."""
    say("fetching promtool from the package of Prometheus (19 MB)")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for folder in ("lists/partial", "cache/archives/partial"):
            (Path(scratch) / folder).mkdir(parents=True)
        places = {"Dir::State::lists": "lists", "Dir::Cache": "cache", "Dir::Cache::archives": "cache/archives"}
        options = [f"-o{name}={scratch}/{place}" for name, place in places.items()]
        options += ["-oDebug::NoLocking=true", f"-oAPT::Sandbox::User={'root' if os.geteuid() == 0 else ''}"]
        _run(["apt-get", "-q", *options, "update"], scratch)
        _run(["apt-get", "-q", *options, "download", "prometheus"], scratch)
        _run(["dpkg", "-x", *map(str, Path(scratch).glob("prometheus_*.deb")), "unpacked"], scratch)
        (Path(scratch) / "unpacked/usr/bin/promtool").rename(target)


def _run(command: list[str], folder: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"promtool was not fetched: {error}; install Prometheus, or set PATH to a promtool") from error
    if done.returncode:
        raise ToolError(f"promtool was not fetched, {' '.join(command[:1])} failed: {done.stderr[-1000:]}")
