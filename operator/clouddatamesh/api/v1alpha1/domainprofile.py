"""DomainProfile: what a Domain's own team says of it. It gives no rights and sets no limits; those stay with the Domain."""

from typing import ClassVar

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import Description
from clouddatamesh.api.v1alpha1.documentation import Documentation
from clouddatamesh.api.v1alpha1.domain import DataModel, DataSource, Processing, Stakeholder
from clouddatamesh.api.v1alpha1.team import MOST_TRAININGS, Team, Training, TrainingStatus


class DomainProfileSpec(Model):
    """Description, team and training of a Domain. A field that is given here is shown instead of the Domain's field of that name."""

    description: Description | None = Field(default=None, description="Purpose, limitations and usage of the domain's data.")
    stakeholders: tuple[Stakeholder, ...] = Field(default=(), max_length=64, description="Persons with an interest in the domain.")
    data_sources: tuple[DataSource, ...] = Field(
        default=(), max_length=64, description="Source systems of the data.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    data_models: tuple[DataModel, ...] = Field(default=(), max_length=64, description="Data models of the domain.")
    processing: tuple[Processing, ...] = Field(
        default=(), max_length=64, description="Processing steps of the domain.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    team: Team | None = Field(
        default=None, description="The team of the domain; absent: the Domain's team. Being listed here gives nobody a right."
    )
    training: tuple[Training, ...] = Field(
        default=(),
        max_length=MOST_TRAININGS,
        description="Trainings that members of the team need. status.training tells who has them.",
        json_schema_extra={"x-list-map-keys": ["name"]},
    )
    documentation: Documentation | None = Field(
        default=None, description="Documentation of the domain: a text, a ConfigMap or a link. Several of them are shown in this order."
    )


class DomainProfileStatus(Status):
    """State of the profile."""

    training: TrainingStatus | None = Field(default=None, description="State of the trainings; absent if the spec has none.")


class DomainProfile(Resource):
    """What a Domain's own team says of it."""

    spec: DomainProfileSpec = DomainProfileSpec()
    status: DomainProfileStatus = DomainProfileStatus()
    RULES: ClassVar[tuple[Rule, ...]] = ()
