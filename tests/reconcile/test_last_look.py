"""The last look before access is given: what went or changed since it was decided gives nothing; and the finalizer."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model import operations as o
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.plan import Operation
from clouddatamesh.plan.marks import FINALIZER
from clouddatamesh.reconcile.execute import Executor
from tests.reconcile.test_execute import REQUEST, a_mesh, run, target, uid_of
from tests.support.manifests import a_grant, a_request
from tests.support.mesh import Mesh

GRANT: Final = key_of(a_grant())
CONSUMER: Final = Key("DataProduct", "inventory", "forecast")
SLOW: Final = "example.com/slow"


def finalizers_of(mesh: Mesh, key: Key) -> list[str]:
    return list(mesh.get(key.kind, key.name, key.namespace)["metadata"].get("finalizers") or ())


# The finalizer

ACTS: Final[tuple[tuple[Operation, bool], ...]] = ((o.HoldObject(), True), (o.ReleaseObject(), False))


@pytest.mark.parametrize(("operation", "held"), ACTS, ids=["hold", "release"])
@pytest.mark.parametrize("before", [True, False], ids=["held before", "not held before"])
def test_an_object_is_held_and_released(operation: Operation, held: bool, before: bool) -> None:
    mesh = a_mesh()
    mesh.cluster.user_finalize(REQUEST, SLOW, *([FINALIZER] if before else []))
    run(mesh, operation)
    assert finalizers_of(mesh, REQUEST) == [SLOW, *([FINALIZER] if held else [])]


# The last look before access is given


def deleting(key: Key) -> Callable[[Mesh], object]:
    def act(mesh: Mesh) -> None:
        mesh.cluster.user_finalize(key, SLOW)
        mesh.cluster.user_delete(key)

    return act


def gone(key: Key) -> Callable[[Mesh], object]:
    return lambda mesh: mesh.cluster.user_delete(key)


def recreated(manifest: dict[str, Any]) -> Callable[[Mesh], object]:
    return lambda mesh: mesh.delete(manifest["kind"], manifest["metadata"]["name"], manifest["metadata"]["namespace"]).apply(manifest)


def hold_grant(act: Callable[[Mesh], object], **operation: Any) -> Mesh:
    """What was decided on a mesh is carried out after something else happened to it."""
    mesh = a_mesh()
    hold = o.HoldGrant(**{"key": GRANT, "uid": uid_of(mesh, GRANT), "generation": 1, "consumer": CONSUMER, "held": True, **operation})
    found = target(mesh)
    act(mesh)
    Executor(found).run(hold)
    return mesh


@pytest.mark.parametrize(
    ("act", "more", "words"),
    [
        (gone(GRANT), {}, "AccessGrant sales/inventory-forecast went"),
        (recreated(a_grant()), {}, "AccessGrant sales/inventory-forecast went"),
        (deleting(GRANT), {}, "AccessGrant sales/inventory-forecast went"),
        (lambda mesh: mesh.apply(a_grant(note="until the audit")), {}, "AccessGrant sales/inventory-forecast changed"),
        (lambda mesh: mesh.apply(a_grant(decision="Deny")), {"generation": 2}, "AccessGrant sales/inventory-forecast changed"),
        (gone(REQUEST), {}, "AccessRequest inventory/orders-for-forecast went"),
        (recreated(a_request()), {}, "AccessRequest inventory/orders-for-forecast went"),
        (deleting(REQUEST), {}, "AccessRequest inventory/orders-for-forecast went"),
        (deleting(REQUEST), {"consumer": None}, "AccessRequest inventory/orders-for-forecast went"),
        (gone(CONSUMER), {}, "DataProduct inventory/forecast went"),
        (gone(CONSUMER), {"stays": True}, "DataProduct inventory/forecast went"),
        (deleting(CONSUMER), {}, "DataProduct inventory/forecast went"),
    ],
    ids=[
        "grant gone",
        "grant recreated",
        "grant being deleted",
        "grant changed",
        "grant denies",
        "request gone",
        "request recreated",
        "request being deleted",
        "request being deleted, no consumer yet",
        "consumer gone",
        "consumer gone, access runs",
        "consumer being deleted",
    ],
)
def test_nothing_is_given_on_what_went_or_changed_at_the_last_moment(
    act: Callable[[Mesh], object], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(Transient, match=words) as told:
        hold_grant(act, **more)
    assert told.value.reason == reasons.CONFLICT


@pytest.mark.parametrize(
    ("act", "more"),
    [
        (lambda _: None, {}),
        (lambda _: None, {"consumer": None}),
        (lambda _: None, {"stays": True}),
        (deleting(CONSUMER), {"stays": True}),
        (gone(CONSUMER), {"consumer": None}),
    ],
    ids=[
        "nothing changed",
        "without consumer",
        "access runs",
        "access runs, its consumer is being deleted",
        "the consumer is not asked for",
    ],
)
def test_a_grant_is_held_where_all_is_as_it_was_decided(act: Callable[[Mesh], object], more: dict[str, Any]) -> None:
    assert FINALIZER not in finalizers_of(hold_grant(act, **more), GRANT), "it is held already, as far as the cache knows"
    assert FINALIZER in finalizers_of(hold_grant(act, held=False, **more), GRANT)
