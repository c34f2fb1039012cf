"""The longest that a port allows, as it changes while access is given."""

from datetime import timedelta

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile import objectstore
from tests.reconcile.access_flows import REQUEST, a_port, asked
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product
from tests.support.mesh import Mesh

APPROVAL = Key("AccessGrant", "sales", "inventory-forecast")


@pytest.fixture(autouse=True)
def _rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours pass here and nothing happens at the store: its own looks, two a minute, would be most of the work."""
    monkeypatch.setattr(objectstore, "INTERVAL", timedelta(minutes=10))


def until(mesh: Mesh) -> object:
    return mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"].get("validUntil")


def recorded(mesh: Mesh) -> object:
    return mesh.get("AccessGrant", APPROVAL.name, APPROVAL.namespace)["status"].get("maxDuration")


def test_a_cap_that_stood_for_a_minute_shortens_nothing_that_was_given_without_one() -> None:
    mesh = asked(Mesh()).apply(a_grant())
    driven = Driven(mesh).run(hours=5)
    whole = until(mesh)
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="12h")]))
    driven.run(minutes=1)
    assert until(mesh) != whole
    mesh.apply(a_product(outputPorts=[a_port()]))
    driven.run(minutes=10)
    assert (until(mesh), recorded(mesh)) == (whole, None)
    driven.run(hours=13)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] == "True"


def test_a_cap_under_which_access_was_given_stays_the_longest() -> None:
    mesh = asked(Mesh(), maxDuration="12h").apply(a_grant())
    driven = Driven(mesh).run(minutes=1)
    capped = until(mesh)
    for port in (a_port(), a_port(maxDuration="90d")):
        mesh.apply(a_product(outputPorts=[port]))
        driven.run(minutes=10)
        assert (until(mesh), recorded(mesh)) == (capped, "0d12h0m")
    driven.run(hours=13)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] == "False"


def test_a_cap_that_stays_ends_what_was_given_without_one() -> None:
    mesh = asked(Mesh()).apply(a_grant())
    driven = Driven(mesh).run(minutes=1)
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="12h")]))
    driven.run(hours=13)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] == "False"
