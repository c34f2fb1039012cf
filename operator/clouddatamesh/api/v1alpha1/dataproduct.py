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
    is_some_time,
)
from clouddatamesh.api.v1alpha1.compliance import Compliance
from clouddatamesh.api.v1alpha1.documentation import Documentation, ExternalPort, ManagementPort, SupportChannel, Synonym
from clouddatamesh.api.v1alpha1.ports import InputPort, InputPortStatus, OutputPort, OutputPortStatus
from clouddatamesh.api.v1alpha1.storage import AdoptionStatus, Storage, StorageStatus
from clouddatamesh.api.v1alpha1.takeover import TakeOverStatus
from clouddatamesh.api.v1alpha1.team import Team

Lifecycle = Literal["proposed", "draft", "active", "deprecated", "retired"]
_STAGES = "{'proposed': 0, 'draft': 1, 'active': 2, 'deprecated': 3, 'retired': 4}"


class Owner(Model):
    """The person responsible for the product."""

    name: PlainName = Field(description="Full name. Example: Kim Roe.")
    email: Email | None = Field(default=None, description="E-mail address. Example: kim@example.com.")


class CustomProperty(Model):
    """A custom property."""

    property: PlainName = Field(description="Name of the property. Example: costCenter.")
    value: Text = Field(description="Value of the property. Example: 4711.")


class Producer(Model):
    """Credentials that can read and write the whole bucket."""

    secret_name: SubdomainName = Field(
        description="Name of the Secret that the operator creates in this namespace. Example: orders-producer."
    )
    rotate_after: Duration | None = Field(
        default=None, description="Age at which the key is rotated, in days, hours and minutes; absent: only by annotation. Example: 30d."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (Rule(is_some_time("rotateAfter"), "producer.rotateAfter is zero; set at least 1m, or remove it"),)


class DataProductSpec(Model):
    """Description, storage, input ports and output ports of a product."""

    id: ShortText | None = Field(
        default=None, description="Identifier used in exports. The operator does not interpret it. Example: urn:acme:dp:orders."
    )
    display_name: ShortText | None = Field(default=None, description="Display name. Example: Orders.")
    synonyms: tuple[Synonym, ...] = Field(default=(), max_length=32, description="Other names of the product, for searches.")
    type: ShortText | None = Field(
        default=None,
        description="Architectural type: sourceAligned, aggregate, consumerAligned or another word. Example: sourceAligned.",
    )
    version: SemanticVersion | None = Field(default=None, description="Version of the product. Example: 1.4.0.")
    description: Description | None = Field(default=None, description="Purpose, limitations and usage of the product.")
    documentation: Documentation | None = Field(
        default=None,
        description="Documentation for consumers: a text, a ConfigMap or a link. Several of them are shown in this order.",
    )
    lifecycle: Lifecycle = Field(
        default="active", description="Lifecycle stage; it moves forward only, except from deprecated back to active. Example: active."
    )
    owner: Owner | None = Field(default=None, description="The person responsible for the product.")
    team: Team | None = Field(default=None, description="The team of the product. Being listed here gives nobody a right.")
    support: tuple[SupportChannel, ...] = Field(default=(), max_length=16, description="Support channels.")
    tags: tuple[PlainName, ...] = Field(
        default=(), max_length=64, description="Search terms. Example: [orders].", json_schema_extra={"x-list-set": True}
    )
    classification: Literal["public", "internal", "confidential", "restricted"] = Field(
        default="internal", description="Classification of the data. Example: internal."
    )
    personal_data: bool = Field(default=False, description="Whether the product contains personal data. Example: false.")
    authoritative_definitions: tuple[AuthoritativeDefinition, ...] = Field(
        default=(), max_length=32, description="Authoritative pages about the product."
    )
    custom_properties: tuple[CustomProperty, ...] = Field(
        default=(), max_length=64, description="Custom properties.", json_schema_extra={"x-list-map-keys": ["property"]}
    )
    storage: Storage | None = Field(default=None, description="Storage of the product; required unless lifecycle is proposed.")
    input_ports: tuple[InputPort, ...] = Field(
        default=(),
        max_length=64,
        description="Inputs of the product: ports of other products, or external sources.",
        json_schema_extra={"x-list-map-keys": ["name"]},
    )
    output_ports: tuple[OutputPort, ...] = Field(
        default=(),
        max_length=32,
        description="Outputs of the product that others can request access to.",
        json_schema_extra={"x-list-map-keys": ["name", "version"]},
    )
    external_ports: tuple[ExternalPort, ...] = Field(
        default=(),
        max_length=32,
        description="Outputs that the operator does not provide, such as topics. For documentation only: access cannot be requested.",
        json_schema_extra={"x-list-map-keys": ["name", "version"]},
    )
    management_ports: tuple[ManagementPort, ...] = Field(
        default=(),
        max_length=16,
        description="Endpoints for those who manage or observe the product. For documentation only.",
        json_schema_extra={"x-list-map-keys": ["name"]},
    )
    producer: Producer | None = Field(default=None, description="Credentials that can read and write the whole bucket.")
    mode: Literal["Manage", "Observe", "Plan"] = Field(
        default="Manage",
        description="Manage: create and repair. Observe: read and report only. Plan: list the changes in status.plan. Example: Manage.",
    )
    suspend: bool = Field(default=False, description="Pauses creation and repair. Access is still revoked and expires. Example: false.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.storage) || self.lifecycle == 'proposed'", "spec.storage is required unless spec.lifecycle is proposed; add it"),
        Rule("has(self.storage) || !has(oldSelf.storage)", "spec.storage cannot be removed; delete the product instead"),
        Rule("has(self.storage) || !has(self.producer)", "spec.producer needs spec.storage; add it or remove spec.producer"),
        Rule(
            "(oldSelf.lifecycle == 'deprecated' && self.lifecycle == 'active')"
            f" || {_STAGES}[oldSelf.lifecycle] <= {_STAGES}[self.lifecycle]",
            "spec.lifecycle moves forward only, except from deprecated back to active; create a new product instead",
        ),
        Rule(
            "!has(self.outputPorts) || self.outputPorts.all(a, self.outputPorts.all(b,"
            " (a.name == b.name && a.version == b.version) || !b.path.startsWith(a.path)))",
            "Paths of spec.outputPorts overlap; give every port its own path",
        ),
        Rule(
            "!has(self.outputPorts) || self.outputPorts.all(a, self.outputPorts.exists_one(b,"
            " a.name == b.name && a.version.split('.')[0] == b.version.split('.')[0]))",
            "Two of spec.outputPorts have the same name and major version, which must be unique; raise one of them or rename the port",
        ),
        Rule(
            "!has(self.version) || !self.version.matches('^[vV][0-9]')",
            "spec.version begins with v; write it without, such as 1.4.0 instead of v1.4.0",
        ),
        Rule(
            "(self.classification in ['public', 'internal'] && !self.personalData)"
            " || !has(self.outputPorts) || !self.outputPorts.exists(port, has(port.sample))",
            "A sample would show data that is confidential, restricted or personal; remove sample from spec.outputPorts",
        ),
        Rule(
            "!has(self.externalPorts) || !has(self.outputPorts) || !self.externalPorts.exists(a, self.outputPorts.exists(b,"
            " a.name == b.name && a.version == b.version))",
            "A port of spec.externalPorts has the name and version of one of spec.outputPorts; rename it, or raise its version",
        ),
        # The entries of an atomic list have no former selves, so the list is compared as a whole.
        Rule(
            "!has(self.support) || self.support.all(one, !has(one.url)"
            " || one.url.matches('^((https?|slack|msteams)://[!-~]+|mailto:[!-~]+@[!-~]+)$'))"
            " || (oldSelf.hasValue() && has(oldSelf.value().support) && oldSelf.value().support == self.support)",
            "A url of spec.support is not a link that is allowed; begin it with https://, http://, mailto:, slack:// or msteams://,"
            " or write the text into description",
            tolerates_old=True,
        ),
    )


