"""A store whose allowedDomains a newer version wrote: read leniently it would serve every Domain."""

from typing import Any

import pytest

from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.reconcile.parse import is_readable
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

GOLD = {"matchLabels": {"tier": "gold"}}
NEWER = {"matchExpressions": [{"key": "tier", "operator": "AtLeast", "values": ["gold"]}]}


def rolled_back(selector: dict[str, Any]) -> Mesh:
    """A newer version of the operator wrote Ready; this one cannot read the selector that it served by."""
    mesh = Mesh().apply(a_store(allowedDomains=GOLD), a_domain(), a_product()).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "NotAllowed"
    mesh.apply(a_store(allowedDomains=selector))
    found = mesh.get("ObjectStore", "main")
    status = {**found["status"], "observedGeneration": found["metadata"]["generation"]}
    mesh.cluster.write_status(Key("ObjectStore", "", "main"), found["metadata"]["uid"], status)
    assert not is_readable(ObjectStore, mesh.get("ObjectStore", "main"))
    return mesh


@pytest.mark.parametrize("selector", [NEWER, {"matchLabels": {"tier": ["gold", "silver"]}}, {"matchLabels": "gold"}], ids=str)
def test_a_store_whose_selector_is_of_a_newer_version_serves_nobody_new(selector: dict[str, Any]) -> None:
    """Also while its status says Ready."""
    mesh = rolled_back(selector)
    reconcile(Key("DataProduct", "sales", "orders"), mesh.ports)
    assert not [name for name in mesh.stores.at("https://s3.test").buckets if "orders" in name]


@pytest.mark.parametrize("seed", range(10))
def test_nor_where_the_process_begins_with_any_of_them(seed: int) -> None:
    mesh = rolled_back(NEWER)
    mesh.cluster.restart()
    Driven(mesh, seed=seed).run(minutes=12)
    assert not [name for name in mesh.stores.at("https://s3.test").buckets if "orders" in name]
