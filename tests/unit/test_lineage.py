"""status.lineage: everything that access leads to, how far it is, and that very large meshes are told in part."""

from collections.abc import Mapping
from typing import Any, cast

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.references import references
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.lineage import gather_lineage
from tests.support.manifests import a_request

IN_EFFECT = {"grantRef": {"name": "yes"}, "conditions": [{"type": "Provisioned", "status": "True"}]}


class Requests:
    """A cluster of requests alone; each reading is counted."""

    def __init__(self, *manifests: Manifest) -> None:
        self.manifests = {key_of(manifest): manifest for manifest in manifests}
        self.naming_of: dict[tuple[Key, str], list[Key]] = {}
        for key, manifest in self.manifests.items():
            for named in references(manifest):
                self.naming_of.setdefault((named, "AccessRequest"), []).append(key)
        self.reads = 0

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        return tuple(self.naming_of.get((key, kind), ()))

    def get(self, key: Key) -> Manifest | None:
        self.reads += 1
        return self.manifests.get(key)


def flow(source: str, user: str, status: Mapping[str, Any] = IN_EFFECT, **asks: Any) -> Manifest:
    """Data that goes from one product to another, both in the namespace mesh."""
    to = {"dataProductRef": {"namespace": "mesh", "name": source}, "consumer": {"dataProductRef": {"name": user}}, **asks}
    return {**a_request(f"{source}-for-{user}", "mesh", **to), "status": status}


def lineage(product: str, *flows: Manifest) -> dict[str, Any]:
    return gather_lineage(Key("DataProduct", "mesh", product), cast(Cluster, Requests(*flows)))


def node(name: str, distance: int) -> dict[str, Any]:
    return {"namespace": "mesh", "name": name, "distance": distance}


def test_both_directions_are_followed_the_nearest_first() -> None:
    found = lineage("b", flow("a", "b"), flow("b", "d"), flow("d", "c"), flow("x", "y"))
    assert found == {"upstream": [node("a", 1)], "downstream": [node("d", 1), node("c", 2)]}
    assert lineage("z", flow("a", "b")) == {}


def test_a_product_that_is_reached_by_two_ways_is_as_far_as_by_the_shorter() -> None:
    assert lineage("a", flow("a", "b"), flow("b", "c"), flow("a", "c"))["downstream"] == [node("b", 1), node("c", 1)]


def test_what_is_not_in_effect_leads_nowhere() -> None:
    for status in ({}, {**IN_EFFECT, "grantRef": None}, {**IN_EFFECT, "conditions": [{"type": "Provisioned", "status": "False"}]}):
        assert lineage("a", flow("a", "b", status)) == {}
        assert lineage("b", flow("a", "b", status)) == {}


def test_a_service_account_is_no_product() -> None:
    assert lineage("a", flow("a", "b", consumer={"serviceAccountRef": {"name": "b"}})) == {}


def test_a_request_that_asks_on_behalf_of_a_product_is_no_use_of_it() -> None:
    assert "downstream" not in lineage("b", flow("a", "b"))


def test_a_cycle_is_told_and_ends() -> None:
    found = lineage("a", flow("a", "b"), flow("b", "a"))
    assert found == {"upstream": [node("b", 1)], "downstream": [node("b", 1)], "cyclic": True}
    assert "cyclic" not in lineage("a", flow("a", "b"), flow("b", "c"), flow("c", "b"))


def test_fifty_are_shown_and_the_others_counted() -> None:
    users = [flow("a", f"b{number:03}") for number in range(53)]
    found = lineage("a", *users)
    assert [entry["name"] for entry in found["downstream"]] == [f"b{number:03}" for number in range(50)]
    assert found["moreDownstream"] == 3
    assert lineage("b052", *users, *(flow(f"c{number:03}", "a") for number in range(50)))["moreUpstream"] == 1
    assert "moreDownstream" not in lineage("a", *users[:50])


def test_a_thousand_requests_are_read_in_each_direction_at_most() -> None:
    cluster = Requests(*(flow("a", f"b{number:04}", {}) for number in range(1100)))
    gather_lineage(Key("DataProduct", "mesh", "a"), cast(Cluster, cluster))
    assert cluster.reads == 1000


def test_a_long_chain_is_followed_for_five_hundred_products() -> None:
    chain = [flow(f"p{number:04}", f"p{number + 1:04}") for number in range(700)]
    down, up = lineage("p0000", *chain), lineage("p0700", *chain)
    assert len(down["downstream"]) + down["moreDownstream"] == 500
    assert len(up["upstream"]) + up["moreUpstream"] == 500
