"""A real Argo CD runs the retail mesh from Git, as examples/gitops lays it out: it shows the truth, and what a commit removes is removed.

The tests follow each other on one mesh; each leaves it Synced and Healthy.
"""

import os
import time
from collections.abc import Iterator
from typing import Final

import pytest

from hack.tools.argo_cd import find_obstacles
from hack.tools.s3_moto import Moto
from tests.e2e.argo_actions import Desk
from tests.e2e.argo_ends import ALL, MESH, MESH_FILES, OPERATOR, SECRET_FILE, Ends
from tests.e2e.argo_folders import AUTO, FOREIGN, MODES, NOTHING, OF_LEDGER, a_broken_product, a_busy_folder, in_each_mode, rotated, touch
from tests.e2e.argo_seen import denied, granted, reads, shows, told
from tests.e2e.argo_waves import TIMEOUT, Waves
from tests.support.gitops import Gitops, Manifest, a_mesh_from_git, an_application
from tests.support.manifests import a_domain, a_grant, a_product, a_store

pytestmark = pytest.mark.real
DOMAINS: Final = ("customer", "inventory", "sales")
ALL_DOMAINS: Final = [f"Domain/{domain}" for domain in DOMAINS]
ENTRY: Final = "clouddatamesh.dev"
APPLICATIONS: Final = {"mesh-platform", *(f"mesh-{what}-{domain}" for what in ("domains", "grants") for domain in DOMAINS)}


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
    mesh.until(lambda: set(mesh.applications()) == APPLICATIONS, seconds=120, what="the ApplicationSets' Applications")
    mesh.settles()
    assert granted(mesh, "profiles-access", "inventory"), "the grant is in effect"


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
    shows(mesh, "mesh-domains-sales", "DataProduct/broken", "NotOwned", FOREIGN, health="Degraded")
    mesh.until(lambda: mesh.state("mesh-domains-sales").health == "Degraded", seconds=60, what="Degraded")
    mesh.repository.revert()
    mesh.told()
    mesh.settles()


def test_a_domains_folder_cannot_hold_what_is_not_its_own(mesh: Gitops) -> None:
    grant = a_grant("taken", "customer", decision="Deny", consumerNamespace="sales", **NOTHING)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "taken"}}
    own = a_grant("self-service", "sales", decision="Deny", consumerNamespace="inventory", **NOTHING)
    refused: tuple[Manifest, ...] = (grant, own, a_domain("taken"), a_store("taken"), namespace)
    mesh.write("domains/sales/foreign.yaml", *refused)
    mesh.push("Take what is not ours")
    mesh.until(lambda: len(denied(mesh)) == len(refused), seconds=60, what="a refusal of each")
    for one in refused:
        place = one["metadata"].get("namespace", "")
        assert not mesh.installed.get(one["kind"].lower(), one["metadata"]["name"], place)
    mesh.repository.revert()
    mesh.told()
    mesh.settles()


@pytest.fixture
def modes(mesh: Gitops) -> Iterator[Gitops]:
    """The five kinds in one Application for each way in which Argo CD applies and compares."""
    with in_each_mode(mesh):
        yield mesh


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
        modes.until(lambda m=mode: rotated(modes, m) == "0", seconds=30, what="a new key")  # type: ignore[misc]
        assert {name.split("/")[0] for name in modes.state(f"mode-{mode}").resources} == {
            "ObjectStore", "Domain", "DataProduct", "AccessRequest", "AccessGrant",
        }  # fmt: skip


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
    shows(mesh, "one", "AccessRequest/unanswered", "AwaitingGrant", health="Healthy")
    secret = mesh.installed.secret("ledger-access", "inventory")
    assert reads(mesh, secret)
    mesh.remove("one/leaving.yaml")
    mesh.push("Remove a product that has a consumer")
    mesh.until(lambda: told(mesh, "one", "DataProduct/leaving").startswith("Deletion waits: InUse"), seconds=60, what="a prune that waits")
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


def test_a_sync_that_waits_in_a_wave_is_ended_by_the_timeout_and_the_next_commit_synced(mesh: Gitops) -> None:
    waves = Waves.that_wait(mesh)
    held = waves.go_on()
    assert TIMEOUT <= held < TIMEOUT + 30
    waves.end()
    mesh.settles()


