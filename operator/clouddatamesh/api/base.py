"""What every custom resource shares: metadata, conditions, and models that are frozen, camelCase outside and deaf to unknown fields."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


@dataclass(frozen=True)
class Rule:
    """A CEL validation rule of the schema: the expression that must hold, and the sentence for when it does not."""

    expression: str
    message: str


class Model(BaseModel):
    """Base of every model. Unknown fields are ignored: an old operator must be able to read a newer object."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)
    RULES: ClassVar[tuple[Rule, ...]] = ()


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that decisions rest on."""

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
    reason: str = Field(max_length=128, description="One word for why. Example: BucketNotEmpty.")
    message: str = Field(default="", max_length=4096, description="One sentence for a person. Example: The bucket was read back.")
    last_transition_time: str = Field(max_length=64, description="When status last changed, RFC 3339. Example: 2026-01-01T00:00:00Z.")
    observed_generation: int = Field(default=0, ge=0, description="Generation that this was found for. Example: 3.")


class Status(Model):
    """What every status holds."""

    observed_generation: int = Field(default=-1, description="Generation of spec that this status speaks of; -1: none yet. Example: 3.")
    conditions: tuple[Condition, ...] = Field(default=(), max_length=16, description="What was found, by type.")
    last_handled_reconcile_at: str | None = Field(
        default=None, max_length=256, description="The last reconcile-requested-at annotation that was acted on. Example: 2026-01-01."
    )


class Resource(Model):
    """A Kubernetes object of our group."""

    api_version: str
    kind: str
    metadata: ObjectMeta
