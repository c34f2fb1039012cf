"""The user that a lost cluster made for a request: when it ends, and that it works on while nothing is decided here."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.takeover import FormerUser, TakeOver
from clouddatamesh.plan import names
from clouddatamesh.plan.access.request import plan
from tests.support.manifests import a_store
from tests.support.worlds import CLUSTER
from tests.unit.access_scene import END, MADE, NOW, Scene, deny

GONE: Final = "11111111-2222-3333-4444-555555555555"
PATH: Final = names.principal_path("acme", GONE)
STORE: Final = ObjectStore.model_validate({**a_store(takeOverFrom=[GONE]), "metadata": {"name": "main", "uid": "uid-main"}})
REQUEST: Final = Key("AccessRequest", "inventory", "orders-for-forecast")
THERE: Final = names.principal_name("acme", GONE, REQUEST)
HERE: Final = names.principal_name("acme", CLUSTER, REQUEST)
COPIED: Final = names.principal_name("acme", CLUSTER, Key("AccessRequest", "lab", "orders-for-forecast"))
FORMER: Final = FormerUser(GONE, PATH, "former", Present(Principal("former", PATH, keys=(AccessKey("A"),))))


def ends(given_by: str = "", until: str = "", **differs: Any) -> bool:
    """Whether it ends at this look, at NOW; `given_by` names the user that status records, `until` is when its hour is over."""
    scene = Scene(**differs)
    takes_over = TakeOver(parse_time(until) if until else None)
    ask = replace(scene.ask(), was_given=bool(given_by), principal=given_by, take_over=takes_over)
    found = plan(ask, replace(scene.world(), formers=(FORMER,), store=STORE))
    return bool(next(part for part in found.parts if part.name == "former").operations)


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ({"grants": (deny(),)}, True),
        ({"product": {"lifecycle": "retired"}}, True),
        ({"port": {}}, True),
        ({"access": {"modes": ["ReadWrite"]}}, True),
        ({"storage_ready": ("False", "NotOwned")}, True),
        ({"storage_ready": ("False", "NotAdopted"), "storage": {}}, False),
        ({"grants": ()}, False),
        ({"grants": (), "given_by": HERE}, True),
        ({"grants": (), "given_by": THERE}, False),
        ({"grants": (), "given_by": COPIED}, False),
        ({"exists": False}, False),
        ({"consumer_exists": False}, False),
        ({}, False),
        ({"until": NOW, "given_by": HERE}, True),
        ({"until": END, "given_by": HERE}, False),
        ({"until": MADE, "given_by": HERE}, True),
        ({"until": MADE, "given_by": THERE}, False),
        ({"until": MADE}, False),
        ({"until": MADE, "given_by": HERE, "trusted": False, "runs_on": "yes"}, False),
        ({"until": MADE, "grants": ()}, False),
    ],
    ids=str,
)
def test_it_ends_where_this_cluster_said_no_or_ended_access(state: dict[str, Any], over: bool) -> None:
    assert ends(**state) is over
