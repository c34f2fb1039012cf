"""A product whose deletion waits for its consumers: those who write go on as well."""

from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import asked
from tests.support.driven import Driven
from tests.support.manifests import a_grant
from tests.support.mesh import Mesh

SECRET = Key("Secret", "sales", "orders-producer")
PRODUCT = Key("DataProduct", "sales", "orders")
COLLECTOR = "foregroundDeletion"


def waiting() -> Mesh:
    """Sales' orders is being deleted, and inventory reads it."""
    mesh = asked(Mesh()).apply(a_grant()).settle()
    mesh.delete(PRODUCT.kind, PRODUCT.name, PRODUCT.namespace).settle()
    assert mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")["reason"] == "InUse"
    return mesh


def collected(mesh: Mesh) -> bool:
    return mesh.cluster.raw(SECRET) is None


def test_its_secret_is_back_when_somebody_deletes_it() -> None:
    mesh = waiting()
    mesh.cluster.user_delete(SECRET)
    Driven(mesh).run(minutes=10)
    assert not collected(mesh)


def test_the_garbage_collector_is_let_do_its_work_first() -> None:
    """In a foreground deletion it deletes what names the product as owner, until it has removed its own finalizer."""
    mesh = waiting()
    ours = mesh.product()["metadata"]["finalizers"]
    mesh.cluster.user_finalize(PRODUCT, *ours, COLLECTOR)
    mesh.cluster.user_delete(SECRET)
    driven = Driven(mesh).run(minutes=10)
    assert collected(mesh)
    mesh.cluster.user_finalize(PRODUCT, *ours)
    driven.run(minutes=10)
    assert not collected(mesh)


def test_nothing_is_made_for_a_suspended_product_or_one_whose_user_is_gone() -> None:
    mesh = waiting()
    mesh.apply({**mesh.product(), "spec": {**mesh.product()["spec"], "suspend": True}}).settle()
    mesh.cluster.user_delete(SECRET)
    Driven(mesh).run(minutes=10)
    assert collected(mesh)


def test_it_ends_when_its_consumers_have_ended() -> None:
    mesh = waiting()
    mesh.cluster.user_delete(SECRET)
    driven = Driven(mesh).run(minutes=10)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(minutes=10)
    assert collected(mesh)
    assert not mesh.exists(PRODUCT.kind, PRODUCT.name, PRODUCT.namespace)
