"""Rules at admission on the real API server: the gate program of the chart keeps the admission policies, and nobody gets round a Deny."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.governance.gate.rendering import name_of
from clouddatamesh.model.judging import Outcome
from clouddatamesh.model.objects import key_of
from hack.tools.children import ToolError
from tests.e2e.access import condition_of
from tests.e2e.actors import Actors
from tests.support.installation import NAMESPACE
from tests.support.manifests import a_domain, a_grant
from tests.support.rest import Api, ApiError
from tests.support.rules import GOOD, OBJECTS, PARAMS, RULES, Manifest, a_good_product, a_policy, a_waiver, with_spec

AT_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
PRODUCTS = "/apis/clouddatamesh.dev/v1alpha1/namespaces/sales/dataproducts"
OWNER = ("--as=sales-owner", "--as-group=sales-owners")
GATE = "clouddatamesh-gate"
BAD = {"displayName": "Forbidden"}
"""A field that may change while an object is being deleted."""
RULE = {"named-well": "object.spec.displayName != 'Forbidden'"}
SAYS = "Breaks named-well. Rule named-well of GovernancePolicy"


@pytest.fixture(scope="module")
def api(mesh: Actors) -> Api:
    return Api(mesh.installed.cluster.kubeconfig)


class Gate:
    """Policies that are applied, and what the gate program makes of them."""

    def __init__(self, mesh: Actors, api: Api) -> None:
        self._mesh, self._api = mesh, api

    def admission_policy(self, policy: Manifest, part: str = "validatingadmissionpolicies") -> Manifest | None:
        try:
            return self._api.get(f"{AT_ADMISSION}/{part}/{name_of(key_of(policy))}")
        except ApiError as error:
            assert error.code == 404
            return None

    def until(self, true: Callable[[], object], what: str, *, seconds: float = 30) -> None:
        self._mesh.installed.until(true, what=what, seconds=seconds)

    def enforce(self, policy: Manifest, probe: Manifest) -> None:
        """Apply it, and wait until the API server acts by it on an object that breaks it: it reads policies from a cache."""
        self._mesh.installed.apply(policy)
        self.until(lambda: self.said_of(probe), "the first refusal")

    def said_of(self, manifest: Manifest, path: str = PRODUCTS) -> str:
        """What is said against a new object; empty where it would be taken."""
        try:
            self._api.post(f"{path}?dryRun=All", manifest)
        except ApiError as error:
            return str(json.loads(str(error).partition(" ")[2])["message"])
        return ""

    def stored(self, manifest: Manifest) -> Manifest:
        """A new object with the defaults of the schema, as the operator reads it."""
        return self._api.post(f"{PRODUCTS}?dryRun=All", manifest)

    def warnings(self, manifest: Manifest) -> tuple[str, ...]:
        """What is warned of a new object, one text for each broken rule."""
        found = self._api.warnings(f"{PRODUCTS}?dryRun=All&fieldValidation=Strict", manifest)
        return tuple(re.sub(r"\\(.)", r"\1", text) for text in found)


@pytest.fixture(scope="module")
def gate(mesh: Actors, api: Api) -> Gate:
    return Gate(mesh, api)


@pytest.fixture
def policies(mesh: Actors, gate: Gate) -> Iterator[Callable[[Manifest], Manifest]]:
    """Policies and waivers that go with the test, and their admission policies with them."""
    made: list[Manifest] = []

    def make(manifest: Manifest) -> Manifest:
        made.append(manifest)
        mesh.installed.apply(manifest)
        return manifest

    yield make
    for manifest in reversed(made):
        mesh.installed.cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=json.dumps(manifest))
    of = [manifest for manifest in made if manifest["kind"] != "PolicyWaiver"]
    gate.until(lambda: not any(gate.admission_policy(manifest) for manifest in of), "the end of the admission policies")
    gate.until(lambda: not gate.said_of(with_spec(GOOD, **BAD)), "the end of what the API server's cache refuses")


def test_each_rule_has_the_verdict_of_the_table_on_each_object(gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    """At admission and by the operator's engine. Warned, so that all broken rules are told at once; and every expression is well typed."""
    policy = policies(a_policy("table", RULES, params=PARAMS, enforcement="Warn"))
    gate.until(lambda: (gate.admission_policy(policy) or {}).get("status", {}).get("observedGeneration"), "the check of types")
    gate.until(lambda: len(gate.warnings(OBJECTS["short purpose"][0])) == 1, "the first warning")
    assert (gate.admission_policy(policy) or {})["status"]["typeChecking"] == {}
    judged = DirectExpressions()
    messages = {rule: (f"Breaks {rule}. Rule {rule} of", expression.partition(" //")[0]) for rule, expression in RULES.items()}
    found = {}
    for what, (manifest, _) in OBJECTS.items():
        said = [text.replace("variables.params", "params") for text in gate.warnings(manifest)]
        found[what] = {rule for rule, words in messages.items() if any(word in text for word in words for text in said)}
        assert len(said) == len(found[what])
        stored = gate.stored(manifest)
        answers = judged.judge([(expression, PARAMS) for expression in RULES.values()], {"object": stored, "oldObject": None})
        assert {rule for rule, answer in zip(RULES, answers, strict=True) if answer is not Outcome.HOLDS} == found[what]
    assert found == {what: {*broken} for what, (_, broken) in OBJECTS.items()}
    assert len(OBJECTS) * len(RULES) >= 120