class ProducerRotation(Model):
    """A previous key that still works."""

    key: str = Field(max_length=64, description="Fingerprint of the id of the previous key. Example: 1f3a52c0b7d94e61.")
    until: str | None = Field(
        default=None,
        max_length=64,
        description="Time when it is removed, in RFC 3339. Absent until the clocks agree. Example: 2026-01-01T01:00:00Z.",
    )


class ProducerStatus(Model):
    """The producer's principal and its key."""

    principal: str = Field(max_length=64, description="Name of the IAM user. Example: sales-orders-abcdefghijklmnop.")
    key: str | None = Field(
        default=None, max_length=64, description="Fingerprint of the id of the key in the Secret. Example: 1f3a52c0b7d94e61."
    )
    rotated_at: str | None = Field(
        default=None, max_length=64, description="Time when the key was last replaced, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    rotation: ProducerRotation | None = Field(default=None, description="Previous key, while it still works.")
    last_handled_rotate: ShortText | None = Field(
        default=None, description="Value of the last rotate annotation that was handled. Example: 1."
    )


class NameReference(Model):
    """The Secret, as the Service Binding specification defines for provisioned services."""

    name: str = Field(max_length=253, description="Name of the Secret. Example: orders-producer.")


class DataProductStatus(Status):
    """State of the product."""

    storage: StorageStatus | None = Field(default=None, description="State of the bucket.")
    adoption: AdoptionStatus | None = Field(default=None, description="Bucket that is planned for adoption; status.plan lists the changes.")
    binding: NameReference | None = Field(
        default=None, description="Name of the producer's Secret, as the Service Binding specification defines."
    )
    producer: ProducerStatus | None = Field(default=None, description="The producer's principal and its key.")
    take_over: TakeOverStatus | None = Field(default=None, description="Users that lost clusters created for this object.")
    input_ports: tuple[InputPortStatus, ...] = Field(default=(), max_length=64, description="State of the input ports.")
    output_ports: tuple[OutputPortStatus, ...] = Field(default=(), max_length=512, description="State of the output ports.")
    pending_request_count: int = Field(
        default=0, ge=0, description="Number of requests that await a decision. The AccessInbox with the same name lists them. Example: 3."
    )
    compliance: Compliance | None = Field(default=None, description="Rules of policies that the object violates; absent if none.")
    plan: tuple[Text, ...] = Field(
        default=(),
        max_length=64,
        description="Planned changes, in mode Plan or for the adoption of a bucket. Example: [create bucket acme-orders].",
    )


class DataProduct(Resource):
    """A data product with its storage, ports, documentation and lifecycle."""

    spec: DataProductSpec = DataProductSpec()
    status: DataProductStatus = DataProductStatus()