def test_actions_reconcile_suspend_and_resume_and_none_approves(mesh: Gitops) -> None:
    """Git says nothing of `suspend`, so selfHeal leaves the action's word as it is."""
    with mesh.argo.serve() as url:
        sales, platform, grants = (Desk(url, f"mesh-{name}") for name in ("domains-sales", "platform", "grants-customer"))
        offered = {"reconcile": True, "suspend": True, "resume": False}
        assert sales.actions("DataProduct", "orders", "sales") == platform.actions("Domain", "sales") == offered
        assert sales.actions("AccessRequest", "stock-for-forecast", "sales") == {"reconcile": True}
        assert grants.actions("AccessGrant", "inventory-deliveries", "customer") == {"reconcile": True}
        assert platform.actions("ObjectStore", "main") == {"reconcile": True}
        sales.run("reconcile", "DataProduct", "orders", "sales")
        mesh.until(lambda: orders(mesh)["status"].get("lastHandledReconcileAt"), seconds=30, what="the reconciliation")
        sales.run("suspend", "DataProduct", "orders", "sales")
        mesh.until(lambda: "suspend" in told(mesh, "mesh-domains-sales", "DataProduct/orders").lower(), seconds=30, what="Suspended")
        mesh.write("domains/sales/README.md")
        mesh.push("A sync of all that is suspended")
        mesh.until(lambda: mesh.state("mesh-domains-sales").revision == mesh.repository.head(), seconds=30, what="the sync")
        assert orders(mesh)["spec"]["suspend"] and not mesh.state("mesh-domains-sales").unsynced
        assert sales.actions("DataProduct", "orders", "sales") == {"reconcile": True, "suspend": False, "resume": True}
        sales.run("resume", "DataProduct", "orders", "sales")
        mesh.settles()
        assert not orders(mesh)["spec"]["suspend"]


def orders(mesh: Gitops) -> Manifest:
    return mesh.installed.get("dataproduct", "orders", "sales")


def test_what_is_pruned_by_mistake_waits_and_comes_back(mesh: Gitops) -> None:
    """A domain's folder that becomes empty is not pruned; Domains and store wait for it. Break-glass lets the revert bring them back."""
    ends, kept = Ends(mesh), mesh.installed.secret("stock-access", "sales")
    mesh.remove(*MESH_FILES)
    mesh.push("Remove everything by mistake")
    mesh.until(lambda: {"ObjectStore/main", *ALL_DOMAINS} <= set(ends.terminating()), seconds=60, what="the prune of the platform")
    mesh.until(lambda: all(reason.startswith("InUse: ") for reason in ends.terminating().values()), seconds=30, what="a reason for each")
    kept_whole = lambda: "wipe out all resources" in str(mesh.application("mesh-domains-sales")["status"])  # noqa: E731
    mesh.until(kept_whole, seconds=60, what="a folder that is not pruned")
    mesh.repository.revert()
    mesh.told()
    mesh.until(lambda: mesh.state("mesh-platform").revision == mesh.repository.head(), seconds=60, what="the sync of the revert")
    platform = {"ObjectStore/main", *ALL_DOMAINS}
    mesh.until(lambda: set(ends.terminating()) == platform, seconds=60, what="the end of grants that were pruned")
    assert reads(mesh, kept)
    for name in platform:
        ends.release(*name.split("/"))
    mesh.settles()
    assert mesh.installed.secret("stock-access", "sales") == kept and reads(mesh, kept)
    assert granted(mesh, "profiles-access", "inventory"), "its grant was pruned, and is in effect again"


def test_everything_is_pruned_the_stores_secret_first_and_reverted_while_that_waits(mesh: Gitops) -> None:
    ends = Ends(mesh)
    bucket, buckets, users = ends.fill("orders", "sales"), ends.buckets(), len(ends.users())
    ends.let_folders_be_empty()
    mesh.remove(SECRET_FILE)
    mesh.push("Remove the store's Secret")
    mesh.until(lambda: not mesh.installed.get("secret", "main-s3", "clouddatamesh-system"), seconds=60, what="the prune of the Secret")
    mesh.installed.cluster.kubectl("annotate", "objectstore", "main", f"{ENTRY}/reconcile-requested-at=now")
    mesh.until(lambda: "Secret main-s3" in told(mesh, "mesh-platform", "ObjectStore/main"), seconds=60, what="CredentialsMissing")
    mesh.remove(*MESH_FILES)
    mesh.push("Remove everything")
    mesh.until(lambda: not ends.standing(), seconds=90, what="the prune of everything")
    waits = ("DataProduct/orders", "DataProduct/deliveries", "AccessRequest/stock-for-forecast")
    mesh.until(lambda: all("Secret main-s3" in ends.terminating().get(name, "") for name in waits), seconds=60, what="that reason")
    assert len(ends.users()) == users, "nothing is given up without the store"
    mesh.repository.revert("HEAD~2..HEAD")
    mesh.told()
    mesh.settles(seconds=150)
    granted(mesh, "profiles-access", "inventory")
    granted(mesh, "stock-access", "sales")
    assert ends.is_kept(bucket) and (ends.buckets(), len(ends.users())) == (buckets, users)


