"""AccessGrant: the owner's decision on a request. Applying it approves or denies; deleting an approval revokes access."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import LabelName, ObjectReference, PlainName, SubdomainName, Text, Timestamp
from clouddatamesh.api.v1alpha1.accessrequest import Consumer
from clouddatamesh.api.v1alpha1.compliance import Compliance
from clouddatamesh.api.v1alpha1.ports import MOST_APPROVALS, Mode, PortReference


class RequestReference(Model):
    """Reference to a request in the namespace of its consumer."""

    namespace: LabelName = Field(description="Namespace of the request. Example: inventory.")
    name: SubdomainName = Field(description="Name of the request. Example: orders-for-forecast.")


_QUESTION = ("outputPort", "requestRef", "consumerNamespace", "consumer", "mode", "approver")
"""The fields that identify what is decided, and by whom; immutable."""


def _same(*fields: str) -> str:
    """CEL: these optional fields are as they were, absent ones included."""
    return " && ".join(f"has(self.{f}) == has(oldSelf.{f}) && (!has(self.{f}) || self.{f} == oldSelf.{f})" for f in fields)


class AccessGrantSpec(Model):
    """Approval or denial of one request, or denial of all requests of a namespace."""

    decision: Literal["Approve", "Deny"] = Field(description="Approve or Deny. A Deny overrides every approval. Example: Approve.")
    data_product_ref: ObjectReference = Field(description="DataProduct in this namespace.")
    output_port: PortReference | None = Field(
        default=None,
        description="Output port, as in the request; only the major version is compared. With consumerNamespace, an absent port means"
        " every port.",
    )
    request_ref: RequestReference | None = Field(default=None, description="The request that is approved or denied.")
    consumer_namespace: LabelName | None = Field(
        default=None, description="Denies every request from this namespace; only with decision Deny. Example: inventory."
    )
    consumer: Consumer | None = Field(default=None, description="Consumer, as in the request.")
    mode: Mode | None = Field(default=None, description="Access mode, as in the request. Example: ReadOnly.")
    valid_until: Timestamp | None = Field(
        default=None,
        description="End of the access, in RFC 3339. Access never lasts longer than the port's maxDuration after the creation of the grant."
        " A Deny ignores it and refuses until it is deleted. Example: 2027-02-20T00:00:00Z.",
    )
    permanent: bool = Field(default=False, description="Grants access without an end; only if the port allows it. Example: false.")
    approver: PlainName | None = Field(
        default=None,
        description="User name of the person who approves, as Kubernetes knows it: the writer's own, or any written by one of the chart's"
        " governance.trustedAppliers. Required if the port asks for several approvals, which must name different approvers."
        " Example: kim@example.com.",
    )
    note: Text | None = Field(default=None, description="Note that the consumer can read. Example: Agreed in the data guild.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.requestRef) != has(self.consumerNamespace)",
            "A grant decides on either one request or a whole namespace; set exactly one of requestRef and consumerNamespace",
        ),
        Rule(
            "!has(self.consumerNamespace) || self.decision == 'Deny'",
            "consumerNamespace is only allowed with decision Deny; approve each request of that namespace with its own grant",
        ),
        Rule(
            "has(self.requestRef) ? (has(self.outputPort) && has(self.consumer) && has(self.mode))"
            " : !(has(self.consumer) || has(self.mode))",
            "With requestRef, repeat outputPort, consumer and mode of the request, so that the decision is on exactly that request;"
            " with consumerNamespace, omit consumer and mode",
        ),
        Rule(
            "self.decision == 'Deny' || has(self.validUntil) != self.permanent",
            "An approval requires an end; set either validUntil or permanent: true",
        ),
        Rule(
            f"self.dataProductRef == oldSelf.dataProductRef && {_same(*_QUESTION)}",
            "All fields except decision, validUntil, permanent and note are immutable; to decide on something else, create another grant",
        ),
    )


class ConsumerStatus(Model):
    """The Domain of the consumer when the grant came into effect."""

    domain: str = Field(max_length=253, description="Domain of the consumer's namespace. Example: inventory.")
    namespace_uid: str = Field(max_length=64, description="UID of the namespace. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")


class DataTerms(Model):
    """What the product said of its data when the grant came into effect."""

    classification: str = Field(max_length=64, description="Classification of the product. Example: internal.")
    personal_data: bool = Field(description="Whether the product contained personal data. Example: false.")


class AccessGrantStatus(Status):
    """Effect of the grant."""

    request_digest: str | None = Field(
        default=None, max_length=64, description="Fingerprint of the request that the grant decides on. Example: 1f3a52c0b7d94e61."
    )
    valid_until: str | None = Field(
        default=None,
        max_length=64,
        description="End of the access by validUntil and maxDuration, in RFC 3339. Example: 2026-04-01T00:00:00Z.",
    )
    max_duration: str | None = Field(
        default=None,
        max_length=24,
        description="maxDuration of the port when the grant came into effect. The smaller of this and the present value applies."
        " Example: 90d0h0m.",
    )
    approvals: int | None = Field(
        default=None,
        ge=1,
        le=MOST_APPROVALS,
        description="Number of approvals on which the access rests; absent: one. If the port asks for more later, the access continues to"
        " its recorded end. Example: 2.",
    )
    required_approvals: int | None = Field(
        default=None,
        ge=1,
        le=MOST_APPROVALS,
        description="Number of approvals that the port asked for when the operator first saw the grant; absent: one. The grant gives access"
        " only together with so many, also if the port asks for fewer later. Example: 2.",
    )
    data: DataTerms | None = Field(
        default=None,
        description="What the product said of its data when the grant came into effect. ReassessmentDue compares it with the present.",
    )
    consumer: ConsumerStatus | None = Field(
        default=None,
        description="Consumer to whom the grant gave access. It gives none in a namespace with the same name that belongs to another"
        " Domain.",
    )
    ended_generation: int | None = Field(
        default=None,
        ge=0,
        description="Generation of the spec for which the port's terms ended the access. The grant gives access again only after a change."
        " Example: 1.",
    )
    ended_uid: str | None = Field(
        default=None,
        max_length=64,
        description="UID of the grant to which endedGeneration refers. In a grant that was restored from a backup endedSpec decides."
        " Absent in a status of an earlier version. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    compliance: Compliance | None = Field(default=None, description="Rules of policies that the object violates; absent if none.")
    ended_spec: str | None = Field(
        default=None, max_length=64, description="Fingerprint of the spec to which endedGeneration refers. Example: 1f3a52c0b7d94e61."
    )


class AccessGrant(Resource):
    """The owner's decision on an AccessRequest."""

    spec: AccessGrantSpec
    status: AccessGrantStatus = AccessGrantStatus()