HELD = "example.com/held"
"""A finalizer of others, so that an object waits while it is deleted."""


def unversioned(live: Manifest) -> Manifest:
    """So that a write of the operator meanwhile is no conflict."""
    return {**live, "metadata": {name: value for name, value in live["metadata"].items() if name != "resourceVersion"}}


def changes_of(name: str, live: Manifest) -> dict[str, tuple[tuple[str, ...], str | None]]:
    """Every way to write the forbidden value into an object: arguments and standard input of kubectl."""
    wanted = json.dumps({**with_spec(a_good_product(name), **BAD), "metadata": {"name": name, "namespace": "sales", "finalizers": [HELD]}})
    merge, steps = json.dumps({"spec": BAD}), json.dumps([{"op": "replace", "path": "/spec/displayName", "value": "Forbidden"}])
    patch = ("patch", "dataproduct", name, "-n", "sales")
    return {
        "replace": (("replace", "-f", "-"), json.dumps(with_spec(unversioned(live), **BAD))),
        "merge patch": ((*patch, "--type=merge", "-p", merge), None),
        "JSON patch": ((*patch, "--type=json", "-p", steps), None),
        "apply": (("apply", "-f", "-"), wanted),
        "server-side apply": (("apply", "--server-side", "--force-conflicts", "-f", "-"), wanted),
    }


