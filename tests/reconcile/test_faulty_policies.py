"""A mistake in a Deny does not open the door: what it refused stays refused, what runs goes on, and of all else it is not known."""

from typing import Any, Final

import pytest

from clouddatamesh.governance.policies import build_unreadable
from clouddatamesh.model.judging import JUDGED
from tests.reconcile.test_access import effect, two_domains, users
from tests.reconcile.test_access import ready as request_ready
from tests.reconcile.test_denied_edits import ENGINEERS, EXPIRING, bucket
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store, a_waiver
from tests.support.mesh import Mesh

NOTED: Final = "domain.metadata.name == '' || has(object.spec.note) && object.spec.note == 'agreed'"
LASTING: Final = "!has(object.spec.storage.lifecycleRules) || object.spec.storage.lifecycleRules.all(one, one.expireAfter != '1d')"
KNOWN: Final = "!has(object.spec.access.engineers) || object.spec.access.engineers.all(one, one.name != 'everybody')"


def deny(kind: str, rule: str, **spec: Any) -> dict[str, Any]:
    return a_policy("no", **{"enforcement": "Deny", "targets": {"kinds": [kind]}, "rules": [a_rule("held", rule)], **spec})


def with_a_bracket_too_few(policy: dict[str, Any]) -> dict[str, Any]:
    spec = policy["spec"]
    return {**policy, "spec": {**spec, "rules": [{**rule, "expression": f"({rule['expression']}"} for rule in spec["rules"]]}}


def with_long_params(policy: dict[str, Any]) -> dict[str, Any]:
    """The API server takes them where the schema's own cost bound does not tell."""
    return {**policy, "spec": {**policy["spec"], "params": {"list": ["x" * 20] * 600}}}


def with_an_unknown_enforcement(policy: dict[str, Any]) -> dict[str, Any]:
    """Of a later version, after a rollback."""
    return {**policy, "spec": {**policy["spec"], "enforcement": "Quarantine"}}


MISTAKES: Final = (with_a_bracket_too_few, with_long_params, with_an_unknown_enforcement)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_grant_that_was_refused_gives_nothing(mistake: Any) -> None:
    policy = deny("AccessGrant", NOTED)
    mesh = two_domains().apply(policy, a_request(), a_grant()).settle()
    for edit in (mistake(policy), policy):
        mesh.apply(edit).settle()
        mesh.clock.forward(minutes=30)
        assert not users(mesh.settle())
        assert request_ready(mesh) == ("False", "PolicyViolation")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_data_expires_by_an_edit_that_was_refused(mistake: Any) -> None:
    policy = deny("DataProduct", LASTING)
    mesh = two_domains().apply(policy).settle()
    mesh.apply(a_product(storage=EXPIRING, outputPorts=mesh.product()["spec"]["outputPorts"])).settle()
    before = bucket(mesh).lifecycle
    mesh.apply(mistake(policy)).settle()
    mesh.clock.forward(minutes=30)
    assert bucket(mesh.settle()).lifecycle == before
    assert mesh.product()["status"]["compliance"]["denied"] is True


@pytest.mark.parametrize("mistake", MISTAKES)
def test_nobody_gets_rights_by_a_domain_that_was_refused(mistake: Any) -> None:
    policy = deny("Domain", KNOWN)
    mesh = Mesh().apply(a_store(), policy, a_domain("sales")).settle()
    mesh.apply(a_domain("sales", access={"engineers": [{"kind": "Group", "name": "everybody"}]})).settle()
    mesh.apply(mistake(policy)).settle()
    mesh.clock.forward(minutes=30)
    assert not mesh.settle().cluster.raw(ENGINEERS)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("first", [True, False], ids=["from the first", "after it was in force"])
def test_what_is_new_waits_until_the_policy_is_corrected_or_deleted_and_says_for_which(mistake: Any, first: bool) -> None:
    policy = deny("DataProduct", LASTING)
    mesh = two_domains().apply(*([] if first else [policy])).settle()
    mesh.apply(mistake(policy)).settle()
    mesh.apply(a_product("later")).settle()
    mesh.clock.forward(minutes=30)
    mesh.settle()
    found = mesh.condition("DataProduct", "later", "sales")
    assert (found["status"], found["reason"]) == ("False", "InvalidRule")
    assert "GovernancePolicy/no has the enforcement Deny and a fault" in found["message"]
    assert "storage" not in mesh.product("later")["status"]
    if first:
        mesh.delete("GovernancePolicy", "no")
    else:
        mesh.apply(policy)
    mesh.settle()
    assert mesh.condition("DataProduct", "later", "sales")["status"] == "True"


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("kind", JUDGED)
def test_what_runs_goes_on_and_says_that_the_policy_is_not_asked(kind: str, mistake: Any) -> None:
    policy = deny(kind, "true")
    mesh = two_domains().apply(a_request(), a_grant()).settle()
    before = users(mesh)
    mesh.apply(mistake(policy)).settle()
    for _ in range(3):
        mesh.clock.forward(minutes=30)
        mesh.settle()
    assert users(mesh) == before
    assert (request_ready(mesh), effect(mesh)) == (("True", "Granted"), ("True", "Granted"))
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
    name, namespace = {
        "DataProduct": ("orders", "sales"),
        "Domain": ("sales", ""),
        "AccessRequest": ("orders-for-forecast", "inventory"),
        "AccessGrant": ("inventory-forecast", "sales"),
    }[kind]
    found = mesh.condition(kind, name, namespace, "PoliciesCompliant")
    assert (found["status"], found["message"]) == ("True", "No policy is violated; not asked, as they have a fault: GovernancePolicy/no")


