"""Ceph RGW from Debian's packages, without containers: the real store, one node with its state in memory."""

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hack.tools.binaries import get_cache, lock
from hack.tools.children import (
    Say,
    ToolError,
    free_ports,
    make_log_dir,
    say_nothing,
    start_child,
    stop_child,
    wait_until,
    work_dir,
)
from hack.tools.store import Store

SCRIPT = Path(__file__).resolve().parent / "rgw" / "rgw.sh"


@contextlib.contextmanager
def Rgw(*, say: Say = say_nothing) -> Iterator[Store]:  # noqa: N802 - used like a class, as ControlPlane is
    """A store with the keys of its account's root user. Raises ToolError where it does not come up."""
    packages, log = get_packages(say=say), make_log_dir("rgw") / "rgw.log"
    with work_dir("rgw") as out:
        port, _ = free_ports(2)  # the second one is the monitor's
        started = time.monotonic()
        child = start_child(["bash", SCRIPT, "run", packages, str(port), out], log=log, at_our_death="TERM")
        try:
            _await(child, out, log)
            say(f"RGW is ready after {time.monotonic() - started:.1f} s, log in {log}")
            yield _read_store(out, port)
        finally:
            stop_child(child)


def get_packages(*, say: Say) -> Path:
    """The unpacked packages in the cache, fetched once; shared by all runs and not changed by them."""
    packages = get_cache() / "rgw"
    with lock("rgw", say=say):
        if not packages.exists():
            _fetch(packages, say)
    return packages


def _fetch(packages: Path, say: Say) -> None:
    say("fetching Ceph RGW from Debian (157 MB, half a minute)")
    scratch = Path(tempfile.mkdtemp(prefix="rgw-", dir=packages.parent))
    try:
        with (scratch / "fetch.log").open("wb") as log:
            code = subprocess.run(["bash", SCRIPT, "fetch", scratch], stdout=log, stderr=log, check=False).returncode
        if code:
            raise ToolError(f"RGW was not fetched: {(scratch / 'fetch.log').read_text()[-2000:]}")
        scratch.rename(packages)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _await(child: subprocess.Popen[bytes], out: Path, log: Path) -> None:
    try:
        wait_until("RGW", (out / "credentials").exists, child=child)
    except ToolError as error:
        raise ToolError(f"{error}; its log is {log}: {log.read_text()[-1000:]}") from None


def _read_store(out: Path, port: int) -> Store:
    keys = {name: json.loads((out / name).read_text())["keys"][0] for name in ("credentials", "admin")}
    (key_id, secret), admin = ((key["access_key"], key["secret_key"]) for key in keys.values())
    return Store(f"http://127.0.0.1:{port}", key_id, secret, "us-east-1", "rgw", lambda: _count(out), admin)


def _count(out: Path) -> int:
    """RGW's own counter, asked on its admin socket."""
    counters = _ask(out / "client.rgw.asok", {"prefix": "perf dump"})
    return sum(int(group["req"]) for name, group in counters.items() if name.startswith("rgw") and "req" in group)


def _ask(path: Path, command: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Ceph's admin socket: a JSON command ending in NUL, answered by a big-endian length and JSON."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(10)
        wire.connect(os.fspath(path))
        wire.sendall(json.dumps(command).encode() + b"\0")
        with wire.makefile("rb") as answer:
            (length,) = struct.unpack(">I", answer.read(4))
            counters: dict[str, dict[str, Any]] = json.loads(answer.read(length))
    return counters
