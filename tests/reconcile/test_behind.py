"""What the cache does not show yet: a namespace that goes, a grant that went, an object that is gone, a product that came first."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.identity import Connection
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.marks import FINALIZER
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory import MemoryStore
from tests.reconcile.access_flows import a_port, two_domains
from tests.reconcile.flows import ENDPOINT, deletable, fill
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Killed, Mesh

PRODUCT = Key("DataProduct", "sales", "orders")
REQUEST = Key("AccessRequest", "inventory", "orders-for-forecast")
PAST = "2025-12-31T00:00:00Z"


def doomed() -> tuple[Mesh, str]:
    """A full bucket that is destroyed with its product."""
    mesh = deletable(Mesh(), forceDestroy=True).settle()
    fill(mesh)
    return mesh, mesh.bucket_of()


@pytest.mark.parametrize("behind", [("Namespace",), ("Namespace", "ObjectStore"), ("Namespace", "Domain")], ids=" and ".join)
def test_a_namespace_that_goes_destroys_nothing_though_the_cache_shows_it_alive(behind: tuple[str, ...]) -> None:
    mesh, bucket = doomed()
    driven = Driven(mesh)
    mesh.cluster.hold_back(*behind)
    mesh.delete("Namespace", "sales")
    driven.run(minutes=3)
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 4000
    assert not mesh.exists("DataProduct", "orders", "sales")


@pytest.mark.parametrize("unreadable", ["Namespace", "ObjectStore", "DataProduct"])
def test_nothing_is_destroyed_while_what_speaks_against_it_cannot_be_read(unreadable: str) -> None:
    mesh, bucket = doomed()
    driven = Driven(mesh)
    mesh.cluster.unreadable.add(unreadable)
    mesh.delete("DataProduct", "orders", "sales")
    driven.run(minutes=3)
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 4000
    mesh.cluster.unreadable.clear()
    driven.run(minutes=6)
    assert bucket not in mesh.stores.at(ENDPOINT).buckets


def test_a_store_that_was_locked_a_moment_ago_destroys_nothing() -> None:
    mesh, bucket = doomed()
    driven = Driven(mesh)
    mesh.cluster.hold_back("ObjectStore")
    mesh.apply(a_store(deletionEnabled=False)).delete("DataProduct", "orders", "sales")
    driven.run(minutes=3)
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 4000
    assert mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")["reason"] == "DeletionDisabled"


def test_a_policy_that_was_softened_a_moment_ago_destroys_nothing() -> None:
    mesh, bucket = doomed()
    mesh.delete("DataProduct", "orders", "sales")
    driven = Driven(mesh)
    mesh.cluster.hold_back("DataProduct")
    mesh.apply(a_product(storage={"deletionPolicy": "Retain"}))
    driven.run(minutes=3)
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert mesh.stores.at(ENDPOINT).buckets[bucket].versions == 4000
    assert not mesh.exists("DataProduct", "orders", "sales")


def rights(mesh: Mesh) -> list[str]:
    return [name for name, user in mesh.stores.at(ENDPOINT).users.items() if user.policy is not None and "orders-for-forecast" in name]


@pytest.mark.parametrize(
    "act",
    [
        lambda m: m.delete("AccessGrant", "inventory-forecast", "sales"),
        lambda m: m.apply(a_grant(decision="Deny")),
        lambda m: m.apply(a_grant(validUntil=PAST)),
        lambda m: m.delete("AccessGrant", "inventory-forecast", "sales").apply(a_grant(decision="Deny")),
    ],
    ids=["deleted", "refused", "shortened", "replaced by a no"],
)
def test_nothing_is_given_on_a_grant_that_is_another_by_now(act: object) -> None:
    mesh = two_domains(Mesh()).apply(a_grant()).settle()
    mesh.cluster.hold_back("AccessGrant")
    assert callable(act)
    act(mesh)
    driven = Driven(mesh.apply(a_request()))
    given: list[str] = []
    driven.before_store_write.append(lambda what: given.extend([what] if what.startswith(("put policy", "create key")) else []))
    driven.run(minutes=2)
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert given == []
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"] != "True"


@pytest.mark.parametrize("kind", ["AccessRequest", "DataProduct"])
def test_nothing_is_made_for_an_object_that_is_gone_by_now(kind: str) -> None:
    mesh = two_domains(Mesh()).apply(a_grant(), a_product("stock")).settle() if kind == "AccessRequest" else _homes()
    before = world(mesh)
    mesh.apply(a_request() if kind == "AccessRequest" else a_product())
    mesh.cluster.hold_back(kind)
    key = REQUEST if kind == "AccessRequest" else PRODUCT
    mesh.delete(kind, key.name, key.namespace)
    driven = Driven(mesh)
    driven.run(minutes=2)
    assert world(mesh) == before
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert world(mesh) == before


def test_nothing_is_made_for_a_product_that_was_held_already_and_is_gone_by_now() -> None:
    """As a restored backup has it: our finalizer is there before we ever wrote, so the record is the first write."""
    mesh = _homes()
    product = a_product()
    mesh.apply({**product, "metadata": {**product["metadata"], "finalizers": [FINALIZER]}})
    before = world(mesh)
    mesh.cluster.hold_back("DataProduct")
    mesh.delete("DataProduct", PRODUCT.name, PRODUCT.namespace)
    mesh.cluster.user_finalize(PRODUCT)
    driven = Driven(mesh)
    driven.run(minutes=2)
    assert world(mesh) == before
    mesh.cluster.catch_up()
    driven.run(minutes=6)
    assert world(mesh) == before


def _homes() -> Mesh:
    return Mesh().apply(a_store(), a_domain("sales"), a_domain("inventory")).settle()


def world(mesh: Mesh) -> tuple[list[str], list[str]]:
    store = mesh.stores.at(ENDPOINT)
    return sorted(store.buckets), sorted(store.users)


# Two products that name one bucket.

SHARED = {"bucketName": "acme-shared"}
RIVALS = (Key("DataProduct", "sales", "orders"), Key("DataProduct", "inventory", "stock"))


def rivals(mesh: Mesh) -> list[Key]:
    """Those that are Ready; and nobody's key opens what is another's."""
    found = [key for key in RIVALS if mesh.condition("DataProduct", key.name, key.namespace).get("status") == "True"]
    for key in set(RIVALS) - set(found):
        assert mesh.condition("DataProduct", key.name, key.namespace, "StorageReady")["reason"] == "NotOwned"
        assert not [name for name in mesh.stores.at(ENDPOINT).users if name.startswith(f"{key.namespace}-{key.name}")]
    return found


@pytest.mark.parametrize("remakes", [False, True], ids=["made again is refused", "made again succeeds"])
@pytest.mark.parametrize("later", RIVALS, ids=str)
def test_of_two_products_that_name_one_bucket_one_has_it_whenever_the_other_comes(later: Key, remakes: bool) -> None:
    """The other one comes, and is looked at, just before the nth write of the first one's look."""
    first = next(key for key in RIVALS if key != later)
    for n in range(1, 40):
        mesh = _homes().apply(a_product(first.name, first.namespace, storage=SHARED))
        mesh.stores.at(ENDPOINT).remakes = remakes
        count = _interrupt(mesh, n, lambda mesh=mesh: reconcile_new(mesh, later))
        reconcile(first, mesh.ports)
        if count[0] < n:
            break
        mesh.settle()
        (owner,) = rivals(mesh)
        tags = dict(mesh.stores.at(ENDPOINT).buckets["acme-shared"].bucket.tags)
        assert (tags["clouddatamesh.dev/namespace"], tags["clouddatamesh.dev/name"]) == (owner.namespace, owner.name), n
    assert n > 10


