"""Policies in the running mesh, on the fakes: violations as data, waivers with an end, and what a Deny leaves alone."""

import json
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.errors import Transient
from clouddatamesh.governance.gate.rendering import BINDING, Scene, name_of, render
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.reconcile.judging import MOST_POLICIES
from clouddatamesh.reconcile.review import review_of
from tests.reconcile.test_access import ready as request_ready
from tests.reconcile.test_access import two_domains, users
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store, a_waiver, annotated
from tests.support.mesh import Mesh

POLICY = "GovernancePolicy/ownership"
OPERATOR = "system:serviceaccount:clouddatamesh-system:clouddatamesh"
SHORT = {"purpose": "no"}
BOUND = 65_536
"""Bytes of a status."""
LOUD = [a_rule(name="classified", expression="object.spec.classification != 'internal'", severity="high")]


def sales(*more: dict[str, Any]) -> Mesh:
    return Mesh().apply(a_store(), a_domain("sales"), *more).settle()


def compliance(mesh: Mesh, name: str = "orders") -> dict[str, Any]:
    return dict(mesh.product(name)["status"].get("compliance") or {})


def broken(mesh: Mesh, name: str = "orders") -> list[tuple[str, str]]:
    return [(one["policy"], one["rule"]) for one in compliance(mesh, name).get("violations", ())]


def compliant(mesh: Mesh, name: str = "orders") -> str:
    return str(mesh.condition("DataProduct", name, "sales", "PoliciesCompliant").get("status", ""))


def policy_status(mesh: Mesh, name: str = "ownership") -> dict[str, Any]:
    return dict(mesh.get("GovernancePolicy", name)["status"])


def test_without_policies_nothing_is_said_of_them() -> None:
    mesh = sales(a_product())
    assert "compliance" not in mesh.product()["status"]
    assert compliant(mesh) == ""


def test_a_product_that_keeps_every_rule_says_so() -> None:
    mesh = sales(a_policy(), a_product())
    assert compliant(mesh) == "True"
    assert compliance(mesh) == {}
    assert {name: policy_status(mesh)[name] for name in ("evaluated", "violations", "waived", "top")} == {
        "evaluated": 1,
        "violations": 0,
        "waived": 0,
        "top": [],
    }


def test_a_violation_is_told_on_the_product_on_the_policy_and_on_the_domain_and_stops_nothing() -> None:
    mesh = sales(a_policy(rules=[a_rule(remediation="Fill it", severity="high")]), a_product(description=SHORT))
    assert compliance(mesh) == {
        "violationCount": 1,
        "waivedCount": 0,
        "denied": False,
        "violations": [
            {
                "policy": POLICY,
                "rule": "has-purpose",
                "enforcement": "Audit",
                "severity": "high",
                "message": "Rule has-purpose is kept",
                "remediation": "Fill it",
                "since": "2026-01-01T00:00:00Z",
            }
        ],
        "policies": [{"policy": POLICY, "violationCount": 1, "waivedCount": 0}],
    }
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
    assert compliant(mesh) == "False"
    told = {"kind": "DataProduct", "namespace": "sales", "name": "orders"}
    assert policy_status(mesh)["top"] == [{**told, "rule": "has-purpose", "severity": "high", "since": "2026-01-01T00:00:00Z"}]
    assert policy_status(mesh)["violations"] == 1
    assert mesh.get("Domain", "sales")["status"]["policyViolations"] == 1


def test_the_operator_reads_the_texts_that_its_cache_does_not_keep() -> None:
    mesh = sales(a_policy(rules=[a_rule(expression="object.spec.owner.email.endsWith('@example.com')")]), a_product())
    assert broken(mesh) == []


def test_a_value_that_is_absent_is_a_violation_that_says_why() -> None:
    mesh = sales(a_policy(rules=[a_rule(expression="object.spec.support.size() > 0")]), a_product())
    assert "could not be evaluated" in compliance(mesh)["violations"][0]["message"]


def test_what_is_corrected_is_compliant_again_and_since_goes_on_while_it_is_not() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT))
    mesh.clock.forward(hours=1)
    mesh.settle()
    assert compliance(mesh)["violations"][0]["since"] == "2026-01-01T00:00:00Z"
    mesh.apply(a_product()).settle()
    assert broken(mesh) == []
    assert compliant(mesh) == "True"
    assert policy_status(mesh)["violations"] == 0


def test_a_policy_that_goes_takes_its_violations_with_it() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT))
    mesh.delete("GovernancePolicy", "ownership").settle()
    assert broken(mesh) == []
    assert compliant(mesh) == ""


