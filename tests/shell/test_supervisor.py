"""What ends by itself is started again, with growing waits while it keeps ending early; and it ends when told."""

import itertools
import threading

import pytest

from clouddatamesh.shell import supervisor
from clouddatamesh.shell.supervisor import LONGEST, Supervisor
from tests.shell.hand import Hand


def test_waits_double_up_to_a_limit_while_runs_are_short() -> None:
    watcher = Supervisor(lambda _: None, now=Hand())
    assert [watcher.run_once() for _ in range(6)] == [1, 2, 4, 8, LONGEST, LONGEST]


def test_a_long_run_makes_the_next_wait_short_again() -> None:
    clock = Hand()
    length = iter((0, 0, 0, 61, 0))

    def run(_: threading.Event) -> None:
        clock.time += next(length)

    watcher = Supervisor(run, now=clock)
    assert [watcher.run_once() for _ in range(5)] == [1, 2, 4, 1, 2]


def test_how_it_ended_is_said_and_each_beginning_is_told(caplog: pytest.LogCaptureFixture) -> None:
    began: list[str] = []

    def fail(_: threading.Event) -> None:
        raise RuntimeError("an error in the stream")

    Supervisor(fail, started=lambda: began.append("now")).run_once()
    assert caplog.messages == ["Watching ended with RuntimeError: an error in the stream; it starts again in 1 s"]
    assert began == ["now"]


def test_what_ends_early_three_times_in_a_row_does_not_count_as_running_until_a_run_lasts() -> None:
    clock = Hand()
    said: list[tuple[str, ...]] = []
    length = iter((0, 0, 0, 61))

    def run(_: threading.Event) -> None:
        said.append(watcher.describe())
        clock.time += next(length)
        said.append(watcher.describe())
        raise KeyError("getpwuid")

    watcher = Supervisor(run, now=clock)
    for _ in range(4):
        watcher.run_once()
    failing = ("watching ended 3 times in a row, at last with KeyError: 'getpwuid'",)
    assert said == [(), (), (), (), (), (), failing, ()]
    assert watcher.describe() == ()
    assert watcher.restarts == 4


def test_it_begins_again_at_once_when_told_to() -> None:
    runs: list[threading.Event] = []

    def run(end: threading.Event) -> None:
        runs.append(end)
        if len(runs) < 3:
            watcher.restart()
        else:
            watcher.stop(seconds=0.0)
        assert end.wait(5)

    watcher = Supervisor(run)
    assert [watcher.run_once() for _ in range(4)] == [0.0] * 4
    assert len(set(map(id, runs))) == 3
    assert (watcher.restarts, watcher.describe()) == (0, ())


def test_it_goes_on_in_its_thread_until_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST", 0.0)
    monkeypatch.setattr(supervisor, "LONGEST", 0.0)
    runs, thrice = itertools.count(1), threading.Event()

    def run(stop: threading.Event) -> None:
        if next(runs) == 3:
            thrice.set()
            stop.wait(10)
        raise RuntimeError

    watcher = Supervisor(run)
    watcher.start()
    assert thrice.wait(10)
    assert watcher.is_alive()
    watcher.stop(seconds=10)
    assert not watcher.is_alive()
