"""A real Argo CD runs the retail mesh from Git, as examples/gitops lays it out: it shows the truth, and what a commit removes is removed.

The tests follow each other on one mesh; each leaves it Synced and Healthy.
"""

import os
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from hack.tools.argo_cd import find_obstacles
from hack.tools.s3_moto import Moto
from tests.e2e.access import is_allowed
from tests.support.gitops import Gitops, Manifest, a_mesh_from_git, an_application
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

pytestmark = pytest.mark.real
DOMAINS: Final = ("customer", "inventory", "sales")
APPLICATIONS: Final = {"mesh-platform", *(f"mesh-{what}-{domain}" for what in ("domains", "grants") for domain in DOMAINS)}
ENTRY: Final = "clouddatamesh.dev"
MODES: Final[dict[str, tuple[tuple[str, ...], dict[str, str]]]] = {
    "client": ((), {}),
    "server": (("ServerSideApply=true",), {}),
    "diff": (("ServerSideApply=true",), {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}),
}
FOREIGN: Final = "retail-foreign-data"


@pytest.fixture(scope="module")
def mesh() -> Iterator[Gitops]:
    """Where no Argo CD can be had the tests are skipped, but never under CI=true."""
    obstacles = find_obstacles()
    if obstacles and os.environ.get("CI", "").lower() == "true":
        pytest.fail("; ".join(obstacles))
    if obstacles:
        pytest.skip("; ".join(obstacles))
    with Moto() as store, a_mesh_from_git(store) as found:
        found.store.client("s3").create_bucket(Bucket=FOREIGN)
        yield found


def test_the_first_sync_ends_synced_and_healthy(mesh: Gitops) -> None:
    mesh.apply_example("applications.yaml")
    mesh.until(lambda: set(mesh.applications()) == APPLICATIONS, seconds=30, what="the ApplicationSets' Applications")
    mesh.settles()
    assert mesh.installed.secret("profiles-access", "inventory"), "the grant is in effect"


def test_a_change_is_synced(mesh: Gitops) -> None:
    mesh.write("domains/sales/returns.yaml", a_product("returns", "sales"))
    mesh.push("Add the product returns")
    mesh.settles()
    assert mesh.installed.secret("returns-producer", "sales")
    mesh.repository.revert()
    mesh.told()
    mesh.settles()
    mesh.until(lambda: not mesh.installed.get("dataproduct", "returns", "sales"), seconds=30, what="the prune of one product")


def test_what_somebody_edits_in_the_cluster_comes_back_from_git(mesh: Gitops) -> None:
    edited = '{"spec":{"displayName":"Edited","outputPorts":[]}}'
    mesh.installed.cluster.kubectl("patch", "dataproduct", "orders", "-n", "sales", "--type=merge", "-p", edited)

    def is_healed() -> bool:
        spec = mesh.installed.get("dataproduct", "orders", "sales")["spec"]
        return spec["displayName"] == "Orders" and len(spec["outputPorts"]) == 1

    mesh.until(is_healed, seconds=30, what="selfHeal")
    mesh.settles()


def test_a_broken_product_shows_degraded_with_its_reason(mesh: Gitops) -> None:
    mesh.write("domains/sales/broken.yaml", a_broken_product())
    mesh.push("Add a product that takes another's bucket")
    mesh.until(lambda: mesh.state("mesh-domains-sales").health == "Degraded", seconds=60, what="Degraded")
    sync, health, message = mesh.state("mesh-domains-sales").resources["DataProduct/broken"]
    assert (sync, health) == ("Synced", "Degraded")
    assert "NotOwned" in message and FOREIGN in message
    mesh.repository.revert()
    mesh.told()
    mesh.settles()


def a_broken_product() -> Manifest:
    return a_product("broken", "sales", storage={"bucketName": FOREIGN})