def test_drift_is_repaired_and_a_key_is_taken_as_ever() -> None:
    mesh = two_domains().apply(a_request(), a_grant()).settle()
    mesh.apply(with_a_bracket_too_few(deny("AccessGrant", "true"))).settle()
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert not users(mesh)
    mesh.apply(a_grant()).settle()
    assert not users(mesh), "a new one, of which nobody knows"


@pytest.mark.parametrize("enforcement", ["Audit", "Warn"])
def test_one_that_only_tells_keeps_nothing_from_being_made(enforcement: str) -> None:
    mesh = two_domains().apply(with_a_bracket_too_few(deny("DataProduct", LASTING, enforcement=enforcement))).settle()
    mesh.apply(a_product("later")).settle()
    assert mesh.condition("DataProduct", "later", "sales")["status"] == "True"


def test_that_of_a_domain_stops_nobody_elses() -> None:
    mesh = two_domains().apply(with_a_bracket_too_few(a_policy("own", "sales", enforcement="Deny"))).settle()
    mesh.apply(a_product("later"), a_product("other", "inventory")).settle()
    assert mesh.condition("DataProduct", "later", "sales")["reason"] == "InvalidRule"
    assert mesh.condition("DataProduct", "other", "inventory")["status"] == "True"


def test_a_waiver_ends_also_meanwhile() -> None:
    policy = deny("DataProduct", "object.spec.classification != 'internal'", targets={"kinds": ["DataProduct"]})
    waived = a_waiver(policyRef={"kind": "GovernancePolicy", "name": "no"}, rule="held", validUntil="2026-01-02T00:00:00Z")
    mesh = two_domains().apply(policy, waived).settle()
    assert mesh.product()["status"]["compliance"]["denied"] is False
    mesh.apply(with_a_bracket_too_few(policy)).settle()
    assert mesh.product()["status"]["compliance"]["denied"] is False
    mesh.clock.forward(days=2)
    assert mesh.settle().product()["status"]["compliance"]["denied"] is True


def test_its_status_says_what_it_goes_on_to_do() -> None:
    mesh = two_domains().apply(with_a_bracket_too_few(deny("DataProduct", LASTING))).settle()
    assert "What it refused stays refused" in mesh.condition("GovernancePolicy", "no", "")["message"]
    mesh.apply(with_a_bracket_too_few(deny("DataProduct", LASTING, enforcement="Audit"))).settle()
    assert "none of the rules is applied; checked again" in mesh.condition("GovernancePolicy", "no", "")["message"]


@pytest.mark.parametrize(
    ("spec", "enforcement", "kinds", "lifecycle", "selects"),
    [
        (None, "Audit", ("DataProduct",), (), False),
        ({"enforcement": "Warn", "targets": {"kinds": ["Domain"]}}, "Warn", ("Domain",), (), False),
        ({"enforcement": "Block", "targets": {"kinds": "Domain"}}, "Deny", JUDGED, (), False),
        ({"enforcement": None, "targets": 3}, "Deny", ("DataProduct",), (), False),
        ({"enforcement": "Deny", "targets": {"domains": {"matchLabels": {"tier": "gold"}}}}, "Deny", ("DataProduct",), (), True),
        ({"enforcement": "Deny", "targets": {"domains": {"matchLabels": 3}}}, "Deny", ("DataProduct",), (), False),
        ({"enforcement": "Deny", "targets": {"lifecycle": ["active"]}}, "Deny", ("DataProduct",), ("active",), False),
    ],
)
def test_of_a_policy_that_cannot_be_read_what_can_be_told_counts(
    spec: Any, enforcement: str, kinds: tuple[str, ...], lifecycle: tuple[str, ...], selects: bool
) -> None:
    found = build_unreadable({**a_policy("odd"), "spec": spec}, "why")
    assert (found.enforcement, found.kinds, found.lifecycle, found.domains is not None) == (enforcement, kinds, lifecycle, selects)
    assert found.faults == ("why",)
