"""Which admission policies a scene of policies, waivers and Domains becomes, and how it is known that they are there."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clouddatamesh.governance.gate.rendering import BINDING, MOST_BYTES, POLICY, Pair, Rendering, Scene, name_of, render
from clouddatamesh.governance.installed import is_installed, says_the_same
from clouddatamesh.model.objects import Key, key_of
from tests.support.manifests import a_domain
from tests.support.rules import GOOD, PARAMS, RULES, a_policy, a_waiver

Manifest = dict[str, Any]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OPERATOR = "system:serviceaccount:clouddatamesh-system:clouddatamesh"
LATER, EARLIER = "2026-07-01T00:00:00Z", "2026-05-01T00:00:00Z"


def rendered(*manifests: Manifest, now: datetime = NOW) -> Rendering:
    kinds = (("GovernancePolicy", "DomainPolicy"), ("PolicyWaiver",), ("Domain",))
    scene = (tuple(found for found in manifests if found["kind"] in kind) for kind in kinds)
    return render(Scene(*scene), now=now, operator=OPERATOR)


def only(*manifests: Manifest) -> Pair:
    (pair,) = rendered(*manifests).pairs
    return pair


def conditions(pair: Pair) -> dict[str, str]:
    return {found["name"]: found["expression"] for found in pair.policy["spec"]["matchConditions"]}


TRUE = {"always": "true"}
TREE = (
    {**a_domain("commerce"), "metadata": {"name": "commerce", "labels": {"tier": "gold"}}},
    a_domain("sales", parentRef={"name": "commerce"}),
    a_domain("returns", parentRef={"name": "sales"}),
    a_domain("stock"),
)


@pytest.mark.parametrize(
    ("enforcement", "actions"),
    [("Audit", None), ("Warn", ["Warn", "Audit"]), ("Deny", ["Deny", "Audit"])],
)
def test_the_binding_does_what_the_policy_says(enforcement: str, actions: list[str] | None) -> None:
    pairs = rendered(a_policy("a", TRUE, enforcement=enforcement)).pairs
    assert [pair.binding["spec"]["validationActions"] for pair in pairs] == ([actions] if actions else [])


def test_what_only_the_operator_knows_is_left_to_it() -> None:
    rules = {"here": "object.spec.personalData == true", "there": "live.encryption", "both": "domain.metadata.name == object.spec.a"}
    found = rendered(a_policy("a", {**rules, "later": "object.status.a == 1"}))
    assert len(found.pairs[0].policy["spec"]["validations"]) == 1
    assert {left.rule: left.why for left in found.left} == {
        "there": "It reads live, which only the operator knows",
        "both": "It reads domain, which only the operator knows",
        "later": "It reads status, which an object does not have yet when it is created",
    }
    assert found.refused == frozenset()


def test_a_policy_of_rules_for_the_operator_has_nothing_at_the_gate() -> None:
    assert rendered(a_policy("a", {"there": "live.encryption"})).pairs == ()


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (a_policy("a", {**TRUE, "odd": "true) || (true"}), "Rule odd cannot be judged at admission: its expression closes a bracket"),
        (a_policy("a", {"odd": "request.name == 'a'"}), "reads request"),
        (a_policy("a", {"a": "params.a == 1"}, params={"a": 2**63}), "Its params hold 9223372036854775808"),
        (a_policy("a", TRUE, params={"a": "x" * 9000}), "spec.params has more than 8,192 characters"),
        (a_policy("a", TRUE, enforcement="Maybe"), "It cannot be read: spec.enforcement"),
    ],
)
def test_a_policy_is_at_the_gate_as_a_whole_or_not_at_all(policy: Manifest, why: str) -> None:
    found = rendered(policy, a_policy("other", TRUE))
    assert [pair.of.name for pair in found.pairs] == ["other"]
    assert found.refused == {Key("GovernancePolicy", "", "a")}
    assert why in found.left[0].why


@pytest.mark.parametrize(
    ("generation", "reason", "is_there"), [(2, "InvalidRule", False), (2, "PolicyConflict", False), (3, "InvalidRule", True)]
)
def test_what_the_operator_does_not_apply_is_not_at_the_gate(generation: int, reason: str, is_there: bool) -> None:
    policy = a_policy("a", TRUE)
    policy["metadata"]["generation"] = generation
    policy["status"] = {"observedGeneration": 2, "conditions": [{"type": "Stalled", "status": "True", "reason": reason, "message": "Why"}]}
    found = rendered(policy)
    assert (len(found.pairs), [left.why for left in found.left]) == ((1, []) if is_there else (0, ["Why"]))
    assert bool(found.refused) == (reason == "InvalidRule" and not is_there)


def test_a_policy_that_is_being_deleted_is_gone() -> None:
    policy = a_policy("a", TRUE)
    policy["metadata"]["deletionTimestamp"] = EARLIER
    assert rendered(policy).pairs == ()


def test_names_are_of_one_policy_each_and_short_enough() -> None:
    keys = [
        Key("GovernancePolicy", "", "a-b"),
        Key("GovernancePolicy", "", "a.b"),
        Key("DomainPolicy", "a", "b"),
        Key("DomainPolicy", "a-b", "c"),
        Key("DomainPolicy", "a", "b-c"),
        Key("GovernancePolicy", "", ".".join(["x" * 50] * 5)),
    ]
    names = [name_of(key) for key in keys]
    assert len({*names}) == len(keys)
    assert all(len(name) <= 253 and name.startswith("clouddatamesh-policy-") for name in names)
    assert name_of(Key("DomainPolicy", "sales", "ownership")) == "clouddatamesh-policy-sales-ownership-wue4fyqgju7lh77k"


def test_the_sentence_says_what_is_wrong_what_to_do_and_whose_rule_it_is() -> None:
    policy = a_policy("documentation", {"has-purpose": "true"})
    policy["spec"]["rules"][0] |= {"message": "Say what the\nproduct is for.", "remediation": "Fill spec.description.purpose."}
    said = only(policy).policy["spec"]["validations"][0]["message"]
    assert said == "Say what the product is for. Fill spec.description.purpose. Rule has-purpose of GovernancePolicy documentation"


def test_selected_domains_are_named_with_their_children() -> None:
    policy = a_policy("a", TRUE, targets={"kinds": ["DataProduct"], "domains": {"matchLabels": {"tier": "gold"}}})
    constraints = only(policy, *TREE).policy["spec"]["matchConstraints"]
    assert constraints["namespaceSelector"]["matchExpressions"][0]["values"] == ["commerce", "returns", "sales"]


def test_a_policy_for_every_domain_leaves_out_no_namespace() -> None:
    assert "namespaceSelector" not in only(a_policy("a", TRUE), *TREE).policy["spec"]["matchConstraints"]


def test_a_domain_is_selected_by_the_labels_that_it_will_have() -> None:
    targets = {"kinds": ["Domain", "DataProduct"], "domains": {"matchLabels": {"tier": "gold"}}}
    found = conditions(only(a_policy("a", TRUE, targets=targets), *TREE))["is-a-selected-domain"]
    assert 'object.metadata.?labels[?"tier"].orValue(\'\') in ["gold"]' in found
    assert 'parentRef.name.orValue(\'\') in ["commerce", "returns", "sales"]' in found


@pytest.mark.parametrize("kinds", [["DataProduct"], ["Domain", "DataProduct"]])
def test_a_policy_that_selects_no_domain_is_for_new_domains_alone(kinds: list[str]) -> None:
    found = rendered(a_policy("a", TRUE, targets={"kinds": kinds, "domains": {"matchLabels": {"tier": "none"}}}), *TREE)
    resources = [pair.policy["spec"]["matchConstraints"]["resourceRules"][0]["resources"] for pair in found.pairs]
    assert resources == ([["domains"]] if "Domain" in kinds else [])
    assert [left.why for left in found.left] == ([] if "Domain" in kinds else ["Its targets.domains select no Domain"])


@pytest.mark.parametrize(
    ("namespace", "names"),
    [("commerce", ["commerce", "returns", "sales"]), ("stock", ["stock"]), ("elsewhere", None), ("second", None)],
)
def test_only_the_home_namespace_of_a_domain_counts(namespace: str, names: list[str] | None) -> None:
    owner = a_domain("wide", namespaces=[{"name": "first"}, {"name": "second"}])
    pairs = rendered(a_policy("a", TRUE, namespace=namespace), *TREE, owner).pairs
    selectors = [pair.policy["spec"]["matchConstraints"]["namespaceSelector"] for pair in pairs]
    assert [found["matchExpressions"][0]["values"] for found in selectors] == ([names] if names else [])


def test_a_domain_that_claims_the_home_of_another_gives_no_rules_there() -> None:
    claiming = a_domain("claiming", namespaces=[{"name": "stock"}])
    assert rendered(a_policy("a", TRUE, namespace="stock"), *TREE, claiming).pairs == ()
    holding = {**a_domain("stock"), "status": {"namespaces": [{"name": "stock", "uid": "u"}]}}
    assert len(rendered(a_policy("a", TRUE, namespace="stock"), holding, claiming).pairs) == 1


def test_a_circle_of_domains_ends() -> None:
    circle = (a_domain("a", parentRef={"name": "b"}), a_domain("b", parentRef={"name": "a"}))
    policy = a_policy("p", TRUE, namespace="a")
    assert only(policy, *circle).policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"][0]["values"] == ["a", "b"]


def test_waivers_in_force_are_named_and_their_first_end_is_told() -> None:
    policy, local = a_policy("a", {"one": "false", "two": "false"}), a_policy("a", {"one": "false"}, namespace="sales")
    waivers = [a_waiver(policy, "one", GOOD, LATER), a_waiver(policy, "two", GOOD, EARLIER)]
    unreadable = {**waivers[0], "spec": {**waivers[0]["spec"], "validUntil": "soon"}}
    gone = {**waivers[0], "metadata": {"name": "gone", "deletionTimestamp": LATER}, "spec": {**waivers[0]["spec"], "rule": "two"}}
    found = rendered(policy, local, *waivers, unreadable, gone, *TREE)
    assert found.until == datetime(2026, 7, 1, tzinfo=UTC)
    by = {pair.of.kind: [rule["expression"] for rule in pair.policy["spec"]["validations"]] for pair in found.pairs}
    assert by == {"GovernancePolicy": ["variables.waived_one || (false) == true", "(false) == true"], "DomainPolicy": ["(false) == true"]}
    variables = {one["name"]: one["expression"] for one in found.pairs[1].policy["spec"]["variables"]}
    assert variables["waived_one"] == 'variables.self in ["DataProduct/sales/good"]'
    assert rendered(policy, *waivers, now=NOW + timedelta(days=30)).until is None


def test_a_policy_of_many_long_rules_is_bounded() -> None:
    rules = {f"rule-{number}": f"object.spec.displayName != '{'x' * 4000}'" for number in range(64)}
    policy = a_policy("a", rules, params={"a": "x" * 8000})
    assert len(json.dumps(only(policy).policy)) < MOST_BYTES
    named = [{"kind": "DataProduct", "metadata": {"name": f"{'x' * 200}{number}", "namespace": "sales"}} for number in range(3000)]
    many = [a_waiver(policy, "rule-1", of, LATER) for of in named]
    assert "split it, or end waivers" in rendered(policy, *many).left[0].why


def live(pair: Pair, **status: Any) -> dict[Key, Manifest]:
    """As the API server gives them back: with the values that it adds."""
    policy, binding = ({**json.loads(json.dumps(found))} for found in pair.manifests)
    policy["metadata"]["generation"] = 1
    policy["spec"]["matchConstraints"] |= {"matchPolicy": "Equivalent", "objectSelector": {}}
    policy["spec"]["matchConstraints"].setdefault("namespaceSelector", {})
    policy["spec"]["matchConstraints"]["resourceRules"][0]["scope"] = "*"
    policy["status"] = {"observedGeneration": 1, "typeChecking": {}, **status}
    return {key_of(found): found for found in (policy, binding)}


TABLE = a_policy("a", RULES, params=PARAMS)
KEY, NAME = Key("GovernancePolicy", "", "a"), name_of(Key("GovernancePolicy", "", "a"))


def test_what_the_api_server_adds_is_no_difference() -> None:
    found, rendering = live(only(TABLE)), rendered(TABLE)
    said = is_installed(KEY, rendering, found)
    assert said is not None and (said.status, said.message) == ("True", "11 rules are judged at admission")
    assert all(says_the_same(want, found[key_of(want)]) for want in only(TABLE).manifests)


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        (POLICY, {"failurePolicy": "Ignore"}, "differs from the policy in spec.failurePolicy"),
        (POLICY, {"validations": []}, "spec.validations"),
        (POLICY, {"matchConditions": [{"name": "never", "expression": "false"}]}, "spec.matchConditions[0].expression"),
        (BINDING, {"validationActions": ["Audit"]}, "spec.validationActions[0]"),
        (BINDING, {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}, "spec.matchResources"),
    ],
)
def test_a_change_of_what_is_installed_is_found(kind: str, change: Manifest, says: str) -> None:
    objects = live(only(TABLE))
    key = Key(kind, "", NAME)
    said = is_installed(KEY, rendered(TABLE), {**objects, key: {**objects[key], "spec": {**objects[key]["spec"], **change}}})
    assert said is not None and (said.status, said.reason) == ("False", "Differs") and says in said.message


@pytest.mark.parametrize("missing", [POLICY, BINDING])
def test_what_is_missing_is_named_with_the_way_to_get_it(missing: str) -> None:
    objects = {key: found for key, found in live(only(TABLE)).items() if key.kind != missing}
    said = is_installed(KEY, rendered(TABLE), objects)
    assert said is not None and said.reason == "NotInstalled"
    assert said.message.startswith(f"{missing} {NAME} does not exist; set the chart's value governance.gate.enabled")


def test_of_what_the_api_server_has_not_checked_nothing_is_said_yet() -> None:
    said = is_installed(KEY, rendered(TABLE), live(only(TABLE), observedGeneration=0))
    assert said is not None and (said.status, said.reason) == ("Unknown", "NotYetInEffect")


def test_the_condition_is_there_for_warn_and_deny_alone() -> None:
    assert is_installed(KEY, rendered(a_policy("a", TRUE, enforcement="Audit")), {}) is None
    refused = is_installed(KEY, rendered(a_policy("a", {"odd": "("})), {})
    assert refused is not None and refused.reason == "NotRendered"
    elsewhere = is_installed(KEY, rendered(a_policy("a", {"there": "live.a"})), {})
    assert elsewhere is not None and elsewhere.message.endswith("there: It reads live, which only the operator knows")
