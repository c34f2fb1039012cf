"""The patrol asks for each Secret once a round, spread over it, and wakes the owners of those that are gone."""

from collections.abc import Iterator

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.patrol import ROUND, Patrol

OWNERS = tuple(Key("DataProduct", "sales", name) for name in "abcd")


def secret_of(owner: Key) -> Key:
    return Key("Secret", owner.namespace, f"{owner.name}-producer")


class Hand:
    """A patrol on a clock that stands still, so that its waits are short; what it asked for, and whom it woke."""

    def __init__(self, *gone: Key, works: bool = True) -> None:
        self.asked: list[Key] = []
        self.woken: list[Key] = []
        self.time, self._gone = 1000.0, gone
        self.patrol = Patrol(self._expected, self._is_there, self.woken.append, works=lambda: works, now=self._now)

    def _now(self) -> float:
        self.time += ROUND  # whatever is due is due at once
        return self.time

    def _expected(self) -> Iterator[tuple[Key, Key]]:
        return ((owner, secret_of(owner)) for owner in OWNERS)

    def _is_there(self, secret: Key) -> bool:
        self.asked.append(secret)
        return secret not in self._gone


def test_each_secret_is_asked_for_and_the_owner_of_one_that_is_gone_is_woken() -> None:
    hand = Hand(secret_of(OWNERS[2]))
    hand.patrol.run_once()
    assert hand.asked == [secret_of(owner) for owner in OWNERS]
    assert hand.woken == [OWNERS[2]]


def test_a_replica_that_does_not_work_asks_for_nothing() -> None:
    hand = Hand(*map(secret_of, OWNERS), works=False)
    hand.patrol.run_once()
    assert (hand.asked, hand.woken) == ([], [])


def test_a_round_that_was_quick_waits_for_its_end_and_one_that_was_slow_does_not() -> None:
    assert Patrol(lambda: (), lambda _: True, lambda _: None, now=lambda: 5.0).run_once() == ROUND
    assert Hand().patrol.run_once() == 0.0


def test_one_that_is_told_to_stop_asks_no_more() -> None:
    hand = Hand()
    hand.patrol.stop()
    hand.patrol.run_once()
    assert hand.asked == []
