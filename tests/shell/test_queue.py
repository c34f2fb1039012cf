"""The queue: coalescing, one worker per key, delays, backoff, urgency and lanes. No test sleeps: the clock is moved by hand."""

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.shell.queue import BRIEF, CROWD, FIRST, LONGEST, RETRIES, SLOW, Queue
from tests.shell.hand import Hand


def key(name: str) -> Key:
    return Key("DataProduct", "sales", name)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def queue(clock: Hand) -> Queue:
    return Queue(lane=lambda k: k.name.partition("@")[2], urgent=lambda k: k.name.startswith("!"), lane_limit=3, now=clock)


def take(queue: Queue) -> str | None:
    found = queue.get(wait=0.0)
    return found.name if found else None


def test_a_key_that_is_added_often_is_given_out_once(queue: Queue) -> None:
    for _ in range(3):
        queue.add(key("a"))
    assert [take(queue), take(queue)] == ["a", None]


def test_a_lane_with_a_limit_of_its_own_has_no_more_workers_also_where_it_is_slow(clock: Hand) -> None:
    clock = Hand()
    queue = Queue(lane=lambda k: k.name.partition("@")[2], lane_limit=9, limits={"few": 2}, now=clock)
    for name in ("a@few", "b@few", "c@few", "d@few", "x@store", "y@store", "z@store"):
        queue.add(key(name))
    assert sorted(filter(None, (take(queue) for _ in range(7)))) == ["a@few", "b@few", "x@store", "y@store", "z@store"]
    queue.done(key("a@few"))
    assert [take(queue), take(queue)] == ["c@few", None]
    clock.time += SLOW + 1
    queue.done(key("b@few"))
    assert [take(queue), take(queue)] == ["d@few", None]


def test_keys_come_in_their_order_and_urgent_ones_first(queue: Queue) -> None:
    for name in ("a", "b", "!c"):
        queue.add(key(name))
    assert [take(queue) for _ in range(4)] == ["!c", "a", "b", None]


def test_what_it_begins_with_is_done_before_anything_else_is_given_out(queue: Queue) -> None:
    queue.add(key("!c"))
    queue.begin_with((key("a"), key("b@store")))
    assert sorted([take(queue) or "", take(queue) or ""]) == ["a", "b@store"]
    queue.done(key("a"))
    assert take(queue) is None
    queue.done(key("b@store"))
    assert take(queue) == "!c"


def test_what_it_begins_with_holds_nothing_up_when_it_hangs(queue: Queue, clock: Hand) -> None:
    queue.begin_with((key("a"), key("b")))
    queue.add(key("c"))
    assert sorted([take(queue) or "", take(queue) or ""]) == ["a", "b"]
    clock.time += SLOW - 1
    queue.done(key("a"))
    clock.time += SLOW - 1
    assert take(queue) is None
    clock.time += 1
    assert take(queue) == "c"


def test_beginning_with_nothing_holds_nothing_up(queue: Queue) -> None:
    queue.begin_with(())
    queue.add(key("a"))
    assert take(queue) == "a"


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


def test_a_brief_backoff_is_longer_where_many_keys_wait(queue: Queue) -> None:
    """An outage of the API server must not become a flood of calls to the stores."""
    keys = [Key("Domain", "", f"d{n}") for n in range(400)]
    for _ in range(12):
        waits = [queue.add_backoff(key, brief=True) for key in keys]
    assert 0.8 * 400 / RETRIES <= min(waits) <= max(waits) <= 400 / RETRIES
    for key in keys[1:]:
        queue.reset(key)
    assert queue.add_backoff(keys[0], brief=True) <= BRIEF


def test_backoff_doubles_up_to_a_limit_and_starts_anew_after_success(queue: Queue) -> None:
    waits = [queue.add_backoff(key("a")) for _ in range(20)]
    assert FIRST * 0.8 <= waits[0] <= FIRST
    assert all(0.8 * min(FIRST * 2**n, LONGEST) <= wait <= min(FIRST * 2**n, LONGEST) for n, wait in enumerate(waits))
    queue.reset(key("a"))
    assert queue.add_backoff(key("a")) <= FIRST


def test_a_key_that_becomes_urgent_while_it_waits_goes_first() -> None:
    urgent: set[Key] = set()
    queue = Queue(urgent=urgent.__contains__)
    queue.add(key("a"))
    queue.add(key("b"))
    urgent.add(key("b"))
    queue.add(key("b"))
    assert [take(queue) for _ in range(3)] == ["b", "a", None]


def test_urgent_keys_go_before_those_of_other_lanes(queue: Queue) -> None:
    for name in ("a@one", "b@two", "!c@three", "!d@three"):
        queue.add(key(name))
    assert [take(queue) for _ in range(4)] == ["!c@three", "!d@three", "a@one", "b@two"]


