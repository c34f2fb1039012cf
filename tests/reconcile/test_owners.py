"""Whose a principal in a store is: who recorded it, who may get it, and who does not live in this store."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from clouddatamesh.plan.names import principal_name
from clouddatamesh.reconcile.owners import ends_former, is_any_recorded, is_served, owned_of
from clouddatamesh.reconcile.places import cluster_uid
from tests.reconcile.flows import ready
from tests.support.manifests import a_product, a_request, a_store
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "one")
REQUEST: Final = Key("AccessRequest", "inventory", "orders-for-forecast")
BUCKET: Final = [{"type": "StorageReady", "status": "True", "reason": "Ready"}]
GONE: Final = [{"type": "Ready", "status": "False", "reason": "Denied"}]


def a_mesh(product: dict[str, Any] | None = None, request: dict[str, Any] | None = None, **spec: Any) -> Mesh:
    """A product and a request, with what their statuses tell."""
    mesh = ready(Mesh()).apply(a_store("other", endpointUrl="https://other.test"), a_product(PRODUCT.name, **spec), a_request())
    for key, status in ((PRODUCT, product), (REQUEST, request)):
        mesh.cluster.write_status(key, mesh.get(key.kind, key.name, key.namespace)["metadata"]["uid"], status or {"conditions": GONE})
    return mesh


def owned(mesh: Mesh, *names: str, elsewhere: tuple[str, ...] = ()) -> set[str]:
    return owned_of(set(names), set(elsewhere), mesh.ports, cluster_uid(mesh.ports))


def name_of(mesh: Mesh, key: Key) -> str:
    """The principal that is to be, whether or not it is recorded."""
    return principal_name(mesh.settings.mesh, cluster_uid(mesh.ports), key)


def test_what_is_recorded_is_owned_unless_its_owner_lives_in_another_store() -> None:
    told = {"producer": {"principal": "recorded"}, "storage": {"bucket": "b", "phase": "Owned"}}
    mesh = a_mesh(told)
    assert owned(mesh, "recorded", "nobodys") == {"recorded"}
    assert owned(mesh, "recorded", elsewhere=("main",)) == set()
    assert owned(mesh, "recorded", elsewhere=("other",)) == {"recorded"}
    assert is_any_recorded(["recorded"], "main", mesh.ports) and not is_any_recorded(["recorded"], "other", mesh.ports)
    assert not is_any_recorded(["nobodys"], "main", mesh.ports)


@pytest.mark.parametrize(
    ("spec", "expected"), [({}, True), ({"lifecycle": "proposed"}, False), ({"producer": None}, False), ({"lifecycle": "retired"}, True)]
)
def test_a_product_may_own_what_it_does_not_record(spec: dict[str, Any], expected: bool) -> None:
    mesh = a_mesh(**spec)
    name = name_of(mesh, PRODUCT)
    assert owned(mesh, name, "nobodys") == ({name} if expected else set())
    assert owned(mesh, name, elsewhere=("main",)) == set()


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], True),
        ([{"type": "Ready", "status": "Unknown", "reason": "Pending"}], True),
        ([*GONE, {"type": "Provisioned", "status": "False", "reason": "Throttled"}], True),
        ([*GONE, {"type": "Provisioned", "status": "Unknown", "reason": "Revoked"}], True),
        ([*GONE, {"type": "Provisioned", "status": "False", "reason": "Revoked"}], False),
        ([*GONE, {"type": "Provisioned", "status": "False", "reason": "Expired"}], False),
        ([*GONE, {"type": "Provisioned", "status": "Unknown", "reason": "Abandoned"}], False),
        (GONE, False),
    ],
)
def test_a_request_may_own_what_it_does_not_record_until_its_store_was_asked(conditions: list[dict[str, Any]], expected: bool) -> None:
    mesh = a_mesh(request={"conditions": conditions})
    name = name_of(mesh, REQUEST)
    assert owned(mesh, name) == ({name} if expected else set())


@pytest.mark.parametrize(
    ("product", "spec", "expected"),
    [
        ({"storage": {"phase": "Owned"}, "conditions": BUCKET}, {}, True),
        ({"storage": {"phase": "Adopted"}, "conditions": BUCKET}, {}, True),
        ({"storage": {"phase": "Creating"}, "conditions": BUCKET}, {}, False),
        ({"conditions": BUCKET}, {}, False),
        ({"storage": {"phase": "Owned"}, "conditions": BUCKET}, {"producer": None}, False),
        ({"storage": {"phase": "Owned"}}, {}, False),
        ({"storage": {"phase": "Owned"}, "producer": {"principal": "sales-orders-ofalostcluster"}}, {}, False),
        ({"storage": {"phase": "Owned"}, "producer": {"principal": names.former_principal_name("acme", PRODUCT)}}, {}, True),
    ],
)
def test_a_product_is_served_once_it_has_a_bucket_and_wants_a_user(product: dict[str, Any], spec: dict[str, Any], expected: bool) -> None:
    """A status that was restored tells of what a lost cluster had; it is another thing to have read the bucket back."""
    mesh = a_mesh({"conditions": GONE, **product}, **spec)
    assert is_served(PRODUCT, mesh.ports) == expected


PLACE: Final = {"store": "main", "bucket": "b", "path": "daily/"}
LOST: Final = "11111111-2222-3333-4444-555555555555"
DONE: Final = {"done": [LOST], "marker": "mesh.marker-a"}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"place": PLACE}, True),
        ({"place": {**PLACE, "storeId": "here"}}, True),
        ({"place": {**PLACE, "storeId": "elsewhere"}}, False),
        ({"place": PLACE, "takeOver": DONE}, False),
        ({"place": PLACE, "takeOver": {**DONE, "done": [LOST.replace("1", "0")]}}, True),
        ({"place": PLACE, "takeOver": {**DONE, "marker": "mesh.marker-b"}}, True),
        ({"place": PLACE, "takeOver": {"done": [LOST]}}, True),
        ({}, False),
    ],
)
def test_a_lost_clusters_user_is_ended_by_who_has_its_own_in_that_very_store_and_looks_for_it(
    request_: dict[str, Any], expected: bool
) -> None:
    mesh = a_mesh(request={"conditions": GONE, **request_})
    store = ObjectStore.model_validate({**mesh.get("ObjectStore", "main"), "status": {"storeId": "here", "marker": "mesh.marker-a"}})
    assert ends_former(REQUEST, LOST, store, mesh.ports) is expected


def test_a_request_is_served_once_it_has_a_place() -> None:
    mesh = a_mesh(request={"place": {"store": "main", "bucket": "b", "path": "daily/"}})
    assert is_served(REQUEST, mesh.ports)
    assert not is_served(REQUEST, a_mesh().ports)
    assert not is_served(Key("DataProduct", "sales", "nobody"), mesh.ports)
