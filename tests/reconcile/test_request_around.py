"""What the decision on a request rests on: product, consumer, grants, and the store only where something is there or is given."""

from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.reconcile.accessrequest import gather, gather_terms
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile import access_flows
from tests.reconcile.access_flows import REQUEST, a_port
from tests.reconcile.flows import ENDPOINT, Act
from tests.reconcile.test_product_around import away_now, choosy, of_another_account, refused, storeless, tell, unready
from tests.support.manifests import a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")
LONG: Final = "x" * 5000
"""No text may be so long: an object with it cannot be read as a whole."""


@cache
def _asked() -> Mesh:
    return access_flows.asked(Mesh())


@cache
def _granted() -> Mesh:
    return access_flows.granted(Mesh())


def asked() -> Mesh:
    """inventory asks for sales' orders, and nobody has answered."""
    return _asked().copy()


def granted() -> Mesh:
    """Access that runs."""
    return _granted().copy()


def ask_of(mesh: Mesh) -> Ask:
    return read_request(mesh.get(REQUEST.kind, REQUEST.name, REQUEST.namespace))


def terms(mesh: Mesh) -> AccessWorld:
    return gather_terms(ask_of(mesh), mesh.ports)


def around(mesh: Mesh) -> AccessWorld:
    return gather(ask_of(mesh), Visit.of(REQUEST, mesh.get(REQUEST.kind, REQUEST.name, REQUEST.namespace), mesh.ports))


def calls(mesh: Mesh) -> set[str]:
    """What a look asks of the store."""
    store = mesh.stores.at(ENDPOINT)
    before = len(store.calls)
    around(mesh)
    return {verb for verb, _ in store.calls[before:]}


# What is asked for, and by whom.


@pytest.mark.parametrize(
    ("act", "exists", "deleting"),
    [
        (lambda _: None, True, False),
        (lambda mesh: mesh.delete("DataProduct", "forecast", "inventory"), True, True),
        (lambda mesh: mesh.apply(a_request(consumer={"dataProductRef": {"name": "nobody"}})), False, False),
    ],
    ids=["there", "going", "not there"],
)
def test_a_consumer_is_there_until_it_is_gone(act: Act, exists: bool, deleting: bool) -> None:
    mesh = granted()
    mesh.cluster.user_finalize(Key("DataProduct", "inventory", "forecast"), "example.com/held")
    act(mesh)
    world = terms(mesh)
    assert (world.consumer_exists, world.consumer_deleting) == (exists, deleting)


@pytest.mark.parametrize("mesh", [asked, granted])
@pytest.mark.parametrize("spec", [{}, {"purpose": LONG}], ids=["readable", "unreadable"])
def test_whether_the_whole_request_can_be_read_is_known(mesh: Any, spec: dict[str, Any]) -> None:
    assert (terms(mesh().apply(a_request(**spec))).request is None) is bool(spec)


def test_a_request_that_went_meanwhile_is_read_as_nothing() -> None:
    mesh = asked()
    ask = ask_of(mesh)
    mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    assert gather_terms(ask, mesh.ports).request is None


