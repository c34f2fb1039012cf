"""A loss that is accepted counts once, and an accepted store is another store: what was recorded in the former is not looked for in it."""

from typing import Final

from clouddatamesh.plan import names
from clouddatamesh.storage.memory import MemoryStore
from tests.reconcile.causes_in_stores import swap_store
from tests.reconcile.flows import ENDPOINT, ready
from tests.reconcile.test_access import granted
from tests.support.manifests import a_product, a_request, a_store, annotated
from tests.support.mesh import Killed, Mesh, Trap

OURS: Final = names.mesh_bucket_name("acme", "acme")


def the_store(mesh: Mesh) -> MemoryStore:
    return mesh.stores.at(ENDPOINT)


def store_id(mesh: Mesh) -> str:
    return str(mesh.get("ObjectStore", "main")["status"]["storeId"])


def reason(mesh: Mesh, kind: str = "DataProduct", name: str = "orders", namespace: str = "sales") -> str:
    return str(mesh.condition(kind, name, namespace)["reason"])


def test_a_product_loses_its_bucket_twice_and_is_asked_twice() -> None:
    mesh = ready(Mesh()).settle()
    bucket = mesh.bucket_of()
    for consent in (bucket, f"{bucket}/2", f"{bucket}/3"):
        del the_store(mesh).buckets[bucket]
        mesh.settle()
        assert reason(mesh) == "BucketMissing"
        assert f"clouddatamesh.dev/recreate={consent}" in mesh.condition("DataProduct", "orders", "sales")["message"]
        assert bucket not in the_store(mesh).buckets
        mesh.apply(annotated(a_product(), recreate=consent)).settle()
        assert bucket in the_store(mesh).buckets
        assert mesh.product()["status"]["storage"]["lastHandledRecreate"] == consent


def test_an_accepted_store_is_another_one_and_each_product_accepts_for_itself() -> None:
    mesh = granted()
    former = store_id(mesh)
    swap_store(mesh)
    mesh.settle()
    assert reason(mesh, "ObjectStore", "main", "") == "NotTheSameStore"
    mesh.apply(annotated(a_store(), recreate=OURS)).settle()
    assert reason(mesh, "ObjectStore", "main", "") == "Ready"
    assert store_id(mesh) != former
    assert dict(the_store(mesh).buckets[OURS].bucket.tags)["clouddatamesh.dev/store-id"] == store_id(mesh)
    assert reason(mesh) == "NotTheSameStore"
    assert set(the_store(mesh).buckets) == {OURS, *(name for name in the_store(mesh).buckets if "-probe-" in name)}
    bucket = mesh.bucket_of()
    mesh.apply(annotated(_with_access(mesh), recreate=bucket)).settle()
    assert mesh.product()["status"]["storage"]["storeId"] == store_id(mesh)
    waits = mesh.condition("AccessRequest", "orders-for-forecast", "inventory")
    assert "clouddatamesh.dev/orphan=orders-for-forecast" in waits["message"]
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["place"]["storeId"] == former
    mesh.apply(annotated(a_request(), orphan="orders-for-forecast")).settle()
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["place"]["storeId"] == store_id(mesh)


def _with_access(mesh: Mesh) -> dict[str, object]:
    product = dict(mesh.product())
    return {"apiVersion": product["apiVersion"], "kind": "DataProduct", "spec": product["spec"],
            "metadata": {"name": "orders", "namespace": "sales"}}  # fmt: skip


def test_an_accepted_loss_of_a_store_counts_once() -> None:
    mesh = ready(Mesh()).settle()
    swap_store(mesh)
    mesh.apply(annotated(a_store(), recreate=OURS)).settle()
    second = store_id(mesh)
    swap_store(mesh)
    mesh.settle()
    assert reason(mesh, "ObjectStore", "main", "") == "NotTheSameStore"
    assert f"recreate={OURS}/2" in mesh.condition("ObjectStore", "main")["message"]
    mesh.apply(annotated(a_store(), recreate=f"{OURS}/2")).settle()
    assert store_id(mesh) not in (second, "")


def test_where_the_marker_shows_the_store_only_its_bucket_was_lost() -> None:
    mesh = granted()
    former = store_id(mesh)
    del the_store(mesh).buckets[OURS]
    mesh.settle()
    mesh.apply(annotated(a_store(), recreate=OURS)).settle()
    assert store_id(mesh) == former
    assert reason(mesh) == "Ready"
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"] == "True"


def test_a_marker_at_another_place_shows_nothing_of_the_buckets() -> None:
    """The S3 endpoint is wrong, and IAM is where it was."""
    mesh = Mesh().apply(a_store(iamEndpointUrl="https://iam.test"))
    iam = mesh.stores.at("https://iam.test")
    iam.root, iam.account = the_store(mesh).root, the_store(mesh).account
    mesh.settle()
    former = store_id(mesh)
    the_store(mesh).buckets = {}
    mesh.settle()
    mesh.apply(annotated(a_store(iamEndpointUrl="https://iam.test"), recreate=OURS)).settle()
    assert reason(mesh, "ObjectStore", "main", "") == "Ready"
    assert store_id(mesh) != former


def test_a_crash_while_the_new_store_is_begun_changes_nothing_of_it() -> None:
    for after in (False, True):
        for at in range(1, 12):
            mesh = ready(Mesh()).settle()
            swap_store(mesh)
            mesh.settle()
            mesh.apply(annotated(a_store(), recreate=OURS))
            twin = mesh.copy()
            twin.settle()
            _die_once(mesh, at, after=after)
            assert store_id(mesh) == store_id(twin)


def _die_once(mesh: Mesh, at: int, *, after: bool) -> None:
    mesh.trap = Trap(at, after)
    try:
        mesh.settle()
    except Killed:
        mesh.trap = Trap()
        mesh.settle()
