"""A cluster made of another one's backup, with status: it touches nothing of one that lives, and takes over from one that is lost."""

from collections.abc import Callable

import pytest

from tests.reconcile.access_flows import granted
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_keys_end import active, deny, forget, lapse, revoke
from tests.support.driven import Driven
from tests.support.manifests import a_store
from tests.support.mesh import Mesh

ORIGIN, CLONE = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"
PARTS = ("orders-for-forecast", "sales-orders-")


def cloned() -> tuple[Mesh, Mesh]:
    """A cluster, and another one with all of its objects, statuses and Secrets, at the same store."""
    origin = Mesh()
    origin.cluster.be_cluster(ORIGIN)
    clone = granted(origin).copy()
    clone.cluster.be_cluster(CLONE)
    return origin, clone


def access(mesh: Mesh) -> dict[str, object]:
    """The keys and policies of every user of the product and the request."""
    users = mesh.stores.at(ENDPOINT).users.items()
    return {name: (user.keys, user.policy) for name, user in users if "orders" in name}


@pytest.mark.parametrize("act", [lambda _: None, revoke, deny, lapse, forget], ids=["nothing", "revoked", "denied", "expired", "deleted"])
def test_a_clone_of_a_cluster_that_lives_ends_nothing_of_it(act: Callable[[Mesh], object]) -> None:
    _, clone = cloned()
    before = access(clone)
    driven = Driven(clone).run(minutes=10)
    act(clone)
    driven.run(minutes=10)
    clone.clock.forward(days=20)
    clone.settle()
    assert clone.condition("ObjectStore", "main")["reason"] == "StoreInUseByOtherCluster"
    assert access(clone) == before


@pytest.mark.parametrize("late", [False, True], ids=["at once", "ten minutes later"])
def test_a_cluster_that_was_restored_with_status_takes_over_with_an_hour_of_grace(late: bool) -> None:
    _, clone = cloned()
    former = {part: active(clone, part) for part in PARTS}
    driven = Driven(clone)
    if late:
        driven.run(minutes=10)
    clone.apply(a_store(takeOverFrom=[ORIGIN]))
    driven.run(minutes=30)
    for part in PARTS:
        assert set(former[part]) < set(active(clone, part)), "the former key works, and there is another"
    assert clone.condition("DataProduct", "orders", "sales")["reason"] == "Ready"
    assert clone.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "Granted"
    driven.run(minutes=50)
    for part in PARTS:
        assert len(active(clone, part)) == 1
        assert not set(former[part]) & set(active(clone, part))
