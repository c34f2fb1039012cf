"""The law of the schedule: whatever is due, nothing that stays as it is looked at more often than the drift interval says."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh.model import bucket as b
from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, disown, granted
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_adoption import held, legacy, wish
from tests.reconcile.test_takeover import a_mesh, inventory, lost_mesh, sales
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.support.mesh import Mesh

_MOST: Final = 20
"""Looks in an hour of one object that stays as it is: twelve by the drift interval, and what was due in between."""
_WAITING: Final = 200
"""Of one that waits, which is looked at every 20 seconds, and of a store, of which a proof holds for half a minute."""


def adopting(**spec: Any) -> Mesh:
    """A bucket consents, and its adoption waits for half an hour to pass."""
    product = wish(adoptionDelay="30m")
    return legacy().apply({**product, "spec": {**product["spec"], **spec}})


def with_acl() -> Mesh:
    mesh = adopting()
    held(mesh).openings = b.Openings(grants=("READ to AllUsers",))
    return mesh


def refusing() -> Mesh:
    mesh = adopting()
    mesh.stores.at(ENDPOINT).refuse("update")
    return mesh


def short() -> Mesh:
    return granted(Mesh()).apply(a_grant(validUntil="2026-01-01T00:30:00Z"))


def rotated() -> Mesh:
    return short().settle().apply(annotated(a_request(), rotate="1"), annotated(a_product(), rotate="1"))


def bucketless() -> Mesh:
    mesh = short().settle()
    mesh.stores.at(ENDPOINT).buckets.pop(mesh.bucket_of())
    return mesh


def disowned() -> Mesh:
    mesh = short().settle()
    disown(mesh)
    return mesh


def without_request() -> Mesh:
    mesh = short().settle()
    return mesh.delete(REQUEST.kind, REQUEST.name, REQUEST.namespace)


def taken_over() -> Mesh:
    return inventory(sales(a_mesh(1, after=lost_mesh(), lost=(0,))))


WORLDS: Final[dict[str, Callable[[], Mesh]]] = {
    "an adoption that waits": adopting,
    "one that an ACL blocks": with_acl,
    "one that the store refuses": refusing,
    "one that is suspended": lambda: adopting(suspend=True),
    "one that is only planned": lambda: adopting(mode="Plan"),
    "one that is only observed": lambda: adopting(mode="Observe"),
    "access that ends": short,
    "access whose keys are rotated": rotated,
    "access to a bucket that is gone": bucketless,
    "access to a bucket that is another's": disowned,
    "a grant whose request is gone": without_request,
    "what a lost cluster made": taken_over,
}
CLOCKS: Final[dict[str, timedelta]] = {
    "right": timedelta(),
    "forty days ahead": timedelta(days=40),
    "three days behind": -timedelta(days=3),
}


def looks(mesh: Mesh, **delta: float) -> Counter[Key]:
    """How often each object is looked at; a process of its own, as it counts by a clock that nobody sets."""
    driven, found = Driven(mesh), Counter[Key]()
    driven.run(minutes=10)
    driven.after_step.append(lambda key: found.update([key]))
    driven.run(**delta)
    return found


@pytest.mark.parametrize("off", CLOCKS)
@pytest.mark.parametrize("world", WORLDS)
def test_nothing_is_looked_at_more_often_than_the_schedule_says(world: str, off: str) -> None:
    mesh = WORLDS[world]()
    Driven(mesh).run(minutes=10)
    if CLOCKS[off]:
        mesh.clock.trusted = False
        mesh.clock.time += CLOCKS[off]
    _judge(mesh, looks(mesh, hours=1))
    mesh.clock.trusted = True
    mesh.clock.time -= CLOCKS[off]
    _judge(mesh, looks(mesh, hours=1))


def _judge(mesh: Mesh, found: Counter[Key]) -> None:
    for key, count in found.items():
        waits = "Reconciling" in {condition["type"] for condition in (mesh.get(*_place(key)).get("status") or {}).get("conditions") or ()}
        most = _WAITING if waits or key.kind == "ObjectStore" else _MOST
        assert count <= most, f"{key} is looked at {count} times in an hour"


def _place(key: Key) -> tuple[str, str, str]:
    return key.kind, key.name, key.namespace
