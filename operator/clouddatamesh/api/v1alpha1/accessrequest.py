"""AccessRequest: what a consumer asks of another domain's product, for what and for how long."""

from typing import ClassVar

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import (
    Duration,
    LabelName,
    ObjectReference,
    PlainText,
    ShortText,
    SubdomainName,
    Text,
    Timestamp,
    is_some_time,
)
from clouddatamesh.api.v1alpha1.dataproduct import NameReference
from clouddatamesh.api.v1alpha1.ports import Mode, PortReference
from clouddatamesh.api.v1alpha1.takeover import TakeOverStatus


class ProductReference(Model):
    """A product, perhaps of another domain."""

    namespace: LabelName = Field(description="Namespace of the product. Example: sales.")
    name: SubdomainName = Field(description="Name of the product. Example: orders.")


class Consumer(Model):
    """Who reads, in the namespace of the request; access ends when it is deleted."""

    data_product_ref: ObjectReference | None = Field(default=None, description="A product that is made of what is read.")
    service_account_ref: ObjectReference | None = Field(default=None, description="A ServiceAccount.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.dataProductRef) != has(self.serviceAccountRef)",
            "A consumer is either a product or a ServiceAccount; give exactly one of dataProductRef and serviceAccountRef",
        ),
    )


class Renewal(Model):
    """Asks that a grant be given again."""

    reason: Text | None = Field(default=None, description="Why it is still needed. Example: The forecast goes on.")
    requested_at: Timestamp = Field(
        description="When this was asked, RFC 3339; later than the grant in effect. Example: 2027-01-10T00:00:00Z."
    )


class AccessRequestSpec(Model):
    """Which port, in which mode, by whom, for what and for how long."""

    data_product_ref: ProductReference = Field(description="The product that is asked for.")
    output_port: PortReference = Field(description="Its port; the major version counts.")
    mode: Mode = Field(default="ReadOnly", description="What is to be done there. Example: ReadOnly.")
    consumer: Consumer = Field(description="Who uses the port, in this namespace.")
    purpose: PlainText = Field(description="What for; the owner decides by it. Example: Weekly stock forecast.")
    duration: Duration | None = Field(
        default=None, description="For how long, in days, hours and minutes; the grant decides. Example: 90d."
    )
    permanent: bool = Field(default=False, description="Asks for access without end. Example: false.")
    secret_name: SubdomainName = Field(description="Secret that is made in this namespace. Example: orders-access.")
    renewal: Renewal | None = Field(default=None, description="Please grant again; pending until a newer grant exists.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.duration) != self.permanent",
            "A request says for how long: give either duration or permanent: true",
        ),
        Rule(is_some_time("duration"), "spec.duration stands for no time at all; write at least 1m"),
        Rule(
            "self.dataProductRef == oldSelf.dataProductRef && self.outputPort == oldSelf.outputPort && self.mode == oldSelf.mode"
            " && self.consumer == oldSelf.consumer && self.purpose == oldSelf.purpose && self.secretName == oldSelf.secretName"
            " && self.permanent == oldSelf.permanent && has(self.duration) == has(oldSelf.duration)"
            " && (!has(self.duration) || self.duration == oldSelf.duration)",
            "A request is immutable but for spec.renewal; to ask for something else, make another request",
        ),
        Rule(
            "!has(oldSelf.renewal) || !has(self.renewal) || self.renewal.requestedAt >= oldSelf.renewal.requestedAt",
            "spec.renewal.requestedAt only moves forward; write the present time",
        ),
    )


class GrantReference(Model):
    """The grant on which access rests."""

    namespace: str = Field(max_length=63, description="Its namespace. Example: sales.")
    name: str = Field(max_length=253, description="Its name. Example: inventory-forecast.")
    uid: str = Field(max_length=64, description="Its UID. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")


class AccessPlace(Model):
    """Where the principal is, and what it may reach; recorded before it is made, so that it is found again whatever happens."""

    store: str = Field(max_length=253, description="Name of the ObjectStore. Example: main.")
    bucket: str = Field(max_length=63, description="Name of the bucket. Example: acme-orders.")
    path: str = Field(max_length=256, description="Path within the bucket. Example: daily/.")
    store_id: str | None = Field(
        default=None, max_length=64, description="Which store that is, whatever leads to it. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1."
    )


class RotationStatus(Model):
    """A key that was replaced and still works for a while."""

    access_key_id: str = Field(max_length=128, description="Id of the old key. Example: AKIAIOSFODNN7EXAMPLE.")
    until: str = Field(max_length=64, description="When it is removed, RFC 3339. Example: 2026-01-01T01:00:00Z.")


class AccessRequestStatus(Status):
    """What was decided, and what stands in the store."""

    digest: str | None = Field(default=None, max_length=64, description="Fingerprint of what is asked. Example: 1f3a52c0b7d94e61.")
    grant_ref: GrantReference | None = Field(default=None, description="The grant on which what stands in the store rests.")
    principal: str | None = Field(
        default=None, max_length=64, description="Name of the IAM user. Example: inventory-forecast-abcdefghijklmnop."
    )
    access_key_id: str | None = Field(default=None, max_length=128, description="Id of its key. Example: AKIAIOSFODNN7EXAMPLE.")
    place: AccessPlace | None = Field(default=None, description="Where the principal is, and what it may reach.")
    binding: NameReference | None = Field(default=None, description="Service Binding: the Secret.")
    rotation: RotationStatus | None = Field(default=None, description="The old key, while it still works.")
    rotated_at: str | None = Field(
        default=None, max_length=64, description="When the key was last replaced, RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    last_handled_rotate: ShortText | None = Field(default=None, description="The last rotate annotation that was acted on. Example: 1.")
    abandoned: str | None = Field(
        default=None,
        max_length=253,
        description="ObjectStore that was given up with this request's principal in it: its key may work. Example: main.",
    )
    abandoned_store_id: str | None = Field(
        default=None,
        max_length=64,
        description="Which store that was: once the principal is read as gone there, `abandoned` goes. Example: 7f8b2c1e0d.",
    )
    take_over: TakeOverStatus | None = Field(default=None, description="Users that lost clusters made for it.")
    valid_from: str | None = Field(
        default=None, max_length=64, description="Since when it is granted, RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    valid_until: str | None = Field(
        default=None, max_length=64, description="When it ends, RFC 3339; absent: never. Example: 2026-04-01T00:00:00Z."
    )
    decided_at: str | None = Field(
        default=None, max_length=64, description="When the grant was made, RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    decision_note: Text | None = Field(default=None, description="What the owner said. Example: Agreed in the data guild.")


class AccessRequest(Resource):
    """We want to use that port, for this purpose, so long."""

    spec: AccessRequestSpec
    status: AccessRequestStatus = AccessRequestStatus()
