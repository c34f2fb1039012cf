"""Why a store is not asked at all: it did not answer its own look, is of another mesh or account, or its credentials are missing."""

from typing import Final

import pytest

from clouddatamesh.errors import MeshError, Transient, Waiting
from clouddatamesh.reconcile.places import Place
from tests.reconcile.flows import ENDPOINT, Act
from tests.reconcile.test_believed import a_mesh, a_place, opened
from tests.support.manifests import CREDENTIALS
from tests.support.mesh import Mesh


def test_a_store_is_not_asked_before_it_answered_its_own_look() -> None:
    mesh = a_mesh()
    found = opened(mesh, conditions=())
    assert isinstance(found, Waiting)
    assert (found.reason, found.message) == ("StoreNotReady", "ObjectStore main does not answer: it was not looked at yet")
    mesh.stores.at(ENDPOINT).down = True
    mesh.settle().clock.forward(minutes=1)
    mesh.settle()
    found = opened(mesh)
    assert isinstance(found, Waiting) and found.reason == "StoreUnavailable"
    assert found.message.startswith("ObjectStore main does not answer: account")


@pytest.mark.parametrize(("bucket", "opens"), [(None, True), ("acme-mesh-another", False)])
def test_a_store_of_another_mesh_is_not_asked(bucket: str | None, opens: bool) -> None:
    found = opened(a_mesh(), bucket=bucket)
    assert isinstance(found, Place) is opens
    assert opens or (isinstance(found, Waiting) and found.reason == "OtherMesh")


def lose_secret(mesh: Mesh) -> None:
    mesh.cluster.put_own_secret(CREDENTIALS, {})


FAULTS: Final[dict[str, tuple[Act, type[MeshError], str]]] = {
    "its Secret lacks the keys": (lose_secret, Waiting, "StoreNotReady"),
    "its account is another": (lambda mesh: mesh.stores.at(ENDPOINT).switch_account("other"), Waiting, "NotTheSameStore"),
    "it does not answer now": (lambda mesh: setattr(mesh.stores.at(ENDPOINT), "down", True), Transient, "StoreUnavailable"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_credentials_that_must_not_be_used_are_not(fault: str) -> None:
    mesh = a_mesh()
    act, kind, reason = FAULTS[fault]
    act(mesh)
    found = opened(mesh)
    assert isinstance(found, kind) and found.reason == reason


def test_whose_the_credentials_are_is_asked_once_in_half_a_minute() -> None:
    mesh = a_mesh()
    calls = mesh.stores.at(ENDPOINT).calls

    def asked() -> int:
        a_place(mesh)
        return sum(verb == "account" for verb, _ in calls)

    assert [asked(), asked()] == [1, 1]
    mesh.clock.forward(seconds=30)
    assert asked() == 2
