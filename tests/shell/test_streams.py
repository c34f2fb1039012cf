"""Whether watches watch: what counts as a sign of life, what as silence, and what as being behind."""

import pytest

from clouddatamesh.shell.streams import BEHIND, SERVED, SILENT, Streams
from tests.shell.hand import Hand


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def streams(clock: Hand) -> Streams:
    """One kind, whose watch was answered and has brought a bookmark."""
    found = Streams(("Domain",), now=clock)
    found.open("Domain")
    found.hear("Domain", bookmark=10)
    return found


def give_up(streams: Streams, clock: Hand) -> None:
    """As kopf does after 70 s without anything: it ends the stream and opens another."""
    clock.time += 70
    streams.close("Domain", by_server=False)
    streams.open("Domain")


def test_a_watch_that_was_never_answered_has_not_begun(clock: Hand) -> None:
    streams = Streams(("Domain", "Namespace"), now=clock)
    streams.open("Domain")
    assert streams.describe() == ("the watch of Namespace has not begun",)
    streams.open("Namespace")
    assert streams.describe() == ()


def test_bookmarks_every_minute_are_enough(streams: Streams, clock: Hand) -> None:
    for _ in range(10):
        clock.time += 61
        streams.hear("Domain", bookmark=10)
    assert (streams.describe(), max(streams.ages().values())) == ((), 0)


def test_a_stream_that_hangs_is_told_within_90_seconds_though_it_is_opened_again_and_again(streams: Streams, clock: Hand) -> None:
    give_up(streams, clock)
    assert streams.describe() == ()
    clock.time += SILENT - 70 + 1
    assert streams.describe() == (f"the watch of Domain has brought nothing for {SILENT + 1:.0f} s",)
    assert SILENT + 1 < 90
    give_up(streams, clock)
    assert streams.describe()
    assert max(streams.ages().values()) > 150
    streams.hear("Domain")
    assert streams.describe() == ()


def test_a_server_that_never_sends_bookmarks_is_believed_when_it_answers(clock: Hand) -> None:
    streams = Streams(("Domain",), now=clock)
    streams.open("Domain")
    for _ in range(5):
        give_up(streams, clock)
    assert streams.describe() == ()


def test_an_end_by_the_other_side_is_a_sign_of_life(streams: Streams, clock: Hand) -> None:
    """Load balancers cut what is idle for less than a minute, so that no bookmark ever comes."""
    for _ in range(5):
        clock.time += 50
        streams.close("Domain", by_server=True)
        streams.open("Domain")
    assert streams.describe() == ()


def test_a_stream_that_is_given_up_soon_is_not_barren(streams: Streams, clock: Hand) -> None:
    clock.time += 40
    streams.close("Domain", by_server=False)
    streams.open("Domain")
    clock.time += 60
    assert streams.describe() == ()


def test_what_the_cache_learned_elsewhere_must_come_by_the_watch_too(streams: Streams, clock: Hand) -> None:
    streams.expect("Domain", 12)
    clock.time += BEHIND
    assert streams.describe() == ()
    clock.time += 1
    assert streams.describe() == (f"the watch of Domain has been behind what is known from elsewhere for {BEHIND + 1:.0f} s",)
    streams.deliver("Domain", 12)
    assert streams.describe() == ()


def test_a_later_version_or_a_bookmark_is_proof_as_well(streams: Streams, clock: Hand) -> None:
    streams.expect("Domain", 12)
    streams.deliver("Domain", 13)
    streams.expect("Domain", 14)
    clock.time += BEHIND
    streams.hear("Domain", bookmark=15)
    clock.time += 10
    assert streams.describe() == ()


def test_what_was_delivered_before_it_was_expected_is_not_awaited(streams: Streams, clock: Hand) -> None:
    streams.deliver("Domain", 12)
    streams.expect("Domain", 12)
    streams.expect("Secret", 99)
    clock.time += BEHIND + 10
    assert streams.describe() == ()


def test_a_second_expectation_outlives_the_first(streams: Streams, clock: Hand) -> None:
    streams.expect("Domain", 12)
    clock.time += 30
    streams.expect("Domain", 20)
    streams.deliver("Domain", 12)
    clock.time += BEHIND
    assert streams.describe() == ()
    clock.time += 1
    assert "behind" in streams.describe()[0]


def test_what_was_awaited_before_the_server_was_restored_is_awaited_no_more(streams: Streams, clock: Hand) -> None:
    streams.expect("Domain", 500)
    clock.time += BEHIND + 1
    assert "has been behind" in streams.describe()[0]
    streams.restart()
    assert streams.describe() == ()
    streams.expect("Domain", 5)
    clock.time += BEHIND + 1
    streams.hear("Domain")
    assert "has been behind" in streams.describe()[0], "versions began again"
    streams.deliver("Domain", 6)
    assert streams.describe() == ()


@pytest.mark.parametrize(("after", "is_told"), [(1.0, True), (0.9 * SERVED - 1, True), (SERVED, False)])
def test_a_watch_that_was_cut_is_told_of_when_it_is_open_again(clock: Hand, after: float, *, is_told: bool) -> None:
    told: list[str] = []
    streams = Streams(("Domain", "Namespace"), resumed=told.append, now=clock)
    clock.time += 100
    streams.open("Domain")
    assert told == [], "the first one has no earlier one"
    clock.time += after
    streams.close("Domain", by_server=True)
    streams.open("Domain")
    assert told == (["Domain"] if is_told else [])


def test_a_bookmark_tells_up_to_which_version_everything_was_brought(streams: Streams) -> None:
    assert streams.delivered("Domain") == 10
    streams.deliver("Domain", 12)
    assert streams.delivered("Domain") == 12
    streams.restart()
    assert streams.delivered("Domain") == 0
