"""Flows over which the laws are held where policies judge: rules and waivers that come, change and go, and what they judge."""

from typing import Any, Final

from tests.reconcile.access_flows import asked, granted, later, two_domains
from tests.reconcile.flows import Flow, ready
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store, a_waiver
from tests.support.mesh import Mesh

PUBLIC: Final = [a_rule("public", "object.spec.classification == 'public'", severity="high")]
SAFE: Final = [a_rule("safe", "live.bucket.versioning == 'Suspended'")]
NOTED: Final[dict[str, Any]] = {"targets": {"kinds": ["AccessGrant"]}, "rules": [a_rule("noted", "has(object.spec.note)")]}


def vague() -> dict[str, Any]:
    """A product that says too little of what it is for."""
    return a_product(description={"purpose": "no"})


def judged(mesh: Mesh, **policy: Any) -> Mesh:
    return mesh.apply(a_store(), a_domain(), a_policy(**policy), vague())


POLICY_FLOWS: Final = (
    Flow("a policy finds what was there before it", lambda m: ready(m).apply(vague()), lambda m: m.apply(a_policy())),
    Flow("a product that violates a policy is made", lambda m: m.apply(a_store(), a_domain(), a_policy()),
         lambda m: m.apply(vague())),
    Flow("a product that is denied is made", lambda m: m.apply(a_store(), a_domain(), a_policy(enforcement="Deny")),
         lambda m: m.apply(vague())),
    Flow("a denied product is corrected", lambda m: judged(m, enforcement="Deny"), lambda m: m.apply(a_product())),
    Flow("a policy that denies comes after access was given", granted, lambda m: m.apply(a_policy(enforcement="Deny", rules=PUBLIC))),
    Flow("a grant that is denied is made", lambda m: asked(m).apply(a_policy(enforcement="Deny", **NOTED)), lambda m: m.apply(a_grant())),
    Flow("an open port may not answer", lambda m: two_domains(m, approval="Auto").apply(
        a_policy(enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[a_rule("none", "false")])), lambda m: m.apply(a_request())),
    Flow("a rule on the bucket is broken", ready, lambda m: m.apply(a_policy(rules=SAFE))),
    Flow("a waiver comes", judged, lambda m: m.apply(a_waiver())),
    Flow("a waiver ends", lambda m: judged(m).apply(a_waiver()), later(days=40)),
    Flow("a policy goes", judged, lambda m: m.delete("GovernancePolicy", "ownership")),
    Flow("a domain's policy loosens", judged, lambda m: m.apply(a_policy("own", "sales", targets={"kinds": ["AccessGrant"]}))),
)  # fmt: skip
