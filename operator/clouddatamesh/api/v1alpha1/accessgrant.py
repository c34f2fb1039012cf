"""AccessGrant: the owner's answer to a request. The manifest is the approval; deleting it revokes."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import LabelName, ObjectReference, SubdomainName, Text, Timestamp
from clouddatamesh.api.v1alpha1.accessrequest import Consumer
from clouddatamesh.api.v1alpha1.ports import Mode, PortReference


class RequestReference(Model):
    """A request, in the namespace of its consumer."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")


_QUESTION = ("outputPort", "requestRef", "consumerNamespace", "consumer", "mode")
"""What is answered, and stays as it is."""


def _same(*fields: str) -> str:
    """CEL: these optional fields are as they were, absent ones included."""
    return " && ".join(f"has(self.{f}) == has(oldSelf.{f}) && (!has(self.{f}) || self.{f} == oldSelf.{f})" for f in fields)


class AccessGrantSpec(Model):
    """Yes or no to exactly one request, or no to a whole namespace."""

    decision: Literal["Approve", "Deny"] = Field(description="Yes or no; any Deny wins. Example: Approve.")
    data_product_ref: ObjectReference = Field(description="The product, in this namespace.")
    output_port: PortReference | None = Field(
        default=None,
        description="Its port, as in the request; the major version counts. Beside consumerNamespace: absent means every port.",
    )
    request_ref: RequestReference | None = Field(default=None, description="The request that is answered.")
    consumer_namespace: LabelName | None = Field(
        default=None, description="Deny only: every request from this namespace is refused. Example: inventory."
    )
    consumer: Consumer | None = Field(default=None, description="Who uses it, as in the request.")
    mode: Mode | None = Field(default=None, description="What may be done there, as in the request. Example: ReadOnly.")
    valid_until: Timestamp | None = Field(
        default=None,
        description="When access ends, RFC 3339; never later than this grant's creation plus the port's maxDuration."
        " Example: 2027-02-20T00:00:00Z.",
    )
    permanent: bool = Field(default=False, description="Without end, where the port allows that. Example: false.")
    note: Text | None = Field(default=None, description="What the consumer should know. Example: Agreed in the data guild.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.requestRef) != has(self.consumerNamespace)",
            "A grant answers either one request or a whole namespace; give exactly one of requestRef and consumerNamespace",
        ),
        Rule(
            "!has(self.consumerNamespace) || self.decision == 'Deny'",
            "consumerNamespace only refuses; approve each request of that namespace by a grant of its own",
        ),
        Rule(
            "has(self.requestRef) ? (has(self.outputPort) && has(self.consumer) && has(self.mode))"
            " : !(has(self.consumer) || has(self.mode))",
            "With requestRef repeat outputPort, consumer and mode of the request, so that yes means exactly that;"
            " with consumerNamespace leave consumer and mode out",
        ),
        Rule(
            "self.decision == 'Deny' || has(self.validUntil) != self.permanent",
            "An approval says how long: give either validUntil or permanent: true",
        ),
        Rule(
            f"self.dataProductRef == oldSelf.dataProductRef && {_same(*_QUESTION)}",
            "A grant is immutable but for decision, validUntil, permanent and note; to answer something else, make another grant",
        ),
    )


class ConsumerStatus(Model):
    """Whose namespace the consumer was in when the grant came into effect."""

    domain: str = Field(max_length=253, description="Its Domain. Example: inventory.")
    namespace_uid: str = Field(max_length=64, description="UID of the namespace. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")


class AccessGrantStatus(Status):
    """What came of the answer."""

    request_digest: str | None = Field(
        default=None, max_length=64, description="Fingerprint of what was answered. Example: 1f3a52c0b7d94e61."
    )
    valid_until: str | None = Field(
        default=None, max_length=64, description="When it ends by validUntil and maxDuration, RFC 3339. Example: 2026-04-01T00:00:00Z."
    )
    max_duration: str | None = Field(
        default=None,
        max_length=24,
        description="The port's maxDuration when this grant came into effect; the smaller of this and the present one counts."
        " Example: 90d0h0m.",
    )
    consumer: ConsumerStatus | None = Field(
        default=None,
        description="To whom it gave: in another namespace of that name, which belongs to another Domain, it gives nothing.",
    )
    ended_generation: int | None = Field(
        default=None,
        ge=0,
        description="Generation of spec under which access on it ended by the port's terms: it gives again only once it was changed."
        " Example: 1.",
    )


class AccessGrant(Resource):
    """The answer. The manifest is the approval; deleting it revokes."""

    spec: AccessGrantSpec
    status: AccessGrantStatus = AccessGrantStatus()
