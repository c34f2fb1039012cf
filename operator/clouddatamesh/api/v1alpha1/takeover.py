"""What an object says of the IAM user that a lost cluster made for it."""

from pydantic import Field

from clouddatamesh.api.base import Model
from clouddatamesh.api.fields import Timestamp, Uid


class TakeOverStatus(Model):
    """The users that lost clusters made for this object: they work on for an hour beside its own, then they end."""

    until: Timestamp | None = Field(default=None, description="When they end, RFC 3339. Example: 2026-01-01T01:00:00Z.")
    done: tuple[Uid, ...] = Field(
        default=(),
        max_length=8,
        description="Clusters of which no user is left for this object. Example: [8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1].",
    )


class TakenOverStatus(Model):
    """A lost cluster's users in a store."""

    cluster: Uid = Field(description="UID of its kube-system. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")
    principals: int = Field(ge=0, description="How many of its users are left. Example: 40.")
    unclaimed: int = Field(ge=0, description="Those of them that no object here owns; they keep working. Example: 2.")
