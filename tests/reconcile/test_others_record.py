"""What a status records of a user that is not the object's own is dropped before anything is decided, and nothing else is."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from clouddatamesh.reconcile.places import cluster_uid
from clouddatamesh.reconcile.restored import drop_others_record
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.access_flows import REQUEST, SECRET, granted
from tests.reconcile.test_product_around import tell
from tests.support.manifests import a_store
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
STORE: Final = Key("ObjectStore", "", "main")
LOST: Final = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c0"
ANOTHER_GRANT: Final = {"namespace": "sales", "name": "inventory-forecast", "uid": "uid-of-a-lost-cluster"}
Act = Callable[[Mesh], Any]


@cache
def _granted() -> Mesh:
    return granted(Mesh())


def named(mesh: Mesh, key: Key, kind: str) -> str:
    """The user as this cluster names it, as 022ef9c did, as a lost cluster did, or that of an object of the same name elsewhere."""
    elsewhere = Key(key.kind, "lab", key.name)
    return {
        "own": names.principal_name("acme", cluster_uid(mesh.ports), key),
        "former": names.former_principal_name("acme", key),
        "lost": names.principal_name("acme", LOST, key),
        "copied": names.principal_name("acme", cluster_uid(mesh.ports), elsewhere),
        "copied, former": names.former_principal_name("acme", elsewhere),
        "none": "",
    }[kind]


def taken_over(mesh: Mesh) -> None:
    mesh.apply(a_store(takeOverFrom=[LOST]))


def in_use(mesh: Mesh) -> None:
    ready = [{"type": "Ready", "status": "False", "reason": "StoreInUseByOtherCluster", "message": "it is another's"}]
    tell(mesh, STORE, conditions=ready)


def other_mesh(mesh: Mesh) -> None:
    tell(mesh, STORE, bucket="acme-of-another-mesh")


def no_store(mesh: Mesh) -> None:
    mesh.cluster.user_finalize(STORE)
    mesh.cluster.user_delete(STORE)


def other_grant(mesh: Mesh) -> None:
    tell(mesh, REQUEST, grantRef=ANOTHER_GRANT)


def no_secret(mesh: Mesh) -> None:
    mesh.cluster.user_delete(SECRET)


def is_kept(key: Key, kind: str, acts: tuple[Act, ...]) -> bool:
    mesh = _granted().copy()
    user = named(mesh, key, kind)
    tell(mesh, key, **({"principal": user} if key == REQUEST else {"producer": {"principal": user}}))
    for act in acts:
        act(mesh)
    before = dict(mesh.get(key.kind, key.name, key.namespace)["status"])
    drop_others_record(Visit.of(key, mesh.get(key.kind, key.name, key.namespace), mesh.ports))
    after = dict(mesh.get(key.kind, key.name, key.namespace)["status"])
    if after == before:
        return True
    gone = {"principal", "place", "binding", "grantRef", "accessKeyId"} if key == REQUEST else {"producer"}
    assert not gone & set(after)
    assert after["conditions"] == before["conditions"]
    return False


@pytest.mark.parametrize("key", [REQUEST, PRODUCT], ids=["request", "product"])
@pytest.mark.parametrize(
    ("kind", "acts", "kept"),
    [
        ("own", (), True),
        ("own", (taken_over,), True),
        ("own", (in_use,), True),
        ("none", (), True),
        ("lost", (), False),
        ("lost", (taken_over,), False),
        ("copied", (), False),
        ("copied, former", (), False),
        ("lost", (other_mesh,), True),
        ("lost", (no_store,), True),
        ("former", (), True),
        ("former", (no_secret, other_grant), True),
        ("former", (taken_over,), True),
        ("former", (taken_over, other_grant), True),
        ("former", (in_use, other_grant), True),
    ],
)
def test_a_record_of_another_s_user_goes_where_the_store_is_known(key: Key, kind: str, acts: tuple[Act, ...], kept: bool) -> None:
    """A name of before names told of the cluster counts as the object's own where the grant or the Secret is of this cluster."""
    assert is_kept(key, kind, tuple(act for act in acts if key == REQUEST or act not in (other_grant, no_secret))) is kept


@pytest.mark.parametrize("store", [taken_over, in_use])
@pytest.mark.parametrize(("acts", "kept"), [((no_secret,), True), ((other_grant, no_secret), False)], ids=["grant lives", "nothing lives"])
def test_a_former_name_is_a_lost_cluster_s_where_nothing_else_says_that_it_is_this_one_s(
    store: Act, acts: tuple[Act, ...], kept: bool
) -> None:
    assert is_kept(REQUEST, "former", (store, *acts)) is kept
