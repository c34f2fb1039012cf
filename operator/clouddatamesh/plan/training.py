"""Whose training is current, due or overdue on a day."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from clouddatamesh.api.fields import parse_duration
from clouddatamesh.api.v1alpha1.team import (
    MOST_LISTED,
    Team,
    TeamMember,
    TrainedPerson,
    Training,
    TrainingCount,
    TrainingState,
    TrainingStatus,
)
from clouddatamesh.plan.team import begins, day_of, earliest, ends, is_member, later

DUE_DAYS: Final = 30
"""A training is due in so many days before its last one."""
_WORST_FIRST: Final[tuple[TrainingState, ...]] = ("overdue", "due", "current")


@dataclass(frozen=True)
class Assessment:
    """What a team's trainings are on a day, and when that changes by time alone."""

    status: TrainingStatus
    next_change: datetime | None


def assess(trainings: tuple[Training, ...], team: Team | None, now: datetime) -> Assessment:
    """Each training of each member who is in the team today. A training is required from the first day in the team."""
    members = team.members if team is not None else ()
    today = now.astimezone(UTC).date()
    pairs = [(training, member) for training in trainings for member in _who_need(training, members)]
    present = [_judge(training, member, today) for training, member in pairs if is_member(member, day_of(now))]
    counts = Counter((person.training, person.state) for person in present)
    totals = Counter(person.state for person in present)
    ranked = sorted(present, key=lambda one: (_WORST_FIRST.index(one.state), one.until or "", one.training, one.username))
    status = TrainingStatus(
        **{state: totals[state] for state in _WORST_FIRST},
        trainings=tuple(
            TrainingCount(name=training.name, **{state: counts[training.name, state] for state in _WORST_FIRST}) for training in trainings
        ),
        people=tuple(ranked[:MOST_LISTED]),
    )
    return Assessment(status, earliest([day for training, member in pairs for day in _turns(training, member, today)], now))


def _who_need(training: Training, members: tuple[TeamMember, ...]) -> Iterator[TeamMember]:
    return (member for member in members if not training.required_for or member.role in training.required_for)


def _judge(training: Training, member: TeamMember, today: date) -> TrainedPerson:
    done = _completed(training, member.username)
    if done is None or done > today:
        return TrainedPerson(training=training.name, username=member.username, state="overdue")
    until = _last_day(training, done)
    state: TrainingState = "current"
    if until is not None:
        state = "overdue" if until < today else "due" if (until - today).days <= DUE_DAYS else "current"
    return TrainedPerson(training=training.name, username=member.username, state=state, until=until and until.isoformat())


def _completed(training: Training, username: str) -> date | None:
    """When somebody last completed it; a day that is not in the calendar is none."""
    days = []
    for entry in training.completed_by:
        if entry.username == username:
            try:
                days.append(date.fromisoformat(entry.date))
            except ValueError:
                continue
    return max(days, default=None)


def _last_day(training: Training, done: date) -> date | None:
    """The last day of validity; None where it has no end."""
    return later(done, parse_duration(training.valid_for).days) if training.valid_for else None


def _turns(training: Training, member: TeamMember, today: date) -> Iterator[date | None]:
    """The days on which the state of a training of a member may change."""
    yield begins(member)
    yield ends(member)
    done = _completed(training, member.username)
    if done is None or done > today:
        yield done
        return
    until = _last_day(training, done)
    if until is not None:
        yield later(until, -DUE_DAYS)
        yield later(until, 1)
