"""What was found of a lost cluster's users in one store says nothing of another: there they are looked for again, and end after an hour."""

from itertools import count
from typing import Any, Final

import pytest

from tests.reconcile.access_flows import REQUEST, a_port
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_takeover import PRODUCT, UIDS, inventory, lost_mesh, sales, users
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

STAGING: Final = "https://s3.staging"
SECOND: Final = "https://s3.second"
DENY: Final = a_grant(decision="Deny", validUntil="2026-02-01T00:00:00Z")
STORE_ID: Final = "clouddatamesh.dev/store-id"


def store(**spec: Any) -> dict[str, Any]:
    return a_store(takeOverFrom=[UIDS[0]], **spec)


def rebuilt(old: Mesh, *manifests: dict[str, Any]) -> Mesh:
    """A new cluster at all stores of the lost one, which begins at the wrong one; the same credentials are good everywhere."""
    new = Mesh()
    new.cluster.be_cluster(UIDS[1])
    new.cluster._objects._numbers = count(5000)
    new.clock.time = old.clock.time
    new.stores.take_over(old.stores)
    new._give_credentials()
    for endpoint in (STAGING, SECOND):
        new.stores.at(endpoint).root = new.stores.at(ENDPOINT).root
    new.apply(*manifests, a_domain("sales"), a_domain("inventory"))
    Driven(new).run(minutes=2)
    return new


def begun_at_staging(old: Mesh) -> Mesh:
    new = inventory(sales(rebuilt(old, store(endpointUrl=STAGING))))
    Driven(new).run(minutes=20)
    assert reasons(new) == ["Ready", "Ready", "Granted"]
    return new


def reasons(mesh: Mesh) -> list[str]:
    found = (("ObjectStore", "main", ""), ("DataProduct", PRODUCT.name, "sales"), ("AccessRequest", REQUEST.name, "inventory"))
    return [str(mesh.condition(*one)["reason"]) for one in found]


def consent(mesh: Mesh, kind: str, name: str, namespace: str = "") -> dict[str, str]:
    """The annotation that an object's message asks for."""
    word = mesh.condition(kind, name, namespace)["message"].split("clouddatamesh.dev/")[-1].split(";")[0]
    return {word.split("=")[0]: word.split("=")[1]}


def store_ids(mesh: Mesh) -> list[set[str]]:
    """What the mesh's buckets say of which stores they are in, by endpoint."""
    held = ((mesh.stores.at(endpoint).buckets.values()) for endpoint in (ENDPOINT, STAGING))
    return [{str(dict(one.bucket.tags)[STORE_ID]) for one in found if STORE_ID in dict(one.bucket.tags)} for found in held]


def test_a_store_that_this_cluster_never_used_is_another_one_also_where_it_is_a_lost_clusters() -> None:
    old = lost_mesh()
    before = users(old, "orders")
    new = begun_at_staging(old)
    driven = Driven(new.apply(store())).run(minutes=10)
    assert reasons(new)[0] == "NotTheSameStore" and users(new, "orders") == before
    told = store_ids(new)
    new.apply(annotated(store(), **consent(new, "ObjectStore", "main")))
    driven.run(minutes=10)
    assert reasons(new) == ["Ready", "NotTheSameStore", "NotTheSameStore"], (
        "what was made in the other store is accepted as lost one by one"
    )
    assert store_ids(new) == told and not told[0] & told[1], "the stores can still be told apart"
    assert users(new, "orders") == before


def test_what_nobody_here_ends_is_unclaimed() -> None:
    new = begun_at_staging(lost_mesh())
    Driven(new.apply(annotated(store(), **_accepted(new)))).run(minutes=10)
    told = new.get("ObjectStore", "main")["status"]["takenOver"]
    assert told[0]["unclaimed"] == told[0]["principals"] > 0


def _accepted(mesh: Mesh) -> dict[str, str]:
    Driven(mesh.apply(store())).run(minutes=5)
    return consent(mesh, "ObjectStore", "main")


def in_the_right_store(old: Mesh) -> Mesh:
    """Begun in staging, set to the right store, with the loss of what was made in staging accepted everywhere."""
    new = begun_at_staging(old)
    driven = Driven(new.apply(annotated(store(), **_accepted(new)))).run(minutes=10)
    loss = consent(new, "DataProduct", PRODUCT.name, "sales")
    new.apply(annotated(a_product(outputPorts=[a_port()]), **loss))
    new.apply(annotated(a_request(), orphan=REQUEST.name))
    driven.run(minutes=10)
    new.apply(a_request())
    driven.run(minutes=10)
    assert reasons(new) == ["Ready", "Ready", "Granted"]
    return new


