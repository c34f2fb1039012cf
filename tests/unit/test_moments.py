"""Moments that only time acts on later: what a clock that is trusted makes of one, and what one that is not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from clouddatamesh.plan import moments
from clouddatamesh.plan.moments import APART
from tests.support.worlds import START

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Look:
    now: datetime = START
    is_time_trusted: bool = True


WRONG = Look(is_time_trusted=False)


@pytest.mark.parametrize(
    ("told", "then"),
    [
        (None, START),
        (START - HOUR, START - HOUR),
        (START, START),
        (START + APART, START + APART),
        (START + APART + SECOND, START),
        (START + timedelta(days=3), START),
    ],
    ids=["nobody told", "an hour ago", "now", "by a clock a little ahead", "by one too far ahead", "of another day"],
)
def test_a_beginning_is_as_it_was_told_or_now(told: datetime | None, then: datetime) -> None:
    assert moments.begun(told, Look()) == then
    assert moments.begun(told, WRONG) == told


@pytest.mark.parametrize(
    ("told", "then"),
    [
        (None, START + HOUR),
        (START - HOUR, START - HOUR),
        (START + HOUR + APART, START + HOUR + APART),
        (START + HOUR + APART + SECOND, START + HOUR),
        (START + timedelta(days=3), START + HOUR),
    ],
    ids=["nobody told", "an hour ago", "by a clock a little ahead", "by one too far ahead", "of another day"],
)
def test_an_end_is_as_it_was_told_or_as_if_it_began_now(told: datetime | None, then: datetime) -> None:
    assert moments.ends(told, HOUR, Look()) == then
    assert moments.ends(told, HOUR, WRONG) == told


def test_ahead_is_more_than_two_trusted_clocks_may_be_apart() -> None:
    assert timedelta(minutes=2) == APART
    assert not moments.is_ahead(START + APART, START)
    assert moments.is_ahead(START + APART + SECOND, START)
