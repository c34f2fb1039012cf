"""AccessRequest: a request by a consumer for access to another team's product, with a purpose and a duration."""

from typing import ClassVar

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import (
    Duration,
    LabelName,
    ObjectReference,
    PlainName,
    PlainText,
    ShortText,
    SubdomainName,
    Text,
    Timestamp,
    is_some_time,
)
from clouddatamesh.api.v1alpha1.compliance import Compliance
from clouddatamesh.api.v1alpha1.dataproduct import NameReference
from clouddatamesh.api.v1alpha1.ports import MOST_APPROVALS, Mode, PortReference
from clouddatamesh.api.v1alpha1.takeover import TakeOverStatus


class ProductReference(Model):
    """Reference to a DataProduct, in any namespace."""

    namespace: LabelName = Field(description="Namespace of the product. Example: sales.")
    name: SubdomainName = Field(description="Name of the product. Example: orders.")


class Consumer(Model):
    """Consumer in the namespace of the request. Access ends when the consumer is deleted."""

    data_product_ref: ObjectReference | None = Field(default=None, description="DataProduct that is derived from the data.")
    service_account_ref: ObjectReference | None = Field(default=None, description="ServiceAccount that reads the data.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.dataProductRef) != has(self.serviceAccountRef)",
            "A consumer is either a product or a ServiceAccount; set exactly one of dataProductRef and serviceAccountRef",
        ),
    )


class Renewal(Model):
    """Request for another grant."""

    reason: Text | None = Field(default=None, description="Reason of the renewal. Example: The forecast continues.")
    requested_at: Timestamp = Field(
        description="Time of the renewal request, in RFC 3339. It is pending until a grant exists that was not created before it; use the"
        " current time. Example: 2027-01-10T00:00:00Z."
    )


class AccessRequestSpec(Model):
    """The requested output port and mode, the consumer, the purpose and the duration."""

    data_product_ref: ProductReference = Field(description="DataProduct to which access is requested.")
    output_port: PortReference = Field(description="Output port of the product; only the major version is compared.")
    mode: Mode = Field(default="ReadOnly", description="Requested access mode. Example: ReadOnly.")
    consumer: Consumer = Field(description="Consumer of the port, in this namespace.")
    purpose: PlainText = Field(description="Purpose of the access. The owner bases the decision on it. Example: Weekly stock forecast.")
    duration: Duration | None = Field(
        default=None, description="Requested duration, in days, hours and minutes. The grant decides how long access lasts. Example: 90d."
    )
    permanent: bool = Field(default=False, description="Requests access without an end. Example: false.")
    secret_name: SubdomainName = Field(
        description="Name of the Secret that the operator creates in this namespace. Example: orders-access."
    )
    renewal: Renewal | None = Field(default=None, description="Requests a renewal; pending until a newer grant exists.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.duration) != self.permanent",
            "A request requires a duration; set either duration or permanent: true",
        ),
        Rule(is_some_time("duration"), "spec.duration is zero; set at least 1m"),
        Rule(
            "self.dataProductRef == oldSelf.dataProductRef && self.outputPort == oldSelf.outputPort && self.mode == oldSelf.mode"
            " && self.consumer == oldSelf.consumer && self.purpose == oldSelf.purpose && self.secretName == oldSelf.secretName"
            " && self.permanent == oldSelf.permanent && has(self.duration) == has(oldSelf.duration)"
            " && (!has(self.duration) || self.duration == oldSelf.duration)",
            "All fields except spec.renewal are immutable; to request something else, create another request",
        ),
        Rule(
            "!has(oldSelf.renewal) || !has(self.renewal) || self.renewal.requestedAt >= oldSelf.renewal.requestedAt",
            "spec.renewal.requestedAt only moves forward; set the current time",
        ),
    )


class GrantReference(Model):
    """The grant that access is based on."""

    namespace: str = Field(max_length=63, description="Namespace of the grant. Example: sales.")
    name: str = Field(max_length=253, description="Name of the grant. Example: inventory-forecast.")
    uid: str = Field(max_length=64, description="UID of the grant. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")


class CountedGrant(GrantReference):
    """One of several grants that access is based on."""

    approver: str = Field(max_length=256, description="The approver that it names. Example: kim@example.com.")


