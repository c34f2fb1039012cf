"""How many people have approved, as status tells it, and what of a record of several grants can be read."""

from typing import Any

import pytest

from clouddatamesh.model.access import GrantId
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.access.approvers import approvals_of
from clouddatamesh.plan.access.facts import read_request
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


def test_what_a_record_of_several_grants_tells() -> None:
    scene = Scene(runs_on="kim", counted=("lee", "kim"))
    request = scene.request()
    lee, kim = (GrantId(Key("AccessGrant", "sales", name), f"uid-{name}") for name in ("lee", "kim"))
    assert (read_request(request).grants, read_request(request).grant_uids) == ((kim, lee), frozenset({"uid-kim", "uid-lee"}))
    request["status"]["countedGrants"] += [{"name": "half"}, "nothing", {"namespace": "sales", "name": "without-uid"}]
    assert read_request(request).counted == (lee, kim)
    alone = {**request, "status": {**request["status"], "grantRef": None}}
    assert (read_request(alone).grants, read_request(alone).grant_uids) == ((), frozenset())
