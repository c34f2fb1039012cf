"""A product that a backup tool restored under another name, with status: the original's bucket is never the copy's."""

from copy import deepcopy
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan.access.facts import read_product
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_copied import PRODUCT, copy
from tests.reconcile.test_losses import tag
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

COPY: Final = Key("DataProduct", "lab", "orders")
CHOSEN: Final = {"bucketName": "acme-orders-raw"}


def with_orders(**storage: Any) -> Mesh:
    mesh = Mesh().apply(a_store(), a_domain("sales"), a_domain("lab"), a_product(storage=storage))
    Driven(mesh).run(minutes=6)
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "Ready"
    return mesh


def storage(mesh: Mesh, key: Key) -> dict[str, Any]:
    return dict(mesh.get(key.kind, key.name, key.namespace)["status"].get("storage") or {})


def tell(mesh: Mesh, key: Key, **facts: Any) -> None:
    """Status says this of the bucket as well; None takes it out."""
    found = mesh.get(key.kind, key.name, key.namespace)
    told = {name: value for name, value in {**storage(mesh, key), **facts}.items() if value is not None}
    mesh.cluster.write_status(key, found["metadata"]["uid"], {**found["status"], "storage": told})


def reason(mesh: Mesh, key: Key) -> str:
    return str(mesh.condition(key.kind, key.name, key.namespace)["reason"])


@pytest.mark.parametrize("earlier", [False, True], ids=["this version", "an earlier version"])
def test_a_copy_has_a_bucket_of_its_own(earlier: bool) -> None:
    mesh = with_orders()
    if earlier:
        tell(mesh, PRODUCT, uid=None)
    before = storage(mesh, PRODUCT)["bucket"]
    copy(mesh, PRODUCT)
    Driven(mesh).run(minutes=10)
    assert [reason(mesh, key) for key in (PRODUCT, COPY)] == ["Ready", "Ready"]
    assert storage(mesh, PRODUCT)["bucket"] == before != storage(mesh, COPY)["bucket"]


def test_before_it_was_looked_at_a_copy_offers_nothing_of_the_originals() -> None:
    mesh = with_orders()
    copy(mesh, PRODUCT)
    assert storage(mesh, COPY)["ownershipVerified"] is True
    assert not read_product(mesh.get(*_of(COPY))).verified and read_product(mesh.get(*_of(PRODUCT))).verified


def _of(key: Key) -> tuple[str, str, str]:
    return key.kind, key.name, key.namespace


def test_a_copy_of_a_product_that_chose_its_bucket_has_no_record_of_it() -> None:
    mesh = with_orders(**CHOSEN)
    copy(mesh, PRODUCT)
    Driven(mesh).run(minutes=10)
    assert [reason(mesh, key) for key in (PRODUCT, COPY)] == ["Ready", "NotOwned"]
    assert storage(mesh, COPY) == {}
    del mesh.stores.at(ENDPOINT).buckets[CHOSEN["bucketName"]]
    Driven(mesh).run(minutes=30)
    assert [reason(mesh, key) for key in (PRODUCT, COPY)] == ["BucketMissing", "NotOwned"]


@pytest.mark.parametrize("earlier", [False, True], ids=["this version", "an earlier version"])
def test_a_record_of_a_product_that_does_not_live_is_kept_for_the_bucket_may_be_handed_over(earlier: bool) -> None:
    mesh = with_orders()
    if earlier:
        tell(mesh, PRODUCT, uid=None)
    before, saved = storage(mesh, PRODUCT)["bucket"], deepcopy(dict(mesh.cluster.raw(PRODUCT) or {}))
    mesh.delete(PRODUCT.kind, PRODUCT.name, PRODUCT.namespace)
    mesh.settle()
    assert not mesh.exists(*_of(PRODUCT))
    copy(mesh, PRODUCT, saved=saved)
    Driven(mesh).run(minutes=10)
    assert reason(mesh, COPY) == "NotOwned" and storage(mesh, COPY)["bucket"] == before


@pytest.mark.parametrize("earlier", [False, True], ids=["this version", "an earlier version"])
def test_a_bucket_that_was_handed_over_stays_recorded(earlier: bool) -> None:
    """An earlier version let a copy take the original's bucket by transfer-to; the original says that it is not its own any more."""
    mesh = with_orders()
    copy(mesh, PRODUCT)
    bucket = storage(mesh, COPY)["bucket"]
    tell(mesh, COPY, uid=None if earlier else mesh.get(*_of(COPY))["metadata"]["uid"])
    tell(mesh, PRODUCT, uid=None if earlier else mesh.product()["metadata"]["uid"], ownershipVerified=False)
    tag(mesh, "orders", transfer_to="lab/orders")
    mesh.settle()
    assert reason(mesh, COPY) == "Ready" and storage(mesh, COPY)["bucket"] == bucket
    Driven(mesh).run(minutes=10)
    assert storage(mesh, COPY)["bucket"] == bucket and reason(mesh, PRODUCT) == "NotOwned"
