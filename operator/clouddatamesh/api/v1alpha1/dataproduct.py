"""DataProduct: storage, ports, documentation and lifecycle of one product."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import (
    AuthoritativeDefinition,
    Description,
    Duration,
    Email,
    PlainName,
    SemanticVersion,
    ShortText,
    SubdomainName,
    Text,
    Url,
    is_some_time,
)
from clouddatamesh.api.v1alpha1.ports import InputPort, InputPortStatus, OutputPort, OutputPortStatus
from clouddatamesh.api.v1alpha1.storage import AdoptionStatus, Storage, StorageStatus
from clouddatamesh.api.v1alpha1.takeover import TakeOverStatus

Lifecycle = Literal["proposed", "draft", "active", "deprecated", "retired"]
_STAGES = "{'proposed': 0, 'draft': 1, 'active': 2, 'deprecated': 3, 'retired': 4}"


class Owner(Model):
    """The person who answers for the product."""

    name: PlainName = Field(description="Full name. Example: Kim Roe.")
    email: Email | None = Field(default=None, description="Address for mail. Example: kim@example.com.")


class SupportChannel(Model):
    """Where to ask."""

    channel: PlainName = Field(description='Name of the channel. Example: "#sales-data".')
    url: Url | None = Field(default=None, description="Where it is. Example: https://chat.example.com/sales.")
    tool: ShortText | None = Field(default=None, description="Kind of channel. Example: slack.")
    scope: ShortText | None = Field(default=None, description="What it is for. Example: issues.")


class CustomProperty(Model):
    """A property of your own."""

    property: PlainName = Field(description="Name of the property. Example: costCenter.")
    value: Text = Field(description="Its value. Example: 4711.")


class Producer(Model):
    """Credentials to write the whole bucket."""

    secret_name: SubdomainName = Field(description="Secret that is made in this namespace. Example: orders-producer.")
    rotate_after: Duration | None = Field(
        default=None, description="Age at which the key is replaced, in days, hours and minutes; absent: never by itself. Example: 30d."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(is_some_time("rotateAfter"), "producer.rotateAfter stands for no time at all; write at least 1m, or remove it"),
    )


class DataProductSpec(Model):
    """What a product is, where its data lies, what it reads and what it offers."""

    id: ShortText | None = Field(default=None, description="Identifier for exports; a key to nothing. Example: urn:acme:dp:orders.")
    display_name: ShortText | None = Field(default=None, description="Name for people. Example: Orders.")
    version: SemanticVersion | None = Field(default=None, description="Version of the product. Example: 1.4.0.")
    description: Description | None = Field(default=None, description="What the product is for.")
    lifecycle: Lifecycle = Field(default="active", description="Stage of the product; forward only. Example: active.")
    owner: Owner | None = Field(default=None, description="The person who answers for it.")
    support: tuple[SupportChannel, ...] = Field(default=(), max_length=16, description="Where to ask.")
    tags: tuple[PlainName, ...] = Field(
        default=(), max_length=64, description="Words to find it by. Example: [orders].", json_schema_extra={"x-list-set": True}
    )
    classification: Literal["public", "internal", "confidential", "restricted"] = Field(
        default="internal", description="How openly it may be shown. Example: internal."
    )
    personal_data: bool = Field(default=False, description="Whether it holds personal data. Example: false.")
    authoritative_definitions: tuple[AuthoritativeDefinition, ...] = Field(default=(), max_length=32, description="Pages that say more.")
    custom_properties: tuple[CustomProperty, ...] = Field(
        default=(), max_length=64, description="Properties of your own.", json_schema_extra={"x-list-map-keys": ["property"]}
    )
    storage: Storage | None = Field(default=None, description="Where the data lies; required unless lifecycle is proposed.")
    input_ports: tuple[InputPort, ...] = Field(
        default=(), max_length=64, description="What the product reads.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    output_ports: tuple[OutputPort, ...] = Field(
        default=(), max_length=32, description="What the product offers.", json_schema_extra={"x-list-map-keys": ["name", "version"]}
    )
    producer: Producer | None = Field(default=None, description="Credentials to write the whole bucket.")
    mode: Literal["Manage", "Observe", "Plan"] = Field(
        default="Manage", description="Manage: do. Observe: read and report. Plan: list in status what would be done. Example: Manage."
    )
    suspend: bool = Field(default=False, description="Make and repair nothing for now. Example: false.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.storage) || self.lifecycle == 'proposed'", "spec.storage is required unless spec.lifecycle is proposed; add it"),
        Rule("has(self.storage) || !has(oldSelf.storage)", "spec.storage cannot be removed; delete the product instead"),
        Rule("has(self.storage) || !has(self.producer)", "spec.producer needs spec.storage; add it or remove spec.producer"),
        Rule(
            "(oldSelf.lifecycle == 'deprecated' && self.lifecycle == 'active')"
            f" || {_STAGES}[oldSelf.lifecycle] <= {_STAGES}[self.lifecycle]",
            "spec.lifecycle moves forward only, and from deprecated back to active; make a new product for a new life",
        ),
        Rule(
            "!has(self.outputPorts) || self.outputPorts.all(a, self.outputPorts.all(b,"
            " (a.name == b.name && a.version == b.version) || !b.path.startsWith(a.path)))",
            "Paths of spec.outputPorts overlap; give every port a path of its own",
        ),
        Rule(
            "!has(self.outputPorts) || self.outputPorts.all(a, self.outputPorts.exists_one(b,"
            " a.name == b.name && a.version.split('.')[0] == b.version.split('.')[0]))",
            "Two of spec.outputPorts have the same name and major version, by which access goes; raise one's major version or rename it",
        ),
    )


class ProducerRotation(Model):
    """A key that was replaced and still works for a while."""

    key: str = Field(max_length=64, description="Fingerprint of the old key's id. Example: 1f3a52c0b7d94e61.")
    until: str = Field(max_length=64, description="When it is removed, RFC 3339. Example: 2026-01-01T01:00:00Z.")


class ProducerStatus(Model):
    """The producer's principal and its key."""

    principal: str = Field(max_length=64, description="Name of the IAM user. Example: sales-orders-abcdefghijklmnop.")
    key: str | None = Field(
        default=None, max_length=64, description="Fingerprint of the id of the key in the Secret. Example: 1f3a52c0b7d94e61."
    )
    rotated_at: str | None = Field(
        default=None, max_length=64, description="When the key was last replaced, RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    rotation: ProducerRotation | None = Field(default=None, description="The old key, while it still works.")
    last_handled_rotate: ShortText | None = Field(default=None, description="The last rotate annotation that was acted on. Example: 1.")


class NameReference(Model):
    """Service Binding: the Secret of a provisioned service."""

    name: str = Field(max_length=253, description="Name of the Secret. Example: orders-producer.")


class DataProductStatus(Status):
    """What stands of the product."""

    storage: StorageStatus | None = Field(default=None, description="The bucket.")
    adoption: AdoptionStatus | None = Field(default=None, description="The bucket that would be adopted, as status.plan says.")
    binding: NameReference | None = Field(default=None, description="Service Binding: the producer's Secret.")
    producer: ProducerStatus | None = Field(default=None, description="The producer's principal and its key.")
    take_over: TakeOverStatus | None = Field(default=None, description="Users that lost clusters made for it.")
    input_ports: tuple[InputPortStatus, ...] = Field(default=(), max_length=64, description="How the input ports stand.")
    output_ports: tuple[OutputPortStatus, ...] = Field(default=(), max_length=512, description="How the output ports stand.")
    pending_request_count: int = Field(
        default=0, ge=0, description="How many requests wait for an answer; the AccessInbox of this name tells which. Example: 3."
    )
    plan: tuple[Text, ...] = Field(
        default=(),
        max_length=64,
        description="What would be done, in mode Plan or to adopt a bucket. Example: [create bucket acme-orders].",
    )


class DataProduct(Resource):
    """A product: storage, ports, documentation, lifecycle."""

    spec: DataProductSpec = DataProductSpec()
    status: DataProductStatus = DataProductStatus()
