"""What an earlier request, a lost record, a given-up store or a lost cluster left in a store; and the end of a request."""

from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import names
from clouddatamesh.reconcile.accessrequest import gather_deletion
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.access_flows import REQUEST, a_port
from tests.reconcile.flows import ENDPOINT, Act
from tests.reconcile.test_product_around import away_now, storeless, tell
from tests.reconcile.test_request_around import LONG, around, ask_of, asked, calls, given_up, granted
from tests.support.manifests import a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

LOST: Final = ("8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c0", "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1")
OF: Final = (REQUEST.kind, REQUEST.name, REQUEST.namespace)


def status(mesh: Mesh) -> dict[str, Any]:
    return dict(mesh.get(*OF)["status"])


def users(mesh: Mesh) -> dict[str, Principal]:
    return {name: user for name, user in mesh.stores.at(ENDPOINT).users.items() if "orders-for-forecast" in name}


# A request that was made again.


def made_again(mesh: Mesh, **spec: Any) -> Mesh:
    """It went without its finalizer while the operator ran, and another one of its name is there."""
    mesh.delete(*OF).cluster.user_finalize(REQUEST)
    return mesh.apply(a_request(**spec))


FORMER_NAME: Final = names.former_principal_name("acme", REQUEST)
"""As 022ef9c called it, which would not be given to it now."""


def rename_user(mesh: Mesh, name: str = FORMER_NAME) -> None:
    store = mesh.stores.at(ENDPOINT)
    (old,) = users(mesh)
    store.users[name] = replace(store.users.pop(old), name=name)
    tell(mesh, REQUEST, principal=name)


def test_what_an_earlier_request_was_given_is_taken_by_the_one_of_its_name() -> None:
    mesh = granted()
    rename_user(mesh)
    made_again(mesh, purpose="another").apply(a_grant(decision="Deny", validUntil=None)).settle()
    assert users(mesh) == {}


def test_what_a_request_was_given_itself_is_its_own_though_an_earlier_one_went() -> None:
    mesh = granted()
    mesh.delete(*OF).cluster.user_finalize(REQUEST)
    mesh.settle()
    mesh.apply(a_request()).settle()
    before = status(mesh)
    mesh.settle()
    assert {name: status(mesh)[name] for name in ("place", "principal")} == {name: before[name] for name in ("place", "principal")}
    mesh.delete(*OF).settle()
    assert users(mesh) == {} and not mesh.exists(*OF)


# A record that was lost.


def lose_record(mesh: Mesh) -> Mesh:
    uid = mesh.get(*OF)["metadata"]["uid"]
    mesh.cluster.write_status(REQUEST, uid, {"observedGeneration": -1})
    return mesh


SUSPENDED: Final = a_product(outputPorts=[a_port()], suspend=True)


def test_a_lost_record_is_found_again_in_the_store_while_nothing_new_may_be_given() -> None:
    mesh = granted().apply(SUSPENDED)
    before = status(mesh)
    reconcile(REQUEST, lose_record(mesh).ports)
    assert {name: status(mesh)[name] for name in ("place", "principal")} == {name: before[name] for name in ("place", "principal")}


def test_access_of_a_request_that_lost_its_record_and_cannot_be_read_is_kept_as_it_was() -> None:
    mesh = granted().apply(a_request(purpose=LONG))
    reconcile(REQUEST, lose_record(mesh).ports)
    kept = mesh.condition(*OF, type_="Provisioned")
    assert (kept["status"], kept["reason"]) == ("Unknown", "Unreadable") and kept["message"].startswith("Kept as it was")


@pytest.mark.parametrize(
    "manifests",
    [(), (a_grant(decision="Deny", validUntil=None),), (a_request(dataProductRef={"namespace": "sales", "name": "nothing"}),)],
    ids=["nobody answered", "refused", "no such product"],
)
def test_a_store_is_not_asked_for_a_record_that_no_approval_needs(manifests: tuple[dict[str, Any], ...]) -> None:
    mesh = asked().apply(*manifests)
    before = len(mesh.stores.at(ENDPOINT).calls)
    reconcile(REQUEST, mesh.ports)
    assert mesh.stores.at(ENDPOINT).calls[before:] == []


def test_a_record_that_is_there_is_not_looked_for() -> None:
    mesh = granted().apply(SUSPENDED)
    place = {**status(mesh)["place"], "path": "elsewhere/"}
    reconcile(REQUEST, tell(mesh, REQUEST, place=place).ports)
    assert status(mesh)["place"]["path"] == "elsewhere/"


def test_a_store_that_does_not_answer_leaves_a_lost_record_open() -> None:
    mesh = granted().apply(SUSPENDED)
    away_now(lose_record(mesh))
    mesh.clock.forward(minutes=1)
    reconcile(REQUEST, mesh.ports)
    ready = mesh.condition(*OF)
    assert (ready["reason"], ready["status"]) != ("ProductNotReady", "False") and "place" not in status(mesh)
    assert "Whether access was given before is not known yet" in ready["message"]


# A store that was given up, and is here again.


def abandoned(mesh: Mesh, store: str = "main", *, same: bool | None = True, grant: bool = False) -> Mesh:
    """The record of access in a store that was given up; `same`: whether the store that is here is that one, None: nobody knows."""
    identity = {True: mesh.get("ObjectStore", "main")["status"]["storeId"], False: "other", None: None}[same]
    empty: dict[str, Any] = dict.fromkeys(("place", "principal", "grantRef", "accessKeyId", "binding"))
    tell(mesh, REQUEST, **{**empty, "abandoned": store, "abandonedStoreId": identity})
    if not grant:
        mesh.delete("AccessGrant", "inventory-forecast", "sales").cluster.user_finalize(Key("AccessGrant", "sales", "inventory-forecast"))
    return mesh