def reconcile_new(mesh: Mesh, key: Key) -> None:
    mesh.apply(a_product(key.name, key.namespace, storage=SHARED))
    reconcile(key, mesh.ports)


def _interrupt(mesh: Mesh, n: int, act: object) -> list[int]:
    """Call `act` before the nth write of the cluster or the store; what it writes itself is not counted."""
    count, busy = [0], [False]

    def before() -> None:
        if busy[0]:
            return
        count[0] += 1
        if count[0] == n:
            busy[0] = True
            assert callable(act)
            act()
            busy[0] = False

    mesh.cluster.before_write = lambda _verb, _key: before()
    mesh.stores.before_write = lambda _what: before()
    return count


def test_an_older_product_that_names_a_bucket_later_takes_it_from_nobody() -> None:
    """A product without storage may name a bucket long after it was made; whose marks the bucket carries has it."""
    older = a_product("stock", "inventory")
    older["spec"].pop("storage")
    mesh = _homes().apply({**older, "spec": {**older["spec"], "producer": None}}).settle()
    mesh.clock.forward(days=1)
    mesh.apply(a_product(storage=SHARED, outputPorts=[a_port()]), a_product("forecast", "inventory"), a_request(), a_grant()).settle()
    driven = Driven(mesh)
    mesh.apply(a_product("stock", "inventory", storage=SHARED))
    driven.wake_all().run(minutes=20)
    assert rivals(mesh) == [PRODUCT]
    assert len(rights(mesh)) == 1


# A bucket that somebody else of the account makes and fills at the same time.


