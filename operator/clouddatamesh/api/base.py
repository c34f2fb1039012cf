"""What every custom resource shares: metadata, conditions, and models that are frozen, use camelCase in JSON and ignore unknown fields."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


@dataclass(frozen=True)
class Rule:
    """A CEL validation rule of the schema: the expression that must hold, and the sentence for when it does not."""

    expression: str
    message: str
    tolerates_old: bool = False
    """Whether oldSelf is optional in it, so that it can accept what was there before it. A rule that is newer than its kind needs this:
    the ratcheting of Kubernetes 1.30 does not hold for writes of status, so the operator could record nothing."""

    def as_schema(self) -> dict[str, Any]:
        """The entry of `x-kubernetes-validations`."""
        return {"rule": self.expression, "message": self.message, **({"optionalOldSelf": True} if self.tolerates_old else {})}


class Model(BaseModel):
    """Base of every model. Unknown fields are ignored: an old operator must be able to read a newer object."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)
    RULES: ClassVar[tuple[Rule, ...]] = ()


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that decisions are based on."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Condition(Model):
    """A metav1 condition."""

    type: str = Field(max_length=64, description="Name of the condition. Example: Ready.")
    status: str = Field(max_length=16, description="True, False or Unknown. Example: True.")
    reason: str = Field(max_length=128, description="Reason for the status, in one word. Example: BucketNotEmpty.")
    message: str = Field(
        default="", max_length=4096, description="Explanation for people: what, why, and what to do. Example: All resources match the spec."
    )
    last_transition_time: str = Field(
        max_length=64, description="Time when the status last changed, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    observed_generation: int = Field(default=0, ge=0, description="Generation of the object that the condition is based on. Example: 3.")


class Status(Model):
    """Fields that every status has."""

    observed_generation: int = Field(
        default=-1,
        description="Generation of the spec that this status describes; -1 if the operator has not reconciled the object yet. Example: 3.",
    )
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16, description="Current conditions, by type.")
    last_handled_reconcile_at: str | None = Field(
        default=None,
        max_length=256,
        description="Value of the last reconcile-requested-at annotation that was handled. Example: 2026-01-01.",
    )


class Resource(Model):
    """A Kubernetes object of our group."""

    api_version: str
    kind: str
    metadata: ObjectMeta
