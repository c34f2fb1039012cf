"""Whoever may only change products opens no port: the guard of ports on the real API server, by the hands of an engineer and an owner."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cases import a_port, without
from tests.e2e.people import ENGINEER, HOME, OWNER, Guild, Person
from tests.support.manifests import a_product

GUARD = "clouddatamesh-port-guard"
APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")
AUTO = {"approval": "Auto", "modes": ["ReadOnly", "ReadWrite"], "maxDuration": "30d", "rotateAfter": "7d"}


def shelf(*ports: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A product without a bucket."""
    product = a_product("shelf", HOME, lifecycle="proposed", outputPorts=list(ports))
    product = without(without(product, "spec", "storage"), "spec", "producer")
    return {**product, "metadata": {**product["metadata"], **metadata}}


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
    assert "ask an owner of the domain to change access of wide/1.0.0, or leave it as it was" in said
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
    changed = a_port(access=AUTO, path="v1/", format="csv", description="One row per order")
    assert opened.says(ENGINEER, *APPLY, manifest=shelf(changed, a_port("next", path="next/"))) == ""
    assert opened.patch(ENGINEER, "shelf", {"metadata": {"labels": {"a": "b"}}, "spec": {"displayName": "Shelf"}}) == ""
    assert opened.says(ENGINEER, *APPLY, manifest=shelf()) == ""


@pytest.mark.parametrize("port", [a_port(version="1.0.1", access=AUTO), a_port(version="2.0.0", access=AUTO), a_port("other", access=AUTO)])
def test_another_name_or_version_is_another_port(opened: Guild, port: dict[str, Any]) -> None:
    assert GUARD in opened.says(ENGINEER, *APPLY, manifest=shelf(port))


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


def test_what_is_being_deleted_passes(product: Guild) -> None:
    product.installed.apply(shelf(a_port(), finalizers=["example.com/hold"]))
    product.kubectl(OWNER, "delete", "dataproduct", "shelf", "-n", HOME, "--wait=false")
    gone = {"metadata": {"finalizers": None}, "spec": {"outputPorts": [a_port(access=AUTO)]}}
    assert product.patch(ENGINEER, "shelf", gone) == ""