@pytest.mark.parametrize(
    ("spec", "applies"),
    [
        ({"targets": {"kinds": ["Domain"]}}, False),
        ({"targets": {"lifecycle": ["active"]}}, True),
        ({"targets": {"lifecycle": ["draft"]}}, False),
        ({"targets": {"domains": {"matchLabels": {"tier": "gold"}}}}, True),
        ({"targets": {"domains": {"matchLabels": {"tier": "lead"}}}}, False),
    ],
)
def test_targets_say_what_a_policy_is_for(spec: dict[str, Any], *, applies: bool) -> None:
    domain = a_domain("sales")
    domain["metadata"]["labels"] = {"tier": "gold"}
    mesh = Mesh().apply(a_store(), domain, a_policy(**spec), a_product(description=SHORT)).settle()
    assert broken(mesh) == ([(POLICY, "has-purpose")] if applies else [])
    assert (policy_status(mesh)["evaluated"] > 0) == (applies or "Domain" in str(spec))


def test_children_of_a_selected_domain_are_selected_too() -> None:
    parent = a_domain("commerce")
    parent["metadata"]["labels"] = {"tier": "gold"}
    policy = a_policy(targets={"domains": {"matchLabels": {"tier": "gold"}}})
    mesh = Mesh().apply(a_store(), parent, a_domain("sales", parentRef={"name": "commerce"}), policy).settle()
    mesh.apply(a_product(description=SHORT)).settle()
    assert broken(mesh) == [(POLICY, "has-purpose")]


def test_a_domains_own_policy_counts_in_its_home_namespace_and_in_domains_below_it() -> None:
    mesh = Mesh().apply(a_store(), a_domain("commerce"), a_domain("sales", parentRef={"name": "commerce"})).settle()
    mesh.apply(a_policy(namespace="commerce"), a_product(description=SHORT)).settle()
    assert broken(mesh) == [("DomainPolicy/commerce/ownership", "has-purpose")]


def test_a_policy_outside_a_home_namespace_counts_for_nothing_and_says_so() -> None:
    mesh = sales(a_domain("inventory", namespaces=[{"name": "inventory"}, {"name": "depot"}]), a_policy(namespace="depot"))
    mesh.apply(a_product("forecast", "depot", description=SHORT)).settle()
    ready = mesh.condition("DomainPolicy", "ownership", "depot")
    assert (ready["status"], ready["reason"]) == ("False", "OutsideHome")
    assert "compliance" not in mesh.product("forecast", "depot")["status"]


@pytest.mark.parametrize(
    "own",
    [
        {"enforcement": "Audit"},
        {"enforcement": "Deny", "rules": [a_rule(severity="low")]},
        {"enforcement": "Deny", "targets": {"kinds": ["AccessGrant"]}},
        {"enforcement": "Deny", "targets": {"lifecycle": ["active"]}},
        {"enforcement": "Deny", "rules": [a_rule("other", "!(size(object.spec.description.purpose) >= params.minPurpose)")]},
    ],
    ids=["enforced less", "less severe", "other kinds", "fewer stages", "the opposite"],
)
def test_a_domains_policy_that_loosens_or_contradicts_is_ignored_and_names_both(own: dict[str, Any]) -> None:
    mesh = sales(a_policy("above", enforcement="Warn"), a_policy("own", "sales", **own), a_product(description=SHORT))
    conflicting = mesh.condition("DomainPolicy", "own", "sales", "Conflicting")
    assert conflicting["status"] == "True"
    assert "DomainPolicy/sales/own" in conflicting["message"]
    assert "GovernancePolicy/above" in conflicting["message"]
    assert broken(mesh) == [("GovernancePolicy/above", "has-purpose")]


def test_a_domains_policy_may_tighten() -> None:
    mesh = sales(a_policy("above"), a_policy("own", "sales", enforcement="Deny", params={"minPurpose": 40}), a_product())
    assert broken(mesh) == [("DomainPolicy/sales/own", "has-purpose")]


@pytest.mark.parametrize("expression", ["object.spec.", "nobody.knows == 1", "1 + 1", "size(object.spec.name"])
def test_a_rule_that_does_not_compile_stops_its_policy_as_a_whole_with_its_position(expression: str) -> None:
    mesh = sales(a_policy(rules=[a_rule(), a_rule("bad", expression)]), a_product(description=SHORT))
    ready = mesh.condition("GovernancePolicy", "ownership")
    assert (ready["status"], ready["reason"]) == ("False", "InvalidRule")
    assert "Rule bad is no valid CEL" in ready["message"]
    assert broken(mesh) == []


