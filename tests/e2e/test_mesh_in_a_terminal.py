"""`kubectl mesh` at a pseudo-terminal: it asks what was not given, confirms what gives access, and shows a wait as it goes. On RGW."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hack.tools.binaries import get_binary
from tests.e2e.actors import Actors
from tests.e2e.people import Person
from tests.support.manifests import a_product

PRODUCER, CONSUMER, ADMIN = Person("kim", ("sales-owners",)), Person("root", ("system:masters",)), Person("root", ("system:masters",))
PORT = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"maxDuration": "90d"}}
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Screen:
    """A program at a terminal of its own, and all that it has shown."""

    process: subprocess.Popen[bytes]
    master: int
    raw: str = field(default="")

    def _read(self) -> bool:
        with contextlib.suppress(OSError):  # EIO: the program has ended
            if data := os.read(self.master, 65536):
                self.raw += data.decode(errors="replace")
                return True
        return False

    @property
    def text(self) -> str:
        return ESCAPE.sub("", self.raw).replace("\r\n", "\n")

    def shows(self, words: str, *, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        os.set_blocking(self.master, False)
        while words not in self.text:
            assert time.monotonic() < end, f"{words!r} is not in\n{self.text}"
            if not self._read():
                assert self.process.poll() is None or words in self.text or self._read(), f"it ended without {words!r}:\n{self.text}"
                time.sleep(0.05)

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ends(self, *, seconds: float = 30) -> int:
        end = time.monotonic() + seconds
        os.set_blocking(self.master, False)
        while self.process.poll() is None:
            self._read()
            assert time.monotonic() < end, self.text
            time.sleep(0.05)
        while self._read():
            pass
        return self.process.returncode


Open = Callable[..., Screen]


@pytest.fixture
def at_terminal(mesh: Actors, tmp_path: Path) -> Iterator[Open]:
    opened: list[Screen] = []

    def start(person: Person, namespace: str, *arguments: str, color: bool = True) -> Screen:
        env = {**mesh.installed.cluster.env(), "PATH": f"{get_binary('kubectl').parent}:{os.environ['PATH']}", "TERM": "xterm-256color"}
        env = {**env, "HOME": str(tmp_path), "COLUMNS": "200", **({} if color else {"NO_COLOR": "1"})}
        master, slave = pty.openpty()
        own = [] if arguments[0] in ("init", "check") else ["-n", namespace, *person.flags]
        # Tests that run in the background of a shell have Ctrl-C ignored, and whatever they start has too; at a terminal nothing has.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "clouddatamesh", "mesh", arguments[0]]
        at = 2 if arguments[0] == "init" else 1
        command = [*command, *arguments[1:at], *own, *arguments[at:]]
        process = subprocess.Popen(
            command, env=env, cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, close_fds=True
        )
        os.close(slave)
        opened.append(Screen(process, master))
        return opened[-1]

    yield start
    for screen in opened:
        if screen.process.poll() is None:
            screen.process.kill()
        screen.process.wait()
        os.close(screen.master)


@pytest.fixture(scope="module")
def offered(mesh: Actors) -> Actors:
    """Sales' product `typed`, and inventory's `typist`."""
    mesh.make("typed", outputPorts=[PORT], tags=["terminal"])
    mesh.installed.apply(a_product("typist", "inventory", outputPorts=[]))
    mesh.installed.wait("dataproduct", "typist", "inventory")
    return mesh


def test_init_asks_what_was_not_given_and_what_it_writes_passes(at_terminal: Open, tmp_path: Path) -> None:
    screen = at_terminal(ADMIN, "", "init", "domain", "retail")
    screen.shows("What is the domain's data for?")
    screen.types("Shops and what they sell\n")
    screen.shows("Which groups own it")
    screen.types("retail-owners, retail-leads\n")
    assert screen.ends() == 0, screen.text
    files = sorted(tmp_path.rglob("*.yaml"))
    said = "".join(file.read_text() for file in files)
    assert "Shops and what they sell" in said and "retail-leads" in said
    checked = at_terminal(ADMIN, "", "check", *map(str, files))
    assert checked.ends() == 0, checked.text


def test_ctrl_c_at_a_question_writes_nothing_and_shows_no_traceback(at_terminal: Open, tmp_path: Path) -> None:
    screen = at_terminal(ADMIN, "", "init", "domain", "retail")
    screen.shows("What is the domain's data for?")
    os.killpg(screen.process.pid, signal.SIGINT)
    assert screen.ends() not in (0, -signal.SIGSEGV)
    assert "Traceback" not in screen.text
    assert not list(tmp_path.rglob("*.yaml"))


def test_a_request_is_asked_for_confirmed_and_waited_for_as_people_see_it(offered: Actors, at_terminal: Open) -> None:
    wish = ("request", "sales/typed", "--for", "typist", "--duration", "30d", "--wait", "--timeout", "90")
    waiting = at_terminal(CONSUMER, "inventory", *wish)
    waiting.shows("What do you need the data for?")
    waiting.types("to try a terminal\n")
    waiting.shows("created")
    waiting.shows("have not answered")

    offered.installed.until(
        lambda: (offered.installed.get("ainbox", "typed", "sales").get("status") or {}).get("pendingCount"), what="the inbox"
    )
    no = at_terminal(PRODUCER, "sales", "approve", "inventory/typed-for-typist")
    no.shows("Approve this?")
    assert "DataProduct inventory/typist gets ReadOnly access to daily/1.0.0 of sales/typed until" in no.text
    assert "to try a terminal" in no.text
    no.types("n\n")
    assert no.ends() == 1
    assert "created" not in no.text and "Traceback" not in no.text
    assert not [one for one in offered.installed.all("accessgrants", "sales") if "typed" in str(one["spec"])]

    yes = at_terminal(PRODUCER, "sales", "approve", "inventory/typed-for-typist")
    yes.shows("Approve this?")
    yes.types("y\n")
    assert yes.ends() == 0 and "created" in yes.text
    assert waiting.ends(seconds=60) == 0, waiting.text
    assert waiting.text.index("have not answered") < waiting.text.index("gives access until"), "each change is a line, as it comes"
    assert "\x1b[" in waiting.raw

    plain = at_terminal(CONSUMER, "inventory", "requests", "--mine", color=False)
    assert plain.ends() == 0
    assert "typed-for-typist" in plain.text and not re.search(r"\x1b\[[0-9;]*m", plain.raw), "NO_COLOR"


def test_ctrl_c_while_waiting_ends_without_a_traceback_and_takes_nothing_back(offered: Actors, at_terminal: Open) -> None:
    wish = ("request", "sales/typed", "--for", "typist", "--name", "typed-in-vain", "--purpose", "to leave", "--wait", "--timeout", "90")
    waiting = at_terminal(CONSUMER, "inventory", *wish)
    waiting.shows("have not answered")
    os.killpg(waiting.process.pid, signal.SIGINT)
    assert waiting.ends() != 0
    assert "Traceback" not in waiting.text
    assert offered.installed.get("areq", "typed-in-vain", "inventory")
