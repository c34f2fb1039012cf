"""What the API server refuses of policies and waivers."""

from tests.e2e.cases import Refusal
from tests.support.manifests import a_policy, a_rule, a_waiver

POLICY_RULES = (
    Refusal(
        "a waiver of a domain's policy without its namespace",
        a_waiver(policyRef={"kind": "DomainPolicy", "name": "ownership"}),
        "A DomainPolicy is in a namespace and a GovernancePolicy is not; add policyRef.namespace, or remove it",
    ),
    Refusal(
        "a waiver of a global policy with a namespace",
        a_waiver(policyRef={"name": "ownership", "namespace": "sales"}),
        "A DomainPolicy is in a namespace and a GovernancePolicy is not",
    ),
    Refusal(
        "a waiver for a product without its namespace",
        a_waiver(objectRef={"name": "orders"}),
        "A Domain is in no namespace and the other kinds are; add objectRef.namespace, or remove it",
    ),
    Refusal(
        "a waiver for a domain in a namespace",
        a_waiver(objectRef={"kind": "Domain", "name": "sales", "namespace": "sales"}),
        "A Domain is in no namespace and the other kinds are",
    ),
    Refusal(
        "a waiver that becomes one for another rule",
        a_waiver(rule="has-owner"),
        "policyRef, rule and objectRef are immutable; to except something else, create another PolicyWaiver",
        after=a_waiver(),
    ),
)
POLICY_BOUNDS = (
    Refusal("a policy without a rule", a_policy(rules=[]), "spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items"),
    Refusal("two rules of one name", a_policy(rules=[a_rule(), a_rule()]), "Duplicate value"),
    Refusal(
        "a policy with 65 rules",
        a_policy(rules=[a_rule(f"r{number}") for number in range(65)]),
        "spec.rules: Too many: 65: must have at most 64 items",
    ),
    Refusal("a policy on what is no kind of the mesh", a_policy(targets={"kinds": ["Pod"]}), "spec.targets.kinds[0]: Unsupported value"),
    Refusal("an enforcement that is none", a_policy(enforcement="Forbid"), "spec.enforcement: Unsupported value"),
    Refusal("a rule without a message", a_policy(rules=[{"name": "a", "expression": "true"}]), "spec.rules[0].message: Required value"),
    Refusal("a waiver without an end", a_waiver(validUntil="soon"), "spec.validUntil"),
)