def test_a_waiver_excepts_one_object_from_one_rule_until_its_end() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT), a_product("returns", description=SHORT), a_waiver())
    assert compliant(mesh) == "True"
    assert compliance(mesh)["violations"][0]["waiver"] == "orders-purpose"
    assert compliant(mesh, "returns") == "False"
    assert (policy_status(mesh)["violations"], policy_status(mesh)["waived"]) == (1, 1)
    mesh.clock.forward(days=31)
    mesh.settle()
    assert compliant(mesh) == "False"
    assert mesh.condition("PolicyWaiver", "orders-purpose")["reason"] == "WaiverExpired"


def test_the_end_of_a_waiver_is_when_the_object_is_due() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT), a_waiver(validUntil="2026-01-01T00:01:00Z"))
    after = reconcile(review_of(Key("DataProduct", "sales", "orders")), mesh.ports).after
    assert after is not None
    assert after <= 60
    assert (mesh.last[Key("DataProduct", "sales", "orders")].after or 999) <= 60


def test_a_clock_that_is_not_trusted_ends_no_waiver() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT), a_waiver())
    mesh.clock.trusted = False
    mesh.clock.forward(days=31)
    mesh.settle()
    assert compliant(mesh) == "True"


def test_a_clock_that_is_not_trusted_brings_no_waiver_back_that_has_ended() -> None:
    mesh = sales(a_policy(enforcement="Deny"), a_product(description=SHORT), a_waiver(validUntil="2025-12-31T00:00:00Z"))
    mesh.clock.trusted = False
    mesh.settle()
    assert reconcile(review_of(Key("DataProduct", "sales", "orders")), mesh.ports).after is None
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert mesh.condition("PolicyWaiver", "orders-purpose")["reason"] == "WaiverExpired"


def test_a_waiver_whose_end_was_moved_counts_again_whatever_the_clock_says() -> None:
    mesh = sales(a_policy(enforcement="Deny"), a_product(description=SHORT), a_waiver(validUntil="2025-12-31T00:00:00Z"))
    mesh.clock.trusted = False
    mesh.apply(a_waiver(validUntil="2026-03-01T00:00:00Z")).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_no_policy_keeps_anybody_from_denying_access() -> None:
    rules = [a_rule("never", "false")]
    mesh = two_domains().apply(a_policy(enforcement="Deny", rules=rules, targets={"kinds": ["AccessGrant"]}))
    mesh.apply(a_request(), a_grant(decision="Deny")).settle()
    grant = mesh.get("AccessGrant", a_grant()["metadata"]["name"], "sales")
    assert "compliance" not in grant["status"]


def test_a_waiver_of_a_rule_that_is_none_says_so() -> None:
    mesh = sales(a_policy(), a_waiver(rule="has-owner"))
    told = mesh.condition("PolicyWaiver", "orders-purpose")
    assert told["reason"] == "PolicyNotFound"
    assert told["message"].startswith("GovernancePolicy/ownership has no rule has-owner; its rules: has-purpose")


def test_a_waiver_of_an_object_that_is_none_says_so_and_is_in_force_when_it_comes() -> None:
    mesh = sales(
        a_policy(), a_product(description=SHORT), a_waiver(objectRef={"kind": "DataProduct", "namespace": "sales", "name": "ordres"})
    )
    told = mesh.condition("PolicyWaiver", "orders-purpose")
    assert (told["status"], "there is no DataProduct sales/ordres" in told["message"]) == ("True", True)
    assert compliant(mesh) == "False"
    mesh.apply(a_product("ordres", description=SHORT)).settle()
    assert mesh.condition("DataProduct", "ordres", "sales", "PoliciesCompliant")["status"] == "True"


def test_a_denied_product_gets_nothing_and_names_every_violation() -> None:
    mesh = sales(a_policy(enforcement="Deny", rules=[a_rule(), *LOUD]), a_product(description=SHORT))
    ready = mesh.condition("DataProduct", "orders", "sales")
    assert (ready["status"], ready["reason"]) == ("False", "PolicyViolation")
    assert "Rule has-purpose is kept" in ready["message"]
    assert "Rule classified is kept" in ready["message"]
    assert mesh.condition("DataProduct", "orders", "sales", "Stalled")["status"] == "True"
    assert "storage" not in mesh.product()["status"]
    mesh.apply(a_product(classification="public")).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_policy_that_denies_leaves_alone_what_was_there_before_it() -> None:
    mesh = two_domains().apply(a_request(), a_grant()).settle()
    before = users(mesh)
    mesh.apply(a_policy(enforcement="Deny", rules=LOUD)).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert users(mesh) == before
    assert request_ready(mesh)[0] == "True"
    assert mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer"))
    mesh.apply(
        a_request("orders-again", secretName="again"), a_grant("again", requestRef={"namespace": "inventory", "name": "orders-again"})
    )
    mesh.settle()
    assert mesh.condition("AccessRequest", "orders-again", "inventory")["reason"] == "NoNewGrants"
    mesh.delete("GovernancePolicy", "ownership").settle()
    assert mesh.condition("AccessRequest", "orders-again", "inventory")["reason"] == "Granted"


