"""A folder that is pruned, and applied again while its objects still go; what comes after a deletion began is its successor's."""

from typing import Any

import pytest

from clouddatamesh.model.objects import key_of
from clouddatamesh.reconcile.dispatch import RECONCILED, reconcile
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh


def reverted(mesh: Mesh, *manifests: dict[str, Any], rounds: int = 12) -> Mesh:
    """Somebody applies a folder again and again while the objects of the former one still go."""
    for _ in range(rounds):
        mesh.apply(*manifests)
        for kind in RECONCILED:
            for manifest in mesh.cluster.list(kind):
                mesh.last[key_of(manifest)] = reconcile(key_of(manifest), mesh.ports)
        mesh.clock.forward(seconds=1)
    return mesh.settle()


def assert_whole(mesh: Mesh, *manifests: dict[str, Any]) -> None:
    for manifest in manifests:
        found = mesh.get(manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace", ""))
        assert not found["metadata"].get("deletionTimestamp"), key_of(manifest)
        assert mesh.condition(*(key_of(manifest).kind, key_of(manifest).name, key_of(manifest).namespace))["status"] == "True", found[
            "status"
        ]


def remove(mesh: Mesh, *manifests: dict[str, Any]) -> None:
    for manifest in manifests:
        mesh.cluster.user_delete(key_of(manifest))


DESTROYED = a_product(storage={"deletionPolicy": "Delete"})
TAKERS, GIVERS = (a_domain("inventory"), a_product("forecast", "inventory"), a_request()), (a_domain(), a_product(), a_grant())
FOLDERS: dict[str, tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]] = {
    "a domain and its product": ((a_store(),), (a_domain(), a_product())),
    "store, domain and product": ((), (a_store(), a_domain(), a_product())),
    "a product whose bucket goes": ((), (a_store(), a_domain(), DESTROYED)),
    "a parent and its child": ((a_store(),), (a_domain("commerce"), a_domain(parentRef={"name": "commerce"}), a_product())),
    "those who give and those who take": ((), (a_store(), *GIVERS, *TAKERS)),
    "those who take alone": ((a_store(), *GIVERS), TAKERS),
    "those who give alone": ((a_store(), *TAKERS), GIVERS),
}
"""What stays, and what is removed and applied again."""


@pytest.mark.parametrize("pause", [0, 2])
@pytest.mark.parametrize("what", list(FOLDERS))
def test_a_folder_that_is_pruned_and_reverted_at_once_comes_back(what: str, pause: int) -> None:
    """What is applied while the former objects still go belongs to their successors, and keeps none of them from going."""
    others, folder = FOLDERS[what]
    mesh = Mesh().apply(*others, *folder).settle()
    remove(mesh, *folder)
    mesh.clock.forward(seconds=pause)
    reverted(mesh, *folder)
    assert_whole(mesh, *others, *folder)


def test_nothing_new_is_made_in_a_domain_that_goes() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_domain("inventory"), a_product(), a_product("forecast", "inventory")).settle()
    mesh.delete("Domain", "sales").delete("Domain", "inventory").settle()
    mesh.clock.forward(seconds=5)
    mesh.apply(a_product("late"), a_request(), a_grant()).settle()
    assert "is being deleted" in mesh.condition("DataProduct", "late", "sales")["message"]
    assert mesh.condition("DataProduct", "late", "sales")["reason"] == "DomainNotFound"
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "DomainNotFound"
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True", "what runs keeps running"
    assert "sales/late" not in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]
    assert "DataProduct sales/orders" in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]


def test_what_was_there_before_is_waited_for_though_nothing_was_made_for_it() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_product("early", mode="Plan")).settle()
    mesh.clock.forward(seconds=5)
    mesh.delete("Domain", "sales").settle()
    assert "DataProduct sales/early" in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]
