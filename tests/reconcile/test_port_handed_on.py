"""A port moves, and another port gets its path: what is in that path from then on is nobody's who was granted the first one."""

from typing import Any, Final

import pytest

from tests.reconcile.access_flows import a_port
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import granted
from tests.reconcile.test_keys_end import CONSUMER, active
from tests.reconcile.test_withheld import places
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product
from tests.support.mesh import Mesh

MOVED: Final = a_port("1.0.1", "v2/")
STATES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "suspended": ({"suspend": True}, {}),
    "deprecated": ({"lifecycle": "deprecated"}, {}),
    "observed": ({"mode": "Observe"}, {}),
    "cordoned": ({}, {"cordoned": True}),
}
"""What keeps new access from being given: fields of the product, and of its Domain."""
LATER: Final[dict[str, list[dict[str, Any]]]] = {
    "it leaves": [MOVED],
    "it moves": [MOVED, {**a_port("1.0.1", "raw/"), "name": "raw"}],
    "the first one moves once more": [a_port("1.0.2", "v3/")],
}
"""The ports after the other one had the path."""


def reach(mesh: Mesh) -> list[str]:
    """The paths that the consumer's policy opens."""
    return sorted(place.split("/", 1)[1] for place in places(mesh))


@pytest.mark.parametrize("state", STATES)
def test_it_stays_closed_though_no_user_was_seen_meanwhile(state: str) -> None:
    mesh = granted()
    driven, keys = Driven(mesh).run(minutes=6), active(mesh, CONSUMER)
    product, domain = STATES[state]
    mesh.apply(a_product(outputPorts=[a_port()], **product), a_domain("sales", **domain))
    driven.run(minutes=10)
    mesh.stores.at(ENDPOINT).refuse("observe user")
    for ports in ([MOVED, {**a_port(), "name": "raw"}], LATER["it moves"]):
        mesh.apply(a_product(outputPorts=ports, **product))
        driven.run(minutes=20)
    mesh.stores.at(ENDPOINT).refused.clear()
    driven.restart().run(minutes=40)
    assert (reach(mesh), active(mesh, CONSUMER)) == ([], keys)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("state", STATES)
def test_data_of_the_port_that_had_the_path_meanwhile_stays_closed(state: str, later: str) -> None:
    mesh = granted()
    driven, keys = Driven(mesh).run(minutes=6), active(mesh, CONSUMER)
    product, domain = STATES[state]
    mesh.apply(a_product(outputPorts=[MOVED, {**a_port(), "name": "raw"}], **product), a_domain("sales", **domain))
    driven.run(minutes=20)
    assert (reach(mesh), active(mesh, CONSUMER)) == ([], keys)
    mesh.apply(a_product(outputPorts=LATER[later], **product))
    driven.run(minutes=20).restart().run(minutes=20)
    assert (reach(mesh), active(mesh, CONSUMER)) == ([], keys)
    mesh.apply(a_product(outputPorts=LATER[later]), a_domain("sales"))
    driven.restart().run(minutes=20)
    assert (reach(mesh), active(mesh, CONSUMER)) == ([LATER[later][0]["path"] + "*"], keys)


@pytest.mark.parametrize("state", STATES)
def test_what_the_port_itself_has_again_is_open_again(state: str) -> None:
    mesh = granted()
    driven, keys = Driven(mesh).run(minutes=6), active(mesh, CONSUMER)
    product, domain = STATES[state]
    mesh.apply(a_product(outputPorts=[MOVED, {**a_port(), "name": "raw"}], **product), a_domain("sales", **domain))
    driven.run(minutes=20)
    mesh.apply(a_product(outputPorts=[a_port("1.0.2")], **product))
    driven.run(minutes=20)
    assert (reach(mesh), active(mesh, CONSUMER)) == (["daily/*"], keys)