def test_a_denied_request_gets_no_access_and_keeps_what_it_has() -> None:
    policy = a_policy(enforcement="Deny", targets={"kinds": ["AccessRequest"]}, rules=[a_rule("why", "size(object.spec.purpose) > 100")])
    mesh = two_domains().apply(policy, a_request(), a_grant()).settle()
    assert request_ready(mesh) == ("False", "PolicyViolation")
    assert users(mesh) == []
    mesh.delete("GovernancePolicy", "ownership").settle()
    assert request_ready(mesh) == ("True", "Granted")
    mesh.apply(policy).settle()
    assert request_ready(mesh)[1] == "PolicyViolation"
    assert len(users(mesh)) == 1


def test_a_grant_is_judged_before_it_gives_also_where_nobody_refused_it_at_the_gate() -> None:
    policy = a_policy(enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[a_rule("note", "has(object.spec.note)")])
    mesh = two_domains().apply(policy, a_request(), a_grant()).settle()
    assert users(mesh) == []
    assert mesh.condition("AccessGrant", "inventory-forecast", "sales")["reason"] == "PolicyViolation"
    mesh.apply(a_grant(note="agreed")).settle()
    assert len(users(mesh)) == 1
    mesh.apply(a_grant()).settle()
    assert len(users(mesh)) == 1


def test_the_answer_of_an_auto_port_is_judged_before_it_is_made() -> None:
    rule = a_rule("short", "timestamp(object.spec.validUntil) < timestamp('2026-02-01T00:00:00Z')")
    policy = a_policy(enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[rule])
    mesh = two_domains(approval="Auto").apply(policy, a_request()).settle()
    assert request_ready(mesh) == ("False", "PolicyViolation")
    assert mesh.cluster.keys("AccessGrant") == ()
    mesh.apply(a_request("quick", duration="1d", secretName="quick")).settle()
    assert mesh.condition("AccessRequest", "quick", "inventory")["reason"] == "Granted"


def test_a_domain_that_is_denied_takes_no_new_products() -> None:
    policy = a_policy(enforcement="Deny", targets={"kinds": ["Domain"]}, rules=[a_rule("typed", "has(object.spec.type)")])
    mesh = sales(a_product("before")).apply(policy).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    mesh.apply(a_product()).settle()
    assert "storage" not in mesh.product()["status"]
    assert "Domain sales violates a policy that denies" in mesh.condition("DataProduct", "orders", "sales")["message"]
    assert mesh.condition("DataProduct", "before", "sales")["status"] == "True"


def test_rules_on_the_bucket_are_judged_on_what_was_read() -> None:
    expression = (
        "live.bucket.publicAccessBlocked && live.bucket.tlsOnly && live.bucket.encryption != '' && live.bucket.versioning == 'Enabled'"
    )
    mesh = sales(a_policy(rules=[a_rule("safe", expression)]), a_product())
    assert broken(mesh) == []
    mesh.apply(a_product(storage={"versioning": "Suspended"})).settle()
    assert broken(mesh) == [(POLICY, "safe")]


@pytest.mark.parametrize("expression", ["live.bucket.publicAccessBlocked", "live.region == 'eu-central-1'", "live.bucket.tlsOnly"])
def test_a_deny_on_the_bucket_keeps_no_bucket_from_being_made(expression: str) -> None:
    mesh = sales(a_policy(enforcement="Deny", rules=[a_rule("safe", expression)]), a_product())
    assert mesh.product()["status"]["storage"]["bucket"]


def test_a_rule_on_age_is_asked_of_a_product_without_a_bucket() -> None:
    mesh = sales(a_policy(enforcement="Deny", rules=[a_rule("aged", "live.ageDays > 1")]), a_product())
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"


def test_what_cannot_be_read_now_stays_as_it_was() -> None:
    mesh = sales(a_policy(rules=[a_rule("suspended", "live.bucket.versioning == 'Suspended'")]), a_product())
    assert broken(mesh) == [(POLICY, "suspended")]
    mesh.memory.forget(Key("DataProduct", "sales", "orders"))
    reconcile(review_of(Key("DataProduct", "sales", "orders")), mesh.ports)
    assert broken(mesh) == [(POLICY, "suspended")]


