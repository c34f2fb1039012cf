"""Programs that never outlive us: started here, they are killed by the kernel when this process ends in whatever way.

It starts and stops processes and finds free ports; it knows nothing of what they are.
"""

import contextlib
import fcntl
import os
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import NoReturn

Say = Callable[[str], None]
ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
_LOWEST_PORT, _USUAL_FIRST = 12_000, 32_768
_KERNELS_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PORTS = Path(tempfile.gettempdir(), f"clouddatamesh-ports-{os.getuid()}")
_KEPT_PORTS = contextlib.ExitStack()
_UNDERTAKER = "trap '' INT TERM HUP; cat >/dev/null; for i in 1 2 3 4 5; do rm -rf -- \"$1\" && exit; sleep 1; done"


class ToolError(RuntimeError):
    """A tool did not start or did not do what it was asked; the message says which and where its log is."""


def say_nothing(_: str) -> None:
    """The progress of tests."""


def say_aloud(line: str) -> None:
    """The progress of commands."""
    print(f"==> {line}", flush=True)


class _Nursery:
    """A thread that starts all children: the kernel's death signal follows the thread that started a child, and this one
    ends only with the process."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._orders = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, order: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="nursery", daemon=True)
                self._thread.start()
        future: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((order, future))
        return future.result()

    def _work(self) -> None:
        while True:
            order, future = self._orders.get()
            try:
                future.set_result(order())
            except BaseException as error:
                future.set_exception(error)


_NURSERY = _Nursery()


def start_child(
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    at_our_death: str = "KILL",
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, output appended to `log`; it gets `at_our_death` when we are gone."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["setpriv", "--pdeathsig", at_our_death, "--", *map(str, argv)]

    def order() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd, start_new_session=True)

    return _NURSERY.start(order)


def stop_child(child: subprocess.Popen[bytes], *, grace: float = 5.0) -> None:
    """SIGTERM, and after `grace` seconds SIGKILL. A child that is gone is fine."""
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextlib.contextmanager
def work_dir(name: str) -> Iterator[Path]:
    """A directory that is removed afterwards, also when this process is killed."""
    path = Path(tempfile.mkdtemp(prefix=f"clouddatamesh-{name}-"))
    undertaker = subprocess.Popen(["sh", "-c", _UNDERTAKER, "sh", str(path)], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        undertaker.communicate()


def free_ports(count: int) -> tuple[int, ...]:
    """Consecutive ports on which nobody listens; they are ours until this process ends, also while what listens there is started again.

    The kernel gives none of them to a connection, and no other process that asks here is given them.
    """
    for _ in range(500):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            first = secrets.randbelow(_first_of_kernel() - _LOWEST_PORT - count) + _LOWEST_PORT
            ports = tuple(_bind(held, first + step) for step in range(count))
            _KEPT_PORTS.enter_context(held.pop_all())
            return ports
    raise ToolError(f"No {count} consecutive free ports")


def _first_of_kernel() -> int:
    """From here on the kernel takes ports for connections, and for whoever wants any."""
    lowest = int(_KERNELS_PORTS.read_text().split()[0]) if _KERNELS_PORTS.exists() else _USUAL_FIRST
    return max(lowest, 2 * _LOWEST_PORT)


def _bind(held: contextlib.ExitStack, port: int) -> int:
    """A port that nobody has, kept for this process by a lock on a file. Raises OSError where it is taken."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
    _PORTS.mkdir(mode=0o700, exist_ok=True)
    fcntl.flock(held.enter_context((_PORTS / str(port)).open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
    return port


def wait_until(what: str, ready: Callable[[], bool], *, child: subprocess.Popen[bytes], seconds: float = 90.0) -> None:
    """Ask `ready` until it says yes. Raises ToolError where the child ended or the time is over."""
    end = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None:
            raise ToolError(f"{what} ended with code {child.returncode}")
        if time.monotonic() > end:
            raise ToolError(f"{what} was not ready after {seconds:.0f} s")
        time.sleep(0.05)


def is_answering(url: str) -> bool:
    """Whether anything speaks HTTP there, with whatever code."""
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - always http://127.0.0.1
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
    return True


def make_log_dir(name: str) -> Path:
    """A new directory below build/logs; of those whose process (in the name) has ended, the newest 20 are kept."""
    LOGS.mkdir(parents=True, exist_ok=True)
    ended = [path for path in LOGS.iterdir() if not _is_of_the_living(path)]
    for old in sorted(ended, key=_made_at)[:-20]:
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=LOGS))


def _made_at(log_dir: Path) -> float:
    """0 where another process that makes room at the same time was faster."""
    try:
        return log_dir.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_of_the_living(log_dir: Path) -> bool:
    """Whether the process that made this directory still runs, and so may write there."""
    maker = log_dir.name.split("-")[1:2]
    return bool(maker) and maker[0].isdigit() and Path("/proc", maker[0]).exists()


def interrupt_on_sigterm() -> None:
    """Make SIGTERM and a closed terminal end a command as Ctrl-C does (also one that a script put in the background)."""

    def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
