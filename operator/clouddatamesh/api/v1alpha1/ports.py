"""The input ports and output ports of a DataProduct."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import (
    ContractId,
    Duration,
    LabelName,
    ObjectPath,
    PlainName,
    SemanticVersion,
    ShortText,
    SubdomainName,
    Text,
    Url,
    begins_with_v,
    in_minutes,
    is_some_time,
)
from clouddatamesh.api.v1alpha1.documentation import MOST_SAMPLE

Mode = Literal["ReadOnly", "ReadWrite", "WriteOnly"]
_MIN_DURATION: Final = "1h"
MOST_APPROVALS: Final = 3
"""How many people a port may ask for."""


class PortReference(Model):
    """Reference to an output port by name and version."""

    name: LabelName = Field(description="Name of the port. Example: daily.")
    version: SemanticVersion = Field(description="Version of the port. Example: 1.0.0.")

    RULES: ClassVar[tuple[Rule, ...]] = (begins_with_v("version"),)


class ProductPortReference(Model):
    """Reference to an output port of a product, in any namespace."""

    namespace: LabelName = Field(description="Namespace of the product. Example: inventory.")
    data_product: SubdomainName = Field(description="Name of the product. Example: stock-levels.")
    output_port: PortReference = Field(description="Output port of that product.")


class ExternalInput(Model):
    """A data source outside the mesh."""

    description: Text | None = Field(default=None, description="Description of the source. Example: ECB reference rates.")
    url: Url | None = Field(default=None, description="URL of the source. Example: https://www.ecb.europa.eu.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.description) || has(self.url)", "An external input requires a description or a url; set one of them"),
    )


class InputPort(Model):
    """An input of a product: an output port of another product, an external source, or what is known only by its contract."""

    name: LabelName = Field(description="Name of the port. Example: stock.")
    from_: ProductPortReference | None = Field(default=None, alias="from", description="Output port of a product in the mesh.")
    external: ExternalInput | None = Field(default=None, description="Source outside the mesh.")
    contract_id: ContractId | None = Field(
        default=None,
        description="Identifier of the data contract of the input. It gives no access, and the operator does not look for a product"
        " with this contract. Example: urn:acme:contract:stock-levels.",
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.from) || has(self.external) || has(self.contractId)",
            "An input port has no source; set from, external or contractId",
        ),
        Rule(
            "!has(self.from) || !has(self.external)",
            "An input port reads either from a product or from an external source; remove from or external",
        ),
    )


class PortAccess(Model):
    """Terms of access to a port."""

    approval: Literal["Auto", "Manual"] = Field(
        default="Manual", description="Manual: the owner decides. Auto: the operator approves requests. Example: Manual."
    )
    max_duration: Duration | None = Field(
        default=None,
        description="Maximum duration of access after the creation of a grant, in days, hours and minutes; absent: no limit. Example: 90d.",
    )
    min_duration: Duration = Field(
        default=_MIN_DURATION,
        description="Minimum duration of access with approval Auto, in days, hours and minutes; at most maxDuration."
        f" A maxDuration shorter than the default of {_MIN_DURATION} wins. Example: 1h.",
    )
    allow_permanent: bool = Field(default=False, description="Whether a grant may be permanent. Example: false.")
    keep_given: bool = Field(
        default=False,
        description="Whether existing access keeps the end it was given with if maxDuration is lowered; otherwise the lower value applies"
        " to existing access too. Requires maxDuration. Example: false.",
    )
    approvals: int = Field(
        default=1,
        ge=1,
        le=MOST_APPROVALS,
        description="Number of people whose approval a request needs: as many grants whose spec.approver differs. More than one requires"
        " approval Manual. Raising it takes no access away. Example: 2.",
    )
    answer_within: Duration | None = Field(
        default=None,
        description="Time within which a request or renewal is to be answered, in days, hours and minutes; one that waits longer is"
        " escalated once, by condition, event and metric. Absent: no limit. Example: 3d.",
    )
    rotate_after: Duration | None = Field(
        default=None,
        description="Age at which a consumer's key is rotated, in days, hours and minutes; absent: only by annotation. Example: 30d.",
    )
    modes: tuple[Mode, ...] = Field(
        default=("ReadOnly",),
        min_length=1,
        max_length=3,
        description="Access modes that can be requested. Example: [ReadOnly].",
        json_schema_extra={"x-list-set": True},
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            is_some_time("maxDuration", "minDuration", "rotateAfter"),
            "access.maxDuration, access.minDuration or access.rotateAfter is zero; set at least 1m, or remove it",
        ),
        Rule(is_some_time("answerWithin"), "access.answerWithin is zero; set at least 1m, or remove it"),
        Rule(
            "!has(self.approvals) || self.approvals == 1 || self.approval == 'Manual'",
            "access.approval Auto asks nobody, and access.approvals asks several people; set access.approval to Manual, or access.approvals"
            " to 1",
        ),
        Rule(
            "!has(self.keepGiven) || !self.keepGiven || has(self.maxDuration)",
            "access.keepGiven is about access.maxDuration, which is not set; set access.maxDuration, or remove access.keepGiven",
        ),
        # The default cannot be told from a value that somebody wrote.
        Rule(
            f"!has(self.maxDuration) || !has(self.minDuration) || self.minDuration == '{_MIN_DURATION}'"
            f" || {in_minutes('self.minDuration')} <= {in_minutes('self.maxDuration')}"
            " || (oldSelf.hasValue() && has(oldSelf.value().maxDuration) && oldSelf.value().maxDuration == self.maxDuration"
            " && has(oldSelf.value().minDuration) && oldSelf.value().minDuration == self.minDuration)",
            "access.minDuration is longer than access.maxDuration; lower access.minDuration, or raise or remove access.maxDuration",
            tolerates_old=True,
        ),
    )


class OutputPort(Model):
    """An output of a product: one path in its bucket."""

    name: LabelName = Field(description="Name of the port. Example: daily.")
    version: SemanticVersion = Field(description="Version of the port. Example: 1.0.0.")
    description: Text | None = Field(default=None, description="Description of the data. Example: One row per order line.")
    path: ObjectPath = Field(description="Path in the bucket, ending in a slash. Paths of ports must not overlap. Example: daily/.")
    type: ShortText | None = Field(default=None, description="Type of the port: tables, files or another word. Example: tables.")
    format: ShortText | None = Field(default=None, description="Format of the objects. Example: parquet.")
    contract_id: ContractId | None = Field(
        default=None,
        description="Identifier of the data contract of the port. It gives nobody access. Example: urn:acme:contract:orders-daily.",
    )
    tags: tuple[PlainName, ...] = Field(
        default=(), max_length=16, description="Search terms. Example: [daily].", json_schema_extra={"x-list-set": True}
    )
    deprecated: bool = Field(
        default=False, description="Whether the port is deprecated: no new access is given, existing access continues. Example: false."
    )
    sample: str | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_SAMPLE,
        description=f"Some rows as text, at most {MOST_SAMPLE:,} characters. Everybody who can read the product sees them, so they are"
        " allowed only if classification is public or internal and personalData is false. Example: id,amount.",
    )
    access: PortAccess = Field(default=PortAccess(), description="Terms of access to the port.")

    RULES: ClassVar[tuple[Rule, ...]] = (begins_with_v("version"),)


class InputPortStatus(Model):
    """State of an input port."""

    name: str = Field(max_length=63, description="Name of the port. Example: stock.")
    satisfied: bool = Field(description="Whether access to the input is in effect. Example: false.")
    message: str | None = Field(default=None, max_length=1024, description="What is missing, and what to do. Example: No access yet.")


class OutputPortStatus(Model):
    """State of an output port."""

    name: str = Field(max_length=63, description="Name of the port. Example: daily.")
    version: str = Field(max_length=64, description="Version of the port. Example: 1.0.0.")
    location: str | None = Field(default=None, max_length=512, description="URI of the port. Example: s3://acme-orders/daily/.")
    path: str | None = Field(default=None, max_length=256, description="Path in the bucket. Example: daily/.")
    consumers: int = Field(default=0, ge=0, description="Number of requests that have access. Example: 2.")
    draining: bool = Field(
        default=False,
        description="Whether the port left the spec. Existing access continues until it ends; no new access is given. Example: true.",
    )
