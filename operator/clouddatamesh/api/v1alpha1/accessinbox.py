"""AccessInbox: pending requests, consumers and lineage of a product; written by the operator alone, read by the product's team."""

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Status
from clouddatamesh.api.fields import LabelName, PlainName, ShortText, SubdomainName, Text


class TemplateMetadata(Model):
    """Name and namespace of the grant."""

    name: str = Field(max_length=253, description="Name of the grant; you can change it. Example: inventory-forecast.")
    namespace: LabelName = Field(description="Namespace of the product. Example: sales.")


class TemplateName(Model):
    """Reference to another object by name."""

    name: ShortText = Field(description="Name of the object. Example: orders.")


class TemplatePort(Model):
    """An output port by name and version."""

    name: ShortText = Field(description="Name of the port. Example: daily.")
    version: ShortText = Field(description="Version of the port. Example: 1.0.0.")


class TemplateRequest(Model):
    """Reference to a request in the namespace of its consumer."""

    namespace: ShortText = Field(description="Namespace of the request. Example: inventory.")
    name: ShortText = Field(description="Name of the request. Example: orders-for-forecast.")


class TemplateConsumer(Model):
    """Consumer, as in the request."""

    data_product_ref: TemplateName | None = Field(default=None, description="DataProduct in the consumer's namespace.")
    service_account_ref: TemplateName | None = Field(default=None, description="ServiceAccount in the consumer's namespace.")


class TemplateSpec(Model):
    """Spec of the grant, without its end."""

    decision: ShortText = Field(description="Decision of the grant. Example: Approve.")
    data_product_ref: TemplateName = Field(description="DataProduct of this inbox.")
    output_port: TemplatePort = Field(description="Output port, as in the request.")
    request_ref: TemplateRequest = Field(description="The request that the grant approves.")
    consumer: TemplateConsumer = Field(description="Consumer, as in the request.")
    mode: ShortText = Field(description="Access mode, as in the request. Example: ReadOnly.")


class AccessGrantTemplate(Model):
    """An AccessGrant that is complete except for its end."""

    api_version: ShortText = Field(description="Group and version. Example: clouddatamesh.dev/v1alpha1.")
    kind: ShortText = Field(description="Always AccessGrant. Example: AccessGrant.")
    metadata: TemplateMetadata = Field(description="Name and namespace.")
    spec: TemplateSpec = Field(description="Spec of the grant.")


class PendingRequest(Model):
    """A request that awaits a decision."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")
    output_port: ShortText | None = Field(default=None, description="Requested output port. Example: daily/1.0.0.")
    mode: ShortText | None = Field(default=None, description="Requested access mode. Example: ReadOnly.")
    consumer: str | None = Field(
        default=None, max_length=400, description="Consumer that uses the access. Example: DataProduct inventory/forecast."
    )
    purpose: Text | None = Field(default=None, description="Purpose of the access. Example: Weekly stock forecast.")
    renewal: Text | None = Field(default=None, description="Reason of the renewal. Example: The forecast continues.")
    duration: ShortText | None = Field(default=None, description="Requested duration. Example: 90d.")
    digest: ShortText | None = Field(default=None, description="Fingerprint of the request. Example: 1f3a.")
    approvals: ShortText | None = Field(
        default=None, description="Approvals so far and how many the port asks for, if it asks for several. Example: 1/2."
    )
    approved_by: tuple[PlainName, ...] = Field(
        default=(), max_length=16, description="Approvers so far, by name; at most 16. Example: [kim@example.com]."
    )
    escalated: ShortText | None = Field(
        default=None,
        description="Time since which the request waits, if that is longer than the port's access.answerWithin."
        " Example: 2026-01-01T00:00:00Z.",
    )
    grant: AccessGrantTemplate | None = Field(
        default=None,
        description="AccessGrant that approves the request. Add validUntil (or permanent: true), and approver if the port asks for"
        " several approvals, and apply it.",
    )


class Consumption(Model):
    """A consumer that has access."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")
    output_port: ShortText | None = Field(default=None, description="Output port. Example: daily/1.0.0.")
    mode: ShortText | None = Field(default=None, description="Access mode. Example: ReadOnly.")
    consumer: str | None = Field(
        default=None, max_length=400, description="Consumer that uses the access. Example: DataProduct inventory/forecast."
    )
    purpose: Text | None = Field(default=None, description="Purpose of the access. Example: Weekly stock forecast.")
    grant: str | None = Field(
        default=None, max_length=253, description="AccessGrant that the access is based on. Example: inventory-forecast."
    )
    valid_until: str | None = Field(
        default=None, max_length=64, description="End of the access, in RFC 3339; absent if it has no end. Example: 2026-04-01T00:00:00Z."
    )


class LineageNode(Model):
    """A product upstream or downstream of this one."""

    namespace: str = Field(max_length=63, description="Namespace of the product. Example: inventory.")
    name: str = Field(max_length=253, description="Name of the product. Example: forecast.")
    distance: int = Field(ge=1, description="Number of steps between the two products. Example: 1.")


class Lineage(Model):
    """Origin and destination of the data, by the access that is in effect."""

    upstream: tuple[LineageNode, ...] = Field(
        default=(), max_length=50, description="Products that this one is derived from, nearest first."
    )
    downstream: tuple[LineageNode, ...] = Field(
        default=(), max_length=50, description="Products that are derived from this one, nearest first."
    )
    more_upstream: int = Field(default=0, ge=0, description="Number of upstream products that are not listed. Example: 0.")
    more_downstream: int = Field(default=0, ge=0, description="Number of downstream products that are not listed. Example: 0.")
    cyclic: bool = Field(
        default=False, description="Whether the product depends on itself, directly or through other products. Example: false."
    )


class AccessInboxStatus(Status):
    """Pending requests and consumers."""

    pending: tuple[PendingRequest, ...] = Field(
        default=(), max_length=200, description="Requests that await a decision, oldest first; at most 200."
    )
    pending_count: int = Field(default=0, ge=0, description="Number of all pending requests. Example: 3.")
    consumers: tuple[Consumption, ...] = Field(
        default=(), max_length=200, description="Consumers that have access, oldest first; at most 200."
    )
    consumer_count: int = Field(default=0, ge=0, description="Number of all consumers. Example: 2.")
    lineage: Lineage | None = Field(default=None, description="Upstream and downstream products.")


class AccessInbox(Resource):
    """Pending requests and consumers of a product."""

    status: AccessInboxStatus = AccessInboxStatus()