def test_nothing_is_written_where_verdicts_stay_the_same() -> None:
    mesh = sales(a_policy(), a_product(description=SHORT), a_waiver())
    wrote = mesh.writes_of(lambda it: it.apply(a_policy(params={"minPurpose": 11}, description="said otherwise")))
    assert [write for write in wrote if "DataProduct" in write] == []
    mesh.clock.forward(minutes=5)
    assert mesh.writes_of(lambda it: it) == []


def test_of_violations_that_do_not_fit_all_are_counted() -> None:
    rules = [a_rule(f"r{number}", "false", message="m" * 1024, remediation="r" * 1024) for number in range(64)]
    mesh = sales(
        a_policy("one", rules=rules),
        a_policy("two", rules=rules),
        a_product(),
        a_waiver(policyRef={"kind": "GovernancePolicy", "name": "two"}, rule="r7"),
    )
    assert (compliance(mesh)["violationCount"], compliance(mesh)["waivedCount"]) == (127, 1)
    assert len(json.dumps(mesh.product()["status"])) < BOUND
    assert [[policy_status(mesh, name)[what] for what in ("violations", "waived")] for name in ("one", "two")] == [[64, 0], [63, 1]]
    assert mesh.get("Domain", "sales")["status"]["policyViolations"] == 127


def test_ten_thousand_violations_of_one_product_are_counted_and_fit_into_its_status() -> None:
    rules = [a_rule(f"r{number}", "false", message="m" * 1024, remediation="r" * 1024) for number in range(64)]
    names = [f"policy-{number}" for number in range(160)]
    mesh = sales(*(a_policy(name, rules=rules) for name in names), a_product())
    assert compliance(mesh)["violationCount"] == 10_240
    assert len(json.dumps(mesh.product()["status"])) < BOUND
    assert {policy_status(mesh, name)["violations"] for name in names} == {64}
    assert mesh.get("Domain", "sales")["status"]["policyViolations"] == 10_240


def test_ten_thousand_violations_of_many_products_are_counted_and_fit() -> None:
    rules = [a_rule(f"r{number}", "false", message="m" * 1024) for number in range(64)]
    mesh = sales(a_policy(rules=rules), *(a_product(f"p-{number}") for number in range(160)))
    assert (policy_status(mesh)["evaluated"], policy_status(mesh)["violations"]) == (160, 10_240)
    assert len(json.dumps(policy_status(mesh))) < BOUND
    assert mesh.get("Domain", "sales")["status"]["policyViolations"] == 10_240


def test_what_stops_something_is_listed_before_what_is_only_severe() -> None:
    rules = [a_rule(f"r{number}", "false", severity="high") for number in range(64)]
    mesh = sales(
        a_policy("audit", rules=rules), a_policy("deny", enforcement="Deny", rules=[a_rule("last", "false", severity="low")]), a_product()
    )
    assert broken(mesh)[0] == ("GovernancePolicy/deny", "last")


def at_gate(mesh: Mesh) -> tuple[str, str]:
    found = mesh.condition("GovernancePolicy", "ownership", type_="GateInstalled")
    return found.get("status", ""), found.get("reason", "")


def rendered(mesh: Mesh) -> tuple[Any, Any]:
    """What the gate program would apply."""
    policies = (mesh.get("GovernancePolicy", "ownership"),)
    (pair,) = render(Scene(policies, (), mesh.cluster.list("Domain")), now=mesh.clock.now(), operator=OPERATOR).pairs
    return pair.manifests


def rendered_of(name: str) -> list[tuple[str, str]]:
    """Kinds and names of what is applied for a policy."""
    return [(kind, name_of(Key("GovernancePolicy", "", name))) for kind in (BINDING, "ValidatingAdmissionPolicy")]


def test_a_policy_says_whether_its_rules_are_judged_at_admission() -> None:
    mesh = sales(a_policy(enforcement="Warn"))
    assert at_gate(mesh) == ("False", "NotInstalled")
    policy, binding = rendered(mesh)
    mesh.apply(policy, binding).settle()
    assert at_gate(mesh) == ("True", "Installed")
    mesh.apply({**policy, "spec": {**policy["spec"], "validations": []}}).settle()
    assert at_gate(mesh) == ("False", "Differs")


