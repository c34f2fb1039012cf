"""The ports of a DataProduct: what it reads, and what it offers to others."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import Duration, LabelName, ObjectPath, SemanticVersion, ShortText, SubdomainName, Text, Url, is_some_time

Mode = Literal["ReadOnly", "ReadWrite", "WriteOnly"]


class PortReference(Model):
    """An output port by name and version."""

    name: LabelName = Field(description="Name of the port. Example: daily.")
    version: SemanticVersion = Field(description="Version of the port. Example: 1.0.0.")


class ProductPortReference(Model):
    """An output port of a product, perhaps of another domain."""

    namespace: LabelName = Field(description="Namespace of the product. Example: inventory.")
    data_product: SubdomainName = Field(description="Name of the product. Example: stock-levels.")
    output_port: PortReference = Field(description="Port of that product.")


class ExternalInput(Model):
    """Data from outside the mesh."""

    description: Text | None = Field(default=None, description="What it is. Example: ECB reference rates.")
    url: Url | None = Field(default=None, description="Where it comes from. Example: https://www.ecb.europa.eu.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("has(self.description) || has(self.url)", "An external input says what it is or where it comes from; give description or url"),
    )


class InputPort(Model):
    """What a product reads: another product's port, or something outside."""

    name: LabelName = Field(description="Name of the port. Example: stock.")
    from_: ProductPortReference | None = Field(default=None, alias="from", description="Port of a product in the mesh.")
    external: ExternalInput | None = Field(default=None, description="Something outside the mesh.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.from) != has(self.external)", "An input port reads either from a product or from something external; give exactly one"
        ),
    )


class PortAccess(Model):
    """On what terms others may use a port."""

    approval: Literal["Auto", "Manual"] = Field(default="Manual", description="Auto: every request is granted. Example: Manual.")
    max_duration: Duration | None = Field(default=None, description="Longest time a grant lasts, in days, hours and minutes. Example: 90d.")
    min_duration: Duration = Field(
        default="1h", description="Shortest term that approval Auto gives, in days, hours and minutes. Example: 1h."
    )
    allow_permanent: bool = Field(default=False, description="Whether a grant may have no end. Example: false.")
    rotate_after: Duration | None = Field(
        default=None,
        description="Age at which a consumer's key is replaced, in days, hours and minutes; absent: never by itself. Example: 30d.",
    )
    modes: tuple[Mode, ...] = Field(
        default=("ReadOnly",),
        min_length=1,
        max_length=3,
        description="What may be asked for. Example: [ReadOnly].",
        json_schema_extra={"x-list-set": True},
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            is_some_time("maxDuration", "minDuration", "rotateAfter"),
            "access.maxDuration, access.minDuration or access.rotateAfter stands for no time at all; write at least 1m, or remove it",
        ),
    )


class OutputPort(Model):
    """What a product offers: one path of its bucket."""

    name: LabelName = Field(description="Name of the port. Example: daily.")
    version: SemanticVersion = Field(description="Version of the port. Example: 1.0.0.")
    description: Text | None = Field(default=None, description="What it holds. Example: One row per order line.")
    path: ObjectPath = Field(description="Path within the bucket, ending in a slash; ports may not overlap. Example: daily/.")
    format: ShortText | None = Field(default=None, description="Format of the objects. Example: parquet.")
    access: PortAccess = Field(default=PortAccess(), description="On what terms others may use it.")


class InputPortStatus(Model):
    """How an input port stands."""

    name: str = Field(max_length=63, description="Name of the port. Example: stock.")
    satisfied: bool = Field(description="Whether it can be read. Example: false.")
    message: str | None = Field(default=None, max_length=1024, description="What is missing. Example: No access yet.")


class OutputPortStatus(Model):
    """How an output port stands."""

    name: str = Field(max_length=63, description="Name of the port. Example: daily.")
    version: str = Field(max_length=64, description="Version of the port. Example: 1.0.0.")
    location: str | None = Field(default=None, max_length=512, description="Where it is. Example: s3://acme-orders/daily/.")
    path: str | None = Field(default=None, max_length=256, description="Path within the bucket. Example: daily/.")
    consumers: int = Field(default=0, ge=0, description="Requests that have access. Example: 2.")
    draining: bool = Field(
        default=False,
        description="The port left the spec; those who have access keep it until it ends, nobody else gets it. Example: true.",
    )
