"""The user that a lost cluster made for a request: when it ends, and that it works on while nothing is decided here."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.takeover import FormerUser, TakeOver
from clouddatamesh.plan import names
from clouddatamesh.plan.access.request import plan
from tests.unit.access_scene import END, MADE, NOW, Scene, deny

GONE: Final = "11111111-2222-3333-4444-555555555555"
PATH: Final = names.principal_path("acme", GONE)
FORMER: Final = FormerUser(GONE, PATH, "former", Present(Principal("former", PATH, keys=(AccessKey("A"),))))


def ends(asked_before: bool = False, until: str = "", **differs: Any) -> bool:
    """Whether it ends at this look, at NOW; `until` is when its hour is over."""
    scene = Scene(**differs)
    ask = replace(scene.ask(), was_given=asked_before, take_over=TakeOver(parse_time(until) if until else None))
    found = plan(ask, replace(scene.world(), formers=(FORMER,)))
    return bool(next(part for part in found.parts if part.name == "former").operations)


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ({"grants": (deny(),)}, True),
        ({"product": {"lifecycle": "retired"}}, True),
        ({"port": {}}, True),
        ({"access": {"modes": ["ReadWrite"]}}, True),
        ({"storage_ready": ("False", "NotOwned")}, True),
        ({"grants": ()}, False),
        ({"grants": (), "asked_before": True}, True),
        ({"exists": False}, False),
        ({"consumer_exists": False}, False),
        ({}, False),
        ({"until": NOW}, True),
        ({"until": END}, False),
        ({"until": MADE}, True),
        ({"until": MADE, "trusted": False}, False),
        ({"until": MADE, "grants": ()}, False),
    ],
    ids=str,
)
def test_it_ends_where_this_cluster_said_no_or_ended_access(state: dict[str, Any], over: bool) -> None:
    assert ends(**state) is over
