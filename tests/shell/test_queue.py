"""The queue: coalescing, one worker per key, delays, backoff, urgency and lanes. No test sleeps: the clock is moved by hand."""

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.queue import FIRST, LONGEST, Queue


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def key(name: str) -> Key:
    return Key("DataProduct", "sales", name)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def queue(clock: Hand) -> Queue:
    return Queue(lane=lambda k: k.name.partition("@")[2], urgent=lambda k: k.name.startswith("!"), lane_limit=2, now=clock)


def take(queue: Queue) -> str | None:
    found = queue.get(wait=0.0)
    return found.name if found else None


def test_a_key_that_is_added_often_is_given_out_once(queue: Queue) -> None:
    for _ in range(3):
        queue.add(key("a"))
    assert [take(queue), take(queue)] == ["a", None]


def test_keys_come_in_their_order_and_urgent_ones_first(queue: Queue) -> None:
    for name in ("a", "b", "!c"):
        queue.add(key(name))
    assert [take(queue) for _ in range(4)] == ["!c", "a", "b", None]


def test_a_key_that_is_being_worked_on_is_given_out_again_only_when_done(queue: Queue) -> None:
    queue.add(key("a"))
    assert take(queue) == "a"
    queue.add(key("a"))
    queue.add(key("a"))
    assert take(queue) is None
    queue.done(key("a"))
    assert [take(queue), take(queue)] == ["a", None]


def test_a_delayed_key_comes_when_it_is_due(queue: Queue, clock: Hand) -> None:
    queue.add_after(key("a"), 10)
    clock.time += 9.9
    assert take(queue) is None
    clock.time += 0.2
    assert take(queue) == "a"


def test_a_later_delay_postpones_nothing_and_an_earlier_one_counts(queue: Queue, clock: Hand) -> None:
    queue.add_after(key("a"), 10)
    queue.add_after(key("a"), 100)
    queue.add_after(key("a"), 1)
    clock.time += 1.1
    assert take(queue) == "a"
    queue.done(key("a"))
    clock.time += 200
    assert take(queue) is None


def test_an_event_overtakes_a_delay_and_uses_it_up(queue: Queue, clock: Hand) -> None:
    queue.add_after(key("a"), 10)
    queue.add(key("a"))
    assert take(queue) == "a"
    queue.done(key("a"))
    clock.time += 20
    assert take(queue) is None


def test_backoff_doubles_up_to_a_limit_and_starts_anew_after_success(queue: Queue) -> None:
    waits = [queue.add_backoff(key("a")) for _ in range(20)]
    assert FIRST * 0.8 <= waits[0] <= FIRST
    assert all(0.8 * min(FIRST * 2**n, LONGEST) <= wait <= min(FIRST * 2**n, LONGEST) for n, wait in enumerate(waits))
    queue.reset(key("a"))
    assert queue.add_backoff(key("a")) <= FIRST


def test_a_lane_that_hangs_holds_its_share_of_workers_and_no_more(queue: Queue) -> None:
    for name in ("1@slow", "2@slow", "3@slow", "1@good", "2@good"):
        queue.add(key(name))
    assert [take(queue) for _ in range(5)] == ["1@slow", "1@good", "2@slow", "2@good", None]
    queue.done(key("1@slow"))
    assert take(queue) == "3@slow"


def test_keys_of_no_lane_are_never_held_back(queue: Queue) -> None:
    for n in range(5):
        queue.add(key(str(n)))
    assert [take(queue) for _ in range(5)] == list("01234")


def test_what_waits_is_counted_and_aged(queue: Queue, clock: Hand) -> None:
    assert queue.oldest() == 0
    queue.add(key("a"))
    clock.time += 7
    queue.add(key("b"))
    assert (queue.depth(), queue.oldest()) == (2, 7)


def test_a_closed_queue_gives_out_nothing(queue: Queue) -> None:
    queue.add(key("a"))
    queue.close()
    assert queue.get(wait=60.0) is None
    assert queue.is_closed