def test_a_deny_is_not_got_round(mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    """Neither by an owner nor by an administrator, nor while the object is being deleted."""
    kubectl = mesh.installed.cluster.kubectl
    for name in ("kept", "leaving"):
        product = a_good_product(name)
        mesh.installed.apply({**product, "metadata": {**product["metadata"], "finalizers": [HELD]}})
    kubectl("delete", "dataproduct", "leaving", "-n", "sales", "--wait=false")
    policies(a_policy("privacy", RULE))
    gate.until(lambda: SAYS in gate.said_of(with_spec(GOOD, **BAD)), "the first refusal")
    for name in ("kept", "leaving"):
        for what, (command, stdin) in changes_of(name, mesh.product(name)).items():
            for who in (OWNER, ()):
                with pytest.raises(ToolError, match=SAYS):
                    kubectl(*command, *who, stdin=stdin)
                assert mesh.product(name)["spec"]["displayName"] == "Orders", what
    for who in (OWNER, ()):
        fresh = json.dumps({**with_spec(GOOD, **BAD), "metadata": {"generateName": "fresh-", "namespace": "sales"}})
        with pytest.raises(ToolError, match=SAYS):
            kubectl("create", "-f", "-", *who, stdin=fresh)
    for name in ("kept", "leaving"):
        kubectl("patch", "dataproduct", name, "-n", "sales", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers/0"}]')
    kubectl("delete", "dataproduct", "kept", "leaving", "-n", "sales", "--ignore-not-found", "--timeout=60s")


def test_no_sub_resource_changes_a_spec(mesh: Actors, api: Api) -> None:
    """Or the rendered policies would have to name it: of our kinds there is status alone, and it keeps the spec."""
    served = {found["name"] for found in api.get("/apis/clouddatamesh.dev/v1alpha1")["resources"] if "/" in found["name"]}
    assert {name.partition("/")[2] for name in served} == {"status"}
    made = mesh.make("statused")
    body = json.dumps({"spec": BAD, "metadata": {"labels": {"a": "b"}}, "status": {"observedGeneration": 0}})
    path = ("patch", "dataproduct", "statused", "-n", "sales", "--subresource=status", "--type=merge", "-p", body)
    mesh.installed.cluster.kubectl(*path, "--as=root", "--as-group=system:masters", "--as-group=clouddatamesh:break-glass")
    assert mesh.product("statused")["spec"] == made["spec"]
    assert "labels" not in mesh.product("statused")["metadata"]
    mesh.delete("statused")


def test_what_is_older_than_a_rule_is_left_alone_and_goes(mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    """Its labels change, its manifest is applied again, the operator writes status and takes the finalizer off."""
    kubectl = mesh.installed.cluster.kubectl
    old = with_spec(a_good_product("older"), **BAD)
    mesh.installed.apply(old)
    mesh.installed.wait("dataproduct", "older", "sales")
    policies(a_policy("later", {**RULE, "labelled": RULES["labelled"]}))
    gate.until(lambda: "of GovernancePolicy later" in gate.said_of(with_spec(GOOD, **BAD)), "the first refusal")
    kubectl("annotate", "dataproduct", "older", "-n", "sales", "clouddatamesh.dev/reconcile-requested-at=now", *OWNER)
    mesh.installed.until(lambda: mesh.installed.get("dataproduct", "older", "sales")["status"].get("lastHandledReconcileAt") == "now")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", *OWNER, stdin=json.dumps(old))
    with pytest.raises(ToolError, match="Breaks labelled"):
        kubectl("label", "dataproduct", "older", "-n", "sales", "cost-center-", *OWNER)
    with pytest.raises(ToolError, match=SAYS):
        kubectl("patch", "dataproduct", "older", "-n", "sales", "--type=merge", "-p", '{"spec":{"version":"2.0.0"}}', *OWNER)
    kubectl("delete", "dataproduct", "older", "-n", "sales", "--timeout=60s", *OWNER)


def test_a_waiver_holds_until_its_end(gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    policy = policies(a_policy("waived", RULE))
    says = f"{SAYS} waived"
    bad, other = with_spec(GOOD, **BAD), with_spec(a_good_product("other"), **BAD)
    gate.until(lambda: says in gate.said_of(bad), "the first refusal")
    end = datetime.now(UTC) + timedelta(seconds=30)  # the operator and the gate program look first, and the API server reads from a cache
    policies(a_waiver(policy, "named-well", bad, end.strftime("%Y-%m-%dT%H:%M:%SZ")))
    gate.until(lambda: says not in gate.said_of(bad), "the waiver")
    assert says in gate.said_of(other)
    gate.until(lambda: says in gate.said_of(bad), "the end of the waiver", seconds=90)
    assert datetime.now(UTC) - end < timedelta(seconds=60)


def unlabelled(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "labels": {}}}


def test_no_rule_keeps_anybody_from_taking_access_away(mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    """A Deny is written, and the port of a product that is older than a rule on its labels is cut off."""
    kubectl = mesh.installed.cluster.kubectl
    mesh.installed.apply(unlabelled(a_good_product("cut")))
    policies(a_policy("grants", {"none": "false"}, targets={"kinds": ["AccessGrant"]}))
    policies(a_policy("labels", {"labelled": RULES["labelled"]}))
    grants = PRODUCTS.replace("dataproducts", "accessgrants")
    whom: dict[str, Any] = {"consumerNamespace": "inventory", "requestRef": None, "consumer": None, "mode": None}
    refusal = a_grant("taken", dataProductRef={"name": "cut"}, decision="Deny", **whom)
    approval = a_grant("given", dataProductRef={"name": "cut"})
    gate.until(lambda: "Breaks none" in gate.said_of(approval, grants), "the first refusal")
    assert gate.said_of(refusal, grants) == ""
    gate.until(lambda: "Breaks labelled" in gate.said_of(unlabelled(a_good_product("new"))), "the second rule")
    kubectl("annotate", "dataproduct", "cut", "-n", "sales", "clouddatamesh.dev/cut-off=daily/1.0.0", *OWNER)
    with pytest.raises(ToolError, match="Breaks labelled"):
        kubectl("annotate", "dataproduct", "cut", "-n", "sales", "example.com/other=yes", *OWNER)
    kubectl("delete", "dataproduct", "cut", "-n", "sales", "--timeout=60s")


def test_no_policy_of_a_team_refuses_its_domain_to_the_platform_team(gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    targets = {"kinds": ["Domain", "DataProduct"]}
    policies(a_policy("locked", {"mine": "object.spec.?displayName.orValue('') == 'Mine'"}, namespace="sales", targets=targets))
    gate.until(lambda: "Breaks mine" in gate.said_of(with_spec(GOOD, displayName="Orders")), "the first refusal")
    child = with_spec(a_domain("toys"), parentRef={"name": "sales"})
    assert gate.said_of(child, "/apis/clouddatamesh.dev/v1alpha1/domains") == ""


def test_a_policy_of_a_domain_is_for_its_namespaces_alone(gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    policies(a_policy("own", RULE, namespace="sales"))
    bad = with_spec(GOOD, **BAD)
    gate.until(lambda: "of DomainPolicy sales/own" in gate.said_of(bad), "the first refusal")
    elsewhere = {**bad, "metadata": {**bad["metadata"], "namespace": "inventory"}}
    assert gate.said_of(elsewhere, PRODUCTS.replace("/sales/", "/inventory/")) == ""


def test_domains_are_selected_by_the_labels_that_they_will_have(gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    targets = {"kinds": ["Domain", "DataProduct"], "domains": {"matchLabels": {"tier": "gold"}}}
    policies(a_policy("gold", {"named": "has(object.spec.displayName) && object.spec.displayName.startsWith('Gold')"}, targets=targets))
    gold = {**a_domain("shiny"), "metadata": {"name": "shiny", "labels": {"tier": "gold"}}}
    path = "/apis/clouddatamesh.dev/v1alpha1/domains"
    gate.until(lambda: "Breaks named" in gate.said_of(gold, path), "the first refusal")
    assert gate.said_of(with_spec(gold, displayName="Gold rings"), path) == ""
    assert gate.said_of(a_domain("plain"), path) == ""
    assert gate.said_of(with_spec(GOOD, displayName="Orders")) == ""


def test_what_others_do_to_the_admission_policies_is_corrected(mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]) -> None:
    kubectl = mesh.installed.cluster.kubectl
    policy = policies(a_policy("repaired", RULE))
    gate.until(lambda: gate.admission_policy(policy, "validatingadmissionpolicybindings"), "the binding")
    name = name_of(key_of(policy))
    steps = json.dumps([{"op": "add", "path": "/spec/matchConditions/-", "value": {"name": "never", "expression": "false"}}])
    kubectl("patch", "validatingadmissionpolicy", name, "--type=json", "-p", steps)
    kubectl("delete", "validatingadmissionpolicybinding", name)

    def is_right() -> bool:
        found, binding = gate.admission_policy(policy), gate.admission_policy(policy, "validatingadmissionpolicybindings")
        return found is not None and binding is not None and len(found["spec"]["matchConditions"]) == 3

    gate.until(is_right, "the repair")


@contextlib.contextmanager
def gate_stopped(mesh: Actors) -> Iterator[None]:
    """The other tests of this mesh have the gate program again, whatever happens meanwhile."""
    scale = ("scale", "deployment", GATE, "-n", NAMESPACE)
    mesh.installed.cluster.kubectl(*scale, "--replicas=0")
    try:
        mesh.installed.until(lambda: not mesh.installed.kubelet.runs(GATE), seconds=60, what="the end of the gate program")
        yield
    finally:
        mesh.installed.cluster.kubectl(*scale, "--replicas=1")


def test_where_the_admission_policies_are_removed_the_operator_refuses(
    mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]
) -> None:
    """With the gate program stopped, so that nobody puts them back."""
    kubectl, refused = mesh.installed.cluster.kubectl, with_spec(a_good_product("unguarded"), **BAD)
    policy = policies(a_policy("removed", RULE))
    gate.until(lambda: gate.said_of(refused), "the first refusal")
    with gate_stopped(mesh):
        kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", name_of(key_of(policy)))
        gate.until(lambda: not gate.said_of(refused), "what the API server takes now")
        mesh.installed.apply(refused)
        gate.until(lambda: mesh.condition("unguarded").get("reason") == "PolicyViolation", "the operator's refusal")
        assert "storage" not in mesh.product("unguarded")["status"]
        assert not mesh.installed.get("secret", "unguarded-producer", "sales")
    gate.until(lambda: gate.admission_policy(policy, "validatingadmissionpolicybindings"), "what the gate program puts back", seconds=90)
    kubectl("delete", "dataproduct", "unguarded", "-n", "sales", "--timeout=60s")


def test_what_the_operator_has_not_looked_at_or_refuses_is_not_at_admission(
    mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]
) -> None:
    """The API server would take both; by the second one it would refuse every object, and nobody would be told."""
    with mesh.stopped():
        right, none = policies(a_policy("unseen", RULE)), policies(a_policy("foreign", {"foreign": "quantity('1') == quantity('2')"}))
        time.sleep(5)  # the gate program acts within two seconds
        assert [gate.admission_policy(policy) for policy in (right, none)] == [None, None]
    mesh.installed.until(lambda: gate.admission_policy(right), seconds=90, what="the policy that the operator has looked at")
    mesh.installed.until(lambda: condition_of(mesh.installed.get("gpol", "foreign")).get("reason") == "InvalidRule", what="the fault")
    time.sleep(3)
    assert gate.admission_policy(none) is None


def test_an_object_of_others_is_left_and_a_rule_that_does_not_compile_is_not_half_applied(
    mesh: Actors, gate: Gate, policies: Callable[[Manifest], Manifest]
) -> None:
    theirs = a_policy("taken", RULE)
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "true"}]}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    mesh.installed.apply({**kind, "metadata": {"name": name_of(key_of(theirs))}, "spec": spec})
    broken = policies(a_policy("broken", {**RULE, "odd": "object.spec.personalData =!= true"}))
    policies(theirs)
    whole = policies(a_policy("whole", RULE))
    gate.until(lambda: gate.admission_policy(whole), "the one that is right")
    assert gate.admission_policy(broken) is None
    found = gate.admission_policy(theirs)
    assert found is not None and found["spec"]["validations"][0]["expression"] == "true"
    mesh.installed.cluster.kubectl("delete", "validatingadmissionpolicy", name_of(key_of(theirs)))
    gate.until(lambda: gate.admission_policy(theirs, "validatingadmissionpolicybindings"), "the binding, now that the name is free")
    mesh.installed.cluster.kubectl("delete", "governancepolicy", "taken")
    gate.until(lambda: gate.admission_policy(theirs) is None, "its end")
