"""An ObjectStore that is deleted while users are left in it whose owners are gone: nothing else would ever end them."""

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, granted, principal
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_store, annotated
from tests.support.mesh import Mesh

STORE = Key("ObjectStore", "", "main")


def lose_record(mesh: Mesh) -> None:
    """A restore without status, and then a deletion: nobody knows any more what was given."""
    found = mesh.get(REQUEST.kind, REQUEST.name, REQUEST.namespace)
    mesh.cluster.write_status(REQUEST, found["metadata"]["uid"], {"observedGeneration": -1})
    mesh.cluster.user_delete(REQUEST)


def left_alone(*, with_users: bool = False) -> tuple[Driven, str]:
    """A user whose request is gone, in a store whose deletion was asked for; `with_users`: which also products use."""
    mesh = granted(Mesh())
    driven, user = Driven(mesh).run(minutes=5), principal(mesh)
    lose_record(mesh)
    driven.run(seconds=10)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    if not with_users:
        mesh.delete("DataProduct", "orders", "sales").delete("DataProduct", "forecast", "inventory")
        driven.run(seconds=30)
    mesh.delete("ObjectStore", "main")
    return driven.run(minutes=1), user


def has_access(driven: Driven, user: str) -> bool:
    return user in driven.mesh.stores.at(ENDPOINT).users


@pytest.mark.parametrize("with_users", [False, True])
def test_users_without_owners_end_before_or_while_a_store_goes(*, with_users: bool) -> None:
    driven, user = left_alone(with_users=with_users)
    assert has_access(driven, user)
    driven.run(hours=1)
    assert not has_access(driven, user)
    assert driven.mesh.exists("ObjectStore", "main") is with_users


def test_a_store_names_the_users_for_which_its_deletion_waits() -> None:
    driven, user = left_alone()
    blocked = driven.mesh.condition("ObjectStore", "main", type_="DeletionBlocked")
    assert blocked["reason"] == "InUse"
    assert user in blocked["message"]
    assert "clouddatamesh.dev/orphan=main" in blocked["message"]
    assert driven.mesh.condition("ObjectStore", "main", type_="PrincipalsOrphaned")["status"] == "True"


@pytest.mark.parametrize("is_down", [False, True])
def test_a_store_that_is_given_up_goes_at_once_and_lists_the_users_that_stay(*, is_down: bool) -> None:
    driven, user = left_alone()
    driven.mesh.stores.at(ENDPOINT).down = is_down
    driven.run(minutes=1)
    assert driven.mesh.exists("ObjectStore", "main")
    driven.mesh.apply(annotated(a_store(), orphan="main"))
    driven.run(minutes=1)
    assert not driven.mesh.exists("ObjectStore", "main")
    assert has_access(driven, user)
    assert any(key == STORE and event.reason == "Abandoned" and user in event.note for key, event in driven.mesh.cluster.events)
