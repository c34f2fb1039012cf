"""An ending by the port's terms is one spec's: a restored grant that was changed since gives, and one that was not does not."""

from itertools import count

import pytest

from tests.reconcile.access_flows import REQUEST, SECRET, a_port
from tests.reconcile.test_restored import OBJECTS, rebuilt, restore
from tests.reconcile.test_takeover import GRANT, inventory, sales, users
from tests.reconcile.test_takeover import a_mesh as a_cluster
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, annotated
from tests.support.mesh import Mesh


def reason(mesh: Mesh) -> str:
    return str(mesh.condition("AccessRequest", REQUEST.name, "inventory")["reason"])


def ended_by_its_port() -> Mesh:
    """The consumers of the port were cut off, it left, and it came back."""
    old = inventory(sales(a_cluster(0)))
    driven = Driven(old).run(minutes=1)
    old.apply(annotated(a_product(outputPorts=[]), cut_off="daily/1.0.0"))
    driven.run(minutes=10)
    old.apply(a_product(outputPorts=[a_port()]))
    driven.run(minutes=5)
    assert reason(old) == "Expired"
    return old


@pytest.mark.parametrize("changes", [1, 2])
def test_a_grant_that_was_changed_since_gives_and_the_lost_clusters_user_has_its_hour(changes: int) -> None:
    old = ended_by_its_port()
    for day in range(changes):
        Driven(old.apply(a_grant(validUntil=f"2026-02-0{day + 2}T00:00:00Z"))).run(minutes=10)
    assert reason(old) == "Granted"
    before = users(old, "orders-for-forecast")
    new = restore(rebuilt(old), old, *OBJECTS)
    driven = Driven(new)
    for _ in range(5):
        driven.run(minutes=5)
        assert users(new, "orders-for-forecast").items() >= before.items() and new.cluster.raw(SECRET) is not None
    assert reason(new) == "Granted"
    driven.run(minutes=60)
    assert reason(new) == "Granted" and not before.keys() & users(new, "orders-for-forecast").keys()


@pytest.mark.parametrize("generation", [1, 3])
def test_a_grant_that_was_ended_and_not_changed_since_gives_nothing_in_a_rebuilt_cluster(generation: int) -> None:
    old = inventory(sales(a_cluster(0)))
    for day in range(generation - 1):
        old.apply(a_grant(validUntil=f"2026-02-0{day + 2}T00:00:00Z"))
    Driven(old).run(minutes=1)
    Driven(old.apply(annotated(a_product(outputPorts=[]), cut_off="daily/1.0.0"))).run(minutes=10)
    Driven(old.apply(a_product(outputPorts=[a_port()]))).run(minutes=5)
    assert reason(old) == "Expired"
    assert old.get(GRANT.kind, GRANT.name, GRANT.namespace)["status"]["endedGeneration"] == generation
    new = a_cluster(1, after=old, lost=(0,))
    new.cluster._objects._numbers = count(5000)
    Driven(restore(new, old, *OBJECTS)).run(minutes=20)
    assert reason(new) == "Expired" and users(new, "orders-for-forecast") == {}
    Driven(new.apply(a_grant(note="Talk to us"))).run(minutes=10)
    assert reason(new) == "Granted", "a change gives again, as ever"
