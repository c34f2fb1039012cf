"""Buckets that are handed on, lent or taken over: what somebody left there gives nobody more than was said."""

from dataclasses import replace
from typing import Any

import pytest

from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_adoption import BUCKET, CONSENT, legacy, wish
from tests.reconcile.test_takeover import UIDS, a_mesh, inventory, lost_mesh, sales, users
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store, annotated
from tests.support.mesh import Mesh

OWN: dict[str, Any] = {"bucketName": "acme-orders"}


def hand_to(mesh: Mesh, bucket: str, taker: str) -> None:
    """The platform team hands a bucket over."""
    held = mesh.stores.at(ENDPOINT).buckets[bucket]
    tags = {**dict(held.bucket.tags), "clouddatamesh.dev/transfer-to": taker}
    held.bucket = replace(held.bucket, tags=tuple(sorted(tags.items())))


def adopted(consent: str = CONSENT) -> tuple[Mesh, Driven]:
    mesh = legacy(consent).apply(a_domain("inventory"), wish(apply=True)).settle()
    return mesh, Driven(mesh).run(minutes=5)


@pytest.mark.parametrize("consent", [CONSENT, f"{CONSENT};may-delete"], ids=["kept", "may be deleted"])
def test_no_rule_of_a_product_removes_what_was_only_lent(consent: str) -> None:
    mesh, driven = adopted(consent)
    rules = [{"prefix": "", "expireAfter": "1d", "expireNoncurrentAfter": "1d"}, {"prefix": "tmp/", "abortUploadsAfter": "3d"}]
    mesh.apply(wish(apply=True, lifecycleRules=rules, versioning="Suspended"))
    driven.run(minutes=10)
    bucket = mesh.stores.at(ENDPOINT).buckets[BUCKET].bucket
    removing = [rule.prefix for rule in bucket.lifecycle or () if rule.removes]
    assert removing == ([] if consent == CONSENT else ["", "tmp/"])
    assert ("tmp/" in [rule.prefix for rule in bucket.lifecycle or ()]) is (consent != CONSENT), "its owner's uploads may take days"
    ready = mesh.condition("DataProduct", "orders", "sales")
    assert ready["reason"] == ("AdoptionBlocked" if consent == CONSENT else "Ready")
    if consent == CONSENT:
        assert bucket.versioning == "Enabled"
        assert "spec.storage.lifecycleRules" in ready["message"]


@pytest.mark.parametrize("consent", [CONSENT, f"{CONSENT};may-delete"], ids=["kept", "may be deleted"])
def test_no_tag_of_a_product_replaces_one_of_a_bucket_that_was_only_lent(consent: str) -> None:
    mesh, driven = adopted(consent)
    held = mesh.stores.at(ENDPOINT).buckets[BUCKET]
    held.bucket = replace(held.bucket, tags=(*held.bucket.tags, ("class", "restricted"), ("team", "finance")))
    lent = consent == CONSENT
    mesh.apply(wish(apply=True, tags={"class": "public", "team": "finance", "unit": "sales"}))
    driven.run(minutes=10)
    ready = mesh.condition("DataProduct", "orders", "sales")
    assert ready["reason"] == ("AdoptionBlocked" if lent else "Ready")
    assert ("spec.storage.tags[class]" in ready["message"]) is lent
    assert "tags[team]" not in ready["message"]
    assert (held.bucket.tag("class"), held.bucket.tag("unit")) == ("restricted" if lent else "public", "sales")
    mesh.apply(wish(apply=True))
    driven.run(minutes=10)
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "Ready"
    left = ("restricted", "finance") if lent else (None, None)
    assert (held.bucket.tag("class"), held.bucket.tag("team")) == left


