"""Rebuilt clusters take over object by object: a fresh key and an hour's grace for what is applied, and nothing is touched that is not."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model.bucket import Tags
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.names import former_principal_name
from tests.reconcile.access_flows import REQUEST, SECRET, a_port
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

UIDS: Final = tuple(f"8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c{number}" for number in range(4))
PRODUCT: Final = Key("DataProduct", "sales", "orders")
GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")


def a_mesh(number: int, *, after: Mesh | None = None, lost: tuple[int, ...] = ()) -> Mesh:
    """A cluster with its store and domains; `after` is the one that was lost, and whose store it gets."""
    mesh = Mesh()
    mesh.cluster.be_cluster(UIDS[number])
    if after is not None:
        mesh.clock.time = after.clock.time
        mesh.stores.take_over(after.stores)
        mesh._give_credentials()
    mesh.apply(a_store(takeOverFrom=[UIDS[one] for one in lost]), a_domain("sales"), a_domain("inventory"))
    Driven(mesh).run(minutes=1)
    return mesh


def sales(mesh: Mesh, **grant: Any) -> Mesh:
    return mesh.apply(a_product(outputPorts=[a_port()]), a_grant(validUntil="2026-02-01T00:00:00Z", **grant))


def inventory(mesh: Mesh) -> Mesh:
    return mesh.apply(a_product("forecast", "inventory"), a_request())


def users(mesh: Mesh, of: str) -> dict[str, bool]:
    """Users whose name says of what they are, and whether they have a policy and an active key."""
    found = mesh.stores.at(ENDPOINT).users
    return {name: user.policy is not None and any(key.active for key in user.keys) for name, user in found.items() if of in name}


def lost_mesh() -> Mesh:
    mesh = a_mesh(0)
    inventory(sales(mesh))
    Driven(mesh).run(minutes=1)
    assert list(users(mesh, "orders").values()) == [True, True]
    return mesh


def test_what_is_applied_gets_a_fresh_key_and_the_former_one_works_for_an_hour() -> None:
    old = lost_mesh()
    before, key = set(users(old, "orders")), old.cluster.secret_data(SECRET)
    new = inventory(sales(a_mesh(1, after=old, lost=(0,))))
    driven = Driven(new).run(minutes=50)
    assert new.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"
    assert new.cluster.secret_data(SECRET) != key
    assert users(new, "orders").keys() > before and all(users(new, "orders").values()), "both work, and each of its own"
    assert new.product()["status"]["storage"]["bucket"] == old.bucket_of()
    driven.run(minutes=15)
    assert not before & set(users(new, "orders"))
    assert list(users(new, "orders").values()) == [True, True]
    told = {"done": [UIDS[0]], "marker": new.get("ObjectStore", "main")["status"]["marker"]}
    assert new.product()["status"]["takeOver"] == told
    assert new.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]["takeOver"] == told
    assert "PrincipalsUnclaimed" not in str(new.get("ObjectStore", "main")["status"]["conditions"])


def restore_status(new: Mesh, old: Mesh) -> None:
    """A backup tool writes the status that objects had in the lost cluster."""
    for key in (REQUEST, PRODUCT, GRANT):
        found, kept = new.cluster.raw(key), old.cluster.raw(key)
        if found is not None and kept is not None:
            new.cluster.write_status(key, found["metadata"]["uid"], kept["status"])


@pytest.mark.parametrize("restored", [False, True], ids=["without status", "with status"])
@pytest.mark.parametrize("missing", [sales, inventory], ids=["the producer's folder", "the consumer's folder"])
def test_a_folder_that_is_not_applied_for_hours_loses_nothing(missing: Any, restored: bool) -> None:
    old = lost_mesh()
    before = users(old, "orders-for-forecast")
    new = a_mesh(1, after=old, lost=(0,))
    (inventory if missing is sales else sales)(new)
    if restored:
        restore_status(new, old)
    driven = Driven(new).run(hours=5)
    assert users(new, "orders-for-forecast") == before
    told = new.get("ObjectStore", "main")["status"]["takenOver"]
    assert told[0]["cluster"] == UIDS[0] and told[0]["unclaimed"] >= 1
    missing(new)
    driven.run(minutes=70)
    assert new.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"
    assert not before.keys() & users(new, "orders-for-forecast").keys()


def test_an_hour_that_a_lost_cluster_counted_is_not_this_ones() -> None:
    """The lost cluster took over from another one, and was backed up with status within that hour."""
    first = lost_mesh()
    second = inventory(sales(a_mesh(1, after=first, lost=(0,))))
    Driven(second).run(minutes=10)
    assert second.product()["status"]["takeOver"]["until"]
    before = {name for name, works in users(second, "orders").items() if works}
    second.clock.forward(hours=2)
    third = inventory(sales(a_mesh(2, after=second, lost=(0, 1))))
    restore_status(third, second)
    driven = Driven(third).run(minutes=50)
    assert len(before) == 4 and before < {name for name, works in users(third, "orders").items() if works}
    driven.run(minutes=20)
    assert not before & users(third, "orders").keys()


OFFERED: Final = a_product(outputPorts=[a_port()])
NOES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "the owner says Deny": (OFFERED, a_grant(decision="Deny")),
    "the grant has ended": (OFFERED, a_grant(validUntil="2025-12-31T00:00:00Z")),
    "its consumers are cut off": (annotated(OFFERED, cut_off="orders"), a_grant()),
    "the product is retired": (a_product(outputPorts=[a_port()], lifecycle="retired"), a_grant()),
    "the port is gone": (a_product(outputPorts=[]), a_grant()),
    "the mode is not offered any more": (a_product(outputPorts=[a_port(modes=["WriteOnly"])]), a_grant()),
}


@pytest.mark.parametrize("what", NOES)
def test_what_was_applied_and_says_no_ends_without_grace(what: str) -> None:
    old = lost_mesh()
    before = users(old, "orders-for-forecast")
    new = inventory(a_mesh(1, after=old, lost=(0,)))
    new.apply(*NOES[what])
    Driven(new).run(minutes=6)
    assert before and users(new, "orders-for-forecast") == {}


@pytest.mark.parametrize("left", [(), (("team", "a"),)], ids=["no tag", "a tool's own tag"])
def test_a_bucket_whose_tags_a_tool_replaced_while_nobody_restored_them_is_no_others(left: Tags) -> None:
    old = lost_mesh()
    before = users(old, "orders")
    held = old.stores.at(ENDPOINT).buckets[old.bucket_of()]
    marks, held.bucket = held.bucket.tags, replace(held.bucket, tags=left)
    new = inventory(sales(a_mesh(1, after=old, lost=(0,))))
    driven = Driven(new).run(hours=5)
    assert new.condition("DataProduct", "orders", "sales")["reason"] == "NotAdopted"
    assert users(new, "orders") == before and all(before.values())
    held = new.stores.at(ENDPOINT).buckets[old.bucket_of()]
    held.bucket = replace(held.bucket, tags=marks)
    driven.run(minutes=70)
    assert new.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"
    assert not before.keys() & users(new, "orders").keys()


def test_a_second_rebuild_before_the_first_was_complete() -> None:
    first = lost_mesh()
    second = sales(a_mesh(1, after=first, lost=(0,)))
    Driven(second).run(minutes=10)
    third = inventory(sales(a_mesh(2, after=second, lost=(0, 1))))
    driven = Driven(third).run(minutes=10)
    assert third.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"
    assert len(users(third, "sales-orders")) == 3
    driven.run(minutes=65)
    assert [len(users(third, of)) for of in ("sales-orders", "orders-for-forecast")] == [1, 1]
    assert third.product()["status"]["takeOver"]["done"] == sorted(UIDS[:2])


def test_another_cluster_that_nobody_names_is_left_alone() -> None:
    old = lost_mesh()
    before = dict(old.stores.at(ENDPOINT).users)
    stranger = inventory(sales(a_mesh(1, after=old, lost=(3,))))
    Driven(stranger).run(hours=2)
    assert dict(stranger.stores.at(ENDPOINT).users) == before


def test_what_nobody_claims_ends_only_where_somebody_says_so() -> None:
    old = lost_mesh()
    new = sales(a_mesh(1, after=old, lost=(0,)))
    driven = Driven(new).run(hours=2)
    store = a_store(takeOverFrom=[UIDS[0]])
    new.apply(annotated(store, end_taken_over=UIDS[3]))
    driven.run(minutes=6)
    assert new.condition("ObjectStore", "main", type_="PrincipalsUnclaimed")["reason"] == "InvalidSpec"
    assert len(users(new, "orders-for-forecast")) == 1
    new.apply(annotated(store, end_taken_over=UIDS[0]))
    driven.run(minutes=6)
    assert users(new, "orders-for-forecast") == {}
    assert list(users(new, "sales-orders").values()) == [True]


def test_a_user_of_before_clusters_had_a_path_is_taken_over_too() -> None:
    old = lost_mesh()
    store = old.stores.at(ENDPOINT)
    (name,) = users(old, "orders-for-forecast")
    former = former_principal_name("acme", REQUEST)
    store.users[former] = replace(store.users.pop(name), name=former, path="/clouddatamesh/acme/", tags=())
    new = inventory(sales(a_mesh(1, after=old, lost=(0,))))
    driven = Driven(new).run(minutes=30)
    assert set(users(new, "orders-for-forecast")) > {former}
    driven.run(minutes=40)
    assert former not in users(new, "orders-for-forecast") and len(users(new, "orders-for-forecast")) == 1


def test_access_is_not_cut_off_while_a_lost_clusters_user_cannot_be_ended() -> None:
    old = lost_mesh()
    before = users(old, "orders-for-forecast")
    new = a_mesh(1, after=old, lost=(0,))
    new.stores.at(ENDPOINT).refuse("delete policy", "delete key")
    inventory(new.apply(annotated(OFFERED, cut_off="orders")))
    driven = Driven(new).run(minutes=10)
    assert users(new, "orders-for-forecast") == before
    assert new.condition("DataProduct", "orders", "sales", "CutOff")["status"] == "Unknown"
    new.stores.at(ENDPOINT).allow()
    driven.run(minutes=10)
    assert users(new, "orders-for-forecast") == {}
    assert new.condition("DataProduct", "orders", "sales", "CutOff")["status"] == "True"
