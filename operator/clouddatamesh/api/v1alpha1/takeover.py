"""The state of IAM users that lost clusters created."""

from pydantic import Field

from clouddatamesh.api.base import Model
from clouddatamesh.api.fields import Timestamp, Uid


class TakeOverStatus(Model):
    """Users that lost clusters created for this object. They work for another hour in addition to its own user, then they are removed."""

    until: Timestamp | None = Field(default=None, description="Time when they are removed, in RFC 3339. Example: 2026-01-01T01:00:00Z.")
    cluster: Uid | None = Field(
        default=None,
        description="UID of the cluster that wrote until. A time that another cluster wrote, in a status from a backup, does not count."
        " Absent where no time is set. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    done: tuple[Uid, ...] = Field(
        default=(),
        max_length=8,
        description="UIDs of clusters that have no user left for this object. Example: [8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1].",
    )
    marker: str | None = Field(
        default=None,
        max_length=512,
        description="ObjectStore.status.marker of the IAM endpoint for which until and done hold, followed by a number where its loss was"
        " accepted. At another endpoint they do not count, and the users are read again. Absent in a status of an earlier version."
        " Example: mesh.marker-abc.",
    )


class TakenOverStatus(Model):
    """Users of a lost cluster in a store."""

    cluster: Uid = Field(description="UID of the kube-system namespace of the cluster. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")
    principals: int = Field(ge=0, description="Number of remaining users of the cluster. Example: 40.")
    unclaimed: int = Field(
        ge=0, description="Number of those that no object of this cluster owns. They keep working until you end them. Example: 2."
    )
