"""`describe` and `why` of an object that breaks rules."""

from typing import Any

from tests.cli.conftest import Run
from tests.support.manifests import a_policy, a_product, a_rule, a_waiver
from tests.support.served import Served

SHORT: dict[str, Any] = {"purpose": "no"}
RULES = [a_rule(remediation="Fill spec.description.purpose.", severity="high")]


def test_describe_shows_what_is_broken_with_what_to_do(run: Run, served: Served) -> None:
    served.mesh.apply(a_policy(rules=RULES), a_product("orders", "sales", description=SHORT)).settle()
    said = run("describe", "orders", "-n", "sales")
    assert "Policies" in said
    assert "high, Audit: Rule has-purpose is kept (GovernancePolicy/ownership, rule has-purpose)" in said
    assert "Fill spec.description.purpose." in said
    served.mesh.apply(a_waiver()).settle()
    assert "waived until 2026-02-01T00:00:00Z by orders-purpose" in run("describe", "orders", "-n", "sales")


def test_a_domain_shows_its_own(run: Run, served: Served) -> None:
    served.mesh.apply(a_policy(targets={"kinds": ["Domain"]}, rules=[a_rule("never", "false")])).settle()
    assert "medium, Audit: Rule never is kept" in run("describe", "domain/sales")


def test_why_says_what_a_deny_refuses(run: Run, served: Served) -> None:
    served.mesh.apply(a_policy(enforcement="Deny", rules=RULES), a_product("late", "sales", description=SHORT)).settle()
    said = run("why", "late", "-n", "sales")
    assert "PolicyViolation" in said
    assert "Rule has-purpose is kept (GovernancePolicy/ownership, rule has-purpose)" in said
