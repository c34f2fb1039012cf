"""Crash safety in a world that fools: the process dies at a drawn write while reads are late, and another one takes over there."""

import random
from typing import Final

import pytest

from tests.reconcile.disturbances import DISTURBANCES, Disturbance
from tests.reconcile.flows import Flow
from tests.reconcile.test_laws import assert_every_key_is_held
from tests.reconcile.test_unfooled import AFTER, DURING, FLOWS_OF_ALL, begin, begin_with, undisturbed
from tests.reconcile.worlds import differences, same_world
from tests.support.driven import Driven
from tests.support.mesh import Killed, Trap

DEATHS: Final = 4
"""How many writes of each flow are drawn, for each world."""
_CHOSEN: Final = (
    "reads of IAM are 2 calls late",
    "reads of buckets are 2 calls late",
    "all reads are late",
    "the store's answers are lost",
    "the cache of AccessGrant is behind",
    "the cache of DataProduct is behind",
    "another account answers",
)
FOOLING: Final = tuple(one for one in DISTURBANCES if one.name in _CHOSEN)


def die(flow: Flow, disturbance: Disturbance, trap: Trap) -> Driven | None:
    """The flow with a death in it; None where it ends before."""
    mesh = begin(flow)
    end = begin_with(disturbance, flow, mesh)
    driven = Driven(mesh)
    mesh.trap = trap
    try:
        driven.wake_all().run(**DURING)
    except Killed:
        mesh.trap = Trap()
        driven = driven.restart()
        if disturbance.hides and not disturbance.needs_store:
            end()  # a new process lists everything again
        driven.run(**DURING)
    else:
        return None
    end()
    return driven.run(**AFTER)


@pytest.mark.parametrize("flow", FLOWS_OF_ALL, ids=lambda flow: flow.name)
@pytest.mark.parametrize("disturbance", FOOLING, ids=lambda one: one.name)
def test_dying_in_a_world_that_fools_leads_to_the_same_world(flow: Flow, disturbance: Disturbance) -> None:
    if not disturbance.fits(flow.start()):
        return
    draw = random.Random(f"{flow.name}, {disturbance.name}")  # noqa: S311 - a sample, no secret
    for at in sorted(draw.sample(range(1, 40), DEATHS)):
        after = draw.random() < 0.5
        driven = die(flow, disturbance, Trap(at=at, after=after))
        if driven is None:
            break
        assert differences(same_world(driven.mesh), undisturbed(flow).world) == [], f"died {'after' if after else 'before'} write {at}"
        assert_every_key_is_held(driven.mesh)
