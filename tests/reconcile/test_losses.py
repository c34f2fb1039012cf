"""Buckets that change hands: one by one, after an outage, by a hand-over, and behind a mode that makes nothing."""

from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.losses import MOST_LOSSES
from clouddatamesh.reconcile.parse import read_leniently
from clouddatamesh.reconcile.siblings import count_losses
from tests.reconcile.access_flows import REQUEST, asked, granted, principal
from tests.reconcile.flows import ENDPOINT, deletable, fill, mark_as_anothers
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_product, a_store, annotated
from tests.support.mesh import Mesh

ADMISSION = Terminal(reasons.ADMISSION_REFUSED, "a policy refuses writes to it")
NAMES = tuple(f"p{number}" for number in range(6))


def some_products() -> Mesh:
    return Mesh().apply(a_store(), a_domain("sales"), a_domain("inventory")).settle().apply(*map(a_product, NAMES)).settle()


def tag(mesh: Mesh, name: str, /, **tags: str) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of(name)]
    more = {f"clouddatamesh.dev/{key.replace('_', '-')}": value for key, value in tags.items()}
    held.bucket = replace(held.bucket, tags=tuple(sorted({**dict(held.bucket.tags), **more}.items())))


@pytest.mark.parametrize("gap", [0, 60, 200, 400])
def test_a_tool_that_walks_over_the_buckets_takes_two_at_most(gap: int) -> None:
    mesh = some_products()
    driven, users = Driven(mesh), len(mesh.stores.at(ENDPOINT).users)
    for name in NAMES:
        mark_as_anothers(mesh, name)
        driven.run(seconds=gap)
    driven.run(minutes=15)
    assert users - len(mesh.stores.at(ENDPOINT).users) <= 2
    assert mesh.condition("DataProduct", NAMES[-1], "sales", "StorageReady")["reason"] == "StorageLossBrake"


@pytest.mark.parametrize("mark", ["mesh", "cluster", "namespace", "name", "uid"])
def test_the_brake_sees_whichever_mark_was_rewritten(mark: str) -> None:
    mesh = some_products()
    driven, users = Driven(mesh), set(mesh.stores.at(ENDPOINT).users)
    for name in NAMES:
        tag(mesh, name, **({"uid": "uid-other", "name": "other"} if mark == "uid" else {mark: "other"}))
    driven.run(minutes=15)
    assert set(mesh.stores.at(ENDPOINT).users) == users
    assert {mesh.condition("DataProduct", name, "sales", "StorageReady")["reason"] for name in NAMES} == {"StorageLossBrake"}


def test_an_earlier_uid_on_a_bucket_that_adopts_never_takes_nothing() -> None:
    mesh = granted(Mesh()).apply(a_product(storage={"adoptionPolicy": "Never"})).settle()
    driven, users = Driven(mesh), dict(mesh.stores.at(ENDPOINT).users)
    tag(mesh, "orders", uid="uid-former")
    driven.run(minutes=12)
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "MarksMissing"
    assert mesh.stores.at(ENDPOINT).users == users


def test_an_accepted_loss_leaves_no_key_for_whoever_makes_the_bucket() -> None:
    mesh = Mesh().apply(a_store(), a_domain("sales"), a_product(storage={"bucketName": "acme-orders"})).settle()
    store, driven = mesh.stores.at(ENDPOINT), Driven(mesh)
    del store.buckets["acme-orders"]
    driven.run(minutes=6)
    store.refuse("create", name="acme-orders")
    mesh.apply(annotated(a_product(storage={"bucketName": "acme-orders"}), recreate="acme-orders"))
    driven.run(minutes=6)
    store.put_bucket(Bucket("acme-orders", tags=(("team", "payroll"),)))
    driven.run(minutes=12)
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "NotOwned"
    assert not [name for name in store.users if "orders" in name]


def test_a_loss_is_seen_twice_though_the_store_was_away_before() -> None:
    mesh = some_products()
    store, driven = mesh.stores.at(ENDPOINT), Driven(mesh)
    store.down = True
    driven.run(minutes=20)
    mark_as_anothers(mesh, "p0")
    store.down = False
    users = set(store.users)
    while mesh.condition("DataProduct", "p0", "sales", "StorageReady")["reason"] != "LossUnconfirmed":
        driven.run(seconds=5)
    driven.run(seconds=25)
    assert set(store.users) == users
    driven.run(minutes=10)
    assert len(users) - len(store.users) == 1


