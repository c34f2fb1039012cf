"""Objects that a backup tool restored under another name, with status, while the original lives: the original's user is never theirs."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Final

import pytest

from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.storage.memory_identities import MemoryIdentities
from tests.reconcile.access_flows import REQUEST, SECRET, granted
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
CONSUMER: Final = Key("DataProduct", "inventory", "forecast")


@pytest.fixture(params=["tags are kept", "users have no tags"], autouse=True)
def _tags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some stores keep no tags of users, as RGW."""
    real = MemoryIdentities.create
    if request.param == "users have no tags":
        monkeypatch.setattr(MemoryIdentities, "create", lambda self, want: real(self, replace(want, tags=())))
    yield


def copy(mesh: Mesh, key: Key, namespace: str = "lab", *, saved: Manifest | None = None) -> None:
    """The object under another namespace, as it is, with its status; or as it was saved."""
    raw = deepcopy(dict(saved or mesh.cluster.raw(key) or {}))
    metadata = {"name": key.name, "namespace": namespace}
    mesh.apply({"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": raw["spec"]})
    made = mesh.get(key.kind, key.name, namespace)
    assert mesh.cluster.write_status(Key(key.kind, namespace, key.name), made["metadata"]["uid"], raw["status"])


def users(mesh: Mesh, of: str = "") -> dict[str, Principal]:
    """Users with rights whose names begin so; of the originals where nothing is said."""
    found = {name: user for name, user in mesh.stores.at(ENDPOINT).users.items() if user.policy is not None}
    return {name: user for name, user in found.items() if (name.startswith(of) if of else not name.startswith("lab-"))}


def with_lab() -> tuple[Mesh, Driven]:
    mesh = granted(Mesh())
    mesh.apply(a_domain("lab"))
    return mesh, Driven(mesh).run(minutes=6)


def test_a_request_that_was_copied_takes_nothing_of_the_originals() -> None:
    mesh, driven = with_lab()
    before = users(mesh)
    copy(mesh, CONSUMER)
    copy(mesh, REQUEST)
    driven.run(minutes=30)
    assert len(before) == 3 and users(mesh) == before and not users(mesh, "lab-orders")
    assert "principal" not in mesh.get("AccessRequest", REQUEST.name, "lab")["status"]
    mesh.delete("AccessRequest", REQUEST.name, "lab")
    driven.run(minutes=10)
    assert users(mesh) == before and not mesh.exists("AccessRequest", REQUEST.name, "lab")


def test_a_product_that_was_copied_takes_nothing_of_the_originals() -> None:
    mesh, driven = with_lab()
    before, bucket = users(mesh), mesh.product()["status"]["storage"]["bucket"]
    copy(mesh, PRODUCT)
    driven.run(minutes=30)
    assert users(mesh) == before
    assert mesh.condition("DataProduct", "orders", "lab")["reason"] == "Ready"
    assert (
        mesh.get("DataProduct", "orders", "lab")["status"]["storage"]["bucket"] != bucket == mesh.product()["status"]["storage"]["bucket"]
    )
    mesh.delete("DataProduct", "orders", "lab")
    driven.run(minutes=10)
    assert users(mesh) == before and not mesh.exists("DataProduct", "orders", "lab")


def test_a_copy_that_is_granted_has_a_user_and_a_key_of_its_own() -> None:
    mesh, driven = with_lab()
    before, key = users(mesh), mesh.cluster.secret_data(SECRET)
    mesh.apply(a_grant("lab-forecast", requestRef={"namespace": "lab", "name": REQUEST.name}))
    copy(mesh, CONSUMER)
    copy(mesh, REQUEST)
    driven.run(minutes=30)
    assert len(users(mesh, "lab-orders-for-forecast")) == 1 and users(mesh) == before
    assert mesh.condition("AccessRequest", REQUEST.name, "lab")["reason"] == "Granted"
    mesh.delete("AccessGrant", "lab-forecast", "sales")
    driven.run(minutes=30)
    assert not users(mesh, "lab-orders") and users(mesh) == before and mesh.cluster.secret_data(SECRET) == key
