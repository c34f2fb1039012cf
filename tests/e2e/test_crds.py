"""The CRDs on a real API server: every rule and every kind of bound refuses what it should, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from tests.e2e.bounds import BOUNDS
from tests.e2e.refusals import RULES, Manifest, Refusal, a_port, a_rule, without
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_product, a_store

CRDS = sorted((ROOT / "crds").glob("*.yaml"))
UID = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1"


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """A control plane of its own, since the CRDs of others belong to their Helm release."""
    with ControlPlane() as started:
        started.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        started.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
        started.kubectl("create", "namespace", "sales")
        yield started


def create(cluster: ControlPlane, manifest: Manifest, *flags: str) -> dict[str, Any]:
    return dict(json.loads(cluster.kubectl("create", "-f", "-", "-o", "json", *flags, stdin=json.dumps(manifest))))


def remove(cluster: ControlPlane, manifest: Manifest) -> None:
    cluster.kubectl("delete", "-f", "-", stdin=json.dumps(manifest))


def answer(cluster: ControlPlane, verb: str, manifest: Manifest) -> str:
    """What the API server says against a manifest; empty where it takes it."""
    try:
        cluster.kubectl(verb, "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    except ToolError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", [*RULES, *BOUNDS], ids=lambda case: case.what)
def test_is_refused(cluster: ControlPlane, case: Refusal) -> None:
    if case.after is None:
        assert case.says in answer(cluster, "apply", case.manifest)
        return
    create(cluster, case.after)
    try:
        assert case.says in answer(cluster, "replace", case.manifest)
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


ACCEPTED = {
    "the smallest store": {**a_store(), "spec": {"region": "eu-central-1", "bucketPrefix": "a"}},
    "a prefix of 20 characters": a_store(bucketPrefix="a" * 20),
    "a store with everything": a_store(
        iamEndpointUrl="https://iam.test:8443/iam", addressingStyle="path", caBundle="-----BEGIN CERTIFICATE-----\nMII\n", takeOverFrom=UID,
        baseline={"tlsOnly": "Required", "encryption": "Off"},
        allowedDomains={"matchLabels": {"example.com/tier": "gold", "plain": ""},
                        "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "c", "operator": "Exists"}]},
    ),
    "the smallest domain": {**a_domain(), "spec": {}},
    "a dotted domain with namespaces": a_domain("sales.eu", namespaces=[{"name": "sales-eu"}]),
    "a domain of 63 characters": a_domain("d" * 63),
    "a domain with everything": a_domain(
        type="aggregate", parentRef={"name": "commerce"}, stakeholders=[{"name": "Kim", "email": "kim@example.com"}],
        dataSources=[{"name": "pos"}, {"name": "web"}], dataModels=[{"name": "order"}, {"name": "order", "version": "2"}],
        team={"name": "T", "members": [{"username": "kim", "dateIn": "2026-01-01", "dateOut": "2026-01-01"}]},
        access={"owners": [{"kind": "Group", "name": "a"}, {"kind": "ServiceAccount", "name": "ci", "namespace": "sales"}]},
        resources={"limitRange": {"default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "1000m", "memory": "1G"}},
                   "quota": {"count/pods": "5", "nvidia.com/gpu": "1", "requests.cpu": "500m", "requests.memory": "1.5Gi", "pods": "1e3"},
                   "maxDataProducts": 0,
                   "networkIsolation": {"mode": "Domain", "allowFrom": [{"matchLabels": {"a": "b"}}, {}]}},
    ),
    "a proposed product without storage": without(without(a_product(lifecycle="proposed"), "spec", "storage"), "spec", "producer"),
    "a product with everything": a_product(
        id="urn:acme:dp:orders", version="1.4.0-rc.1+build.5", tags=["a", "b"], customProperties=[{"property": "a", "value": ""}],
        inputPorts=[{"name": "fx", "external": {"description": "ECB"}},
                    {"name": "s", "from": {"namespace": "i", "dataProduct": "s.t", "outputPort": {"name": "d", "version": "1.0.0"}}}],
        storage={"bucketName": "acme-orders", "tags": {"cost-center": "4711", "a:b/c+d@e=f g": "x y"},
                 "lifecycleRules": [{"prefix": "tmp/", "expireAfter": "7d"}, {"abortUploadsAfter": "1d12h30m"}]},
    ),
    "ports of paths that only begin alike": a_product(outputPorts=[a_port(), a_port("next", path="daily-2/")]),
    "one port in two versions": a_product(outputPorts=[a_port(), a_port(version="2.0.0", path="v2/")]),
    "a partition in a path": a_product(outputPorts=[a_port(path="dt=2026/v1.0/")]),
    "a grant of ten minutes": a_product(outputPorts=[a_port(access={"maxDuration": "10m"})]),
    **{f"the rule prefix {prefix}": a_rule(prefix=prefix, expireAfter="7d") for prefix in ("tmp/", ".staging", "logs.", "a/b.c-1_2=3")},
    **{f"the port path {path}": a_product(outputPorts=[a_port(path=path)]) for path in ("a/", "v1.0/d-1_2=3/", "_/")},
    **{
        f"the endpoint {url}": a_store(endpointUrl=url)
        for url in ("http://127.0.0.1:1", "https://s3.test:65535/a/b", "https://s3", "https://a-b.c-d.test:9000")
    },
    "names that only look reserved": a_product(storage={"bucketName": "acme-xn--s3alias-x"}),
    "a rule for all objects": a_rule(expireAfter="05d"),
}  # fmt: skip


@pytest.mark.parametrize("what", ACCEPTED)
def test_is_accepted(cluster: ControlPlane, what: str) -> None:
    assert answer(cluster, "apply", ACCEPTED[what]) == ""


CHANGES = {
    "forward, step by step": [a_product(lifecycle=stage) for stage in ("proposed", "draft", "active", "deprecated", "retired")],
    "from deprecated back to active": [a_product(lifecycle="deprecated"), a_product()],
    "from proposed to retired at once": [a_product(lifecycle="proposed"), a_product(lifecycle="retired")],
    "storage comes when the product is made": [ACCEPTED["a proposed product without storage"], a_product()],
    "deletion policy, tags and ports": [a_product(), a_product(storage={"deletionPolicy": "Delete", "tags": {"a": "b"}}, outputPorts=[])],
    "namespaces after the home": [a_domain(), a_domain(namespaces=[{"name": "sales"}, {"name": "eu"}]), a_domain()],
    "a store's endpoint": [a_store(), a_store(endpointUrl="https://other.test")],
}


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
    assert domain["spec"]["access"] == {"engineers": [], "owners": [], "viewers": []}
    assert domain["spec"]["namespaceAdoption"] == "Never"
    spec, storage = product["spec"], product["spec"]["storage"]
    assert (spec["classification"], spec["mode"], spec["suspend"], spec["personalData"]) == ("internal", "Manage", False, False)
    assert (storage["adoptionPolicy"], storage["deletionPolicy"], storage["forceDestroy"]) == ("IfOwned", "Retain", False)
    assert storage["lifecycleRules"] == [{"expireAfter": "7d", "prefix": ""}]
    assert spec["outputPorts"][0]["access"] == {"allowPermanent": False, "approval": "Manual", "modes": ["ReadOnly"]}


@pytest.mark.parametrize("manifest", [a_store(), a_domain(), a_product()], ids=lambda manifest: str(manifest["kind"]))
def test_a_new_object_is_never_taken_for_a_finished_one(cluster: ControlPlane, manifest: Manifest) -> None:
    try:
        assert create(cluster, manifest)["status"]["observedGeneration"] == -1
    finally:
        remove(cluster, manifest)


@pytest.mark.parametrize("kind", ["objectstore", "domain", "dataproduct"])
def test_kubectl_explains_every_field(cluster: ControlPlane, kind: str) -> None:
    said = cluster.kubectl("explain", kind, "--recursive")
    assert {"spec", "status", "observedGeneration", "suspend" if kind != "objectstore" else "region"} <= set(
        said.replace("\t", " ").split()
    )
    assert "<no description>" not in cluster.kubectl("explain", f"{kind}.spec")
    assert "<no description>" not in cluster.kubectl("explain", f"{kind}.status")


def test_short_names_category_and_columns(cluster: ControlPlane) -> None:
    made = (a_store(), a_domain(), a_product())
    for manifest in made:
        create(cluster, manifest)
    try:
        shown = cluster.kubectl("get", "datamesh", "-A")
        assert all(f"{name}.clouddatamesh.dev/" in shown for name in ("objectstore", "domain", "dataproduct"))
        for short, columns in (
            ("ostore", ["NAME", "READY", "REGION", "REASON", "AGE"]),
            ("dom", ["NAME", "READY", "PRODUCTS", "REASON", "AGE"]),
            ("dp", ["NAME", "READY", "VERSION", "LIFECYCLE", "REASON", "AGE"]),
        ):
            assert cluster.kubectl("get", short, "-n", "sales").splitlines()[0].split() == columns
            assert cluster.kubectl("get", short, "-n", "sales", "-o", "wide").splitlines()[0].split()[-1] == "MESSAGE"
    finally:
        for manifest in made:
            remove(cluster, manifest)
