"""The law `unfooled`: every flow ends as it does undisturbed, over fakes that lag, lose answers, are somebody else's, or show what was."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest

from tests.reconcile.access_flows import ACCESS_FLOWS
from tests.reconcile.disturbances import BRIEF, DISTURBANCES, Calm, Disturbance
from tests.reconcile.flows import ENDPOINT, FLOWS, Flow
from tests.reconcile.policy_flows import POLICY_FLOWS
from tests.reconcile.test_laws import assert_every_key_is_held
from tests.reconcile.watching import Watch, living_keys, versions_of
from tests.reconcile.worlds import differences, same_world
from tests.support.driven import Driven
from tests.support.mesh import Mesh

FLOWS_OF_ALL: Final = (*FLOWS, *ACCESS_FLOWS, *POLICY_FLOWS)
DURING: Final = {"seconds": 40}
SWEPT: Final = timedelta(minutes=8)
"""When a principal without an owner is gone at the latest."""
AFTER: Final = {"minutes": 11}


@dataclass(frozen=True)
class Undisturbed:
    """What becomes of a flow when nothing fools anybody."""

    world: dict[str, Any]
    kept: dict[str, int]
    keys: frozenset[str]
    issued: int


def begin(flow: Flow) -> Mesh:
    """The world before the act, with objects in every bucket that the flow leaves."""
    mesh = flow.start()
    _fill(mesh, _survivors(flow))
    return mesh


def _fill(mesh: Mesh, names: frozenset[str]) -> None:
    for name in names:
        mesh.stores.at(ENDPOINT).buckets[name].versions += 7


@cache
def _survivors(flow: Flow) -> frozenset[str]:
    mesh = flow.start()
    before = set(versions_of(mesh))
    flow.act(mesh)
    return frozenset(before & set(versions_of(mesh.settle())))


@cache
def undisturbed(flow: Flow) -> Undisturbed:
    mesh = begin(flow)
    keys = living_keys(mesh)
    flow.act(mesh)
    mesh.settle()
    mesh.clock.forward(**DURING)
    mesh.settle().clock.forward(**AFTER)
    mesh.settle()
    return Undisturbed(
        same_world(mesh), {n: v for n, v in versions_of(mesh).items() if v}, frozenset(keys & living_keys(mesh)), issued(mesh)
    )


def issued(mesh: Mesh) -> int:
    """How many keys were made since the act."""
    return sum(what.startswith("create key") for what in mesh.trap.seen)


def disturb(flow: Flow, disturbance: Disturbance, *, seed: int = 0) -> Driven:
    """The flow's act and what comes of it while the world fools us, and for some minutes after it does no more."""
    calm, mesh = undisturbed(flow), begin(flow)
    driven = Driven(mesh, seed=seed)
    watch = Watch(driven, calm.kept, calm.keys, hidden=disturbance.hides, other_store=disturbance.needs_store)
    if disturbance.needs_store and "force" in flow.name:
        watch.soon = SWEPT  # whoever forces a deletion leaves what cannot be reached
    end = begin_with(disturbance, flow, mesh)
    driven.notice()
    driven.wake_all().run(**DURING)
    end()
    watch.hidden = watch.other_store = False
    return driven.run(**AFTER)


def begin_with(disturbance: Disturbance, flow: Flow, mesh: Mesh) -> Calm:
    """A cache is behind with what happens then; where another store answers, what somebody did before was done to the right one."""
    if disturbance.needs_store:
        flow.act(mesh)
        return disturbance.begin(mesh)
    end = disturbance.begin(mesh)
    flow.act(mesh)
    return end


@pytest.mark.parametrize("flow", FLOWS_OF_ALL, ids=lambda flow: flow.name)
@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: one.name)
def test_a_flow_ends_as_it_does_undisturbed(flow: Flow, disturbance: Disturbance) -> None:
    if not disturbance.fits(flow.start()):
        return
    driven = disturb(flow, disturbance)
    assert differences(same_world(driven.mesh), undisturbed(flow).world) == []
    assert_every_key_is_held(driven.mesh)
    if disturbance in BRIEF:
        assert issued(driven.mesh) == undisturbed(flow).issued, "a key that did not show yet was taken for gone"