def test_leave_to_delete_does_not_pass_with_the_bucket() -> None:
    mesh, driven = adopted(f"{CONSENT};may-delete")
    hand_to(mesh, BUCKET, "inventory/taken")
    storage = {"bucketName": BUCKET, "deletionPolicy": "Delete", "forceDestroy": True}
    mesh.apply(a_store(adoptableBuckets=["legacy-*"], deletionEnabled=True), a_product("taken", "inventory", storage=storage))
    driven.run(minutes=10)
    assert mesh.condition("DataProduct", "taken", "inventory")["reason"] == "Ready"
    mesh.delete("DataProduct", "taken", "inventory")
    driven.run(minutes=10)
    assert not mesh.exists("DataProduct", "taken", "inventory")
    assert mesh.stores.at(ENDPOINT).buckets[BUCKET].versions == 3


def test_a_product_that_is_made_again_takes_the_keys_of_its_predecessor_to_what_was_handed_on() -> None:
    mesh = Mesh().apply(a_store(), a_domain("sales"), a_domain("inventory"), a_product(storage=OWN)).settle()
    driven, store = Driven(mesh).run(minutes=5), mesh.stores.at(ENDPOINT)
    store.refuse("delete policy", "delete key", "delete user", "disable key")
    mesh.apply(annotated(a_product(storage=OWN), orphan="orders")).delete("DataProduct", "orders", "sales")
    driven.run(minutes=2)
    assert not mesh.exists("DataProduct", "orders", "sales") and users(mesh, "sales-orders")
    store.allow()
    hand_to(mesh, "acme-orders", "inventory/taken")
    mesh.apply(a_product("taken", "inventory", storage=OWN))
    driven.run(minutes=1)
    mesh.apply(a_product(storage=OWN))
    driven.run(minutes=10)
    assert mesh.condition("DataProduct", "taken", "inventory")["reason"] == "Ready"
    assert users(mesh, "sales-orders") == {}


def test_a_rebuilt_cluster_ends_keys_to_what_it_handed_on() -> None:
    old = lost_mesh()
    bucket, new = old.bucket_of(), a_mesh(1, after=old, lost=(0,))
    hand_to(new, bucket, "inventory/taken")
    new.apply(a_product("taken", "inventory", storage={"bucketName": bucket}))
    driven = Driven(new).run(minutes=5)
    inventory(sales(new))
    driven.run(hours=1)
    assert new.condition("DataProduct", "taken", "inventory")["reason"] == "Ready"
    assert users(new, "orders") == {}


def test_what_is_merely_there_claims_nothing_of_a_lost_cluster() -> None:
    old = lost_mesh()
    new = a_mesh(1, after=old, lost=(0,))
    product = a_product()
    new.apply({**product, "spec": {**product["spec"], "lifecycle": "proposed"}})
    driven = Driven(new).run(minutes=10)
    (told,) = new.get("ObjectStore", "main")["status"]["takenOver"]
    assert told["unclaimed"] == told["principals"] == 3
    new.apply(annotated(a_store(takeOverFrom=[UIDS[0]]), end_taken_over=UIDS[0]))
    driven.run(minutes=10)
    assert users(new, "orders") == {}


@pytest.mark.parametrize("listed", [(), (1,)], ids=["as it is", "with the cluster's own UID in the list"])
def test_a_domain_does_not_inherit_with_the_name_of_a_namespace(listed: tuple[int, ...]) -> None:
    mesh = a_mesh(1, lost=listed).apply(a_product())
    driven = Driven(mesh).run(minutes=5)
    for kind, name, namespace in (("DataProduct", "orders", "sales"), ("Domain", "sales", ""), ("Namespace", "sales", "")):
        mesh.delete(kind, name, namespace)
        driven.run(minutes=5)
    mesh.apply(a_domain("interns", namespaces=[{"name": "sales"}]))
    driven.run(minutes=5)
    mesh.apply(a_product())
    driven.run(minutes=10)
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "NotOwned"


def test_a_rebuilt_cluster_gives_no_other_domain_the_data() -> None:
    old = lost_mesh()
    new = a_mesh(1, after=old, lost=(0,))
    for kind, name in (("Domain", "sales"), ("Namespace", "sales")):
        new.delete(kind, name)
        Driven(new).run(minutes=5)
    new.apply(a_domain("interns", namespaces=[{"name": "sales"}]))
    driven = Driven(new).run(minutes=5)
    new.apply(a_product())
    driven.run(minutes=10)
    assert new.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "NotAdopted"
