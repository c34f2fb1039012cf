"""AccessInbox: who asks for a product, who uses it, and its lineage; written by the operator alone, read by the product's own team."""

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Status
from clouddatamesh.api.fields import LabelName, ShortText, SubdomainName, Text


class TemplateMetadata(Model):
    """Where the grant is to be."""

    name: str = Field(max_length=253, description="Its name; any other does as well. Example: inventory-forecast.")
    namespace: LabelName = Field(description="The product's namespace. Example: sales.")


class TemplateName(Model):
    """Another object, by its name."""

    name: ShortText = Field(description="Its name. Example: orders.")


class TemplatePort(Model):
    """An output port by name and version."""

    name: ShortText = Field(description="Name of the port. Example: daily.")
    version: ShortText = Field(description="Version of the port. Example: 1.0.0.")


class TemplateRequest(Model):
    """A request, in the namespace of its consumer."""

    namespace: ShortText = Field(description="Namespace of the request. Example: inventory.")
    name: ShortText = Field(description="Name of the request. Example: orders-for-forecast.")


class TemplateConsumer(Model):
    """Who uses the access, as in the request."""

    data_product_ref: TemplateName | None = Field(default=None, description="A product of the namespace that asks.")
    service_account_ref: TemplateName | None = Field(default=None, description="A ServiceAccount of the namespace that asks.")


class TemplateSpec(Model):
    """The answer, but for its end."""

    decision: ShortText = Field(description="Yes or no. Example: Approve.")
    data_product_ref: TemplateName = Field(description="The product.")
    output_port: TemplatePort = Field(description="Its port, as in the request.")
    request_ref: TemplateRequest = Field(description="The request that is answered.")
    consumer: TemplateConsumer = Field(description="Who uses it, as in the request.")
    mode: ShortText = Field(description="What may be done there, as in the request. Example: ReadOnly.")


class AccessGrantTemplate(Model):
    """An AccessGrant that lacks nothing but its end."""

    api_version: ShortText = Field(description="Group and version. Example: clouddatamesh.dev/v1alpha1.")
    kind: ShortText = Field(description="Always AccessGrant. Example: AccessGrant.")
    metadata: TemplateMetadata = Field(description="Name and namespace.")
    spec: TemplateSpec = Field(description="The answer.")


class PendingRequest(Model):
    """Somebody asks for access."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")
    output_port: ShortText | None = Field(default=None, description="Port that is asked for. Example: daily/1.0.0.")
    mode: ShortText | None = Field(default=None, description="What is to be done there. Example: ReadOnly.")
    consumer: str | None = Field(default=None, max_length=400, description="Who is to use it. Example: DataProduct inventory/forecast.")
    purpose: Text | None = Field(default=None, description="What for. Example: Weekly stock forecast.")
    renewal: Text | None = Field(default=None, description="Why it is asked for again. Example: The forecast goes on.")
    duration: ShortText | None = Field(default=None, description="How long. Example: 90d.")
    digest: ShortText | None = Field(default=None, description="Fingerprint of what is asked. Example: 1f3a.")
    grant: AccessGrantTemplate | None = Field(
        default=None, description="The AccessGrant that says yes; add validUntil (or permanent: true) and apply it."
    )


class Consumption(Model):
    """Somebody has access."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")
    output_port: ShortText | None = Field(default=None, description="Port. Example: daily/1.0.0.")
    mode: ShortText | None = Field(default=None, description="What is done there. Example: ReadOnly.")
    consumer: str | None = Field(default=None, max_length=400, description="Who uses it. Example: DataProduct inventory/forecast.")
    purpose: Text | None = Field(default=None, description="What for. Example: Weekly stock forecast.")
    grant: str | None = Field(default=None, max_length=253, description="The grant on which it rests. Example: inventory-forecast.")
    valid_until: str | None = Field(
        default=None, max_length=64, description="When it ends, RFC 3339; absent: never. Example: 2026-04-01T00:00:00Z."
    )


class LineageNode(Model):
    """A product that this one is made of, or that is made of this one."""

    namespace: str = Field(max_length=63, description="Its namespace. Example: inventory.")
    name: str = Field(max_length=253, description="Its name. Example: forecast.")
    distance: int = Field(ge=1, description="Steps between the two. Example: 1.")


class Lineage(Model):
    """Where data comes from and goes to, by the access that is in effect."""

    upstream: tuple[LineageNode, ...] = Field(default=(), max_length=50, description="Products that this one is made of, nearest first.")
    downstream: tuple[LineageNode, ...] = Field(default=(), max_length=50, description="Products that are made of this one, nearest first.")
    more_upstream: int = Field(default=0, ge=0, description="Further ones that are not listed. Example: 0.")
    more_downstream: int = Field(default=0, ge=0, description="Further ones that are not listed. Example: 0.")
    cyclic: bool = Field(default=False, description="Whether the product is, over others, made of itself. Example: false.")


class AccessInboxStatus(Status):
    """Who asks and who uses."""

    pending: tuple[PendingRequest, ...] = Field(default=(), max_length=200, description="Who waits for an answer, the oldest first.")
    pending_count: int = Field(default=0, ge=0, description="How many wait. Example: 3.")
    consumers: tuple[Consumption, ...] = Field(default=(), max_length=200, description="Who has access, the oldest first.")
    consumer_count: int = Field(default=0, ge=0, description="How many have access. Example: 2.")
    lineage: Lineage | None = Field(default=None, description="Where data comes from and goes to.")


class AccessInbox(Resource):
    """Who asks for a product and who uses it."""

    status: AccessInboxStatus = AccessInboxStatus()