def test_a_living_owner_leaves_the_tag_by_which_its_bucket_is_handed_over() -> None:
    mesh = some_products()
    taker = a_product("taker", "inventory", storage={"bucketName": "acme-handed", "adoptionPolicy": "IfOwned"})
    mesh.apply(a_product("giver", storage={"bucketName": "acme-handed"})).settle()
    driven, users = Driven(mesh), set(mesh.stores.at(ENDPOINT).users)
    tag(mesh, "giver", transfer_to="inventory/taker")
    driven.wake_all().run(minutes=6)
    assert dict(mesh.stores.at(ENDPOINT).buckets["acme-handed"].bucket.tags)["clouddatamesh.dev/transfer-to"] == "inventory/taker"
    mesh.apply(taker)
    driven.run(minutes=12)
    assert mesh.condition("DataProduct", "taker", "inventory")["status"] == "True"
    assert mesh.condition("DataProduct", "giver", "sales", "StorageReady")["reason"] == "NotOwned"
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "giver" in name]
    assert users - set(mesh.stores.at(ENDPOINT).users) == {name for name in users if "giver" in name}


def test_many_hand_overs_are_no_fault() -> None:
    mesh = some_products()
    mesh.apply(*(a_product(f"g{n}", storage={"bucketName": f"acme-handed-{n}"}) for n in range(4))).settle()
    driven = Driven(mesh)
    for n in range(4):
        tag(mesh, f"g{n}", transfer_to=f"inventory/t{n}")
    mesh.apply(*(a_product(f"t{n}", "inventory", storage={"bucketName": f"acme-handed-{n}"}) for n in range(4)))
    driven.run(minutes=15)
    assert {mesh.condition("DataProduct", f"g{n}", "sales", "StorageReady")["reason"] for n in range(4)} == {"NotOwned"}
    assert not [name for name in mesh.stores.at(ENDPOINT).users if name.startswith("sales-g")]


@pytest.mark.parametrize("mode", ["Observe", "Plan"])
def test_no_mode_shields_a_key_to_what_is_another_products(mode: str) -> None:
    mesh = some_products()
    mesh.apply(a_product("giver", storage={"bucketName": "acme-handed"})).settle()
    mesh.apply(a_product("giver", storage={"bucketName": "acme-handed"}, mode=mode))
    tag(mesh, "giver", transfer_to="inventory/taker")
    mesh.apply(a_product("taker", "inventory", storage={"bucketName": "acme-handed"}))
    Driven(mesh).run(minutes=15)
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "giver" in name]


def test_a_destroyed_bucket_is_told_of() -> None:
    mesh = deletable(Mesh(), forceDestroy=True).settle()
    fill(mesh)
    mesh.delete("DataProduct", "orders", "sales")
    Driven(mesh).run(minutes=2)
    assert not mesh.exists("DataProduct", "orders", "sales")
    told = [(event.reason, event.note) for key, event in mesh.cluster.events if key.name == "orders"]
    assert any(reason == "Destroyed" and "delete bucket" in note for reason, note in told), told


def test_a_user_whose_tags_a_tool_changed_is_taken_all_the_same() -> None:
    mesh = granted(Mesh())
    store, name = mesh.stores.at(ENDPOINT), principal(mesh)
    changed = {**dict(store.users[name].tags), "clouddatamesh.dev/name": "x"}
    store.users[name] = replace(store.users[name], tags=tuple(sorted(changed.items())))
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    Driven(mesh).run(minutes=1)
    assert name not in store.users


def test_a_newer_grant_is_held_until_the_older_remembers_it() -> None:
    mesh = asked(Mesh()).apply(a_grant("older", validUntil="2098-01-01T00:00:00Z")).settle()
    mesh.clock.forward(minutes=5)
    driven, write = Driven(mesh), mesh.cluster.before_write

    def refuse(verb: str, key: Key) -> None:
        if (verb, key.name) == ("status", "older"):
            raise ADMISSION
        write(verb, key)

    mesh.cluster.before_write = refuse
    mesh.apply(a_grant("newer", validUntil="2099-01-01T00:00:00Z"))
    driven.run(minutes=10)
    mesh.delete("AccessGrant", "newer", "sales")
    driven.run(minutes=10)
    assert mesh.exists("AccessGrant", "newer", "sales")
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "orders-for" in name]
    mesh.cluster.before_write = write
    driven.run(minutes=20)
    assert not mesh.exists("AccessGrant", "newer", "sales")
    assert mesh.condition(REQUEST.kind, REQUEST.name, REQUEST.namespace)["reason"] == "Revoked"
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "orders-for" in name]


