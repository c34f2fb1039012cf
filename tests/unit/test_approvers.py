"""How many people have approved, as status tells it, and what of a record of several grants can be read."""

from typing import Any

import pytest

from clouddatamesh.model.access import GrantId
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import MarkGrant
from clouddatamesh.plan.access.approvers import approvals_of
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.plan.access.memory import plan_marks
from tests.unit.access_approvers import BOTH, KIM, KIM_AGAIN, LEE, LEE_ENDED, SAM, TWO
from tests.unit.access_scene import Scene, approve, deny, going, noted, superseded


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"grants": ()}, (2, ())),
        ({"grants": (KIM,)}, (2, ("kim",))),
        ({"grants": (LEE, KIM)}, (2, ("kim", "lee"))),
        ({"grants": (KIM, KIM_AGAIN, approve("nobody"))}, (2, ("kim",))),
        ({"grants": (KIM, LEE_ENDED)}, (2, ("kim",))),
        ({"grants": (KIM, going(LEE))}, (2, ("kim",))),
        ({"grants": (KIM, superseded(LEE))}, (2, ("kim",))),
        ({"grants": (KIM, deny(approver="lee"))}, (2, ("kim",))),
        ({"grants": (KIM, approve("other", approver="lee", mode="ReadWrite"))}, (2, ("kim",))),
        ({"grants": BOTH, "access": {}}, None),
        ({"grants": (noted(KIM),), "access": {}}, (2, ("kim",))),
        ({"grants": (noted(KIM), LEE), "access": {}}, None),
        ({"grants": (noted(KIM), approve("yes")), "access": {}}, None),
        ({"grants": (noted(KIM), noted(LEE)), "access": {}}, (2, ("kim", "lee"))),
        ({"grants": (noted(KIM, 3), noted(LEE))}, (3, ("kim", "lee"))),
        ({"grants": (noted(KIM, 3), noted(LEE), noted(SAM))}, (2, ("lee", "sam"))),
        ({"grants": BOTH, "access": {"approvals": "many"}}, None),
        ({"grants": BOTH, "exists": False}, None),
    ],
    ids=str,
)
def test_who_has_approved(differs: dict[str, Any], expected: object) -> None:
    scene = Scene(**{**TWO, **differs})
    assert approvals_of(scene.ask(), scene.world()) == expected


def test_what_two_grants_that_begin_to_give_are_to_remember_is_one_write_for_each() -> None:
    scene = Scene(grants=(KIM, LEE), **TWO)
    marks = [mark for mark in plan_marks(scene.ask(), scene.decide()).operations if isinstance(mark, MarkGrant)]
    assert sorted((mark.key.name, mark.approvals, mark.required) for mark in marks) == [("kim", 2, 2), ("lee", 2, 2)]


def test_one_that_waits_is_to_remember_how_many_its_port_asks_for() -> None:
    scene = Scene(grants=(KIM,), **TWO)
    (mark,) = plan_marks(scene.ask(), scene.decide()).operations
    assert isinstance(mark, MarkGrant) and (mark.key.name, mark.approvals, mark.required) == ("kim", 0, 2)


def test_what_a_record_of_several_grants_tells() -> None:
    scene = Scene(runs_on="kim", counted=("lee", "kim"))
    request = scene.request()
    lee, kim = (GrantId(Key("AccessGrant", "sales", name), f"uid-{name}") for name in ("lee", "kim"))
    assert (read_request(request).grants, read_request(request).grant_uids) == ((kim, lee), frozenset({"uid-kim", "uid-lee"}))
    request["status"]["countedGrants"] += [{"name": "half"}, "nothing", {"namespace": "sales", "name": "without-uid"}]
    assert read_request(request).counted == (lee, kim)
    alone = {**request, "status": {**request["status"], "grantRef": None}}
    assert (read_request(alone).grants, read_request(alone).grant_uids) == ((), frozenset())
