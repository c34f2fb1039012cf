"""What a deletion of a product rests on, and what its status goes on telling while it waits."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Transient, Waiting
from clouddatamesh.model.bucket import Contents
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.reconcile.dataproduct import gather_deletion
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.reconcile.parse import read_leniently
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.access_flows import a_port
from tests.reconcile.flows import ENDPOINT, Act, mark_as_anothers
from tests.reconcile.test_product_around import PRODUCT, a_mesh, away_now, recorded, refused, storeless, tell, without_storage
from tests.support.manifests import a_product, a_store, annotated
from tests.support.mesh import Mesh

WAY_OUT: Final = "; to release the product and leave bucket and keys behind, annotate clouddatamesh.dev/orphan=orders"


def remains(mesh: Mesh) -> ProductWorld:
    manifest = mesh.product()
    return gather_deletion(read_leniently(DataProduct, manifest), Visit.of(PRODUCT, manifest, mesh.ports))


def wants(mesh: Mesh, policy: str, **storage: Any) -> Mesh:
    return mesh.apply(a_product(outputPorts=[a_port()], storage={"deletionPolicy": policy, **storage}))


def is_asked(mesh: Mesh) -> bool:
    """Whether the store is asked for anything."""
    mesh.clock.forward(minutes=1)
    before = len(mesh.stores.at(ENDPOINT).calls)
    remains(mesh)
    return len(mesh.stores.at(ENDPOINT).calls) > before


@pytest.mark.parametrize(("deleted", "expected"), [(False, False), (True, True)])
def test_a_namespace_that_goes_as_a_whole_is_known(deleted: bool, expected: bool) -> None:
    mesh = a_mesh()
    if deleted:
        mesh.delete("Namespace", "sales")
    assert remains(mesh).namespace_terminating is expected


def test_a_namespace_that_does_not_show_counts_as_one_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = a_mesh()
    real = mesh.cluster.get
    monkeypatch.setattr(mesh.cluster, "get", lambda key: None if key == Key("Namespace", "", "sales") else real(key))
    assert remains(mesh).namespace_terminating


@pytest.mark.parametrize(
    ("storage", "producer", "asked"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
    ids=["bucket and user", "a bucket", "a user", "nothing"],
)
def test_a_store_is_asked_where_anything_was_made_in_it(storage: bool, producer: bool, asked: bool) -> None:
    mesh = a_mesh()
    left: dict[str, Any] = {name: None for name, kept in (("storage", storage), ("producer", producer)) if not kept}
    tell(mesh, **left)
    assert is_asked(mesh) is asked


def test_a_product_whose_spec_names_no_store_asks_none() -> None:
    assert not is_asked(a_mesh().apply(without_storage()))


def given_up(mesh: Mesh) -> None:
    mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")


@pytest.mark.parametrize(
    ("act", "abandoned", "expected"),
    [
        (given_up, None, True),
        (storeless, None, False),
        (storeless, False, False),
        (storeless, True, True),
        (lambda mesh: storeless(tell(mesh, storage=None)), None, False),
        (lambda _: None, None, False),
    ],
    ids=["given up", "gone", "gone, and not given up", "gone after it was given up", "gone, and only a user was made", "there"],
)
def test_a_store_is_given_up_where_it_says_so_or_did_before_it_went(act: Act, abandoned: bool | None, expected: bool) -> None:
    mesh = recorded(a_mesh(), abandoned=abandoned)
    act(mesh)
    world = remains(mesh)
    assert world.abandoned is expected
    assert isinstance(world.secret, Present), "what is in the cluster goes in any case"


def test_a_store_that_is_given_up_is_not_asked() -> None:
    mesh = a_mesh()
    given_up(mesh)
    assert not is_asked(mesh)


@pytest.mark.parametrize(
    ("policy", "destroys", "counted"),
    [("Retain", False, False), ("Delete", False, True), ("Delete", True, True)],
    ids=["Retain", "Delete", "Destroy"],
)
def test_what_a_bucket_holds_is_counted_where_it_is_to_go(policy: str, destroys: bool, counted: bool) -> None:
    mesh = wants(a_mesh(), policy, forceDestroy=destroys)
    mesh.stores.at(ENDPOINT).put_object(mesh.bucket_of(), count=3)
    assert remains(mesh).contents == (Present(Contents(versions=3)) if counted else Absent())


def test_a_bucket_that_is_not_there_is_not_counted() -> None:
    mesh = wants(a_mesh(), "Delete")
    calls = mesh.stores.at(ENDPOINT).calls
    del mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    world = remains(mesh)
    assert (world.bucket, world.contents) == (Absent(), Absent())
    assert not [verb for verb, _ in calls if verb == "count"]


BLOCKED: Final[dict[str, tuple[Act, type[MeshError], str]]] = {
    "its keys are refused": (refused, Waiting, "StoreNotReady"),
    "it does not answer now": (away_now, Transient, "StoreUnavailable"),
    "it is gone": (storeless, Waiting, "StoreNotFound"),
    "it is another one": (lambda mesh: recorded(mesh, storeId="other"), Waiting, "NotTheSameStore"),
}


@pytest.mark.parametrize("why", BLOCKED)
def test_a_store_that_is_not_asked_is_waited_for_and_the_way_out_is_named(why: str) -> None:
    act, kind, reason = BLOCKED[why]
    mesh = wants(a_mesh(), "Delete")
    act(mesh)
    world = remains(mesh)
    for seen in (world.bucket, world.principal):
        assert isinstance(seen, Unknown)
        assert (type(seen.error), seen.error.reason) == (kind, reason) and seen.error.message.endswith(WAY_OUT)
    assert world.contents == Absent()


# What status tells meanwhile.


def held_up(mesh: Mesh) -> Mesh:
    """A product that is suspended, so that its deletion waits."""
    return mesh.apply(a_product(outputPorts=[a_port()], suspend=True)).delete("DataProduct", "orders", "sales")


def status(mesh: Mesh) -> dict[str, Any]:
    return dict(mesh.product()["status"])


def test_what_was_recorded_stays_recorded_while_a_deletion_waits() -> None:
    mesh = a_mesh()
    before = status(mesh)
    reconcile(PRODUCT, held_up(mesh).ports)
    after = status(mesh)
    assert after["observedGeneration"] > before["observedGeneration"]
    assert {one["type"] for one in after["conditions"]} >= {"Ready", "DeletionBlocked"}
    assert {name: after[name] for name in ("storage", "producer", "binding")} == {
        name: before[name] for name in ("storage", "producer", "binding")
    }


def test_a_product_for_which_nothing_was_made_gets_no_record_by_its_deletion() -> None:
    mesh = tell(a_mesh(), storage=None, producer=None, binding=None)
    reconcile(PRODUCT, held_up(mesh).ports)
    assert not {"storage", "producer"} & status(mesh).keys()


def test_a_bucket_that_is_anothers_meanwhile_is_told_of_until_it_is_this_products_again() -> None:
    mesh = held_up(a_mesh())
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    own = held.bucket
    mark_as_anothers(mesh, "orders")
    reconcile(PRODUCT, mesh.ports)
    assert status(mesh)["storage"]["lossSeenAt"] == "2026-01-01T00:00:00Z"
    held.bucket = own
    reconcile(PRODUCT, mesh.ports)
    assert "lossSeenAt" not in status(mesh)["storage"]


def test_a_key_that_was_replaced_is_told_of_until_it_is_gone_and_is_a_reason_to_look() -> None:
    mesh = a_mesh().apply(annotated(a_product(outputPorts=[a_port()]), rotate="1")).settle()
    told = status(mesh)["producer"]["rotation"]
    after = reconcile(PRODUCT, held_up(mesh).ports).after
    assert status(mesh)["producer"]["rotation"] == told
    assert after is not None and after < 300
    mesh.clock.forward(hours=2)
    mesh.settle()
    assert "rotation" not in status(mesh)["producer"]


# One that went without the operator.


@pytest.mark.parametrize("back", [False, True], ids=["gone", "made again"])
def test_a_product_that_went_without_its_finalizer_loses_its_keys_unless_it_is_there_again(back: bool) -> None:
    mesh = a_mesh()
    user = mesh.product()["status"]["producer"]["principal"]
    mesh.delete("DataProduct", "orders", "sales").cluster.user_finalize(PRODUCT)
    if back:
        mesh.cluster.hold_back("DataProduct")
        mesh.apply(a_product(outputPorts=[a_port()]))
    reconcile(PRODUCT, mesh.ports)
    assert (user in mesh.stores.at(ENDPOINT).users) is back
    assert len([name for name in mesh.stores.at(ENDPOINT).buckets if name.startswith("acme-orders")]) == 1
