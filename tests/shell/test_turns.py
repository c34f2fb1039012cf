"""What happens between the lease and the work: everything is listed first, and only whoever still leads begins."""

import threading
import time
from collections.abc import Callable

from clouddatamesh.shell.turns import Turns

PATIENCE = 60.0


class Scene:
    """A cache that is filled when the test says so."""

    def __init__(self, fill: Callable[[], bool] | None = None) -> None:
        self.told: list[str] = []
        self.listing, self.listed, self.over = threading.Event(), threading.Event(), threading.Event()
        self.turns = Turns(fill=fill or self._fill, begin=self._begin, pause=lambda: self.told.append("pause"), failed=self._fail)

    def _fill(self) -> bool:
        self.listing.set()
        assert self.listed.wait(PATIENCE)
        self.told.append("filled")
        return True

    def has_filled(self) -> bool:
        """Whether the listing ended, which is waited for."""
        end = time.monotonic() + PATIENCE
        while "filled" not in self.told and time.monotonic() < end:
            time.sleep(0.01)
        return "filled" in self.told

    def _begin(self) -> None:
        self.told.append("begin")
        self.over.set()

    def _fail(self, error: Exception) -> None:
        self.told.append(type(error).__name__)
        self.over.set()


def test_work_begins_once_everything_is_listed() -> None:
    scene = Scene()
    scene.turns.gained()
    assert scene.listing.wait(PATIENCE)
    assert scene.told == []
    scene.listed.set()
    assert scene.over.wait(PATIENCE)
    assert scene.told == ["filled", "begin"]


def test_a_lease_that_was_lost_while_it_listed_begins_nothing() -> None:
    scene = Scene()
    scene.turns.gained()
    assert scene.listing.wait(PATIENCE)
    scene.turns.lost()
    scene.listed.set()
    assert scene.has_filled()
    assert not scene.over.wait(0.3)
    assert scene.told == ["pause", "filled"]
    scene.turns.gained()
    assert scene.over.wait(PATIENCE)
    assert scene.told == ["pause", "filled", "filled", "begin"]


def test_a_turn_that_fails_is_told_so_that_no_leader_stays_idle() -> None:
    def fail() -> bool:
        raise KeyError

    scene = Scene(fail)
    scene.turns.gained()
    assert scene.over.wait(PATIENCE)
    assert scene.told == ["KeyError"]
