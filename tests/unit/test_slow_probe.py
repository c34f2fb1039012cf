"""A store that answers slowly ends no process: what was not tried within a while is unclear, and the store says why."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from clouddatamesh.storage import capabilities
from clouddatamesh.storage.attempts import ATTEMPTS
from clouddatamesh.storage.capabilities import probe
from tests.shell.hand import Hand


@pytest.mark.parametrize(("each", "tried"), [(1.0, len(ATTEMPTS)), (50.0, 5)])
def test_nothing_more_is_tried_after_four_minutes(each: float, tried: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, names = Hand(), list[str]()

    def attempt(name: str) -> Any:
        def act(_: object) -> tuple[str, str]:
            clock.time += each
            names.append(name)
            return "", "It works"

        return act

    scratch: Any = SimpleNamespace(guest=SimpleNamespace(name=""), clean=lambda: None)
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(capabilities, "_prepare", lambda *_: "")
    monkeypatch.setattr(capabilities, "ATTEMPTS", {name: attempt(name) for name in ATTEMPTS})
    no_calls: Any = None
    found = probe(no_calls, scratch, make=lambda: None)
    assert [one.name for one in found] == sorted(ATTEMPTS)
    assert [one.name for one in found if one.verdict == "Yes"] == names == sorted(ATTEMPTS)[:tried]
    assert {one.message for one in found if one.verdict != "Yes"} <= {"The store answers too slowly to be probed within 240 s"}
