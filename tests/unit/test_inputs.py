"""Which input ports lack access, and what is said about each."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.inputs import find_missing_inputs
from tests.support.manifests import a_product, a_request

DAILY: Final = {"name": "daily", "version": "1.0.0"}


def reading(name: str = "orders", **port: str) -> dict[str, Any]:
    """An input port that reads sales' orders."""
    return {"name": name, "from": {"namespace": "sales", "dataProduct": "orders", "outputPort": {**DAILY, **port}}}


def missing(*requests: Manifest, ports: tuple[dict[str, Any], ...] = (reading(),)) -> dict[str, str]:
    product = DataProduct.model_validate(a_product("forecast", "inventory", inputPorts=list(ports)))
    return dict(find_missing_inputs(product, requests))


def in_effect(name: str = "orders-for-forecast", **spec: Any) -> Manifest:
    conditions = [{"type": "Provisioned", "status": "True", "reason": "Ready"}]
    return {**a_request(name, **spec), "status": {"grantRef": {"name": "yes"}, "conditions": conditions}}


def test_a_product_that_reads_nothing_lacks_nothing() -> None:
    assert missing(ports=()) == {}


def test_what_is_outside_the_mesh_needs_nothing_of_us() -> None:
    assert missing(ports=({"name": "fx", "external": {"description": "ECB rates"}},)) == {}


def test_of_an_input_that_is_known_by_its_contract_no_access_is_known() -> None:
    """Not even where a request of this product is in effect: nobody knows that its port has this contract."""
    why = missing(in_effect(), ports=({"name": "orders", "contractId": "urn:acme:contract:orders"},))["orders"]
    assert "names contract urn:acme:contract:orders and no product, so no access to it is known" in why
    assert "set from to the output port with this contract, or set external" in why


def test_a_contract_beside_a_source_changes_nothing() -> None:
    assert missing(in_effect(), ports=({**reading(), "contractId": "c"},)) == {}
    assert missing(ports=({**reading(), "contractId": "c"},)) == missing()
    assert missing(ports=({"name": "fx", "external": {}, "contractId": "c"},)) == {}


def test_nobody_asked_and_the_sentence_says_how() -> None:
    why = missing()["orders"]
    assert "Input port orders reads sales/orders and has no access yet" in why
    assert "outputPort daily 1.0.0 with consumer.dataProductRef.name: forecast" in why


def test_a_request_that_is_not_in_effect_is_named() -> None:
    assert "the AccessRequest for it is not in effect" in missing(a_request())["orders"]


def test_one_request_in_effect_is_enough() -> None:
    assert missing(in_effect()) == {}
    assert missing(a_request("first"), in_effect("second")) == {}


@pytest.mark.parametrize("version", ["1.0.1", "1.4.0"])
def test_the_major_version_counts(version: str) -> None:
    assert missing(in_effect(), ports=(reading(version=version),)) == {}


@pytest.mark.parametrize(
    "spec",
    [
        {"mode": "WriteOnly"},
        {"outputPort": {"name": "hourly", "version": "1.0.0"}},
        {"outputPort": {"name": "daily", "version": "2.0.0"}},
        {"dataProductRef": {"namespace": "sales", "name": "returns"}},
        {"dataProductRef": {"namespace": "support", "name": "orders"}},
    ],
    ids=str,
)
def test_access_to_something_else_does_not_help(spec: dict[str, Any]) -> None:
    assert "has no access yet" in missing(in_effect(**spec))["orders"]


def test_who_reads_and_writes_reads() -> None:
    assert missing(in_effect(mode="ReadWrite")) == {}


def test_each_port_is_told_by_itself() -> None:
    ports = (reading("one"), reading("two", version="2.0.0"), reading("three", version="1.1.0"))
    assert set(missing(in_effect(), ports=ports)) == {"two"}
