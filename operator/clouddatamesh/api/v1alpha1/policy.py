"""GovernancePolicy and DomainPolicy: rules in CEL on the objects of the mesh, and what came of them."""

from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import LabelName, LabelSelector, PlainText, ShortText, Text, Url
from clouddatamesh.api.v1alpha1.dataproduct import Lifecycle

Enforcement = Literal["Audit", "Warn", "Deny"]
Severity = Literal["low", "medium", "high", "critical"]
TargetKind = Literal["DataProduct", "Domain", "AccessRequest", "AccessGrant"]
MOST_RULES: Final = 64
MOST_PARAMS: Final = 8192
"""Characters of `params` as JSON; the schema of free values has no such bound, so the operator refuses longer ones."""
MOST_LEVELS: Final = 16
"""Levels of `params`; what reads and writes them calls itself for each."""


class Regulation(Model):
    """A regulation that the policy helps to keep."""

    name: ShortText = Field(description="Name of the regulation. Example: GDPR.")
    article: ShortText | None = Field(default=None, description="Article or section. Example: 30.")
    url: Url | None = Field(default=None, description="URL of the text. Example: https://gdpr-info.eu/art-30-gdpr/.")


class DomainPolicyTargets(Model):
    """Objects of the Domain to which the rules apply."""

    kinds: tuple[TargetKind, ...] = Field(
        default=("DataProduct",),
        min_length=1,
        max_length=4,
        description="Kinds of objects. Example: [DataProduct].",
        json_schema_extra={"x-list-set": True},
    )
    lifecycle: tuple[Lifecycle, ...] = Field(
        default=(),
        max_length=5,
        description="Lifecycle stages of products; absent: all but retired. Other kinds have none, so it does not concern them."
        " Example: [active].",
        json_schema_extra={"x-list-set": True},
    )


class PolicyTargets(DomainPolicyTargets):
    """Objects to which the rules apply."""

    domains: LabelSelector | None = Field(
        default=None, description="Selects Domains by label; absent: every Domain. Children of a selected Domain are selected too."
    )


class PolicyRule(Model):
    """A rule: an expression that must be true."""

    name: LabelName = Field(description="Name of the rule, unique in the policy. Example: has-purpose.")
    expression: str = Field(
        min_length=1,
        max_length=4096,
        description="CEL expression over object, oldObject, params, domain and live, which must be true. A value that is absent or of"
        " another type makes it false. Example: size(object.spec.description.purpose) >= params.minPurpose.",
    )
    message: PlainText = Field(
        description="Sentence for the person whose object breaks the rule. Example: Say in at least 40 characters what the product is for."
    )
    remediation: Text | None = Field(default=None, description="What to do. Example: Fill spec.description.purpose.")
    severity: Severity = Field(default="medium", description="Severity of a violation. Example: medium.")


class DomainPolicySpec(Model):
    """Rules of one Domain."""

    description: Text | None = Field(default=None, description="What the policy is for. Example: Every product says what it is for.")
    category: Literal["interoperability", "security", "privacy", "quality", "documentation", "cost"] = Field(
        default="quality", description="Category of the rules. Example: documentation."
    )
    regulations: tuple[Regulation, ...] = Field(default=(), max_length=16, description="Regulations that the policy helps to keep.")
    targets: DomainPolicyTargets = Field(default=DomainPolicyTargets(), description="Objects to which the rules apply.")
    params: dict[str, Any] = Field(
        default={},
        description=f"Values for the expressions, at most {MOST_PARAMS:,} characters as JSON and {MOST_LEVELS} levels deep. "
        "Example: {minPurpose: 40}.",
        json_schema_extra={"x-free": True},
    )
    enforcement: Enforcement = Field(
        default="Audit",
        description="Audit: violations are reported. Warn: also at kubectl apply. Deny: refused, and nothing new is made for an object"
        " that was there before. Example: Audit.",
    )
    rules: tuple[PolicyRule, ...] = Field(
        min_length=1, max_length=MOST_RULES, description="Rules of the policy.", json_schema_extra={"x-list-map-keys": ["name"]}
    )


class GovernancePolicySpec(DomainPolicySpec):
    """Rules for all Domains, or for those that targets.domains selects."""

    targets: PolicyTargets = Field(default=PolicyTargets(), description="Objects to which the rules apply.")


class PolicyViolation(Model):
    """An object that breaks a rule."""

    kind: str = Field(max_length=63, description="Kind of the object. Example: DataProduct.")
    namespace: str | None = Field(default=None, max_length=63, description="Namespace of the object. Example: sales.")
    name: str = Field(max_length=253, description="Name of the object. Example: orders.")
    rule: str = Field(max_length=63, description="Name of the rule. Example: has-purpose.")
    severity: str = Field(max_length=16, description="Severity of the violation. Example: medium.")
    since: str | None = Field(
        default=None, max_length=64, description="Time when the violation was first seen, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )


class PolicyStatus(Status):
    """What came of the rules."""

    evaluated: int = Field(default=0, ge=0, description="Number of objects to which the rules apply. Example: 41.")
    violations: int = Field(default=0, ge=0, description="Number of violations without a waiver. Example: 3.")
    waived: int = Field(default=0, ge=0, description="Number of violations with a waiver. Example: 1.")
    top: tuple[PolicyViolation, ...] = Field(
        default=(), max_length=20, description="The most severe violations, the oldest of them first; at most 20."
    )


class GovernancePolicy(Resource):
    """Rules for every Domain, or for selected ones."""

    spec: GovernancePolicySpec
    status: PolicyStatus = PolicyStatus()
    RULES: ClassVar[tuple[Rule, ...]] = ()


class DomainPolicy(Resource):
    """Further rules of one Domain, in its home namespace."""

    spec: DomainPolicySpec
    status: PolicyStatus = PolicyStatus()
    RULES: ClassVar[tuple[Rule, ...]] = ()
