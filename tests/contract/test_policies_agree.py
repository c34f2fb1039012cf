"""The same rule gives the same verdict at the gate, in the operator and offline: one table, three judges."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import yaml

from clouddatamesh.cel.process import CelProcess
from clouddatamesh.checking.schema import with_defaults
from clouddatamesh.cli.check import definitions, look_at
from clouddatamesh.cli.files import Found, Place
from clouddatamesh.cli.judged import judge_files
from clouddatamesh.governance.gate.rendering import Scene, render
from hack.tools.controlplane import ControlPlane
from tests.contract.policy_cases import BREAK, HOLD, PARAMS, PRODUCT, REFUSED
from tests.support.crds import with_crds
from tests.support.manifests import a_domain, a_policy, a_rule, a_store
from tests.support.mesh import Mesh
from tests.support.rest import Api, ApiError

CASES: Final[Mapping[str, bool]] = {**dict.fromkeys(HOLD, True), **dict.fromkeys(BREAK, False)}
NAMES: Final = {expression: f"r{number}" for number, expression in enumerate(CASES)}
EXPRESSIONS: Final = {name: expression for expression, name in NAMES.items()}
MOST: Final = 64
"""Rules of one policy."""
ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
PRODUCTS: Final = "/apis/clouddatamesh.dev/v1alpha1/namespaces/sales/dataproducts?dryRun=All&fieldValidation=Strict"


def policies() -> list[dict[str, Any]]:
    rules = [a_rule(name, expression) for expression, name in NAMES.items()]
    parts = [rules[at : at + MOST] for at in range(0, len(rules), MOST)]
    return [a_policy(f"table-{number}", rules=part, params=PARAMS) for number, part in enumerate(parts)]


def wrong(broken: set[str]) -> dict[str, bool]:
    """Expressions of which the verdict is not that of the table, with the verdict."""
    return {expression: name not in broken for expression, name in NAMES.items() if (name not in broken) != CASES[expression]}


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 100
    assert len(REFUSED) >= 30


def test_the_operator() -> None:
    stored = with_defaults(PRODUCT, definitions()["DataProduct"].schema)
    mesh = Mesh().apply(a_store(), a_domain("sales"), *policies(), {**stored, "status": {}}).settle()
    compliance = mesh.product()["status"]["compliance"]
    told = {one["rule"] for one in compliance["violations"]}
    assert compliance["violationCount"] == len(told)
    for policy in policies():
        ready = mesh.condition("GovernancePolicy", policy["metadata"]["name"])
        assert ready["status"] == "True", ready
    assert wrong(told) == {}


def test_offline() -> None:
    manifests = [a_store(), a_domain("sales"), *policies(), PRODUCT]
    looked = look_at([Found(Place("x", at), yaml.safe_load(yaml.safe_dump(one))) for at, one in enumerate(manifests)], "default")
    assert looked.lines == []
    opinion = judge_files(looked.whole, ())
    assert opinion.note == ""
    assert [line.sentence for line in opinion.lines if not line.verdict] == []
    assert wrong({line.verdict.rule for line in opinion.lines if line.verdict}) == {}


@pytest.fixture(scope="module")
def engine() -> Iterator[CelProcess]:
    engine = CelProcess()
    yield engine
    engine.close()


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_not_in_the_language_is_refused(engine: CelProcess, expression: str) -> None:
    assert engine.compile(expression).fault


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    with with_crds() as started:
        yield started


@pytest.fixture(scope="module")
def refused(cluster: ControlPlane) -> Mapping[str, str]:
    """What the API server said against the product by each admission policy; one for each rule, which asks the product that names it."""
    api = Api(cluster.kubeconfig)
    for expression, name in NAMES.items():
        api.post(f"{ADMISSION}/validatingadmissionpolicies", admission(name, rendered(name, expression)))
        bound = {"policyName": name, "validationActions": ["Deny"]}
        api.post(f"{ADMISSION}/validatingadmissionpolicybindings", a_binding(name, bound))
    api.post(f"{ADMISSION}/validatingadmissionpolicies", admission("last", rendered("last", "false")))
    api.post(f"{ADMISSION}/validatingadmissionpolicybindings", a_binding("last", {"policyName": "last", "validationActions": ["Deny"]}))
    end = time.monotonic() + 180
    while not said(api, "last") and time.monotonic() < end:
        time.sleep(0.5)
    return {name: said(api, name) for name in NAMES.values()}


def admission(name: str, rendered: dict[str, Any]) -> dict[str, Any]:
    """One validation of the gate's own rendering, for the product that names the case alone."""
    resource = {"apiGroups": ["clouddatamesh.dev"], "apiVersions": ["v1alpha1"], "resources": ["dataproducts"], "operations": ["CREATE"]}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [resource]},
        "matchConditions": [{"name": "case", "expression": f"object.metadata.?labels[?'case'].orValue('') == '{name}'"}],
        **rendered,
    }
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}


def rendered(name: str, expression: str) -> dict[str, Any]:
    """What the gate makes of one rule: its variables and its validation."""
    stored = a_policy(name, rules=[a_rule(name, expression)], params=PARAMS, enforcement="Deny")
    rendering = render(Scene((stored,)), now=datetime.now(UTC), operator="nobody")
    assert rendering.left == (), rendering.left
    (pair,) = rendering.pairs
    return {part: pair.policy["spec"][part] for part in ("variables", "validations") if part in pair.policy["spec"]}


def test_the_gate_renders_every_rule() -> None:
    assert all(rendered(name, expression)["validations"] for expression, name in NAMES.items())


def a_binding(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    kind = "ValidatingAdmissionPolicyBinding"
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def said(api: Api, name: str) -> str:
    labels = {**PRODUCT["metadata"]["labels"], "case": name}
    try:
        api.post(PRODUCTS, {**PRODUCT, "metadata": {**PRODUCT["metadata"], "labels": labels}})
    except ApiError as error:
        return str(error)
    return ""


def test_the_gate(refused: Mapping[str, str]) -> None:
    assert wrong({name for name, sentence in refused.items() if sentence}) == {}
    assert all(f"ValidatingAdmissionPolicy '{name}'" in sentence for name, sentence in refused.items() if sentence)
