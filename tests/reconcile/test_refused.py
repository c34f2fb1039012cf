"""A refusal says what it refuses, and never that a key is gone which may work."""

from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.model.evidence import Unknown
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory_identities import MemoryIdentities
from tests.reconcile.access_flows import REQUEST, principal
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_access import granted
from tests.reconcile.test_takeover import a_mesh, inventory, lost_mesh, sales
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_store, annotated
from tests.support.mesh import Mesh

BAN: dict[str, Any] = {"consumerNamespace": "inventory", "requestRef": None, "consumer": None, "mode": None, "outputPort": None}


def a_no(**differs: Any) -> Any:
    return a_grant("no", decision="Deny", validUntil=None, **differs)


def told(mesh: Mesh, kind: str = "AccessGrant", name: str = "no", namespace: str = "sales") -> tuple[str, str, str]:
    found = mesh.condition(kind, name, namespace)
    return found["status"], found["reason"], found["message"]


def asked(mesh: Mesh) -> tuple[str, str, str]:
    return told(mesh, "AccessRequest", "orders-for-forecast", "inventory")


def has_key(mesh: Mesh) -> bool:
    found = mesh.stores.at(ENDPOINT).users
    return any(key.active for name, user in found.items() if "orders-for" in name for key in user.keys)


@pytest.mark.parametrize(
    ("differs", "reason"),
    [({"dataProductRef": {"name": "order"}}, "ProductNotFound"), ({"outputPort": {"name": "daily", "version": "2.0.0"}}, "PortNotFound")],
    ids=["a product that is not there", "a port that is not there"],
)
def test_a_refusal_that_refuses_nothing_says_so(differs: dict[str, Any], reason: str) -> None:
    mesh = granted()
    driven = Driven(mesh.apply(a_no(**{**BAN, **differs}))).run(minutes=1)
    assert has_key(mesh)
    status, found, message = told(mesh)
    assert (status, found) == ("Unknown", reason)
    assert "refuses nothing" in message
    mesh.delete("AccessGrant", "no", "sales").apply(a_no(**BAN))
    driven.run(minutes=1)
    assert told(mesh)[:2] == ("True", "Denied")
    assert not has_key(mesh)


def test_a_refusal_that_came_before_its_product_counts_once_that_comes() -> None:
    mesh = granted()
    driven = Driven(mesh.apply(a_no(**{**BAN, "dataProductRef": {"name": "later"}}))).run(minutes=1)
    mesh.apply(a_product("later"))
    driven.run(minutes=1)
    assert told(mesh)[:2] == ("True", "Denied")


@pytest.mark.parametrize("differs", [BAN, {}], ids=["of a namespace", "of a request"])
@pytest.mark.parametrize("fault", ["down", "refuses"])
def test_a_refusal_is_not_done_while_a_key_may_work(differs: dict[str, Any], fault: str) -> None:
    mesh = granted()
    store, driven = mesh.stores.at(ENDPOINT), Driven(mesh)
    if fault == "down":
        store.down = True
    else:
        store.refuse("delete policy", "delete key", "disable key", "delete user")
    mesh.apply(a_no(**differs))
    driven.run(minutes=5)
    assert has_key(mesh)
    assert told(mesh)[:2] == ("Unknown", "Denied")
    assert "may" in told(mesh)[2]
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory", "Provisioned")["reason"] not in ("Revoked", "Expired")
    store.down = False
    store.allow()
    driven.run(minutes=10)
    assert not has_key(mesh)
    assert told(mesh)[:2] == ("True", "Denied")
    assert asked(mesh)[0] == "False"