def test_a_plain_key_has_each_fifth_turn_however_many_are_urgent(queue: Queue) -> None:
    for n in range(8):
        queue.add(key(f"!{n}"))
    for name in ("a", "b"):
        queue.add(key(name))
    assert [take(queue) for _ in range(10)] == ["!0", "!1", "!2", "!3", "a", "!4", "!5", "!6", "!7", "b"]


def test_urgent_keys_have_every_turn_where_no_plain_one_can_be_given_out(queue: Queue) -> None:
    for name in ("1@busy", "2@busy", "3@busy", "4@busy"):
        queue.add(key(name))
    assert [take(queue) for _ in range(4)] == ["1@busy", "2@busy", "3@busy", None]
    for n in range(6):
        queue.add(key(f"!{n}"))
    assert [take(queue) for _ in range(7)] == ["!0", "!1", "!2", "!3", "!4", "!5", None]


def test_lanes_take_turns_and_none_gets_more_than_its_share_of_workers(queue: Queue) -> None:
    for name in ("1@busy", "2@busy", "3@busy", "4@busy", "1@good", "2@good"):
        queue.add(key(name))
    assert [take(queue) for _ in range(6)] == ["1@busy", "1@good", "2@busy", "2@good", "3@busy", None]
    queue.done(key("1@busy"))
    assert take(queue) == "4@busy"


def hang(queue: Queue, clock: Hand, *names: str) -> None:
    for name in names:
        queue.add(key(name))
        assert take(queue) == name
    clock.time += SLOW + 1


def test_a_lane_that_hangs_gets_no_more_workers_than_a_third_of_its_share(queue: Queue, clock: Hand) -> None:
    hang(queue, clock, "1@hung")
    queue.add(key("2@hung"))
    queue.add(key("1@good"))
    assert [take(queue), take(queue)] == ["1@good", None]


def test_a_lane_stays_slow_until_one_of_its_keys_is_quick_again(queue: Queue, clock: Hand) -> None:
    hang(queue, clock, "1@hung")
    queue.done(key("1@hung"))
    for n in (2, 3, 4):
        queue.add(key(f"{n}@hung"))
    assert [take(queue), take(queue)] == ["2@hung", None]
    queue.done(key("2@hung"))
    assert [take(queue), take(queue)] == ["3@hung", "4@hung"]


def test_lanes_that_hang_leave_workers_for_the_others_however_many_they_are(queue: Queue, clock: Hand) -> None:
    names = [f"1@hung{n}" for n in range(5)]
    hang(queue, clock, *names)
    for name in names:
        queue.done(key(name))
        queue.add(key(name.replace("1", "2", 1)))
    queue.add(key("1@good"))
    queue.add(key("none"))
    assert [take(queue) for _ in range(6)] == ["2@hung0", "2@hung1", "2@hung2", "1@good", "none", None]


def test_names_of_stores_that_do_not_exist_are_not_kept(queue: Queue) -> None:
    """Anybody who may create a product may name another one each time, and each turn walks all lanes."""
    for n in range(50):
        queue.add(key(f"1@none{n}"))
        assert take(queue) == f"1@none{n}"
        queue.done(key(f"1@none{n}"))
    assert not queue._lanes


def test_what_counts_others_waits_longer_while_many_keys_wait(queue: Queue, clock: Hand) -> None:
    queue.add_counted(key("idle"), 1.0)
    clock.time += 1.0
    assert take(queue) == "idle"
    for n in range(4 * CROWD):
        queue.add(key(str(n)))
    queue.add_counted(key("!counted"), 1.0)
    clock.time += 4.9
    assert take(queue) == "0"
    clock.time += 0.2
    assert take(queue) == "!counted"


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


def test_a_key_without_a_worker_is_told_from_one_that_its_lane_holds_back(queue: Queue, clock: Hand) -> None:
    hang(queue, clock, "1@hung")
    queue.add(key("2@hung"))
    clock.time += 900
    assert queue.stalled() == 0
    queue.add_after(key("free"), 10)
    clock.time += 30
    assert queue.stalled() == 0
    clock.time += 20
    assert queue.stalled() == 20
    assert take(queue) == "free"
    assert queue.stalled() == 0


def test_work_that_goes_on_is_not_stalled_however_long_the_queue(queue: Queue, clock: Hand) -> None:
    for n in range(100):
        queue.add(key(str(n)))
    for _ in range(50):
        clock.time += 60
        assert queue.stalled() == 60
        take(queue)
        assert queue.stalled() == 0


def test_a_paused_queue_takes_in_and_gives_nothing_out(queue: Queue, clock: Hand) -> None:
    queue.pause()
    queue.add(key("a"))
    clock.time += 900
    assert (take(queue), queue.stalled(), queue.depth()) == (None, 0, 1)
    queue.resume()
    assert (queue.stalled(), take(queue)) == (0, "a")


def test_a_closed_queue_gives_out_nothing(queue: Queue) -> None:
    queue.add(key("a"))
    queue.close()
    assert queue.get(wait=60.0) is None
    assert queue.is_closed