def test_the_lost_clusters_users_are_found_in_the_right_store_and_end_after_an_hour() -> None:
    old = lost_mesh()
    before = users(old, "orders")
    new = in_the_right_store(old)
    assert users(new, "orders").items() > before.items()
    Driven(new).run(minutes=70)
    assert not before.keys() & users(new, "orders").keys() and list(users(new, "orders").values()) == [True, True]
    told = new.get("ObjectStore", "main")["status"]["takenOver"]
    assert told[0]["unclaimed"] == told[0]["principals"]


def test_a_no_after_that_ends_the_lost_clusters_user() -> None:
    new = in_the_right_store(lost_mesh())
    Driven(new.apply(DENY)).run(minutes=10)
    assert users(new, "orders-for-forecast") == {}


def test_a_product_that_is_made_again_in_another_store_of_the_mesh_finds_the_users_there() -> None:
    def stores(lost: list[str]) -> tuple[dict[str, Any], ...]:
        return (a_store(takeOverFrom=lost), a_store("second", endpointUrl=SECOND, takeOverFrom=lost))

    in_second = a_product(outputPorts=[a_port()], storage={"storeRef": {"name": "second"}})
    old = Mesh()
    old.cluster.be_cluster(UIDS[0])
    old.stores.at(SECOND).root = old.stores.at(ENDPOINT).root
    Driven(old.apply(*stores([]), a_domain("sales"), a_domain("inventory"))).run(minutes=2)
    Driven(inventory(old.apply(in_second, a_grant()))).run(minutes=5)
    before = {name for name in old.stores.at(SECOND).users if "orders" in name}
    assert len(before) == 2
    new = inventory(rebuilt(old, *stores([UIDS[0]]))).apply(a_product(outputPorts=[a_port()]), a_grant())
    driven = Driven(new).run(minutes=10)
    assert reasons(new)[2] == "Granted"
    new.apply(annotated(a_product(outputPorts=[a_port()]), cut_off="orders"))
    driven.run(minutes=5)
    new.delete("DataProduct", "orders", "sales")
    driven.run(minutes=5)
    new.apply(in_second)
    driven.run(minutes=50)
    assert reasons(new)[2] == "Granted" and before < set(new.stores.at(SECOND).users)
    driven.run(minutes=30)
    assert not before & set(new.stores.at(SECOND).users)


def test_an_iam_endpoint_that_was_wrong_at_first_says_nothing_of_the_right_one() -> None:
    old = lost_mesh()
    before = users(old, "orders")
    new = inventory(sales(rebuilt(old, store(iamEndpointUrl=STAGING))))
    driven = Driven(new).run(minutes=20)
    assert reasons(new) == ["Ready", "Ready", "Granted"] and users(new, "orders") == before
    Driven(new.apply(store())).run(minutes=5)
    new.apply(annotated(store(), **consent(new, "ObjectStore", "main")))
    driven.run(minutes=20)
    assert reasons(new)[0] == "Ready" and users(new, "orders").items() > before.items()
    driven.run(minutes=70)
    assert not before.keys() & users(new, "orders").keys() and list(users(new, "orders").values()) == [True, True]


@pytest.mark.parametrize("told", [{}, {"until": "2026-01-01T00:00:01Z"}], ids=["done", "an hour that is over"])
def test_a_record_of_an_earlier_version_tells_nothing_of_a_store(told: dict[str, str]) -> None:
    """It names none: users are looked for once more, and what is found works for an hour."""
    old = lost_mesh()
    before = users(old, "orders-for-forecast")
    new = inventory(sales(rebuilt(old, store())))
    driven = Driven(new).run(minutes=5)
    found = new.get("AccessRequest", REQUEST.name, "inventory")
    record = {"takeOver": {"cluster": UIDS[1], **told} if told else {"done": [UIDS[0]]}}
    new.cluster.write_status(REQUEST, found["metadata"]["uid"], {**found["status"], **record})
    driven.run(minutes=10)
    assert bool(before.keys() & users(new, "orders-for-forecast").keys()) is not bool(told), "its hour is counted as it was"
    driven.run(minutes=70)
    assert not before.keys() & users(new, "orders-for-forecast").keys()
