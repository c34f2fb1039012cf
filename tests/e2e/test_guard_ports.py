"""Whoever may only change products opens no port: the guard of ports on the real API server, by the hands of an engineer and an owner."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.e2e.cases import a_port, without
from tests.e2e.people import ENGINEER, HOME, OWNER, Guild, Person
from tests.support.manifests import a_product

GUARD = "clouddatamesh-port-guard"
APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")
AUTO = {"approval": "Auto", "modes": ["ReadOnly", "ReadWrite"], "maxDuration": "30d", "rotateAfter": "7d"}


def shelf(*ports: dict[str, Any]) -> dict[str, Any]:
    """A product without a bucket."""
    product = a_product("shelf", HOME, lifecycle="proposed", outputPorts=list(ports))
    return without(without(product, "spec", "storage"), "spec", "producer")


@pytest.fixture
def product(guild: Guild) -> Iterator[Guild]:
    """What is made in a test goes with it."""
    yield guild
    guild.installed.cluster.kubectl("delete", "dataproduct", "shelf", "-n", HOME, "--ignore-not-found")


@pytest.fixture
def opened(product: Guild) -> Guild:
    """A product with a port that its owner opened."""
    assert product.says(OWNER, *APPLY, manifest=shelf(a_port(access=AUTO))) == ""
    return product


@pytest.mark.parametrize("access", [{}, {"maxDuration": "90d", "rotateAfter": "30d"}, {"approval": "Manual", "modes": ["ReadOnly"]}])
def test_an_engineer_makes_a_port_by_default(product: Guild, access: dict[str, Any]) -> None:
    assert product.says(ENGINEER, *APPLY, manifest=shelf(a_port(access=access))) == ""


def test_an_engineer_makes_a_product_without_ports(product: Guild) -> None:
    assert product.says(ENGINEER, *APPLY, manifest=shelf()) == ""
    assert product.says(ENGINEER, *APPLY, manifest=without(shelf(), "spec", "outputPorts")) == ""


OPEN = [{"approval": "Auto"}, {"modes": ["WriteOnly"]}, {"modes": ["ReadOnly", "ReadWrite"]}, {"allowPermanent": True}]


@pytest.mark.parametrize("access", OPEN)
def test_an_engineer_makes_no_open_port(product: Guild, access: dict[str, Any]) -> None:
    said = product.says(ENGINEER, *APPLY, manifest=shelf(a_port(), a_port("wide", path="wide/", access=access)))
    assert GUARD in said
    assert "ask an owner of the Domain to change access of wide/1.0.0, or keep it" in said
    assert product.says(OWNER, *APPLY, manifest=shelf(a_port(), a_port("wide", path="wide/", access=access))) == ""


@pytest.mark.parametrize("access", OPEN)
def test_an_engineer_opens_no_port_later(product: Guild, access: dict[str, Any]) -> None:
    assert product.says(ENGINEER, *APPLY, manifest=shelf(a_port())) == ""
    assert GUARD in product.says(ENGINEER, *APPLY, manifest=shelf(a_port(access=access)))
    assert product.says(OWNER, *APPLY, manifest=shelf(a_port(access=access))) == ""


@pytest.mark.parametrize(
    "access",
    [{}, {**AUTO, "maxDuration": "31d"}, {**AUTO, "rotateAfter": "8d"}, without(AUTO, "maxDuration"), without(AUTO, "rotateAfter")],
)
def test_an_engineer_changes_no_access(opened: Guild, access: dict[str, Any]) -> None:
    assert GUARD in opened.says(ENGINEER, *APPLY, manifest=shelf(a_port(access=access)))
    assert opened.says(OWNER, *APPLY, manifest=shelf(a_port(access=access))) == ""


def test_an_engineer_changes_everything_else_of_an_open_port(opened: Guild) -> None:
    changed = a_port(access=AUTO, path="v1/", format="csv", description="One row per order", deprecated=True, sample="id,amount")
    assert opened.says(ENGINEER, *APPLY, manifest=shelf(changed, a_port("next", path="next/"))) == ""
    assert opened.patch(ENGINEER, "shelf", {"metadata": {"labels": {"a": "b"}}, "spec": {"displayName": "Shelf"}}) == ""
    assert opened.says(ENGINEER, *APPLY, manifest=shelf()) == ""


@pytest.mark.parametrize(
    "port", [a_port(version="2.0.0", access=AUTO), a_port(version="10.0.0", access=AUTO), a_port("other", access=AUTO)]
)
def test_another_name_or_major_version_is_another_port(opened: Guild, port: dict[str, Any]) -> None:
    assert GUARD in opened.says(ENGINEER, *APPLY, manifest=shelf(port))
    assert opened.says(ENGINEER, *APPLY, manifest=shelf(without(port, "access"))) == ""


@pytest.mark.parametrize("version", ["1.0.1", "1.10.0", "1.0.0-rc.1", "1.0.0+build"])
def test_another_version_of_the_same_major_is_the_same_port(opened: Guild, version: str) -> None:
    """Grants go by the major version, so running access would lose its end and its rotation."""
    for access in ({}, without(AUTO, "maxDuration"), {**AUTO, "rotateAfter": "8d"}):
        assert f"change access of daily/{version}" in opened.says(ENGINEER, *APPLY, manifest=shelf(a_port(version=version, access=access)))
    assert opened.says(ENGINEER, *APPLY, manifest=shelf(a_port(version=version, access=AUTO))) == ""
    assert GUARD in opened.says(ENGINEER, *APPLY, manifest=shelf(a_port(access=without(AUTO, "maxDuration"))))


def test_ports_do_not_swap_their_terms(product: Guild) -> None:
    other = a_port("other", path="other/")
    assert product.says(OWNER, *APPLY, manifest=shelf(a_port(access=AUTO), other)) == ""
    assert GUARD in product.says(ENGINEER, *APPLY, manifest=shelf(a_port(), {**other, "access": AUTO}))


def test_an_owner_elsewhere_is_an_engineer_here(product: Guild) -> None:
    both = Person("both", (*ENGINEER.groups, "sales-owners"))
    assert GUARD in product.says(both, *APPLY, manifest=shelf(a_port(access=AUTO)))


def test_the_most_ports_are_judged_in_time(product: Guild) -> None:
    ports = [a_port(f"{'p' * 60}{n}", path=f"p{n}/", access=AUTO) for n in range(32)]
    assert product.says(OWNER, *APPLY, manifest=shelf(*ports)) == ""
    closed = [without(port, "access") for port in ports]
    said = product.says(ENGINEER, *APPLY, manifest=shelf(*closed))
    assert GUARD in said
    assert ports[-1]["name"] in said
    assert product.says(OWNER, *APPLY, manifest=shelf(*closed)) == ""


GRAIN = {"maxDuration": "30d"}


def granary(*ports: dict[str, Any]) -> dict[str, Any]:
    return a_product("granary", HOME, outputPorts=list(ports))


@pytest.fixture(scope="module")
def shared(mesh: Actors, guild: Guild) -> Iterator[Guild]:
    """A product whose port is read by somebody."""
    mesh.installed.apply(granary(a_port(access=GRAIN)))
    mesh.installed.wait("dataproduct", "granary", HOME)
    mesh.put(mesh.bucket("granary", HOME), "daily/seed")
    access = Access.given(mesh, a_deal("grain", f"{HOME}/granary", consumer={"serviceAccountRef": {"name": "default"}}))
    yield guild
    mesh.installed.cluster.kubectl("delete", "agrant", "for-grain", "-n", HOME)
    access.ends()
    mesh.installed.cluster.kubectl("delete", "dataproduct", "granary", "-n", HOME, "--ignore-not-found", "--timeout=60s")
    mesh.installed.cluster.kubectl("delete", "areq", "grain", "-n", "inventory")


def test_a_port_that_is_removed_and_added_again_is_not_new_while_status_shows_it(mesh: Actors, shared: Guild) -> None:
    def drains() -> bool:
        return any(port.get("draining") for port in mesh.product("granary", HOME)["status"]["outputPorts"])

    assert shared.says(ENGINEER, *APPLY, manifest=granary(a_port("new", path="new/"))) == ""
    for version in ("1.0.0", "1.0.1"):
        assert GUARD in shared.says(ENGINEER, *APPLY, manifest=granary(a_port(version=version)))
    mesh.installed.until(drains, what="the port that is drained")
    for access in ({}, GRAIN):
        said = shared.says(ENGINEER, *APPLY, manifest=granary(a_port(version="1.0.1", access=access)))
        assert "a port that status.outputPorts still shows is not new" in said
    assert shared.says(ENGINEER, *APPLY, manifest=granary(a_port("new", path="new/", description="Open soon"))) == ""
    assert shared.says(OWNER, *APPLY, manifest=granary(a_port(access=GRAIN))) == ""


def test_a_product_that_waits_for_its_consumers_is_opened_by_nobody_and_goes_after_them(mesh: Actors, shared: Guild) -> None:
    """The fixture's end takes the grant away and waits until the operator let the product go."""
    assert shared.says(OWNER, *APPLY, manifest=granary(a_port(access=GRAIN))) == ""
    shared.kubectl(OWNER, "delete", "dataproduct", "granary", "-n", HOME, "--wait=false")
    mesh.ends("granary", HOME, reason="InUse", type_="DeletionBlocked")
    for person in (ENGINEER, OWNER):
        for spec in ({"outputPorts": [a_port()]}, {"storage": {"deletionPolicy": "Delete", "forceDestroy": True}}):
            assert "-guard" in shared.patch(person, "granary", {"spec": spec})
        assert "clouddatamesh-finalizer-guard" in shared.patch(person, "granary", {"metadata": {"finalizers": None}})
        assert shared.says(person, *APPLY, manifest=granary(a_port(access=GRAIN))) == ""