def test_running_access_does_not_follow_its_product_to_a_bucket_that_is_not_verified() -> None:
    mesh = granted(Mesh())
    store, driven, name = mesh.stores.at(ENDPOINT), Driven(mesh), principal(mesh)
    before = store.users[name].policy
    store.refuse("create", name="acme-payroll")
    mesh.cluster.user_finalize(Key("DataProduct", "sales", "orders"))
    mesh.delete("DataProduct", "orders", "sales").apply(a_product(storage={"bucketName": "acme-payroll"}))
    driven.run(minutes=10)
    assert store.users[name].policy == before


@pytest.mark.parametrize("again", [{"storage": {"storeRef": {"name": "second"}}}, {"producer": None}])
def test_a_product_made_again_does_not_shield_what_its_predecessor_left(again: dict[str, Any]) -> None:
    mesh = Mesh().apply(a_store(), a_store("second", endpointUrl="https://s3.other"), a_domain("sales"), a_product()).settle()
    driven = Driven(mesh)
    mesh.cluster.user_finalize(Key("DataProduct", "sales", "orders"))
    made = a_product(**again)
    if "producer" in again:
        made["spec"] = {"lifecycle": "proposed"}
    mesh.delete("DataProduct", "orders", "sales").apply(made)
    driven.run(minutes=15)
    assert not [name for name in mesh.stores.at(ENDPOINT).users if "orders" in name]


@pytest.mark.parametrize(("unbound", "stands", "braked"), [(0, 2, True), (40, 2, True), (0, 40, False)])
def test_where_most_buckets_are_lost_all_count_however_few_the_stores(unbound: int, stands: int, braked: bool) -> None:
    """Thirty in three other stores; products without a bucket are none that could have lost it."""
    mesh = Mesh()
    lost = [a_product(f"{store}-{n}", storage={"storeRef": {"name": store}}) for store in ("a", "b", "c") for n in range(10)]
    kept = [a_product(f"kept-{n}", storage={"storeRef": {"name": "d"}}) for n in range(stands)]
    mesh.apply(*lost, *kept, *(a_product(f"new-{n}") for n in range(unbound)))
    missing = {"type": "StorageReady", "status": "False", "reason": "BucketMissing", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for found in (*lost, *kept):
        name = found["metadata"]["name"]
        status = {"storage": {"bucket": f"acme-{name}", "phase": "Owned"}, "conditions": [missing] if found in lost else []}
        mesh.cluster.write_status(Key("DataProduct", "sales", name), mesh.product(name)["metadata"]["uid"], status)
    looked = read_leniently(DataProduct, mesh.product("kept-0"))
    assert (count_losses(looked, mesh.cluster, mesh.clock) >= MOST_LOSSES) == braked


@pytest.mark.parametrize("of_whom", ["another mesh's", "of a stranger's account"])
def test_a_twin_behind_a_wrong_endpoint_takes_nothing(of_whom: str) -> None:
    """Its bucket of the same name is another's, and nothing shows that it is the store."""
    mesh, twin = asked(Mesh()), "https://s3.twin"
    mesh.apply(a_grant()).settle()
    store, bucket = mesh.stores.at(twin), mesh.bucket_of()
    store.root = mesh.stores.at(ENDPOINT).root
    if of_whom == "another mesh's":
        store.put_bucket(Bucket(bucket, tags=(("clouddatamesh.dev/mesh", "staging"), ("clouddatamesh.dev/uid", "uid-theirs"))))
    else:
        store.foreign_buckets.add(bucket)
    secrets = (Key("Secret", "sales", "orders-producer"), Key("Secret", REQUEST.namespace, "orders-access"))
    before = [mesh.cluster.secret_data(secret) for secret in secrets]
    driven = Driven(mesh.apply(a_store(endpointUrl=twin))).run(minutes=30)
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "StoreNotReady"
    driven.mesh.apply(a_store())
    driven.run(minutes=10)
    assert [mesh.cluster.secret_data(secret) for secret in secrets] == before
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] == "True"
