"""Access and objects that end: what is lost ends however long a deletion waits, and status says what still works."""

from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import REQUEST, asked, granted, principal
from tests.reconcile.flows import ENDPOINT, mark_as_anothers
from tests.security.hostile_endings import delete_product, release, suspend_and_delete
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_request, a_store, annotated
from tests.support.mesh import Mesh

GRANT = Key("AccessGrant", "sales", "inventory-forecast")


def users(mesh: Mesh) -> set[str]:
    """Those of the product and of who reads it."""
    return {name for name in mesh.stores.at(ENDPOINT).users if "orders" in name}


def narrow_store(mesh: Mesh) -> None:
    mesh.apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}}))


@pytest.mark.parametrize("lose", [release, lambda mesh: mark_as_anothers(mesh, "orders")], ids=["released", "another's"])
@pytest.mark.parametrize("hinder", [delete_product, suspend_and_delete, narrow_store])
def test_keys_to_a_bucket_that_is_another_s_end_whatever_else_holds_its_product_up(hinder: Any, lose: Any) -> None:
    mesh = granted(Mesh())
    driven = Driven(mesh)
    hinder(mesh)
    driven.run(minutes=6)
    assert principal(mesh) is not None, "it waits for its consumer, or is not served: that takes nothing"
    lose(mesh)
    driven.run(minutes=12)
    assert users(mesh) == set()


def test_a_finalizer_of_the_consumer_keeps_neither_grant_nor_product() -> None:
    mesh = granted(Mesh())
    mesh.cluster.user_finalize(REQUEST, "clouddatamesh.dev/finalizer", "example.com/mine")
    driven = Driven(mesh)
    mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace).delete("AccessGrant", GRANT.name, GRANT.namespace)
    delete_product(mesh)
    driven.run(minutes=6)
    assert mesh.exists("AccessRequest", REQUEST.name, REQUEST.namespace)
    assert not mesh.exists("AccessGrant", GRANT.name, GRANT.namespace)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert users(mesh) == set()


@pytest.mark.parametrize("kind", ["AccessRequest", "DataProduct"])
def test_what_is_given_up_goes_though_its_store_refuses_the_taking(kind: str) -> None:
    mesh = granted(Mesh())
    driven = Driven(mesh)
    mesh.stores.at(ENDPOINT).refuse("delete user", "delete key", "delete policy")
    key = REQUEST if kind == "AccessRequest" else Key("DataProduct", "sales", "orders")
    if kind == "DataProduct":
        mesh.cluster.user_finalize(REQUEST)
        mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    found = mesh.cluster.get(key)
    assert found is not None
    mesh.delete(kind, key.name, key.namespace)
    driven.run(minutes=6)
    assert mesh.exists(kind, key.name, key.namespace), "it waits for its store"
    mesh.apply(annotated(dict(found), orphan=key.name))
    driven.run(minutes=6)
    assert not mesh.exists(kind, key.name, key.namespace)
    assert any(event.reason == reasons.ABANDONED for _, event in mesh.cluster.events)


@pytest.mark.parametrize("end", ["expiry", "deny", "cut-off"])
def test_nobody_is_told_that_access_ended_while_its_key_may_work(end: str) -> None:
    mesh = granted(Mesh())
    driven, store = Driven(mesh), mesh.stores.at(ENDPOINT)
    store.down = True
    if end == "expiry":
        mesh.apply({**a_grant(), "spec": {**a_grant()["spec"], "validUntil": "2026-01-01T00:30:00Z"}})
    if end == "deny":
        mesh.apply({**a_grant(), "spec": {**a_grant()["spec"], "decision": "Deny"}})
    if end == "cut-off":
        product = mesh.product()
        mesh.apply(annotated(dict(product), cut_off="orders"))
    driven.run(hours=1)
    effect = mesh.condition("AccessGrant", GRANT.name, GRANT.namespace, "InEffect")
    assert (effect["status"], "its key may work" in effect["message"]) == ("Unknown", True)
    if end == "cut-off":
        cut = mesh.condition("DataProduct", "orders", "sales", "CutOff")
        assert (cut["status"], "of 1 requests it is still being taken away" in cut["message"]) == ("Unknown", True)
    store.down = False
    driven.run(minutes=10)
    assert mesh.condition("AccessGrant", GRANT.name, GRANT.namespace, "InEffect")["status"] == "False"
    if end == "cut-off":
        assert mesh.condition("DataProduct", "orders", "sales", "CutOff")["status"] == "True"


def test_a_renewal_after_a_grant_that_never_gave_is_in_the_inbox() -> None:
    mesh = asked(Mesh()).apply(a_grant(validUntil="2025-12-01T00:00:00Z")).settle()
    mesh.clock.forward(days=1)
    mesh.apply(a_request(renewal={"requestedAt": "2026-01-02T00:00:00Z"})).settle()
    assert mesh.product()["status"]["pendingRequestCount"] == 1
