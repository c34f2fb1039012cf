"""A thread that repeats: what is raised never ends it, `soon` wakes it, `stop` ends it."""

import threading

import pytest

from clouddatamesh.shell import repeat
from clouddatamesh.shell.repeat import Repeat


def test_soon_cuts_a_wait_short() -> None:
    calls = threading.Semaphore(0)

    def act() -> float:
        calls.release()
        return 3600.0

    repeated = Repeat("test", act)
    repeated.start()
    assert calls.acquire(timeout=10)
    repeated.soon()
    assert calls.acquire(timeout=10)
    repeated.stop(seconds=10)
    assert not repeated.is_alive()
    assert not calls.acquire(blocking=False)


def test_what_is_raised_is_logged_and_ends_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(repeat, "_AFTER_FAULT", 0.0)
    outcomes, well = iter((ValueError("a fault"), None)), threading.Event()

    def act() -> float:
        error = next(outcomes)
        if error is not None:
            raise error
        well.set()
        return 3600.0

    repeated = Repeat("test", act)
    repeated.start()
    assert well.wait(10)
    repeated.stop(seconds=10)
    assert "test failed" in caplog.text
    assert "ValueError: a fault" in caplog.text


def test_the_first_call_waits_and_is_never_made_when_stopped_before() -> None:
    called = threading.Event()

    def act() -> float:
        called.set()
        return 0.0

    repeated = Repeat("test", act, first=3600.0)
    repeated.start()
    repeated.stop(seconds=10)
    assert not repeated.is_alive()
    assert not called.is_set()
