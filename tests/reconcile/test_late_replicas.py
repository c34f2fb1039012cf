"""Reads of AWS IAM may go back: a user that does not show seconds after its key was issued is not gone, whatever is to be taken."""

from collections.abc import Callable
from typing import Final

import pytest

from clouddatamesh.model.identity import Principal
from tests.reconcile.access_flows import REQUEST, SECRET, a_port
from tests.support.driven import Driven
from tests.support.manifests import CREDENTIALS, a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

AWS: Final = "https://s3.us-east-1.amazonaws.com"
ELSEWHERE: Final = "https://s3.test"
Act = Callable[[Mesh], object]


def revoke(mesh: Mesh) -> None:
    mesh.delete("AccessGrant", "inventory-forecast", "sales")


def deny(mesh: Mesh) -> None:
    mesh.apply(a_grant(decision="Deny"))


def forget(mesh: Mesh) -> None:
    mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)


def strip(mesh: Mesh) -> None:
    """It goes without its finalizer, and leaves a record."""
    mesh.cluster.user_finalize(REQUEST)
    forget(mesh)


def a_mesh(endpoint: str) -> tuple[Mesh, Driven]:
    mesh = Mesh()
    root = mesh.stores.at(endpoint).root
    mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": root.id, "secret-access-key": root.secret})
    mesh.apply(a_store(endpointUrl=endpoint, iamEndpointUrl=endpoint), a_domain("sales"), a_domain("inventory"))
    mesh.apply(a_product(outputPorts=[a_port()]), a_product("forecast", "inventory"), a_request())
    return mesh, Driven(mesh).run(minutes=20)


def works(mesh: Mesh, endpoint: str, of: str) -> bool:
    found = [user for name, user in mesh.stores.at(endpoint).users.items() if of in name]
    return any(user.policy is not None and any(key.active for key in user.keys) for user in found)


def is_behind(mesh: Mesh, endpoint: str, users: dict[str, Principal], seconds: float) -> None:
    """For so long, reads show the users of before."""
    store, began = mesh.stores.at(endpoint), mesh.clock.now()
    now = store.seen_users
    store.seen_users = lambda: users if (mesh.clock.now() - began).total_seconds() < seconds else now()  # type: ignore[method-assign]


@pytest.mark.parametrize("seconds", [3, 30])
@pytest.mark.parametrize("act", [revoke, deny, forget, strip])
def test_what_was_given_seconds_ago_is_taken_as_soon_as_it_shows(act: Act, seconds: int) -> None:
    mesh, driven = a_mesh(AWS)
    before = dict(mesh.stores.at(AWS).users)
    mesh.apply(a_grant())
    driven.run(seconds=5)
    assert works(mesh, AWS, "for-forecast")
    is_behind(mesh, AWS, before, seconds)
    act(mesh)
    driven.run(seconds=2)
    if act in (revoke, deny):
        told = mesh.condition("AccessRequest", REQUEST.name, "inventory", "Provisioned")
        assert told["status"] != "False" or told["reason"] == "NotVisibleYet"
    driven.run(seconds=90)
    assert not works(mesh, AWS, "for-forecast")
    driven.run(minutes=5)
    if act in (revoke, deny):
        assert mesh.condition("AccessRequest", REQUEST.name, "inventory", "Provisioned")["reason"] == "Revoked"
    else:
        assert not mesh.exists("AccessRequest", REQUEST.name, "inventory")


def test_so_it_is_with_a_producers_user() -> None:
    mesh, driven = a_mesh(AWS)
    before = dict(mesh.stores.at(AWS).users)
    mesh.apply(a_product("late", "sales"))
    driven.run(seconds=5)
    assert works(mesh, AWS, "sales-late")
    is_behind(mesh, AWS, before, 3)
    mesh.delete("DataProduct", "late", "sales")
    driven.run(seconds=90)
    assert not works(mesh, AWS, "sales-late") and not mesh.exists("DataProduct", "late", "sales")


def test_a_store_that_is_consistent_is_believed_at_once() -> None:
    mesh, driven = a_mesh(ELSEWHERE)
    mesh.apply(a_grant())
    driven.run(seconds=5)
    revoke(mesh)
    driven.run(seconds=5)
    assert mesh.condition("AccessRequest", REQUEST.name, "inventory", "Provisioned")["reason"] == "Revoked"


def test_an_old_key_makes_no_absence_doubtful() -> None:
    mesh, driven = a_mesh(AWS)
    mesh.apply(a_grant())
    driven.run(minutes=5)
    revoke(mesh)
    driven.run(seconds=5)
    assert mesh.condition("AccessRequest", REQUEST.name, "inventory", "Provisioned")["reason"] == "Revoked"


def hold_secret(mesh: Mesh) -> None:
    """The consumer keeps its Secret by a finalizer, and says in it that the key was issued now."""
    found = mesh.cluster.raw(SECRET)
    assert found is not None
    issued = {"clouddatamesh.dev/access-key-issued-at": f"{mesh.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    kept = {name: found["metadata"][name] for name in ("name", "namespace", "labels", "ownerReferences")}
    annotations = {**found["metadata"]["annotations"], **issued}
    mesh.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {**kept, "annotations": annotations}, "type": found["type"]})


def test_what_a_consumer_writes_into_its_secret_keeps_no_grant_waiting() -> None:
    mesh, driven = a_mesh(AWS)
    mesh.apply(a_grant())
    driven.run(minutes=5)
    mesh.cluster.user_finalize(SECRET, "team/holds")
    revoke(mesh)
    for _ in range(10):
        hold_secret(mesh)
        driven.run(seconds=30)
    assert not works(mesh, AWS, "orders-for-forecast")
    assert not mesh.exists("AccessGrant", "inventory-forecast", "sales")
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Revoked"