@pytest.mark.parametrize("died", [False, True], ids=["made in one look", "died between bucket and marks"])
def test_what_somebody_wrote_before_the_marks_stays_and_is_his(died: bool) -> None:
    """He comes just before the nth call of the store or write of the cluster. RGW and us-east-1 say of his bucket that we made it."""
    storage = {**SHARED, "deletionPolicy": "Delete", "forceDestroy": True}
    for n in range(1, 60):
        mesh = _homes()
        store = mesh.stores.at(ENDPOINT)
        store.remakes = True
        mesh.apply(a_product(storage=storage))
        if died:
            _die_after(mesh, "create bucket acme-shared")
        was_first = [False]

        def fill_it(call: str, store: MemoryStore = store, was_first: list[bool] = was_first) -> None:
            if "acme-shared" not in store.buckets:
                store.put_bucket(Bucket("acme-shared"))
            was_first[0] = not store.buckets["acme-shared"].bucket.tags and call != "update"  # the count is the last look
            store.put_object("acme-shared", count=7)

        count = _interrupt_calls(mesh, n, fill_it)
        reconcile(PRODUCT, mesh.ports)
        if count[0] < n:
            break
        mesh.settle()
        assert mesh.condition("DataProduct", "orders", "sales")["reason"] == ("NotOwned" if was_first[0] else "Ready"), n
        assert bool([name for name in store.users if name.startswith("sales-orders")]) != was_first[0], n
        mesh.delete("DataProduct", "orders", "sales").settle()
        assert not mesh.exists("DataProduct", "orders", "sales"), n
        left = store.buckets.get("acme-shared")
        assert (left and (left.versions, left.bucket.tags)) == ((7, ()) if was_first[0] else None), n
    assert n > 15


def _die_after(mesh: Mesh, what: str) -> None:
    def die(done: str) -> None:
        if done == what:
            raise Killed(done)

    mesh.stores.after_write = die
    with pytest.raises(Killed):
        reconcile(PRODUCT, mesh.ports)
    mesh.stores.after_write = lambda _: None


def _interrupt_calls(mesh: Mesh, n: int, act: Callable[[str], object]) -> list[int]:
    """Call `act` before the nth write of the cluster or call of the store, with what is called."""
    count, store = [0], mesh.stores.at(ENDPOINT)
    check = store.check

    def before(call: str) -> None:
        count[0] += 1
        if count[0] == n:
            act(call)

    def checked(connection: Connection, verb: str, name: str) -> None:
        before(verb)
        check(connection, verb, name)

    store.check = checked  # type: ignore[method-assign]
    mesh.cluster.before_write = lambda _verb, _key: before("cluster")
    return count


# Another store, another account.


def test_what_is_taken_while_another_account_answers_is_taken_from_the_right_one_later() -> None:
    mesh = two_domains(Mesh()).apply(a_request(), a_grant()).settle()
    store = mesh.stores.at(ENDPOINT)
    mesh.clock.forward(minutes=1)
    driven = Driven(mesh)
    store.switch_account("other")
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.wake_all().run(minutes=20)
    request = mesh.get("AccessRequest", "orders-for-forecast", "inventory")
    assert request["status"]["place"]["store"] == "main"
    assert mesh.exists("AccessGrant", "inventory-forecast", "sales")
    assert (store.users, [held for held in store.buckets.values() if held.account == "other"]) == ({}, [])
    store.switch_account("account")
    driven.run(minutes=6)
    assert rights(mesh) == []
    assert not mesh.exists("AccessGrant", "inventory-forecast", "sales")


def test_what_is_deleted_while_an_empty_store_answers_goes_in_the_right_one_later() -> None:
    mesh, bucket = doomed()
    store = mesh.stores.at(ENDPOINT)
    mesh.clock.forward(minutes=1)
    driven = Driven(mesh)
    real = store.buckets, store.users
    store.buckets, store.users = {}, {}
    mesh.delete("DataProduct", "orders", "sales")
    driven.wake_all().run(minutes=20)
    assert mesh.exists("DataProduct", "orders", "sales")
    assert (store.buckets, store.users) == ({}, {})
    store.buckets, store.users = real
    driven.run(minutes=6)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert bucket not in store.buckets
    assert not [name for name in store.users if name.startswith("sales-orders")]


def test_many_buckets_that_are_anothers_at_once_cost_nobody_a_key() -> None:
    mesh = _homes().apply(*(a_product(f"p{n}", producer={"secretName": f"s{n}"}) for n in range(5))).settle()
    store = mesh.stores.at(ENDPOINT)
    keys = {key.id for user in store.users.values() for key in user.keys}
    driven = Driven(mesh)
    for n in range(5):
        held = store.buckets[mesh.bucket_of(f"p{n}")]
        held.bucket = replace(held.bucket, tags=tuple((tag, "other") for tag, _ in held.bucket.tags))
    driven.run(minutes=30)
    assert {key.id for user in store.users.values() for key in user.keys} == keys
    assert {mesh.condition("DataProduct", f"p{n}", "sales")["reason"] for n in range(5)} == {"StorageLossBrake"}
