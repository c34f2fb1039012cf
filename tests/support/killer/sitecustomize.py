"""Put on the operator's PYTHONPATH by tests alone: ends the process by SIGKILL right before or after a write drawn by lot.

`KILLER` names a folder: `plan` holds one line per life, `<number of the write> <before|after>`; a line in `journal` is a life that ended
so. A life without a line in the plan goes on undisturbed.
"""

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import urllib3.connection

_PLACE = Path(os.environ["KILLER"])
_READS = re.compile(rb"Action=(Get|List)")
_NO_WRITE = ("selfsubjectaccessreviews", "/leases", "/events")


def _drawn() -> tuple[int, str]:
    """The write at which this life ends, and on which side; 0 where it does not."""
    journal = _PLACE / "journal"
    life = len(journal.read_text().splitlines()) if journal.exists() else 0
    lines = (_PLACE / "plan").read_text().splitlines()
    number, side = lines[life].split() if life < len(lines) else ("0", "")
    return int(number), side


class _Counter:
    def __init__(self) -> None:
        self._lock, self._seen = threading.Lock(), 0
        self._at, self.side = _drawn()

    def is_drawn(self) -> bool:
        """Count one write; whether it is the one."""
        with self._lock:
            self._seen += 1
            return self._seen == self._at


def _is_write(method: str, url: str, body: Any) -> bool:
    if method in ("GET", "HEAD", "OPTIONS") or any(part in url for part in _NO_WRITE):
        return False
    text = body if isinstance(body, bytes) else str(body or "").encode()
    return not _READS.match(text)


def _end(where: str) -> None:
    with (_PLACE / "journal").open("a") as journal:
        journal.write(f"{where}\n")
        journal.flush()
        os.fsync(journal.fileno())
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)  # the first process of a container is not reached by its own SIGKILL; this, too, lets nothing else run


_counter = _Counter()
_request, _getresponse = urllib3.connection.HTTPConnection.request, urllib3.connection.HTTPConnection.getresponse


def _counting_request(self: Any, method: str, url: str, body: Any = None, *args: Any, **named: Any) -> Any:
    drawn = _is_write(method, url, body) and _counter.is_drawn()
    where = f"{_counter.side} {'kubernetes' if url.startswith('/api') else 'store'} {method} {url.partition('?')[0]}"
    if drawn and _counter.side == "before":
        _end(where)
    self.ends_after = where if drawn else ""
    return _request(self, method, url, body, *args, **named)


def _ending_getresponse(self: Any) -> Any:
    answer = _getresponse(self)
    if getattr(self, "ends_after", ""):
        _end(self.ends_after)
    return answer


urllib3.connection.HTTPConnection.request = _counting_request  # type: ignore[method-assign]
urllib3.connection.HTTPConnection.getresponse = _ending_getresponse  # type: ignore[method-assign]
