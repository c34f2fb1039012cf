"""The CRDs on a real API server: every rule and every kind of bound refuses what it should, and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from clouddatamesh.api.v1alpha1.dataproduct import DataProductSpec
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfileSpec
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from tests.e2e.accepted import ACCEPTED, CHANGES
from tests.e2e.bounds import BOUNDS
from tests.e2e.cases import Manifest, Refusal, a_rule
from tests.e2e.refusals import RULES
from tests.support.crds import rehearse, with_crds
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_grant, a_product, a_profile, a_request, a_store
from tests.support.pages import read_blocks
from tests.support.rest import Api, ApiError

CRDS = sorted((ROOT / "crds").glob("*.yaml"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    with with_crds() as started:
        yield started


@pytest.fixture(scope="module")
def api(cluster: ControlPlane) -> Api:
    return Api(cluster.kubeconfig)


OF_EACH_KIND = {
    "objectstore": "region", "domain": "suspend", "dataproduct": "suspend", "accessrequest": "purpose", "accessgrant": "validUntil",
    "domainprofile": "training",
}  # fmt: skip
"""A field that no other kind has, or few."""


def create(cluster: ControlPlane, manifest: Manifest, *flags: str) -> dict[str, Any]:
    return dict(json.loads(cluster.kubectl("create", "-f", "-", "-o", "json", *flags, stdin=json.dumps(manifest))))


def remove(cluster: ControlPlane, manifest: Manifest) -> None:
    cluster.kubectl("delete", "-f", "-", stdin=json.dumps(manifest))


def answer(api: Api, manifest: Manifest) -> str:
    """What the API server says against a new object; empty where it would take it."""
    try:
        rehearse(api, manifest)
    except ApiError as error:
        return str(json.loads(str(error).partition(" ")[2])["message"])
    return ""


def answer_to_change(cluster: ControlPlane, manifest: Manifest) -> str:
    """The same of a change."""
    try:
        cluster.kubectl("replace", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    except ToolError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", [*RULES, *BOUNDS], ids=lambda case: case.what)
def test_is_refused(cluster: ControlPlane, api: Api, case: Refusal) -> None:
    if case.after is None:
        assert case.says in answer(api, case.manifest)
        return
    create(cluster, case.after)
    try:
        assert case.says in answer_to_change(cluster, case.manifest)
    finally:
        remove(cluster, case.after)


def messages(schema: Any) -> Iterator[str]:
    """Every message of a rule, anywhere in a schema."""
    if isinstance(schema, dict):
        yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
        for part in schema.values():
            yield from messages(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from messages(part)


def test_every_rule_has_a_case() -> None:
    declared = {message for file in CRDS for message in messages(yaml.safe_load(file.read_text()))}
    assert len(declared) > 20
    assert [case.what for case in RULES if sum(case.says in message for message in declared) != 1] == []
    assert sorted(message for message in declared if not any(case.says in message for case in RULES)) == []


@pytest.mark.parametrize("what", ACCEPTED)
def test_is_accepted(api: Api, what: str) -> None:
    assert answer(api, ACCEPTED[what]) == ""


def test_the_page_on_descriptions_shows_a_product_that_is_accepted(api: Api) -> None:
    """Every field of documentation is in it."""
    (text,) = read_blocks(ROOT / "docs" / "how-to" / "describe-a-product.md", "yaml")["All fields in one manifest"]
    shown = yaml.safe_load(text)
    assert answer(api, shown) == ""
    named = {*DataProductSpec.model_json_schema()["properties"]} - {"id", "tags", "authoritativeDefinitions", "customProperties"}
    assert named - {*shown["spec"]} == {"classification", "personalData", "lifecycle", "producer", "mode", "suspend"}


def test_the_page_on_teams_shows_objects_that_are_accepted(api: Api) -> None:
    blocks = read_blocks(ROOT / "docs" / "how-to" / "teams.md", "yaml")
    shown = [yaml.safe_load(blocks[title][0]) for title in ("Write a profile", "Rights from the team")]
    assert [one["kind"] for one in shown] == ["DomainProfile", "Domain"]
    assert [answer(api, one) for one in shown] == ["", ""]
    assert set(DomainProfileSpec.model_fields) == {re.sub("([A-Z])", r"_\1", name).lower() for name in shown[0]["spec"]}


@pytest.mark.parametrize("what", CHANGES)
def test_may_change(cluster: ControlPlane, what: str) -> None:
    first, *rest = CHANGES[what]
    create(cluster, first)
    try:
        for manifest in rest:
            cluster.kubectl("replace", "-f", "-", stdin=json.dumps(manifest))
    finally:
        remove(cluster, first)


def test_defaults_show_in_the_object(cluster: ControlPlane) -> None:
    store = create(cluster, a_store(baseline={}), "--dry-run=server")
    domain = create(cluster, {**a_domain(), "spec": {}}, "--dry-run=server")
    product = create(cluster, a_rule(expireAfter="7d"), "--dry-run=server")
    assert set(store["spec"]["baseline"].values()) == {"IfSupported"}
    assert domain["spec"]["access"] == {"additionalRoles": [], "engineers": [], "fromTeam": False, "owners": [], "viewers": []}
    assert domain["spec"]["namespaceAdoption"] == "Never"
    spec, storage = product["spec"], product["spec"]["storage"]
    assert (spec["classification"], spec["mode"], spec["suspend"], spec["personalData"]) == ("internal", "Manage", False, False)
    assert (storage["adoptionPolicy"], storage["deletionPolicy"], storage["forceDestroy"]) == ("IfOwned", "Retain", False)
    assert storage["lifecycleRules"] == [{"expireAfter": "7d", "prefix": ""}]
    assert spec["outputPorts"][0]["access"] == {
        "allowPermanent": False, "approval": "Manual", "approvals": 1, "keepGiven": False, "minDuration": "1h", "modes": ["ReadOnly"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "manifest", [a_store(), a_domain(), a_product(), a_request(), a_grant(), a_profile()], ids=lambda manifest: str(manifest["kind"])
)
def test_a_new_object_is_never_taken_for_a_finished_one(cluster: ControlPlane, manifest: Manifest) -> None:
    try:
        status = create(cluster, manifest)["status"]
        (ready,) = status["conditions"]
        assert (status["observedGeneration"], ready["type"], ready["status"], ready["reason"]) == (-1, "Ready", "Unknown", "Pending")
    finally:
        remove(cluster, manifest)


@pytest.mark.parametrize("kind", sorted(OF_EACH_KIND))
def test_kubectl_explains_every_field(cluster: ControlPlane, kind: str) -> None:
    said = cluster.kubectl("explain", kind, "--recursive")
    assert {"spec", "status", "observedGeneration", OF_EACH_KIND[kind]} <= set(said.replace("\t", " ").split())
    assert "<no description>" not in cluster.kubectl("explain", f"{kind}.spec")
    assert "<no description>" not in cluster.kubectl("explain", f"{kind}.status")


def test_short_names_category_and_columns(cluster: ControlPlane) -> None:
    made = (a_store(), a_domain(), a_product(), a_request(namespace="sales"), a_grant(), a_profile())
    for manifest in made:
        create(cluster, manifest)
    try:
        shown = cluster.kubectl("get", "datamesh", "-A")
        assert all(f"{name}.clouddatamesh.dev/" in shown for name in OF_EACH_KIND)
        for short, columns in (
            ("ostore", ["NAME", "READY", "REGION", "REASON", "AGE"]),
            ("dom", ["NAME", "READY", "PRODUCTS", "NAMESPACES", "CORDONED", "REASON", "AGE"]),
            ("dp", ["NAME", "READY", "VERSION", "LIFECYCLE", "OWNER", "TAGS", "PENDING", "REASON", "AGE"]),
            ("dprof", ["NAME", "READY", "TEAM", "OVERDUE", "DUE", "REASON", "AGE"]),
            ("areq", ["NAME", "READY", "FROM", "PRODUCT", "PORT", "MODE", "UNTIL", "REASON", "AGE"]),
            ("agrant", ["NAME", "IN", "EFFECT", "DECISION", "PRODUCT", "PORT", "FOR", "REQUEST", "UNTIL", "READY", "REASON", "AGE"]),
        ):
            assert cluster.kubectl("get", short, "-n", "sales").splitlines()[0].split() == columns
            assert cluster.kubectl("get", short, "-n", "sales", "-o", "wide").splitlines()[0].split()[-1] == "MESSAGE"
    finally:
        for manifest in made:
            remove(cluster, manifest)