def test_what_is_new_to_the_gate_is_looked_at_again_soon_and_once() -> None:
    mesh, key = sales(a_product()), Key("GovernancePolicy", "", "ownership")
    mesh.apply(a_policy(enforcement="Deny"))
    assert (reconcile(key, mesh.ports).after or 99) <= 5
    assert (reconcile(key, mesh.ports).after or 99) > 30


def test_a_policy_that_only_reports_says_nothing_of_admission() -> None:
    assert at_gate(sales(a_policy())) == ("", "")


MADE_BY: Final = {"the gate program": {"app.kubernetes.io/managed-by": "clouddatamesh-gate"}, "a repository": {}}


@pytest.mark.parametrize("by", MADE_BY)
@pytest.mark.parametrize("after", ["Audit", "faulty", "nothing for admission"])
def test_a_policy_says_that_what_was_applied_for_it_goes_on_to_deny(after: str, by: str) -> None:
    mesh = sales(a_policy(enforcement="Deny"))
    for one in rendered(mesh):
        mesh.apply({**one, "metadata": {**one["metadata"], "labels": {**one["metadata"]["labels"], **MADE_BY[by]}}})
    if after == "nothing for admission":
        mesh.apply(a_policy(enforcement="Deny", rules=[a_rule("lives", "live.ageDays >= 0")])).settle()
    elif after == "Audit":
        mesh.apply(a_policy()).settle()
    else:
        mesh.apply(a_policy(enforcement="Deny", rules=[a_rule("typo", "has(object.spec.owner")])).settle()
        assert at_gate(mesh) == ("False", "NotRendered")
        return
    assert at_gate(mesh) == ("False", "LeftBehind")
    message = mesh.condition("GovernancePolicy", "ownership", type_="GateInstalled")["message"]
    assert ("removes it within a minute" in message) == (by == "the gate program")
    for one in rendered_of("ownership"):
        mesh.delete(*one)
    mesh.clock.forward(minutes=2)
    assert at_gate(mesh.settle()) in (("", ""), ("False", "NotAtGate"))


def test_a_policy_that_a_domain_leaves_out_says_so_and_one_that_it_counts_is_judged() -> None:
    """A parent's rule is left out in a child; what the child adds is compared with what counts there, by judging and by status alike."""
    gold = a_domain("sales", parentRef={"name": "commerce"})
    gold["metadata"]["labels"] = {"tier": "gold"}
    long = "size(object.spec.description.purpose) >= 2000"
    targets = {"kinds": ["DataProduct"], "domains": {"matchLabels": {"tier": "gold"}}}
    mesh = Mesh().apply(a_store(), a_domain("commerce"), gold).settle()
    mesh.apply(
        a_policy("above", enforcement="Deny", targets=targets, rules=[a_rule("r", f"{long} || true", severity="low")]),
        a_policy("parents", "commerce", rules=[a_rule("r", f"{long} || 1 == 1", severity="high")]),
        a_policy("own", "sales", enforcement="Deny", rules=[a_rule("r", long, severity="medium")]),
        a_product(),
    ).settle()
    assert mesh.condition("DomainPolicy", "own", "sales")["reason"] == "Ready"
    assert ("DomainPolicy/sales/own", "r") in broken(mesh)


def test_of_two_waivers_the_one_that_lasts_longer_is_told() -> None:
    mesh = sales(a_policy(rules=[a_rule("held", "false")]), a_product())
    for name, until in (("a", "2026-02-01T00:00:00Z"), ("b", "2026-03-01T01:00:00+01:00"), ("c", "2026-02-15T00:00:00Z")):
        mesh.apply(a_waiver(name, rule="held", validUntil=until))
    mesh.settle()
    (violation,) = mesh.product()["status"]["compliance"]["violations"]
    assert (violation["waiver"], violation["waivedUntil"]) == ("b", "2026-03-01T01:00:00+01:00")