@pytest.mark.parametrize(
    ("mesh", "cached", "readable", "exists"),
    [
        (granted, True, False, True),
        (granted, False, True, True),
        (granted, False, False, None),
        (asked, False, True, False),
        (asked, False, False, False),
    ],
    ids=["it shows", "it does not show", "it does not show nor can be read", "nothing was given", "nothing was given nor can be read"],
)
def test_before_access_ends_for_a_product_that_does_not_show_it_is_read_live(
    mesh: Any, cached: bool, readable: bool, exists: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = mesh()
    found.cluster.unreadable = set() if readable else {"DataProduct"}
    real = found.cluster.get
    monkeypatch.setattr(found.cluster, "get", lambda key: None if key.kind == "DataProduct" and not cached else real(key))
    if exists is None:
        with pytest.raises(Transient):
            terms(found)
        return
    world = terms(found)
    assert (world.offer is not None, world.consumer_exists) == (exists, exists)


def test_an_answer_of_the_port_is_known_by_its_name() -> None:
    assert not terms(asked()).answer_exists
    assert terms(access_flows.asked(Mesh(), approval="Auto")).answer_exists


# Grants.


def uids(mesh: Mesh) -> list[str]:
    return [answer.uid for answer in terms(mesh).answers]


def uid_of(mesh: Mesh, key: Key = GRANT) -> str:
    return str(mesh.get(key.kind, key.name, key.namespace)["metadata"]["uid"])


def test_an_answer_is_one_in_the_products_namespace_that_names_the_request_or_refuses_its_namespace() -> None:
    mesh = asked()
    without: dict[str, Any] = dict.fromkeys(("requestRef", "consumer", "mode", "validUntil"))
    whole = {**without, "decision": "Deny", "consumerNamespace": "inventory"}
    mesh.apply(a_grant(), a_grant("all", **whole), a_grant("elsewhere", "inventory"), a_grant("all", "inventory", **whole))
    mesh.apply(a_grant("of-another", requestRef={"namespace": "inventory", "name": "another"}))
    assert uids(mesh) == [uid_of(mesh), uid_of(mesh, Key("AccessGrant", "sales", "all"))]


def test_a_grant_on_which_access_rests_counts_once() -> None:
    assert uids(granted()) == [uid_of(granted())]


@pytest.mark.parametrize(
    ("facts", "act", "counts"),
    [
        ({}, lambda _: None, True),
        ({"place": None}, lambda _: None, False),
        ({"grantRef": None}, lambda _: None, False),
        ({"grantRef": {"namespace": "sales", "name": "inventory-forecast", "uid": "uid-before"}}, lambda _: None, False),
        ({}, lambda mesh: mesh.delete("AccessGrant", GRANT.name, "sales").cluster.user_finalize(GRANT), False),
    ],
    ids=["there", "without a place", "not recorded", "made again", "gone"],
)
def test_a_grant_that_does_not_show_is_read_live_where_access_rests_on_it(
    facts: dict[str, Any], act: Act, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = tell(granted(), REQUEST, **facts)
    uid = uid_of(mesh)
    act(mesh)
    monkeypatch.setattr(mesh.cluster, "referring", lambda _key, _kind: ())
    assert uids(mesh) == ([uid] if counts else [])


@pytest.mark.parametrize(
    ("spec", "distrusted", "decision"),
    [
        ({}, True, "Approve"),
        ({"decision": "Deny", "validUntil": None}, True, "Deny"),
        ({"decision": "Deny", "note": LONG}, True, "Deny"),
        ({"decision": "Allow"}, True, "Approve"),
        ({"decision": "Allow"}, False, "Deny"),
        ({"note": LONG}, True, "Approve"),
        ({"note": LONG}, False, "Approve"),
        ({"decision": "Deny", "note": LONG}, False, "Deny"),
    ],
    ids=str,
)
def test_what_does_not_read_as_an_approval_is_a_no_unless_so_many_cannot_be_read_that_the_fault_is_ours(
    spec: dict[str, Any], distrusted: bool, decision: str
) -> None:
    mesh = granted().apply(a_grant(**spec))
    mesh.proofs.distrusted = frozenset({"AccessGrant"} if distrusted else {"DataProduct"})
    assert [answer.decision for answer in terms(mesh).answers] == [decision]


# The store.


def test_nothing_is_asked_of_a_store_where_nothing_is_there_or_given() -> None:
    assert calls(asked()) == set()
    assert calls(asked().apply(a_grant(decision="Deny", validUntil=None))) == set()
    assert "observe user" in calls(asked().apply(a_grant()))


@pytest.mark.parametrize("act", [lambda _: None, lambda mesh: mesh.apply(a_grant(decision="Deny"))], ids=["given", "refused"])
def test_what_was_given_is_looked_for_until_it_was_taken(act: Act) -> None:
    mesh = granted()
    act(mesh)
    world = around(mesh)
    assert isinstance(world.principal, Present) and isinstance(world.secret, Present) and world.store is not None


OBSTACLES: Final[dict[str, tuple[Act, str, str]]] = {
    "all is well": (lambda _: None, "", ""),
    "the store is not Ready": (unready, "StoreNotReady", ""),
    "the store is gone": (storeless, "StoreNotFound", "StoreNotFound"),
    "its keys are refused": (refused, "StoreNotReady", "CredentialsInvalid"),
    "it does not answer now": (away_now, "StoreUnavailable", "StoreUnavailable"),
    "its account is another": (of_another_account, "NotTheSameStore", "NotTheSameStore"),
    "it serves other domains": (choosy, "StoreNotReady", ""),
}


def why(error: object) -> str:
    return error.reason if isinstance(error, MeshError) else why(error.error) if isinstance(error, Unknown) else ""


@pytest.mark.parametrize("what", OBSTACLES)
def test_what_keeps_anything_from_being_given_and_whether_the_user_is_known(what: str) -> None:
    act, obstacle, unknown = OBSTACLES[what]
    mesh = granted()
    act(mesh)
    world = around(mesh)
    assert (why(world.obstacle), why(world.principal)) == (obstacle, unknown)
    assert not world.abandoned and isinstance(world.secret, Present)


def elsewhere(mesh: Mesh) -> None:
    place = mesh.get(REQUEST.kind, REQUEST.name, REQUEST.namespace)["status"]["place"]
    tell(mesh, REQUEST, place={**place, "storeId": "other"})


def test_what_was_given_in_another_store_is_not_looked_for_here_and_the_way_out_is_named() -> None:
    mesh = granted()
    elsewhere(mesh)
    error = around(mesh).principal
    assert isinstance(error, Unknown) and error.error.reason == "NotTheSameStore"
    assert error.error.message.endswith("release the request with annotation clouddatamesh.dev/orphan=orders-for-forecast")


def given_up(mesh: Mesh) -> None:
    mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")


@pytest.mark.parametrize("annotation", ["orphan", "force_delete"])
@pytest.mark.parametrize(
    ("act", "name", "abandoned"),
    [
        (elsewhere, REQUEST.name, True),
        (elsewhere, "another", False),
        (of_another_account, REQUEST.name, False),
        (away_now, REQUEST.name, False),
        (refused, REQUEST.name, False),
        (lambda _: None, REQUEST.name, False),
        (given_up, "another", True),
    ],
    ids=["elsewhere", "elsewhere, another is named", "another account", "away", "refused", "all is well", "store given up"],
)
def test_what_is_in_a_store_is_given_up_with_it_or_where_it_leads_elsewhere_for_good_and_its_owner_says_so(
    act: Act, name: str, abandoned: bool, annotation: str
) -> None:
    mesh = granted().apply(annotated(a_request(), **{annotation: name}))
    act(mesh)
    assert around(mesh).abandoned is abandoned


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [("orders-access", "orders-access", Present), ("other", "orders-access", Absent), ("", "orders-access", Present), ("", None, Absent)],
    ids=["as told", "another name", "told alone", "none"],
)
def test_the_secret_is_looked_for_by_the_name_that_is_wanted(wanted: str, told: str | None, expected: type) -> None:
    mesh = granted().apply(a_request(secretName=wanted or None))
    tell(mesh, REQUEST, binding={"name": told} if told else None)
    assert isinstance(around(mesh).secret, expected)


def test_a_product_that_does_not_exist_offers_nothing() -> None:
    mesh = asked().apply(a_request(dataProductRef={"namespace": "sales", "name": "nothing"}))
    assert terms(mesh).offer is None
    unreadable = asked().apply(a_product(outputPorts=[a_port()], displayName=LONG))
    offer = terms(unreadable).offer
    assert offer is not None and not offer.readable
