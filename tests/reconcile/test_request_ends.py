"""The end of a request, by its deletion or without the operator: what was given is taken, and what is recorded stays until then."""

import pytest

from clouddatamesh.errors import Transient, Waiting
from clouddatamesh.model.evidence import Absent, Unknown
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import REQUEST, SECRET
from tests.reconcile.flows import ENDPOINT, Act
from tests.reconcile.test_product_around import away_now, storeless, tell
from tests.reconcile.test_request_around import asked, granted
from tests.reconcile.test_request_left import OF, remains, status, users
from tests.support.manifests import a_request
from tests.support.mesh import Mesh


def test_a_request_for_which_nothing_was_made_asks_no_store_when_it_goes() -> None:
    world = remains(asked())
    assert (world.store, world.principal) == (None, Absent())


@pytest.mark.parametrize(("act", "kind"), [(away_now, Transient), (storeless, Waiting)], ids=["away", "gone"])
def test_a_request_whose_store_does_not_answer_waits_and_the_way_out_is_named(act: Act, kind: type) -> None:
    mesh = granted()
    act(mesh)
    seen = remains(mesh).principal
    assert isinstance(seen, Unknown) and type(seen.error) is kind
    assert seen.error.message.endswith("annotate clouddatamesh.dev/orphan=orders-for-forecast")


def test_what_was_recorded_stays_recorded_while_a_deletion_waits_and_goes_with_the_request() -> None:
    mesh = granted()
    before = status(mesh)
    away_now(mesh)
    mesh.delete(*OF)
    reconcile(REQUEST, mesh.ports)
    after = status(mesh)
    assert after["observedGeneration"] > before["observedGeneration"]
    assert {name: after[name] for name in ("place", "principal", "grantRef")} == {
        name: before[name] for name in ("place", "principal", "grantRef")
    }
    assert ("DeletionBlocked", "True") in {(one["type"], one["status"]) for one in after["conditions"]}
    mesh.stores.at(ENDPOINT).down = False
    reconcile(REQUEST, mesh.ports)
    assert not mesh.exists(*OF) and users(mesh) == {}


def vanish(mesh: Mesh) -> Mesh:
    mesh.delete(*OF).cluster.user_finalize(REQUEST)
    return mesh


def test_a_request_that_went_without_its_finalizer_loses_what_it_was_given() -> None:
    mesh = vanish(granted())
    reconcile(REQUEST, mesh.ports)
    assert users(mesh) == {} and mesh.cluster.raw(SECRET) is None


def test_a_request_that_is_there_again_keeps_it_and_one_that_cannot_be_read_leaves_it_open() -> None:
    mesh = vanish(granted())
    mesh.cluster.unreadable = {"AccessRequest"}
    with pytest.raises(Transient):
        reconcile(REQUEST, mesh.ports)
    assert users(mesh)
    mesh.cluster.unreadable = set()
    mesh.cluster.hold_back("AccessRequest")
    mesh.apply(a_request())
    reconcile(REQUEST, mesh.ports)
    assert users(mesh)


def test_a_request_without_a_record_leaves_nothing_to_take() -> None:
    mesh = vanish(tell(granted(), REQUEST, place=None))
    mesh.cluster.unreadable = {"AccessRequest"}
    reconcile(REQUEST, mesh.ports)
    assert users(mesh)
