"""A clock for one process that can be set while it runs: Debian's libfaketime, unpacked into the cache and never installed."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from hack.tools.binaries import get_cache, lock
from hack.tools.children import Say, ToolError, say_nothing, work_dir

_PACKAGE: Final = "libfaketime"
_LIBRARY: Final = "usr/lib/*/faketime/libfaketimeMT.so.1"


class Faketime:
    """`env` is for the process whose clock it is; `set` moves that clock, and leaves alone those that nobody sets: monotonic and boot."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        self.set(timedelta())

    def set(self, off: timedelta) -> None:
        """From now on the clock is so far ahead of the machine's; in one step, as the file is read at any moment."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{off.total_seconds():+.0f}\n")
        draft.replace(self._file)


@contextlib.contextmanager
def faketime(*, say: Say = say_nothing) -> Iterator[Faketime]:
    """Such a clock, which is right at first. Raises ToolError where the package cannot be had."""
    library = get_library(say=say)
    with work_dir("faketime") as place:
        yield Faketime(library, place / "offset")


def get_library(*, say: Say = say_nothing) -> Path:
    """The library in the cache, fetched once."""
    place = get_cache() / "faketime"
    with lock("faketime", say=say):
        if not place.exists():
            _fetch(place, say)
    (library,) = place.glob(_LIBRARY)
    return library


def _fetch(place: Path, say: Say) -> None:
    say(f"fetching {_PACKAGE} from Debian")
    scratch = Path(tempfile.mkdtemp(prefix="faketime-", dir=place.parent))
    try:
        scratch.chmod(0o755)
        if not _run(["apt-get", "-q", "download", _PACKAGE], scratch):
            with lock("apt", say=say):
                _run(["apt-get", "-q", "update"], scratch)
            if not _run(["apt-get", "-q", "download", _PACKAGE], scratch):
                raise ToolError(f"{_PACKAGE} was not fetched; it takes Debian's apt-get")
        (archive,) = scratch.glob("*.deb")
        if not _run(["dpkg", "-x", archive.name, "root"], scratch):
            raise ToolError(f"{archive.name} could not be unpacked")
        (scratch / "root").rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(command: list[str], place: Path) -> bool:
    if not shutil.which(command[0]):
        return False
    return not subprocess.run(command, cwd=place, capture_output=True, check=False).returncode
