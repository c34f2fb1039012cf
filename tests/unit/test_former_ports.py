"""Ports that left the spec while they are read stay in status, which alone tells where their consumers read, however many they are."""

from typing import Any, Final

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct, DataProductStatus
from clouddatamesh.plan.access.facts import read_product
from clouddatamesh.plan.dataproduct import plan
from clouddatamesh.status.dataproduct import report
from tests.support.manifests import a_request
from tests.support.worlds import a_world, the_product

IN_SPEC: Final = 32
"""As many as a spec takes."""


def port(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0.0", "path": f"{name}/", **more}


def reader(name: str) -> dict[str, Any]:
    """A request that has access to a port."""
    return {**a_request(f"r-{name}", outputPort={"name": name, "version": "1.0.0"}), "status": {"grantRef": {"uid": "uid-yes"}}}


def told(former: int) -> list[dict[str, Any]]:
    """The ports of status after so many others were replaced by the 32 of the spec, all of them in use."""
    names = [f"old-{number}" for number in range(former)]
    product = the_product(
        outputPorts=[port(f"new-{number}") for number in range(IN_SPEC)],
        status={"outputPorts": [port(name, consumers=1, draining=False) for name in names]},
    )
    world = a_world(requests=tuple(map(reader, names)))
    fields = report(product, world, plan(product, world)).fields
    DataProductStatus.model_validate({"outputPorts": fields["outputPorts"]})
    return list(fields["outputPorts"])


def test_all_ports_are_renamed_twice_and_all_are_told() -> None:
    ports = told(2 * IN_SPEC)
    assert len(ports) == 3 * IN_SPEC
    assert [one["draining"] for one in ports] == [False] * IN_SPEC + [True] * 2 * IN_SPEC


def test_where_status_takes_no_more_the_spec_gives_way() -> None:
    ports = told(500)
    assert len(ports) == 512
    assert sum(one["draining"] for one in ports) == 500


def test_every_port_of_status_can_be_asked_for() -> None:
    product: DataProduct = the_product(status={"outputPorts": told(2 * IN_SPEC)})
    offer = read_product(product.model_dump(by_alias=True, exclude_none=True))
    assert len(offer.former_ports) == 3 * IN_SPEC