def test_a_domains_folder_cannot_hold_what_is_not_its_own(mesh: Gitops) -> None:
    grant = a_grant("taken", "customer", decision="Deny", consumerNamespace="sales", **NOTHING)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "taken"}}
    own = a_grant("self-service", "sales", decision="Deny", consumerNamespace="inventory", **NOTHING)
    refused: tuple[Manifest, ...] = (grant, own, a_domain("taken"), a_store("taken"), namespace)
    mesh.write("domains/sales/foreign.yaml", *refused)
    mesh.push("Take what is not ours")
    mesh.until(lambda: len(denied(mesh)) == len(refused), seconds=30, what="a refusal of each")
    for one in refused:
        place = one["metadata"].get("namespace", "")
        assert not mesh.installed.get(one["kind"].lower(), one["metadata"]["name"], place)
    mesh.repository.revert()
    mesh.told()
    mesh.settles()


NOTHING: Final = {field: None for field in ("dataProductRef", "outputPort", "requestRef", "consumer", "mode", "validUntil")}


def denied(mesh: Gitops) -> set[str]:
    operation = mesh.application("mesh-domains-sales")["status"].get("operationState") or {}
    results = (operation.get("syncResult") or {}).get("resources") or ()
    return {f"{one['kind']}/{one['name']}" for one in results if "not permitted in project" in one.get("message", "")}


@pytest.fixture
def modes(mesh: Gitops) -> Iterator[Gitops]:
    """The five kinds in one Application for each way in which Argo CD applies and compares."""
    for mode in MODES:
        mesh.write(f"modes/{mode}/all.yaml", *everything(mode, mesh))
    mesh.push("Add a mesh for each mode")
    for mode, (options, annotations) in MODES.items():
        mesh.installed.apply(an_application(f"mode-{mode}", mesh, path=f"modes/{mode}", options=options, annotations=annotations))
    mesh.settles()
    yield mesh
    mesh.installed.cluster.kubectl("delete", "applications.argoproj.io", "-n", "argocd", *(f"mode-{mode}" for mode in MODES))
    mesh.remove("modes/*/*")
    mesh.push("Remove them")


def everything(mode: str, mesh: Gitops) -> list[Manifest]:
    domain, store = f"by-{mode}", {"storeRef": {"name": mode}}
    port = {
        "name": "daily",
        "version": "1.0.0",
        "path": "daily/",
        "format": "parquet",
        "access": {"approval": "Auto", "maxDuration": "90d"},
    }
    deny = a_grant("never-sales", domain, decision="Deny", consumerNamespace="sales", **{**NOTHING, "dataProductRef": {"name": "orders"}})
    return [
        a_store(mode, endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix=mode),
        a_domain(domain, resources={"quota": {"requests.cpu": "2000m"}, "networkIsolation": {"mode": "Domain"}}),
        a_product("orders", domain, storage=store, outputPorts=[port]),
        a_product("forecast", domain, storage=store),
        a_request("orders-for-forecast", domain, dataProductRef={"namespace": domain, "name": "orders"}),
        deny,
    ]


def test_nothing_is_out_of_sync_through_the_operator(modes: Gitops) -> None:
    """Every kind is reconciled again and again, a key is rotated, and each look of Argo CD finds the Application Synced."""
    names = [f"mode-{mode}" for mode in MODES]
    for token in range(3):
        for mode in MODES:
            touch(modes, mode, str(token))
        modes.argo.refresh(*names)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            states = modes.states()
            assert {name: (states[name].sync, states[name].unsynced) for name in names} == dict.fromkeys(names, ("Synced", []))
    for mode in MODES:
        assert modes.installed.get("dataproduct", "orders", f"by-{mode}")["status"]["producer"]["lastHandledRotate"] == "0"
        assert {name.split("/")[0] for name in modes.state(f"mode-{mode}").resources} == {
            "ObjectStore", "Domain", "DataProduct", "AccessRequest", "AccessGrant",
        }  # fmt: skip


def touch(mesh: Gitops, mode: str, token: str) -> None:
    """Ask for a look at everything, and for a new key in the first round."""
    asked, place = f"{ENTRY}/reconcile-requested-at={token}", ("-n", f"by-{mode}")
    for target in (("objectstore", mode), ("domain", f"by-{mode}"), *((kind, "--all", *place) for kind in ("dp", "areq", "agrant"))):
        mesh.installed.cluster.kubectl("annotate", "--overwrite", *target, asked)
    mesh.installed.cluster.kubectl("annotate", "--overwrite", "dp", "orders", *place, f"{ENTRY}/rotate=0")


