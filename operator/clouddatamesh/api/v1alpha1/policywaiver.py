"""PolicyWaiver: a dated exception from one rule for one object."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import LabelName, PlainName, PlainText, SubdomainName, Timestamp
from clouddatamesh.api.v1alpha1.policy import TargetKind


class PolicyReference(Model):
    """Reference to a policy."""

    kind: Literal["GovernancePolicy", "DomainPolicy"] = Field(
        default="GovernancePolicy", description="Kind of the policy. Example: GovernancePolicy."
    )
    namespace: LabelName | None = Field(default=None, description="Namespace of a DomainPolicy. Example: sales.")
    name: SubdomainName = Field(description="Name of the policy. Example: ownership.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.__namespace__) == (self.kind == 'DomainPolicy')",
            "A DomainPolicy is in a namespace and a GovernancePolicy is not; add policyRef.namespace, or remove it",
        ),
    )


class TargetReference(Model):
    """Reference to the object that is excepted."""

    kind: TargetKind = Field(default="DataProduct", description="Kind of the object. Example: DataProduct.")
    namespace: LabelName | None = Field(default=None, description="Namespace of the object; absent for a Domain. Example: sales.")
    name: SubdomainName = Field(description="Name of the object. Example: orders.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.__namespace__) != (self.kind == 'Domain')",
            "A Domain is in no namespace and the other kinds are; add objectRef.namespace, or remove it",
        ),
    )


class PolicyWaiverSpec(Model):
    """Which rule does not count for which object, why, and until when."""

    policy_ref: PolicyReference = Field(description="The policy.")
    rule: LabelName = Field(description="Name of the rule. Example: has-purpose.")
    object_ref: TargetReference = Field(description="The object that is excepted.")
    reason: PlainText = Field(description="Reason for the exception. Example: The purpose is being agreed with legal.")
    approver: PlainName = Field(description="Who approved it. Example: Robin Doe.")
    valid_until: Timestamp = Field(description="End of the exception, in RFC 3339. Example: 2026-12-31T00:00:00Z.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.policyRef == oldSelf.policyRef && self.rule == oldSelf.rule && self.objectRef == oldSelf.objectRef",
            "policyRef, rule and objectRef are immutable; to except something else, create another PolicyWaiver",
        ),
    )


class PolicyWaiver(Resource):
    """A dated exception from one rule for one object."""

    spec: PolicyWaiverSpec
    status: Status = Status()