class Broken:
    """An engine in which anything goes wrong."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_a_fault_of_the_judge_keeps_no_access_from_ending_and_changes_no_verdict() -> None:
    mesh = two_domains().apply(a_policy(), a_request(), a_grant()).settle()
    mesh.apply(a_product(description=SHORT)).settle()
    before = broken(mesh)
    mesh.expressions = Broken()  # type: ignore[assignment]
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert users(mesh) == []
    assert broken(mesh) == before
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_what_was_never_judged_is_not_made_while_the_judge_is_broken_and_a_policy_denies() -> None:
    mesh = sales(a_policy(enforcement="Deny"))
    working, mesh.expressions = mesh.expressions, Broken()  # type: ignore[assignment]
    mesh.apply(a_product()).settle()
    assert "storage" not in mesh.product()["status"]
    mesh.expressions = working
    mesh.settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_spec_that_was_never_judged_gets_nothing_new_in_no_look_while_the_judge_is_broken() -> None:
    rule = a_rule("quiet", "!has(object.spec.producer)")
    plain = a_product()
    del plain["spec"]["producer"]
    mesh = sales(a_policy(enforcement="Deny", rules=[rule]), plain)
    working, mesh.expressions = mesh.expressions, Broken()  # type: ignore[assignment]
    mesh.apply(a_product()).settle()
    mesh.clock.forward(minutes=5)
    mesh.settle()
    assert mesh.cluster.raw(Key("Secret", "sales", "orders-producer")) is None
    mesh.expressions = working
    mesh.settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert mesh.cluster.raw(Key("Secret", "sales", "orders-producer")) is None


def test_of_very_many_violations_those_with_a_waiver_are_not_counted_as_violations() -> None:
    rules = [a_rule(f"r{number}", "false", message="m" * 1024, remediation="r" * 1024) for number in range(64)]
    waivers = [a_waiver(f"w{number}", rule=f"r{number}") for number in range(60)]
    mesh = sales(a_policy(rules=rules), a_product(), *waivers)
    assert (policy_status(mesh)["violations"], mesh.get("Domain", "sales")["status"]["policyViolations"]) == (4, 4)


def test_what_cannot_be_asked_is_told_in_the_same_words_as_before() -> None:
    mesh = sales(a_policy(rules=[a_rule("absent", "live.bucket.absent == 1")]), a_product())
    told = compliance(mesh)["violations"][0]["message"]
    mesh.memory.forget(Key("DataProduct", "sales", "orders"))
    reconcile(review_of(Key("DataProduct", "sales", "orders")), mesh.ports)
    assert "could not be evaluated" in told
    assert compliance(mesh)["violations"][0]["message"] == told


def test_after_a_restore_of_etcd_an_old_number_of_a_policy_is_another_rule() -> None:
    """The operator goes on, uid and generation are as they were, and the spec is another one."""
    lost, restored = (Mesh().apply(a_store(), a_domain("sales"), a_policy(rules=[rule]), a_product()) for rule in (a_rule(), LOUD[0]))
    lost.settle()
    restored.memory = lost.memory
    restored.settle()
    one, other = (mesh.get("GovernancePolicy", "ownership")["metadata"] for mesh in (lost, restored))
    assert (one["uid"], one["generation"]) == (other["uid"], other["generation"])
    assert (broken(lost), broken(restored)) == ([], [(POLICY, "classified")])


@pytest.mark.parametrize("obstacle", ["a Deny", "a store that serves others"])
def test_what_may_get_nothing_new_keeps_its_credentials_as_everything_else(obstacle: str) -> None:
    secret, product = Key("Secret", "sales", "orders-producer"), a_product(producer={"secretName": "orders-producer", "rotateAfter": "30d"})
    mesh = sales(product)
    first = mesh.cluster.secret_data(secret)["access-key-id"]
    others = a_store(allowedDomains={"matchLabels": {"team": "others"}})
    mesh.apply(a_policy(enforcement="Deny", rules=LOUD) if obstacle == "a Deny" else others).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] in ("PolicyViolation", "NotAllowed")

    def key(after: Mesh) -> str:
        assert after.condition("DataProduct", "orders", "sales", "CredentialsReady")["status"] == "True"
        return str(after.cluster.secret_data(secret)["access-key-id"])

    assert key(mesh.copy().delete("Secret", "orders-producer", "sales").settle()) != first
    assert key(mesh.copy().apply(annotated(product, rotate="leaked")).settle()) != first
    later = mesh.copy()
    later.clock.forward(days=31)
    assert key(later.settle()) != first
    assert key(mesh) == first
    mesh.stores.at("https://s3.test").users.clear()
    assert users(mesh.settle()) == [], "a user that went is new"


def test_a_stricter_policy_for_a_child_turns_no_other_rule_of_its_parent_off() -> None:
    child = a_domain("sales", parentRef={"name": "commerce"})
    child["metadata"]["labels"] = {"tier": "gold"}
    rules = [a_rule("has-purpose", "true", severity="low"), a_rule("public", "object.metadata.name == 'other'")]
    tier = {"domains": {"matchLabels": {"tier": "gold"}}}
    gold: dict[str, Any] = {"targets": tier, "rules": [a_rule("has-purpose", "true", severity="high")]}
    mesh = Mesh().apply(a_store(), a_domain("commerce"), child, a_policy("own", "commerce", enforcement="Deny", rules=rules))
    mesh.apply(a_policy("gold", enforcement="Deny", **gold)).settle().apply(a_product()).settle()
    assert broken(mesh) == [("DomainPolicy/commerce/own", "public")]
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert mesh.condition("DomainPolicy", "own", "commerce")["reason"] == "Ready"


class Unasked(DirectExpressions):
    """Rules that cannot be asked for a moment."""

    def judge(self, *_: Any) -> Any:
        raise Transient(reasons.INTERNAL, "The process that evaluates the rules of policies does not start")


def test_access_goes_on_with_its_key_where_a_grant_is_renamed_while_rules_cannot_be_asked() -> None:
    """Of access that does not run the same grant gives nothing meanwhile; a refusal of somebody ends what runs."""
    policy = a_policy(enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[a_rule("end", "has(object.spec.validUntil)")])
    key = Key("AccessRequest", "inventory", "orders-for-forecast")
    mesh = two_domains().apply(policy, a_request(), a_grant()).settle()
    before, expressions = mesh.get(*key_parts(key))["status"]["accessKeyId"], mesh.expressions
    mesh.expressions = Unasked()
    mesh.apply(a_grant("renamed")).delete("AccessGrant", "inventory-forecast", "sales")
    for _ in range(4):
        for found in (key, *mesh.cluster.keys("AccessGrant")):
            reconcile(found, mesh.ports)
    assert len(users(mesh)) == 1
    assert "could not be asked" in mesh.condition("AccessRequest", key.name, key.namespace)["message"]
    refused = mesh.copy()
    refused.expressions = mesh.expressions
    refused.apply(a_grant("refusal", decision="Deny"))
    reconcile(key, refused.ports)
    assert users(refused) == []
    mesh.expressions = expressions
    mesh.settle()
    assert mesh.get(*key_parts(key))["status"]["accessKeyId"] == before
    assert request_ready(mesh) == ("True", "Granted")


def test_what_is_held_while_rules_cannot_be_asked_ends_at_its_recorded_end() -> None:
    policy = a_policy(enforcement="Deny", targets={"kinds": ["AccessGrant"]}, rules=[a_rule("end", "has(object.spec.validUntil)")])
    mesh = two_domains().apply(policy, a_request(), a_grant(validUntil="2026-02-01T00:00:00Z")).settle()
    mesh.expressions = Unasked()
    mesh.apply(a_grant("renamed", validUntil="2099-01-01T00:00:00Z")).delete("AccessGrant", "inventory-forecast", "sales")
    mesh.clock.forward(days=60)
    reconcile(Key("AccessRequest", "inventory", "orders-for-forecast"), mesh.ports)
    assert users(mesh) == []


def key_parts(key: Key) -> tuple[str, str, str]:
    return key.kind, key.name, key.namespace


def test_a_policy_with_a_mistake_says_that_its_former_rules_stay_at_admission() -> None:
    mesh = sales(a_policy(enforcement="Deny"))
    policy, binding = rendered(mesh)
    mark = {"app.kubernetes.io/managed-by": "clouddatamesh-gate"}
    policy, binding = (
        {**one, "metadata": {**one["metadata"], "labels": {**one["metadata"]["labels"], **mark}}} for one in (policy, binding)
    )
    mesh.apply(policy, binding).settle()
    assert at_gate(mesh) == ("True", "Installed")
    mesh.apply(a_policy(enforcement="Warn", rules=[a_rule("typo", "has(object.spec.owner")])).settle()
    assert at_gate(mesh) == ("False", "NotRendered")
    assert "stay at admission" in mesh.condition("GovernancePolicy", "ownership")["message"]
    mesh.delete("ValidatingAdmissionPolicy", policy["metadata"]["name"]).settle()
    mesh.clock.forward(minutes=2)
    mesh.settle()
    assert at_gate(mesh) == ("", "")
    assert "none of the rules is applied" in mesh.condition("GovernancePolicy", "ownership")["message"]


def test_of_very_many_policies_of_a_team_those_that_come_first_count_and_hide_no_global_one() -> None:
    own = [a_policy(f"a{number:03}-{'x' * 200}", "sales", rules=[a_rule("never", "false", severity="critical")]) for number in range(120)]
    mesh = sales(*own, a_policy(rules=[a_rule("has-purpose", "false", severity="low")]), a_product())
    assert policy_status(mesh)["violations"] == 1
    counted = {one["policy"] for one in compliance(mesh)["policies"]}
    assert len(counted) == MOST_POLICIES + 1
    assert "more than 32" in mesh.condition("DomainPolicy", own[-1]["metadata"]["name"], "sales")["message"]
