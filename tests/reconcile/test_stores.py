"""An ObjectStore's own stories on the fakes: whose store it is, what it can do, and who still uses it."""

from tests.reconcile.flows import ENDPOINT, deletable, delete_all, ready
from tests.support.manifests import a_domain, a_product, a_store, annotated
from tests.support.mesh import Mesh


def test_a_store_is_probed_once_a_generation_and_daily() -> None:
    mesh = Mesh().apply(a_store()).settle()

    def probes() -> int:
        return sum(what.startswith("probe") for what in mesh.trap.seen)

    assert probes() == 1
    mesh.clock.forward(hours=23)
    assert (mesh.settle(), probes())[1] == 1
    mesh.clock.forward(hours=2)
    assert (mesh.settle(), probes())[1] == 2
    mesh.apply(a_store(deletionEnabled=False)).settle()
    assert probes() == 3


def test_a_required_capability_that_is_missing_stalls_the_store_and_holds_its_products() -> None:
    mesh = Mesh()
    mesh.stores.at(ENDPOINT).unsupported = frozenset({"Encryption"})
    mesh.apply(a_store(baseline={"encryption": "Required"}), a_domain(), a_product()).settle()
    assert mesh.condition("ObjectStore", "main")["reason"] == "CapabilityMissing"
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "StoreNotReady"
    mesh.apply(a_store(baseline={"encryption": "IfSupported"})).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_store_waits_for_its_users_and_names_them_until_it_is_forced() -> None:
    mesh = ready(Mesh()).settle().delete("ObjectStore", "main").settle()
    blocked = mesh.condition("ObjectStore", "main", type_="DeletionBlocked")
    assert "DataProduct sales/orders" in blocked["message"]
    assert "clouddatamesh.dev/orphan=main" in blocked["message"]
    mesh.apply(annotated(a_store(), force_delete="main")).settle()
    assert not mesh.exists("ObjectStore", "main")
    assert any("sales/orders" in event.note for _, event in mesh.cluster.events)
    assert mesh.bucket_of() in mesh.stores.at(ENDPOINT).buckets


def test_wrong_credentials_stall_the_store_and_new_ones_heal_it() -> None:
    mesh = Mesh()
    mesh.cluster.put_own_secret("main-s3", {"access-key-id": "wrong", "secret-access-key": "wrong"})
    mesh.apply(a_store(), a_domain(), a_product()).settle()
    assert mesh.condition("ObjectStore", "main", type_="CredentialsValid")["reason"] == "CredentialsInvalid"
    root = mesh.stores.at(ENDPOINT).root
    mesh.cluster.put_own_secret("main-s3", {"access-key-id": root.id, "secret-access-key": root.secret})
    mesh.settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_store_that_is_away_is_waited_for_and_nothing_is_made_meanwhile() -> None:
    mesh = Mesh()
    mesh.stores.at(ENDPOINT).down = True
    mesh.apply(a_store(), a_domain(), a_product()).settle()
    assert mesh.condition("ObjectStore", "main")["reason"] == "StoreUnavailable"
    assert not mesh.stores.at(ENDPOINT).buckets
    mesh.stores.at(ENDPOINT).down = False
    assert mesh.settle().condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_poisoned_object_delays_no_other() -> None:
    mesh = ready(Mesh())
    mesh.apply({**a_product("poisoned"), "spec": {"storage": {"storeRef": {"name": "main"}, "tags": {"a": 5}}}}).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["status"] == "True"
    poisoned = mesh.condition("DataProduct", "poisoned", "sales")
    assert poisoned["reason"] == "InvalidSpec"
    assert "spec.storage.tags.a" in poisoned["message"]


def test_a_store_that_goes_with_its_products_keeps_none_of_their_buckets_from_going() -> None:
    """As a pruned folder does it: store, domain and product are deleted at once, and each waits for the next one only."""
    mesh = delete_all(deletable(Mesh()).settle()).settle()
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert not mesh.exists("ObjectStore", "main")
    assert [name for name in mesh.stores.at(ENDPOINT).buckets if "orders" in name] == []


def test_a_store_that_is_given_up_keeps_the_buckets() -> None:
    mesh = deletable(Mesh()).settle()
    bucket = mesh.bucket_of()
    mesh.apply(annotated(a_store(), orphan="main"))
    delete_all(mesh).settle()
    assert not mesh.exists("ObjectStore", "main")
    assert bucket in mesh.stores.at(ENDPOINT).buckets