@pytest.mark.parametrize("differs", [BAN, {}], ids=["of a namespace", "of a request"])
def test_a_key_of_a_store_that_was_given_up_is_never_said_to_be_gone(differs: dict[str, Any]) -> None:
    mesh = granted()
    driven = Driven(mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")).run(minutes=3)
    mesh.apply(a_no(**differs))
    driven.run(minutes=5)
    assert has_key(mesh)
    assert told(mesh)[0] == "Unknown"
    assert "key may work" in told(mesh)[2]
    assert "key may work" in asked(mesh)[2]


def test_a_revocation_does_not_claim_a_key_of_a_store_that_was_given_up_until_it_is_swept() -> None:
    mesh = granted()
    driven = Driven(mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")).run(minutes=3)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(minutes=5)
    mesh.apply(annotated(a_product(), orphan="orders")).delete("DataProduct", "orders", "sales")
    driven.run(minutes=5)
    mesh.apply(a_store("new", endpointUrl="https://s3.other", bucketPrefix="new"), a_product(storage={"storeRef": {"name": "new"}}))
    mesh.stores.at("https://s3.other")
    driven.run(minutes=10)
    assert has_key(mesh)
    assert asked(mesh)[:2] == ("False", "Abandoned")
    mesh.apply(a_grant("again"))
    driven.run(minutes=5)
    assert asked(mesh)[:2] == ("True", "Granted")
    mesh.delete("AccessGrant", "again", "sales")
    driven.run(minutes=5)
    assert asked(mesh)[:2] == ("False", "Abandoned")
    mesh.apply(a_store())
    driven.run(hours=1)
    assert not has_key(mesh)
    assert asked(mesh)[:2] == ("False", "Revoked")


def test_a_refusal_does_not_claim_what_a_lost_cluster_gave() -> None:
    old = lost_mesh()
    mesh = inventory(a_mesh(1, after=old, lost=(0,)))
    driven = Driven(mesh).run(minutes=2)
    mesh.stores.at(ENDPOINT).down = True
    sales(mesh)
    mesh.delete("AccessGrant", "inventory-forecast", "sales").apply(a_no())
    driven.run(minutes=20)
    assert has_key(mesh)
    assert told(mesh)[:2] == ("Unknown", "Denied")
    assert asked(mesh)[0] == "Unknown"
    mesh.stores.at(ENDPOINT).down = False
    driven.run(minutes=20)
    assert not has_key(mesh)
    assert told(mesh)[:2] == ("True", "Denied")


def of_an_earlier_version(mesh: Mesh) -> Mesh:
    """The request's user has the name and the path that it had before a name told of the cluster."""
    users, old = mesh.stores.at(ENDPOINT).users, names.former_principal_name("acme", REQUEST)
    user = users.pop(principal(mesh))
    tags = tuple((key, value) for key, value in user.tags if not key.endswith("/cluster"))
    users[old] = replace(user, name=old, path=names.mesh_path("acme"), tags=tags)
    found = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)
    mesh.cluster.write_status(REQUEST, found["metadata"]["uid"], {**found["status"], "principal": old})
    return mesh


@pytest.mark.parametrize("known", [True, False], ids=["the record has the store's id", "it has none"])
def test_the_user_that_was_left_in_a_store_is_used_again_when_the_store_is_back(known: bool) -> None:
    mesh = of_an_earlier_version(granted())
    driven = Driven(mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")).run(minutes=3)
    if not known:
        found = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)
        status = {field: value for field, value in found["status"].items() if field != "abandonedStoreId"}
        mesh.cluster.write_status(REQUEST, found["metadata"]["uid"], status)
    mesh.apply(a_store())
    driven.run(minutes=30)
    assert [name for name in mesh.stores.at(ENDPOINT).users if "orders-for" in name] == [names.former_principal_name("acme", REQUEST)]
    assert asked(mesh)[:2] == ("True", "Granted")
    mesh.apply(a_grant(decision="Deny"))
    driven.run(minutes=20)
    assert not has_key(mesh)


@pytest.mark.parametrize("act", ["refuse", "revoke", "delete the request"])
def test_the_user_that_was_left_in_a_store_ends_when_the_store_is_back_and_nothing_is_given(act: str) -> None:
    mesh = of_an_earlier_version(granted())
    driven = Driven(mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")).run(minutes=3)
    if act == "refuse":
        mesh.apply(a_grant(decision="Deny"))
    elif act == "revoke":
        mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(minutes=5)
    mesh.apply(a_store())
    if act == "delete the request":
        reconcile(Key("ObjectStore", "", "main"), mesh.ports)  # it is known to be that store, and the request was not looked at yet
        mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    driven.run(minutes=20)
    assert not has_key(mesh)
    if act != "delete the request":
        assert asked(mesh)[0] == "False"
        assert "abandoned" not in mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]


def test_no_second_user_is_made_while_the_one_that_was_left_is_not_seen() -> None:
    mesh = of_an_earlier_version(granted())
    driven = Driven(mesh.apply(annotated(a_store(), orphan="main")).delete("ObjectStore", "main")).run(minutes=3)
    store, old = mesh.stores.at(ENDPOINT), names.former_principal_name("acme", REQUEST)
    with pytest.MonkeyPatch.context() as late:
        real = MemoryIdentities.observe
        late.setattr(MemoryIdentities, "observe", lambda self, name: _unseen() if name == old else real(self, name))
        driven = Driven(mesh.apply(a_store())).run(minutes=20)
        assert [name for name in store.users if "orders-for" in name] == [old]
    driven.run(minutes=10)
    assert asked(mesh)[:2] == ("True", "Granted")


def _unseen() -> Unknown:
    return Unknown(Transient("Throttled", "IAM asks for a pause"))
