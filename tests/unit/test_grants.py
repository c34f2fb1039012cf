"""What becomes of an AccessGrant: held while access rests on it, let go after, and cleared away where the operator made it in vain."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Answer
from clouddatamesh.model.operations import Announce, DeleteChild, ReleaseObject
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.world import GrantWorld
from clouddatamesh.plan.access.grants import plan, plan_deletion
from tests.unit.access_scene import MADE, Scene, approve, deny, read

ENDED: Final = {"ends": parse_time(MADE)}
OURS: Final = "AccessRequest/inventory/orders-for-forecast/uid-request"


def held(**facts: Any) -> Answer:
    """An approval that carries our finalizer."""
    return replace(read(approve()), held=True, **facts)


def world(**differs: Any) -> GrantWorld:
    """The request, as the grant sees it."""
    scene = Scene(**differs)
    return GrantWorld(scene.world(), scene.ask())


def kinds(found: Plan) -> list[type[Any]]:
    return [type(operation) for operation in found.operations]


def test_a_grant_on_which_access_rests_is_left() -> None:
    assert plan(held(), world(runs_on="yes")).operations == ()


def test_a_grant_on_which_nothing_rests_is_let_go() -> None:
    assert kinds(plan(held(), world(runs_on="another"))) == [ReleaseObject]
    assert kinds(plan(held(), replace(world(), ask=None))) == [ReleaseObject]
    assert plan(replace(held(), held=False), world()).operations == ()


@pytest.mark.parametrize(
    ("what", "facts", "differs", "cleared"),
    [
        ("gives", {}, {}, False),
        ("superseded", {"superseded": True}, {}, True),
        ("ended, and the request says so", ENDED, {"ended_before": True}, True),
        ("ended, and the request does not know yet", ENDED, {}, False),
        (
            "ended by a clock that is not trusted",
            ENDED,
            {"ended_before": True, "trusted": False},
            False,
        ),
        ("set to Deny", {"decision": "Deny", "superseded": True}, {}, False),
        ("another incarnation of the request", {"owner": "AccessRequest/inventory/orders-for-forecast/before"}, {}, True),
        ("somebody else's, and superseded", {"owner": "", "superseded": True}, {}, False),
        ("of a request that cannot be named", {"request": None, "superseded": True}, {}, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_of_our_own_answers_is_cleared_away(what: str, facts: dict[str, Any], differs: dict[str, Any], cleared: bool) -> None:
    answer = replace(held(), **{"owner": OURS, **facts})
    assert (DeleteChild in kinds(plan(answer, world(**differs)))) is cleared, what
    assert DeleteChild not in kinds(plan(answer, world(runs_on="yes", **differs)))


def test_an_answer_of_ours_whose_request_is_gone_is_cleared_away() -> None:
    (operation,) = plan(held(owner=OURS), replace(world(), ask=None)).operations
    assert operation == DeleteChild(held().key, "uid-yes")


@pytest.mark.parametrize("grant", [approve(), deny("yes")], ids=["approve", "deny"])
def test_a_grant_that_is_deleted_waits_for_what_rests_on_it(grant: Any) -> None:
    answer = replace(read(grant), held=True, deleting=True)
    waiting = plan_deletion(answer, world(runs_on="yes"), gives_up=False)
    assert waiting.operations == ()
    (part,) = waiting.parts
    assert part.stop is not None
    assert (part.stop.reason, part.condition) == (reasons.IN_USE, "DeletionBlocked")
    assert kinds(plan_deletion(answer, world(), gives_up=False)) == [ReleaseObject]
    assert kinds(plan_deletion(answer, world(runs_on="yes"), gives_up=True)) == [Announce, ReleaseObject]
    assert plan_deletion(replace(answer, held=False), world(runs_on="yes"), gives_up=False).parts == ()
