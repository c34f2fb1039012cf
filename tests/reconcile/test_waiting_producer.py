"""A product whose deletion waits for its consumers: those who write go on as well."""

from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import asked
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_store
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


def key_of_secret(mesh: Mesh) -> str:
    return mesh.cluster.secret_data(SECRET)["access-key-id"]


def keys(mesh: Mesh) -> set[str]:
    """The keys of all users in the store."""
    return {key.id for user in mesh.stores.at(ENDPOINT).users.values() for key in user.keys}


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


def test_a_key_is_rotated_once_at_its_age_and_a_replaced_one_works_for_its_hour() -> None:
    mesh = asked(Mesh()).apply(a_grant()).settle()
    product = mesh.product()
    mesh.apply({**product, "spec": {**product["spec"], "producer": {"secretName": SECRET.name, "rotateAfter": "1d"}}}).settle()
    mesh.delete(PRODUCT.kind, PRODUCT.name, PRODUCT.namespace).settle()
    driven = Driven(mesh).run(hours=25)
    rotated = key_of_secret(mesh)
    driven.run(hours=12)
    assert key_of_secret(mesh) == rotated
    mesh.cluster.user_delete(SECRET)
    driven.run(minutes=10)
    assert key_of_secret(mesh) != rotated
    assert rotated in keys(mesh)


def test_nothing_is_made_for_a_suspended_product_or_one_whose_user_is_gone() -> None:
    mesh = waiting()
    mesh.apply({**mesh.product(), "spec": {**mesh.product()["spec"], "suspend": True}}).settle()
    mesh.cluster.user_delete(SECRET)
    Driven(mesh).run(minutes=10)
    assert collected(mesh)


def test_no_new_key_is_given_in_a_store_that_does_not_serve_the_domain_any_more() -> None:
    mesh = waiting()
    mesh.apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}})).settle()
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
