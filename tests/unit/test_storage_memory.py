"""The hooks of the public fake: what tests of other layers rely on."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.storage.memory import Memory, MemoryStores
from tests.support.evidence import error_of

AWS = Connection("eu-central-1", settings=frozenset(b.CAPABILITIES))


def test_each_endpoint_is_a_world_of_its_own_and_connections_share_it() -> None:
    stores = MemoryStores()
    stores.buckets(AWS).create(b.Bucket("b"))
    assert stores.buckets(Connection("eu-central-1")).observe("b") != Absent()
    assert stores.buckets(Connection("eu-central-1", endpoint="https://other")).observe("b") == Absent()


def test_hooks_see_each_write_before_and_after_and_no_read() -> None:
    stores, seen = MemoryStores(), list[str]()
    stores.before_write, stores.after_write = lambda what: seen.append(f"before {what}"), lambda what: seen.append(f"after {what}")
    stores.buckets(AWS).create(b.Bucket("b"))
    stores.buckets(AWS).observe("b")
    assert seen == ["before create bucket b", "after create bucket b"]


def test_a_hook_that_dies_before_a_write_leaves_the_world_as_it_was() -> None:
    def die(what: str) -> None:
        raise KeyboardInterrupt(what)

    stores = MemoryStores()
    stores.before_write = die
    with pytest.raises(KeyboardInterrupt):
        stores.buckets(AWS).create(b.Bucket("b"))
    assert not stores.at(None).buckets


def test_calls_are_counted_one_each() -> None:
    stores = MemoryStores()
    buckets = stores.buckets(AWS)
    buckets.create(b.Bucket("b"))
    buckets.empty("b")
    buckets.delete("b")
    assert stores.at(None).calls == [("create", "b"), ("empty", "b"), ("delete", "b")]


@pytest.mark.parametrize(
    ("connection", "down", "kind", "reason"),
    [
        (AWS, True, Transient, reasons.STORE_UNAVAILABLE),
        (Connection("x", access_key_id="ROOT", secret_access_key="wrong"), False, Terminal, reasons.CREDENTIALS_INVALID),
    ],
    ids=["down", "wrong key"],
)
def test_what_fails_fails_as_real_stores_do(connection: Connection, down: bool, kind: type[MeshError], reason: str) -> None:
    stores = MemoryStores()
    stores.at(None).down = down
    with pytest.raises(kind) as caught:
        stores.buckets(connection).account()
    looks = (stores.buckets(connection).observe("b"), stores.identities(connection).observe("u"))
    for error in (caught.value, *map(error_of, looks)):
        assert (type(error), error.reason) == (kind, reason)


def test_the_next_calls_fail_as_told_and_then_no_more() -> None:
    stores = MemoryStores()
    stores.at(None).fail_next(Transient(reasons.THROTTLED, "Slow down"))
    with pytest.raises(Transient):
        stores.buckets(AWS).create(b.Bucket("b"))
    assert stores.buckets(AWS).observe("b") == Absent()


def test_a_capability_that_is_switched_off_shows_in_the_probe_and_in_what_breaks() -> None:
    stores = Memory(unsupported=frozenset({b.ENCRYPTION, b.OBJECT_OWNERSHIP}))
    buckets = stores.buckets(AWS)
    assert {found.name for found in buckets.probe("scratch") if found.verdict == "No"} == {b.ENCRYPTION, b.OBJECT_OWNERSHIP}
    buckets.create(b.Bucket("b"))
    buckets.update(b.Bucket("b", encryption="AES256"), ("encryption",))
    with pytest.raises(Terminal):
        stores.at(None).put_object("b")


def test_a_name_that_belongs_to_another_account_is_not_owned() -> None:
    stores = MemoryStores()
    stores.at(None).foreign_buckets.add("b")
    buckets = stores.buckets(AWS)
    assert buckets.observe("b") == Present(b.Bucket("b", is_of_other_account=True))
    with pytest.raises(Terminal) as made:
        buckets.create(b.Bucket("b"))
    assert made.value.reason == reasons.NOT_OWNED
    with pytest.raises(Transient) as written:
        buckets.update(b.Bucket("b", tags=(("a", "b"),)), ("tags",))
    assert written.value.reason == reasons.ACCESS_DENIED


def test_eight_threads_lose_nothing() -> None:
    stores = MemoryStores()

    def make(number: int) -> None:
        stores.identities(AWS).create(Principal(f"u{number}", "/"))
        stores.identities(AWS).create_key(f"u{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(200)))
    store = stores.at(None)
    assert len(store.users) == len(store.secrets) == len({key.id for user in store.users.values() for key in user.keys}) == 200
    assert len(store.calls) == 400
