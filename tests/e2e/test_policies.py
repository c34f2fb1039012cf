"""Policies on a real API server, with the operator as a process and rules evaluated in a process of its own; the bucket on RGW."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.actors import Actors
from tests.support.installation import RELEASE
from tests.support.manifests import a_domain, a_policy, a_product, a_request, a_rule, a_waiver

HOME = "ledgers"
TARGETS = {"kinds": ["DataProduct"], "domains": {"matchLabels": {"policies": "tried"}}}
SHORT = {"purpose": "no"}
AUTO_PORT = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"approval": "Auto"}}
SAFE = "live.bucket.versioning == 'Enabled' && size(live.bucket.name) > 3 && live.consumers == 0 && live.ageDays == 0"
GROWN = "object.metadata.name.replace('a', '" + "a" * 900 + "')" + f".replace('a', '{'a' * 900}')" * 3 + ".size() > 0"


@pytest.fixture(scope="module")
def ledgers(mesh: Actors) -> Iterator[Actors]:
    domain = a_domain(HOME)
    domain["metadata"]["labels"] = {"policies": "tried"}
    mesh.installed.apply(domain)
    mesh.installed.wait("domain", HOME)
    yield mesh
    mesh.installed.cluster.kubectl("delete", "accessrequests,dataproducts", "--all", "-n", HOME, "--wait=true", "--timeout=180s")
    mesh.installed.cluster.kubectl("delete", "domain", HOME, "--wait=true", "--timeout=60s")


@pytest.fixture(autouse=True)
def forgotten(ledgers: Actors) -> Iterator[None]:
    """No policy of a test is judged in the next one, also where the test failed."""
    yield
    ledgers.installed.cluster.kubectl("delete", "governancepolicies,policywaivers", "--all")
    ledgers.installed.cluster.kubectl("delete", "domainpolicies", "--all", "-n", HOME)


def policy(name: str, *rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return a_policy(name, **{"targets": TARGETS, "rules": list(rules), **spec})


def broken(mesh: Actors, name: str) -> list[str]:
    compliance = mesh.product(name, HOME).get("status", {}).get("compliance") or {}
    return [f"{one['policy']}/{one['rule']}" for one in compliance.get("violations", ()) if not one.get("waiver")]


def status(mesh: Actors, kind: str, name: str) -> dict[str, Any]:
    return dict(mesh.installed.get(kind, name).get("status") or {})


def test_a_violation_is_found_counted_waived_and_found_again_when_the_waiver_ends(ledgers: Actors) -> None:
    mesh = ledgers.installed
    ledgers.make("books", HOME, description=SHORT)
    mesh.apply(policy("purpose", a_rule(remediation="Fill spec.description.purpose")))
    mesh.until(lambda: broken(ledgers, "books") == ["GovernancePolicy/purpose/has-purpose"], seconds=20, what="the violation")
    mesh.wait("governancepolicy", "purpose")
    mesh.until(lambda: status(ledgers, "governancepolicy", "purpose").get("violations") == 1, seconds=90, what="the policy's count")
    mesh.until(lambda: status(ledgers, "domain", HOME).get("policyViolations") == 1, seconds=30, what="the Domain's count")
    until = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    excepted = {"kind": "DataProduct", "namespace": HOME, "name": "books"}
    mesh.apply(a_waiver(policyRef={"name": "purpose"}, objectRef=excepted, validUntil=until))
    mesh.until(lambda: broken(ledgers, "books") == [], seconds=10, what="the waiver")
    assert ledgers.condition("books", HOME, type_="PoliciesCompliant")["status"] == "True"
    mesh.until(lambda: broken(ledgers, "books") != [], seconds=90, what="the end of the waiver: within a minute after it")
    assert ledgers.condition("books", HOME)["status"] == "True", "Audit stops nothing"


def test_rules_on_the_bucket_see_what_was_read_of_it(ledgers: Actors) -> None:
    mesh = ledgers.installed
    ledgers.make("safe", HOME)
    mesh.apply(policy("storage", a_rule("versioned", SAFE)))
    mesh.until(lambda: status(ledgers, "governancepolicy", "storage").get("evaluated"), seconds=90, what="the count")
    assert broken(ledgers, "safe") == []
    mesh.apply(a_product("safe", HOME, storage={"versioning": "Suspended"}))
    mesh.until(lambda: broken(ledgers, "safe") == ["GovernancePolicy/storage/versioned"], seconds=30, what="the violation")


def test_a_policy_that_denies_keeps_what_is_new_from_being_made_and_leaves_the_rest_alone(ledgers: Actors) -> None:
    mesh = ledgers.installed
    made = ledgers.make("before", HOME)
    key = mesh.secret("before-producer", HOME)["access-key-id"]
    # It reads the Domain, so that nothing refuses it at admission.
    expression = "object.spec.classification == 'restricted' || domain.metadata.name == 'other'"
    rule = a_rule("classified", expression, message="Say that it is restricted")
    mesh.apply(policy("secrecy", rule, enforcement="Deny"))
    mesh.until(lambda: ledgers.condition("before", HOME).get("reason") == "PolicyViolation", seconds=30, what="the refusal")
    mesh.apply(a_product("after", HOME))
    mesh.until(lambda: ledgers.condition("after", HOME).get("reason") == "PolicyViolation", seconds=30, what="the refusal of a new one")
    assert "Say that it is restricted" in ledgers.condition("after", HOME)["message"]
    assert "storage" not in ledgers.product("after", HOME)["status"]
    assert ledgers.product("before", HOME)["status"]["storage"] == made["status"]["storage"]
    assert mesh.secret("before-producer", HOME)["access-key-id"] == key
    mesh.cluster.kubectl("delete", "governancepolicy", "secrecy")
    mesh.wait("dataproduct", "before", HOME)
    mesh.wait("dataproduct", "after", HOME)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("object.spec.", "Syntax error"),
        ("nobody.knows == 1", "undeclared reference"),
        (GROWN.replace("object.metadata.name", "'a'"), "takes more"),
    ],
    ids=["no CEL", "an unknown name", "a rule that costs too much"],
)
def test_a_rule_that_is_none_is_named_in_its_policys_status(ledgers: Actors, expression: str, why: str) -> None:
    mesh = ledgers.installed
    mesh.apply(policy("bad", a_rule(), a_rule("bad", expression)))
    mesh.until(lambda: why in json.dumps(status(ledgers, "governancepolicy", "bad")), seconds=30, what="the fault")
    (ready,) = (one for one in status(ledgers, "governancepolicy", "bad")["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InvalidRule")
    mesh.cluster.kubectl("delete", "governancepolicy", "bad")


def test_a_mistake_in_a_policy_that_denies_does_not_open_the_door(ledgers: Actors) -> None:
    mesh, asked = ledgers.installed, "object.spec.classification == 'restricted' || domain.metadata.name == 'other'"
    ledgers.make("running", HOME)
    mesh.apply(policy("door", a_rule("classified", asked), enforcement="Deny", targets={**TARGETS, "lifecycle": ["draft"]}))
    mesh.apply(a_product("refused", HOME, lifecycle="draft"))
    ledgers.ends("refused", HOME, reason="PolicyViolation")
    mesh.apply(policy("door", a_rule("classified", f"({asked}"), enforcement="Deny"))
    mesh.until(lambda: "stays refused" in json.dumps(status(ledgers, "governancepolicy", "door")), what="what the policy goes on to do")
    mesh.apply(a_product("unknown", HOME))
    assert "GovernancePolicy/door has the enforcement Deny and a fault" in ledgers.ends("unknown", HOME, reason="InvalidRule")["message"]
    ledgers.nudge("refused", HOME, token="again")
    assert ledgers.condition("refused", HOME)["reason"] == "PolicyViolation"
    assert not any("storage" in ledgers.product(name, HOME)["status"] for name in ("refused", "unknown"))
    ledgers.nudge("running", HOME, token="again")
    assert ledgers.condition("running", HOME)["status"] == "True"
    mesh.cluster.kubectl("delete", "governancepolicy", "door")
    for name in ("refused", "unknown"):
        mesh.wait("dataproduct", name, HOME)


def test_an_object_on_which_a_rule_costs_too_much_violates_it_and_ends_it_for_nobody_else(ledgers: Actors) -> None:
    mesh = ledgers.installed
    mesh.apply(policy("costly", a_rule("costly", GROWN)))
    ledgers.make("aa", HOME)
    ledgers.make("plain-b", HOME, displayName="b")
    mesh.until(lambda: "GovernancePolicy/costly/costly" in broken(ledgers, "aa"), seconds=60, what="the violation")
    assert mesh.is_ready()
    mesh.cluster.kubectl("delete", "governancepolicy", "costly")


def test_an_auto_port_gives_nothing_that_a_rule_on_grants_denies(ledgers: Actors) -> None:
    """The operator makes the answer itself, and admission does not judge the operator."""
    mesh = ledgers.installed
    ledgers.make("offered", HOME, outputPorts=[AUTO_PORT])
    ledgers.make("reading", HOME, outputPorts=[])
    rule = a_rule("writers", "object.spec.mode != 'ReadOnly'", message="Nobody reads this")
    mesh.apply(policy("grants", rule, enforcement="Deny", targets={**TARGETS, "kinds": ["AccessGrant"]}))
    mesh.wait("governancepolicy", "grants")
    offered, reading = {"namespace": HOME, "name": "offered"}, {"dataProductRef": {"name": "reading"}}
    mesh.apply(a_request("offer", HOME, dataProductRef=offered, consumer=reading, secretName="offer"))
    mesh.until(lambda: "PolicyViolation" in json.dumps(mesh.get("accessrequest", "offer", HOME)["status"]), what="the refusal")
    assert json.loads(mesh.cluster.kubectl("get", "accessgrants", "-n", HOME, "-o", "json"))["items"] == []
    assert not mesh.get("secret", "offer", HOME)
    mesh.cluster.kubectl("delete", "governancepolicy", "grants")
    mesh.wait("accessrequest", "offer", HOME)
    mesh.cluster.kubectl("delete", "accessrequest", "offer", "-n", HOME)


def test_a_policy_that_nobody_can_read_hides_no_other_object(ledgers: Actors) -> None:
    """Python reads JSON some hundred levels deep, the API server ten thousand; an owner may write a DomainPolicy."""
    mesh = ledgers.installed
    deep = json.dumps(a_policy("deep", HOME, params={"a": "DEEP"})).replace('"DEEP"', "[" * 3000 + "]" * 3000)
    mesh.cluster.kubectl("create", "--validate=false", "-f", "-", stdin=deep)

    def said() -> str:
        told = "jsonpath={.status.conditions[*].message}"
        return mesh.cluster.kubectl("get", "domainpolicy", "deep", "-n", HOME, "-o", told)

    mesh.until(lambda: "16 levels deep" in said(), what="the sentence that says what is wrong")
    ledgers.make("meanwhile", HOME)
    (killed,) = mesh.kubelet.pods(RELEASE)
    former = killed.restarts
    mesh.kill()
    mesh.until(lambda: killed.restarts > former and mesh.is_ready(), seconds=90, what="a ready operator after a restart")
    mesh.apply(a_product("after-restart", HOME))
    mesh.wait("dataproduct", "after-restart", HOME, seconds=60)
    mesh.until(lambda: all(pod.is_ready for pod in mesh.kubelet.pods("clouddatamesh-gate")), what="a ready gate program")
    mesh.cluster.kubectl("delete", "domainpolicy", "deep", "-n", HOME)