def test_everything_is_pruned_and_reverted(mesh: Gitops) -> None:
    ends = Ends(mesh)
    bucket, buckets, users = ends.fill("orders", "sales"), ends.buckets(), len(ends.users())
    former = mesh.installed.secret("profiles-access", "inventory")
    mesh.remove(*MESH_FILES)
    mesh.push("Remove everything")
    mesh.until(lambda: not ends.objects(), seconds=120, what="the end of everything")
    assert ends.users() == set() and not reads(mesh, former)
    assert not mesh.installed.get("secret", "profiles-access", "inventory")
    mesh.repository.revert()
    mesh.told()
    mesh.settles(seconds=150)
    granted(mesh, "profiles-access", "inventory")
    granted(mesh, "stock-access", "sales")
    assert ends.is_kept(bucket) and (ends.buckets(), len(ends.users())) == (buckets, users)
    assert not reads(mesh, former)


def test_one_cascade_over_operator_and_mesh_ends_the_mesh_first(mesh: Gitops) -> None:
    ends = Ends(mesh)
    bucket, buckets = ends.fill("orders", "sales"), ends.buckets()
    ends.give_up_the_sets()
    with ends.jobs() as jobs:
        ends.write_parent("wait")
        ends.apply_parent()
        assert "pre-delete-finalizer.argocd.argoproj.io" in mesh.application(OPERATOR)["metadata"]["finalizers"]
        ends.delete_parent()
        mesh.until(lambda: not ends.runs(), seconds=150, what="the end of the operator")
        if ends.hook_was_passed_over():
            ends.return_operator()
            mesh.until(lambda: not ends.objects(), seconds=180, what="the end of everything, as the docs say")
            assert ends.users() == set() and ends.is_kept(bucket)
            pytest.skip("Argo CD passed over its PreDelete hook (docs/decisions/0026); the mesh ended when the operator was back")
        assert not ends.objects(), "the operator goes last"
        mesh.until(lambda: not mesh.applications(), seconds=60, what="the end of all Applications")
        (said,) = jobs.said
    assert "Waiting for objects of the mesh; " in said and said.endswith("No objects of the mesh are left\n")
    assert mesh.installed.get("crd", "dataproducts.clouddatamesh.dev")
    assert ends.users() == set() and ends.is_kept(bucket)
    assert [name.startswith("retail-stock-levels-") for name in buckets - ends.buckets()] == [True], "deletionPolicy: Delete, and empty"


def test_one_cascade_without_the_hook_leaves_objects_that_end_when_the_operator_returns(mesh: Gitops) -> None:
    ends = Ends(mesh)
    ends.write_parent("never")
    ends.apply_parent()
    bucket = ends.fill("stock-levels", "inventory")
    ends.delete_parent()
    mesh.until(lambda: not ends.runs(), seconds=180, what="the end of the operator")
    mesh.until(lambda: not ends.standing(), seconds=60, what="deletions that nobody ends")
    assert {MESH, ALL} <= set(mesh.applications()) and "DataProduct/stock-levels" in ends.terminating()
    ends.return_operator()
    mesh.until(lambda: "BucketNotEmpty" in ends.terminating().get("DataProduct/stock-levels", ""), seconds=180, what="a named reason")
    ends.empty(bucket)
    mesh.installed.cluster.kubectl("annotate", "dp", "stock-levels", "-n", "inventory", f"{ENTRY}/reconcile-requested-at=emptied")
    mesh.until(lambda: not ends.objects(), seconds=180, what="the end of everything")
    mesh.until(lambda: mesh.applications() == [OPERATOR], seconds=60, what="the end of the parent")
    assert ends.users() == set() and bucket not in ends.buckets()
    mesh.until(lambda: mesh.state(OPERATOR).phase == "Succeeded", seconds=30, what="a sync without CRDs")
    assert mesh.installed.get("crd", "dataproducts.clouddatamesh.dev"), "kept by Prune=false"
