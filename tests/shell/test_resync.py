"""Lists: every kind before work begins, again when one failed, and how old the last complete one is."""

from collections.abc import Callable

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.reconcile.dispatch import WATCHED
from clouddatamesh.shell import resync
from clouddatamesh.shell.resync import INTERVAL, Resync
from tests.shell.hand import Hand


def failing(times: dict[str, int], listed: list[str]) -> Callable[[str], None]:
    """Lists that fail so many times for a kind."""

    def list_kind(kind: str) -> None:
        if times.get(kind, 0):
            times[kind] -= 1
            raise Transient(reasons.CLUSTER_UNAVAILABLE, f"Listing {kind} failed")
        listed.append(kind)

    return list_kind


def test_all_caches_are_filled_however_often_a_list_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "RETRY", 0.0)
    listed: list[str] = []
    assert Resync(failing({"Domain": 3}, listed)).fill()
    assert tuple(listed) == WATCHED


def test_filling_ends_when_told_to_stop() -> None:
    stopped = Resync(failing({"Domain": 1000}, []))
    stopped.stop()
    assert not stopped.fill()


def test_a_round_that_failed_is_repeated_sooner_and_only_a_complete_one_counts() -> None:
    clock, listed = Hand(), []  # type: tuple[Hand, list[str]]
    lists = Resync(failing({"Domain": 1}, listed), now=clock)
    clock.time += 100
    assert lists.run_once() == INTERVAL / 10
    assert (len(listed), lists.age()) == (len(WATCHED) - 1, 100)
    assert lists.silence() == 0, "others were listed"
    assert lists.run_once() == INTERVAL
    assert lists.age() == 0


def test_where_nothing_at_all_can_be_listed_the_silence_grows() -> None:
    clock = Hand()
    lists = Resync(failing(dict.fromkeys(WATCHED, 1), []), now=clock)
    clock.time += 100
    lists.run_once()
    assert lists.silence() == 100


@pytest.mark.parametrize(("is_known", "fills"), [(True, True), (False, False)])
def test_a_kind_that_cannot_be_listed_is_done_without_only_where_its_watch_is_sound(
    monkeypatch: pytest.MonkeyPatch, *, is_known: bool, fills: bool
) -> None:
    """Else one such kind makes a leader idle for as long as that lasts."""
    monkeypatch.setattr(resync, "RETRY", 0.0)
    clock, tries, listed, asked = Hand(), [], [], []  # type: tuple[Hand, list[float], list[str], list[str]]

    def list_kind(kind: str) -> None:
        if kind != "Domain":
            listed.append(kind)
            return
        tries.append(clock.time)
        clock.time += 10
        if len(tries) > 100:
            found.stop()
        raise Transient(reasons.CLUSTER_UNAVAILABLE, f"Listing {kind} failed")

    def ask(kind: str) -> bool:
        asked.append(kind)
        return is_known

    found = Resync(list_kind, now=clock)
    assert found.fill(is_known=ask) is fills
    assert set(asked) == {"Domain"}
    assert (tries[-1] - tries[0] <= resync.LONG) is fills
    assert len(listed) == (len(WATCHED) - 1 if fills else WATCHED.index("Domain"))
    assert found.age() == clock.time - tries[0], "not everything was listed"


def test_a_kind_that_cannot_be_listed_hides_no_other() -> None:
    asked = []

    def list_kind(kind: str) -> None:
        asked.append(kind)
        if kind == "b":
            raise RecursionError

    resync = Resync(list_kind, kinds=("a", "b", "c"))
    assert resync.run_once() < resync._interval
    assert asked == ["a", "b", "c"]
