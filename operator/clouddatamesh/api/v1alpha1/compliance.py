"""Compliance: which rules of policies an object breaks, as its status tells it."""

from pydantic import Field

from clouddatamesh.api.base import Model


class Violation(Model):
    """A rule that the object breaks."""

    policy: str = Field(max_length=384, description="Kind, namespace if any, and name of the policy. Example: GovernancePolicy/ownership.")
    rule: str = Field(max_length=63, description="Name of the rule. Example: has-purpose.")
    enforcement: str = Field(max_length=16, description="Enforcement of the policy. Example: Audit.")
    severity: str = Field(max_length=16, description="Severity of the violation. Example: medium.")
    message: str = Field(max_length=1280, description="What is wrong. Example: Say in at least 40 characters what the product is for.")
    remediation: str | None = Field(default=None, max_length=1024, description="What to do. Example: Fill spec.description.purpose.")
    since: str | None = Field(
        default=None, max_length=64, description="Time when it was first seen, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    waiver: str | None = Field(
        default=None, max_length=253, description="PolicyWaiver that excepts the object from the rule. Example: orders-purpose."
    )
    waived_until: str | None = Field(
        default=None, max_length=64, description="End of the waiver, in RFC 3339. Example: 2026-12-31T00:00:00Z."
    )


class PolicyCount(Model):
    """How many rules of a policy the object breaks."""

    policy: str = Field(max_length=384, description="Kind, namespace if any, and name of the policy. Example: GovernancePolicy/ownership.")
    violation_count: int = Field(default=0, ge=0, description="Number of violations without a waiver. Example: 2.")
    waived_count: int = Field(default=0, ge=0, description="Number of violations with a waiver. Example: 1.")


class Compliance(Model):
    """Rules of policies that the object breaks; absent where it breaks none."""

    violation_count: int = Field(default=0, ge=0, description="Number of violations without a waiver. Example: 2.")
    waived_count: int = Field(default=0, ge=0, description="Number of violations with a waiver. Example: 1.")
    denied: bool = Field(
        default=False,
        description="Whether a policy with enforcement Deny is violated, so that nothing new is made for the object. Example: false.",
    )
    violations: tuple[Violation, ...] = Field(
        default=(), max_length=64, description="Violations, those without a waiver, of Deny and the most severe first; at most 64."
    )
    policies: tuple[PolicyCount, ...] = Field(
        default=(), max_length=512, description="Policies of which a rule is violated, by name, with all their violations."
    )
