"""Days of teams and trainings: the calendar's edges, and moments at which anything changes by time alone."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clouddatamesh.api.v1alpha1.team import Completion, Team, TeamMember, Training
from clouddatamesh.plan.team import begins, day_of, ends, first_from, is_member
from clouddatamesh.plan.training import assess


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        ("2026-02-29", date(2026, 3, 1)),
        ("2026-02-31", date(2026, 3, 1)),
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-04-31", date(2026, 5, 1)),
        ("0000-01-01", None),
    ],
)
def test_a_day_that_the_calendar_lacks_is_the_next_one(text: str, day: date | None) -> None:
    assert first_from(text) == day


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        ("2026-01-31", "2026-01-31", date(2026, 1, 31), date(2026, 2, 1)),
        ("2026-02-30", "2026-02-30", date(2026, 3, 1), date(2026, 3, 1)),
        (None, None, None, None),
        ("9999-12-31", "9999-12-31", date(9999, 12, 31), None),
    ],
)
def test_a_membership_begins_with_its_first_day_and_ends_after_its_last(
    first: str | None, last: str | None, begin: date | None, end: date | None
) -> None:
    member = TeamMember(username="kim", date_in=first, date_out=last)
    assert (begins(member), ends(member)) == (begin, end)


def test_days_are_those_of_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert day_of(datetime(2026, 1, 2, 8, tzinfo=tokyo)) == "2026-01-01"


days = st.dates(date(2025, 12, 1), date(2026, 2, 28)).map(lambda day: day.isoformat())


@given(st.none() | days, st.none() | days, days)
def test_between_the_moments_nothing_changes(first: str | None, last: str | None, today: str) -> None:
    member = TeamMember(username="kim", date_in=first, date_out=last)
    coming = [day for day in (begins(member), ends(member)) if day is not None and day.isoformat() > today]
    unchanged = date.fromisoformat(today)
    for _ in range(120):
        unchanged += timedelta(days=1)
        if coming and unchanged >= min(coming):
            return
        assert is_member(member, unchanged.isoformat()) == is_member(member, today)


@given(st.none() | days, st.none() | days, st.none() | days, st.none() | st.integers(1, 90), days)
def test_a_training_changes_at_the_moment_that_was_foretold(
    first: str | None, last: str | None, done: str | None, valid: int | None, today: str
) -> None:
    team = Team(members=(TeamMember(username="kim", date_in=first, date_out=last),))
    completed = (Completion(username="kim", date=done),) if done else ()
    training = (Training(name="gdpr", valid_for=f"{valid}d" if valid else None, completed_by=completed),)
    found = assess(training, team, at(today))
    for ahead in range(1, 160):
        now = at(today) + timedelta(days=ahead)
        if found.next_change is not None and now >= found.next_change:
            return
        assert assess(training, team, now - timedelta(seconds=1)).status == found.status
        assert assess(training, team, now).status == found.status


def test_spans_past_the_end_of_time_have_no_end() -> None:
    training = Training(name="gdpr", valid_for="99999d", completed_by=(Completion(username="kim", date="9999-01-01"),))
    team = Team(members=(TeamMember(username="kim"),))
    found = assess((training,), team, at("9999-06-01"))
    assert [(one.state, one.until) for one in found.status.people] == [("current", None)]
    assert found.next_change is None


def test_a_completion_on_no_day_of_the_calendar_does_not_count() -> None:
    training = Training(name="gdpr", completed_by=(Completion(username="kim", date="2026-02-30"),))
    assert assess((training,), Team(members=(TeamMember(username="kim"),)), at("2026-06-01")).status.overdue == 1


@pytest.mark.parametrize("team", [None, Team()], ids=["no team", "nobody"])
def test_a_training_that_nobody_needs_counts_nobody(team: Team | None) -> None:
    found = assess((Training(name="gdpr"),), team, at("2026-01-01"))
    assert (found.status.overdue, found.status.people, found.next_change) == (0, (), None)
    assert found.status.trainings[0].overdue == 0