@pytest.mark.parametrize(
    ("store", "same", "act", "seen"),
    [
        ("main", True, lambda _: None, Present),
        ("main", None, lambda _: None, Present),
        ("main", False, lambda _: None, None),
        ("other", True, lambda _: None, None),
        ("main", True, given_up, None),
        ("main", True, storeless, None),
        ("main", True, away_now, None),
        ("main", True, lambda mesh: mesh.stores.at(ENDPOINT).users.clear(), Unknown),
    ],
    ids=["the same", "of no known id", "another one", "of another name", "given up again", "gone", "away", "without its users"],
)
def test_what_is_left_in_a_store_that_was_given_up_is_seen_where_that_very_store_is_here_again(
    store: str, same: bool | None, act: Act, seen: type | None
) -> None:
    mesh = abandoned(granted(), store, same=same)
    act(mesh)
    mesh.clock.forward(minutes=1)
    world = around(mesh)
    assert (type(world.left) if world.left is not None else None) is seen
    assert isinstance(world.principal, Present) is (seen is Present)


@pytest.mark.parametrize(("same", "seen"), [(True, Absent), (None, None)], ids=["the same", "of no known id"])
def test_that_nothing_is_left_is_known_only_of_the_very_store(same: bool | None, seen: type | None) -> None:
    mesh = abandoned(granted(), same=same)
    mesh.stores.at(ENDPOINT).users = {name: user for name, user in mesh.stores.at(ENDPOINT).users.items() if name not in users(mesh)}
    left = around(mesh).left
    assert (type(left) if left is not None else None) is seen


def unreadable_left(mesh: Mesh) -> Mesh:
    """Of what is left one name cannot be read."""
    mesh.stores.at(ENDPOINT).refuse("observe user", name=names.former_principal_name("acme", REQUEST))
    mesh.stores.at(ENDPOINT).users = {name: user for name, user in mesh.stores.at(ENDPOINT).users.items() if name not in users(mesh)}
    return mesh


def test_nothing_is_given_in_a_store_in_which_it_is_not_known_what_was_left() -> None:
    assert isinstance(around(unreadable_left(abandoned(granted(), grant=True))).principal, Unknown)


def test_what_is_left_in_one_store_keeps_nothing_from_being_given_in_another() -> None:
    mesh = abandoned(granted(), grant=True)
    mesh.apply(a_store("second", bucketPrefix="second"), a_product(outputPorts=[a_port()], storage={"storeRef": {"name": "second"}}))
    reconcile(Key("ObjectStore", "", "second"), mesh.ports)
    reconcile(Key("ObjectStore", "", "second"), mesh.ports)
    world = around(unreadable_left(mesh))
    assert isinstance(world.left, Unknown) and isinstance(world.principal, Absent)


def test_a_deletion_takes_what_is_left_as_well() -> None:
    mesh = abandoned(granted())
    assert users(mesh)
    mesh.delete(*OF)
    world = remains(mesh)
    assert isinstance(world.principal, Present) and world.store is not None


def remains(mesh: Mesh) -> AccessWorld:
    return gather_deletion(ask_of(mesh), Visit.of(REQUEST, mesh.get(*OF), mesh.ports))


# Users that lost clusters made.


@cache
def _rebuilt() -> Mesh:
    """A cluster that takes over from two lost ones; one of them left a user for the request."""
    mesh = asked().apply(a_store(takeOverFrom=list(LOST)))
    reconcile(Key("ObjectStore", "", "main"), mesh.ports)
    name = names.principal_name("acme", LOST[0], REQUEST)
    mesh.stores.at(ENDPOINT).users[name] = Principal(name, names.principal_path("acme", LOST[0]))
    mesh.clock.forward(minutes=1)
    return mesh


def formers(mesh: Mesh) -> dict[str, type]:
    return {former.name: type(former.seen) for former in around(mesh).formers}


def test_a_user_of_a_lost_cluster_is_seen_though_nothing_is_given() -> None:
    lost, other = (names.principal_name("acme", cluster, REQUEST) for cluster in LOST)
    before = names.former_principal_name("acme", REQUEST)
    mesh = _rebuilt().copy()
    assert formers(mesh) == {lost: Present, other: Absent, before: Absent}
    away_now(mesh)
    assert formers(mesh) == {lost: Unknown, other: Unknown, before: Unknown}
    tell(mesh, REQUEST, takeOver={"done": [LOST[0]]})
    assert set(formers(mesh)) == {lost, other, before}, "nobody knows in which store"
    tell(mesh, REQUEST, takeOver={"done": [LOST[0]], "marker": mesh.get("ObjectStore", "main")["status"]["marker"]})
    assert set(formers(mesh)) == {other, before}


@pytest.mark.parametrize(
    "act", [storeless, lambda mesh: mesh.delete("DataProduct", "orders", "sales").settle()], ids=["no store", "no product"]
)
def test_where_there_is_no_store_no_user_of_a_lost_cluster_is_looked_for(act: Act) -> None:
    mesh = _rebuilt().copy()
    act(mesh)
    assert (formers(mesh), calls(mesh)) == ({}, set())