class Approvals(Model):
    """How many people have to approve, and who has."""

    required: int = Field(ge=1, le=MOST_APPROVALS, description="Number of approvals that the port asks for. Example: 2.")
    given: int = Field(ge=0, description="Number of different approvers whose grants have not ended. Example: 1.")
    approved_by: tuple[PlainName, ...] = Field(
        default=(), max_length=16, description="These approvers, by name; at most 16. Example: [kim@example.com]."
    )


class AccessPlace(Model):
    """Store, bucket and path that the principal can reach.

    Recorded before the principal is created, so that the operator always finds it again.
    """

    store: str = Field(max_length=253, description="Name of the ObjectStore. Example: main.")
    bucket: str = Field(max_length=63, description="Name of the bucket. Example: acme-orders.")
    path: str = Field(max_length=256, description="Path within the bucket. Example: daily/.")
    store_id: str | None = Field(
        default=None,
        max_length=64,
        description="Id of the store, independent of its name and endpoint. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    handed_on: bool | None = Field(
        default=None,
        description="Whether another port got the path while no new access could be given. The access then reaches nothing until its port"
        " can give its present path. Absent: no. Example: true.",
    )


class RotationStatus(Model):
    """A previous key that still works."""

    access_key_id: str = Field(max_length=128, description="Id of the previous key. Example: AKIAIOSFODNN7EXAMPLE.")
    until: str | None = Field(
        default=None,
        max_length=64,
        description="Time when it is removed, in RFC 3339. Absent until the clocks agree. Example: 2026-01-01T01:00:00Z.",
    )


class AccessRequestStatus(Status):
    """The decision, and what exists in the store."""

    digest: str | None = Field(default=None, max_length=64, description="Fingerprint of the request. Example: 1f3a52c0b7d94e61.")
    compliance: Compliance | None = Field(default=None, description="Rules of policies that the object violates; absent if none.")
    grant_ref: GrantReference | None = Field(
        default=None, description="The grant that the current access is based on; of several the one that ends first."
    )
    counted_grants: tuple[CountedGrant, ...] = Field(
        default=(),
        max_length=MOST_APPROVALS,
        description="The grants that the current access is based on, if the port asks for several approvals.",
    )
    approvals: Approvals | None = Field(default=None, description="Approvals so far, if the port asks for several.")
    pending_since: str | None = Field(
        default=None,
        max_length=64,
        description="Time since which the request or its renewal waits for an answer, if the port sets access.answerWithin, in RFC 3339."
        " Example: 2026-01-01T00:00:00Z.",
    )
    principal: str | None = Field(
        default=None, max_length=64, description="Name of the IAM user. Example: inventory-forecast-abcdefghijklmnop."
    )
    access_key_id: str | None = Field(
        default=None, max_length=128, description="Id of the access key of the IAM user. Example: AKIAIOSFODNN7EXAMPLE."
    )
    place: AccessPlace | None = Field(default=None, description="Store, bucket and path that the principal can reach.")
    binding: NameReference | None = Field(default=None, description="Name of the Secret, as the Service Binding specification defines.")
    rotation: RotationStatus | None = Field(default=None, description="Previous key, while it still works.")
    rotated_at: str | None = Field(
        default=None, max_length=64, description="Time when the key was last replaced, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    last_handled_rotate: ShortText | None = Field(
        default=None, description="Value of the last rotate annotation that was handled. Example: 1."
    )
    abandoned: str | None = Field(
        default=None,
        max_length=253,
        description="ObjectStore that was given up while this request had a principal in it. The key may still work there. Example: main.",
    )
    abandoned_store_id: str | None = Field(
        default=None,
        max_length=64,
        description="Id of that store. When the principal is read as gone there, `abandoned` is removed. Example: 7f8b2c1e0d.",
    )
    take_over: TakeOverStatus | None = Field(default=None, description="Users that lost clusters created for this object.")
    valid_from: str | None = Field(
        default=None, max_length=64, description="Start of the access, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    valid_until: str | None = Field(
        default=None, max_length=64, description="End of the access, in RFC 3339; absent if it has no end. Example: 2026-04-01T00:00:00Z."
    )
    decided_at: str | None = Field(
        default=None, max_length=64, description="Time when the grant was created, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    decision_note: Text | None = Field(default=None, description="Note of the owner. Example: Agreed in the data guild.")


class AccessRequest(Resource):
    """A request by a consumer for access to an output port, with a purpose and a duration."""

    spec: AccessRequestSpec
    status: AccessRequestStatus = AccessRequestStatus()
