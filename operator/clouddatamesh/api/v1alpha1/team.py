"""The people of a Domain or a product, and the training that they need. The word `team` means the same in every kind."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import Date, Duration, PlainName, ShortText, Url, is_some_time

MOST_MEMBERS: Final = 128
MOST_TRAININGS: Final = 32
MOST_LISTED: Final = 64
"""Entries of people in a status: with the longest names they stay below 64 KiB."""
TrainingName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Day = Annotated[Date, Field(json_schema_extra={"format": "date"})]
"""A day that the calendar has."""
TrainingState = Literal["current", "due", "overdue"]


class TeamMember(Model):
    """A member of the team, as in the Open Data Product Standard."""

    username: PlainName = Field(description="Login or handle. Example: kim.")
    name: ShortText | None = Field(default=None, description="Full name. Example: Kim Roe.")
    role: ShortText | None = Field(default=None, description="Role in the team. Example: dataProductOwner.")
    date_in: Date | None = Field(default=None, description="First day in the team. Example: 2026-01-01.")
    date_out: Date | None = Field(default=None, description="Last day in the team. Example: 2026-12-31.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.dateIn) || !has(self.dateOut) || self.dateIn <= self.dateOut",
            "A member's dateOut is before dateIn; correct one of them",
        ),
    )


class Team(Model):
    """A team and its members."""

    name: ShortText | None = Field(default=None, description="Name of the team. Example: Sales Data.")
    members: tuple[TeamMember, ...] = Field(
        default=(), max_length=MOST_MEMBERS, description="Members of the team.", json_schema_extra={"x-list-map-keys": ["username"]}
    )


class Completion(Model):
    """When a person last completed the training."""

    username: PlainName = Field(description="Username of the member. Example: kim.")
    date: Day = Field(description="Day of the last completion. A day to come does not count. Example: 2026-01-15.")


class Training(Model):
    """A training that members of the team need."""

    name: TrainingName = Field(description="Name of the training. Example: gdpr-basics.")
    url: Url | None = Field(default=None, description="URL of the training. Example: https://learn.example.com/gdpr.")
    required_for: tuple[PlainName, ...] = Field(
        default=(),
        max_length=16,
        description="Roles whose members need the training, spelled as in team.members; absent: every member. Example: [dataProductOwner].",
        json_schema_extra={"x-list-set": True},
    )
    valid_for: Duration | None = Field(
        default=None, description="Period after which the training must be repeated, in days; absent: never. Example: 365d."
    )
    completed_by: tuple[Completion, ...] = Field(
        default=(),
        max_length=MOST_MEMBERS,
        description="Who completed the training, and when for the last time.",
        json_schema_extra={"x-list-map-keys": ["username"]},
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(is_some_time("validFor"), "A training's validFor is zero; set at least 1d, or remove it if the training need not be repeated"),
    )


class TrainingCount(Model):
    """State of one training."""

    name: TrainingName = Field(description="Name of the training. Example: gdpr-basics.")
    current: int = Field(default=0, ge=0, description="Number of members with a valid training that does not end soon. Example: 3.")
    due: int = Field(default=0, ge=0, description="Number of members whose training ends within 30 days. Example: 1.")
    overdue: int = Field(
        default=0, ge=0, description="Number of members whose training has ended, or who have not completed it. Example: 1."
    )


class TrainedPerson(Model):
    """State of one training of one member."""

    training: TrainingName = Field(description="Name of the training. Example: gdpr-basics.")
    username: str = Field(max_length=256, description="Username of the member. Example: kim.")
    state: TrainingState = Field(description="current, due or overdue. Example: due.")
    until: str | None = Field(
        default=None,
        max_length=10,
        description="Last day on which the training is or was valid; absent if it has no end or was not completed. Example: 2026-12-31.",
    )


class TrainingStatus(Model):
    """State of all trainings. Members before their first and after their last day in the team are not counted."""

    current: int = Field(default=0, ge=0, description="Number of trainings of members that are valid and do not end soon. Example: 3.")
    due: int = Field(default=0, ge=0, description="Number of trainings of members that end within 30 days. Example: 1.")
    overdue: int = Field(default=0, ge=0, description="Number of trainings of members that have ended, or were not completed. Example: 1.")
    trainings: tuple[TrainingCount, ...] = Field(
        default=(), max_length=MOST_TRAININGS, description="State of each training, in the order of the spec."
    )
    people: tuple[TrainedPerson, ...] = Field(
        default=(),
        max_length=MOST_LISTED,
        description=f"State of each member and training: first overdue, then due, then current; at most {MOST_LISTED}.",
    )