def test_a_commit_that_removes_a_grant_ends_the_key_whatever_else_the_application_waits_for(mesh: Gitops) -> None:
    """In one Application: a pending request, a Stalled product, and a product whose deletion waits for a consumer."""
    mesh.write("one/mesh.yaml", *a_busy_folder())
    mesh.write("one/leaving.yaml", a_product("leaving", "sales", outputPorts=[AUTO]))
    mesh.write("one/grant.yaml", a_grant("planning", "sales", **OF_LEDGER))
    mesh.push("Add a busy folder")
    cascade = ["resources-finalizer.argocd.argoproj.io"]
    mesh.installed.apply(an_application("one", mesh, path="one", finalizers=cascade))
    mesh.until(
        lambda: mesh.state("one").health == "Degraded" and mesh.state("one").phase == "Succeeded", seconds=60, what="Degraded and synced"
    )
    mesh.until(lambda: mesh.installed.secret("ledger-access", "inventory"), seconds=30, what="the key")
    mesh.installed.wait("areq", "leaving-for-planning", "inventory")
    found = mesh.state("one").resources
    assert found["AccessRequest/unanswered"][1] == "Healthy" and "AwaitingGrant" in found["AccessRequest/unanswered"][2]
    secret = mesh.installed.secret("ledger-access", "inventory")
    assert reads(mesh, secret)
    mesh.remove("one/leaving.yaml")
    mesh.push("Remove a product that has a consumer")
    mesh.until(lambda: told(mesh, "one", "DataProduct/leaving").startswith("Deletion waits: InUse"), seconds=30, what="a prune that waits")
    mesh.remove("one/grant.yaml")
    mesh.push("Revoke")
    took = mesh.until(lambda: not reads(mesh, secret), seconds=120, what="the key refused")
    print(f"refused {took:.0f} s after the commit")  # noqa: T201 - a figure
    assert told(mesh, "one", "DataProduct/leaving").startswith("Deletion waits: InUse")
    # A cascade begins in Argo CD only when no object of the Application is being deleted already: the deletion that waits is ended first.
    mesh.installed.cluster.kubectl("annotate", "dp", "leaving", "-n", "sales", f"{ENTRY}/cut-off=leaving")
    mesh.installed.cluster.kubectl("delete", "applications.argoproj.io", "one", "-n", "argocd", "--timeout=60s")
    assert not mesh.installed.get("dataproduct", "leaving", "sales") and not mesh.installed.get("areq", "unanswered", "inventory")
    mesh.remove("one/*")
    mesh.push("Remove the busy folder")
    mesh.settles()


AUTO: Final = {
    "name": "daily",
    "version": "1.0.0",
    "path": "daily/",
    "format": "parquet",
    "access": {"approval": "Auto", "maxDuration": "90d"},
}
OF_LEDGER: Final[dict[str, Any]] = {
    "dataProductRef": {"name": "ledger"},
    "consumer": {"dataProductRef": {"name": "planning"}},
    "requestRef": {"namespace": "inventory", "name": "ledger-for-planning"},
}


def a_busy_folder() -> list[Manifest]:
    asked: dict[str, Any] = {"consumer": {"dataProductRef": {"name": "planning"}}}
    ledger = {"dataProductRef": {"namespace": "sales", "name": "ledger"}}
    leaving = {"dataProductRef": {"namespace": "sales", "name": "leaving"}}
    return [
        a_product("ledger", "sales"),
        a_product("planning", "inventory"),
        a_broken_product(),
        a_request("ledger-for-planning", "inventory", secretName="ledger-access", **ledger, **asked),
        a_request("unanswered", "inventory", secretName="unanswered", **ledger, **asked),
        a_request("leaving-for-planning", "inventory", secretName="leaving-access", **leaving, **asked),
    ]


def reads(mesh: Gitops, secret: dict[str, str]) -> bool:
    """Whether a consumer's key lists its port."""
    s3 = mesh.client(secret)
    return is_allowed(lambda: s3.list_objects_v2(Bucket=secret["bucket"], Prefix=secret["prefix"]))


def told(mesh: Gitops, application: str, resource: str) -> str:
    """The message that Argo CD shows at an object."""
    return mesh.state(application).resources.get(resource, ("", "", ""))[2]
