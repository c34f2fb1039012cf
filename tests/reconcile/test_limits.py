"""What a Domain says of limits that are not counted, what becomes of those that leave it, and being cordoned, over the fakes."""

from typing import Any

import pytest

from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh


def is_ready(mesh: Mesh) -> bool:
    return mesh.condition("Domain", "sales").get("status") == "True"


def test_a_limit_of_an_unknown_kind_is_named_and_everything_is_served() -> None:
    mesh = Mesh()
    mesh.cluster.stop_counting("count/widgets.example.com")
    quota = {"pods": "9", "count/widgets.example.com": "5"}
    mesh.apply(a_store(), a_domain(resources={"quota": quota, "maxDataProducts": 5}), a_product()).settle()
    found = mesh.condition("Domain", "sales")
    assert (found["status"], found["reason"]) == ("Unknown", "QuotaNotCounted")
    assert "count/widgets.example.com" in found["message"]
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
    mesh.clock.forward(seconds=59)
    assert mesh.settle().condition("Domain", "sales")["status"] == "Unknown"
    mesh.clock.forward(seconds=1)
    mesh.settle()
    for _ in range(3):
        found = mesh.condition("Domain", "sales")
        assert (found["status"], found["reason"]) == ("False", "QuotaNotCounted")
        assert mesh.condition("Domain", "sales", type_="Stalled")["status"] == "True"
        assert "count/widgets.example.com" in found["message"]
        assert "pods" not in found["message"]
        mesh.clock.forward(seconds=20)
        mesh.settle()
    mesh.apply(a_domain(resources={"quota": {"pods": "9"}})).settle()
    assert is_ready(mesh)


def test_a_cluster_that_counts_nothing_is_waited_for_a_minute_after_each_change_and_heals() -> None:
    mesh = Mesh().apply(a_domain()).settle()
    mesh.cluster.stop_counting("*")
    mesh.apply(a_domain(resources={"maxDataProducts": 5})).settle()
    mesh.clock.forward(minutes=2)
    mesh.settle()
    assert "kube-controller-manager" in mesh.condition("Domain", "sales")["message"]
    mesh.apply(a_domain(resources={"maxDataProducts": 6})).settle()
    assert mesh.condition("Domain", "sales")["status"] == "Unknown"
    mesh.cluster.start_counting()
    assert is_ready(mesh.settle())


def test_cordoned_is_a_condition() -> None:
    mesh = Mesh().apply(a_domain(cordoned=True)).settle()
    assert mesh.condition("Domain", "sales", type_="Cordoned")["status"] == "True"
    assert is_ready(mesh)
    mesh.apply(a_domain(cordoned=False)).settle()
    assert mesh.condition("Domain", "sales", type_="Cordoned") == {}


BOTH = {"cpu": "500m", "memory": "512Mi"}
FEWER = [
    ({"default": BOTH}, {"default": {"cpu": "500m"}}, {"default": {"cpu": "500m"}, "defaultRequest": {"cpu": "500m"}}),
    (
        {"default": BOTH, "defaultRequest": {"cpu": "100m"}},
        {"default": BOTH},
        {"default": BOTH, "defaultRequest": BOTH},
    ),
    ({"defaultRequest": BOTH}, {"defaultRequest": {"cpu": "500m"}}, {"defaultRequest": {"cpu": "500m"}}),
]


@pytest.mark.parametrize(("before", "after", "found"), FEWER, ids=["a default", "all requests", "a request"])
def test_what_leaves_the_limit_range_leaves_the_namespaces(before: dict[str, Any], after: dict[str, Any], found: dict[str, Any]) -> None:
    mesh = Mesh().apply(a_domain(resources={"limitRange": before})).settle()
    mesh.apply(a_domain(resources={"limitRange": after})).settle()
    assert mesh.get("LimitRange", "clouddatamesh", "sales")["spec"]["limits"] == [{"type": "Container", **found}]
    assert is_ready(mesh)
    assert mesh.writes_of(lambda _: None) == []
