"""The fake's ways to lag and lie: late reads, lost answers, refusals and another account, as the laws are held over them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.ports import BucketStore, Identities
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from clouddatamesh.storage.memory_store import epoch
from tests.support.evidence import error_of, seen

AWS = Connection("eu-central-1", settings=frozenset(b.CAPABILITIES))
TAGS = (("a", "b"),)
USER = Principal("u", "/clouddatamesh/acme/", policy=(b.Statement("clouddatameshRead", "Allow", ("s3:GetObject",), ("arn:aws:s3:::b/*",)),))


class Clock:
    def __init__(self) -> None:
        self.time = epoch()

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(clock: Clock) -> MemoryStores:
    return MemoryStores(now=clock.now)


@pytest.fixture
def store(stores: MemoryStores) -> MemoryStore:
    return stores.at(None)


@pytest.fixture
def buckets(stores: MemoryStores) -> BucketStore:
    return stores.buckets(AWS)


@pytest.fixture
def identities(stores: MemoryStores) -> Identities:
    return stores.identities(AWS)


def test_what_is_read_of_buckets_is_so_many_calls_old(store: MemoryStore, buckets: BucketStore) -> None:
    store.lag_buckets(3)
    buckets.create(b.Bucket("b"))
    assert [buckets.observe("b") == Absent() for _ in range(4)] == [True, True, False, False]
    buckets.update(b.Bucket("b", tags=TAGS), ("tags",))
    assert [seen(buckets.observe("b")).tags for _ in range(4)] == [(), (), TAGS, TAGS]
    buckets.delete("b")
    assert [buckets.observe("b") == Absent() for _ in range(3)] == [False, False, True]


def test_what_is_written_meets_what_is_there(store: MemoryStore, buckets: BucketStore) -> None:
    """A store whose reads are late still refuses a second bucket, and writes what it never showed."""
    store.lag_buckets(100)
    buckets.create(b.Bucket("b"))
    with pytest.raises(Transient) as caught:
        buckets.create(b.Bucket("b"))
    assert caught.value.reason == reasons.CONFLICT
    buckets.update(b.Bucket("b", tags=TAGS), ("tags",))
    assert buckets.observe("b") == Absent()
    store.lag_buckets(0)
    assert seen(buckets.observe("b")).tags == TAGS


def test_what_is_read_of_users_is_late_whatever_happens_to_buckets(
    store: MemoryStore, buckets: BucketStore, identities: Identities
) -> None:
    store.lag_users(2)
    identities.create(USER)
    for _ in range(5):
        buckets.observe("b")
    assert (identities.observe("u"), identities.list("/clouddatamesh/")) == (Absent(), ("u",))
    identities.put_policy(USER)
    key = identities.create_key("u")
    assert [(user.policy, user.keys) for user in (seen(identities.observe("u")),)] == [(USER.policy, ())]
    assert [held.id for held in seen(identities.observe("u")).keys] == [key.id]


def test_a_user_that_exists_and_does_not_show_is_waited_for(store: MemoryStore, identities: Identities) -> None:
    store.lag_users(2)
    identities.create(USER)
    with pytest.raises(Transient):
        identities.create(USER)
    identities.create(USER)
    assert len(store.users) == 1


def test_the_quota_of_keys_counts_keys_that_do_not_show(store: MemoryStore, identities: Identities) -> None:
    identities.create(USER)
    store.lag_users(100)
    for _ in range(2):
        identities.create_key("u")
    assert seen(identities.observe("u")).keys == ()
    with pytest.raises(Transient) as caught:
        identities.create_key("u")
    assert caught.value.reason == reasons.LIMIT_EXCEEDED


def test_reads_can_be_late_by_time(store: MemoryStore, clock: Clock, identities: Identities) -> None:
    store.lag_users(timedelta(seconds=5))
    identities.create(USER)
    for seconds, shows in ((0, False), (4, False), (1, True), (60, True)):
        clock.time += timedelta(seconds=seconds)
        assert (identities.observe("u") != Absent()) == shows
    identities.delete("u")
    assert identities.observe("u") != Absent()
    clock.time += timedelta(seconds=5)
    assert identities.observe("u") == Absent()


def test_a_write_whose_answer_is_lost_is_done(store: MemoryStore, buckets: BucketStore, identities: Identities) -> None:
    store.lose_answers(2)
    acts: tuple[Callable[[], None], ...] = (lambda: buckets.create(b.Bucket("b")), lambda: identities.create(USER))
    for act in acts:
        with pytest.raises(Transient) as caught:
            act()
        assert caught.value.reason == reasons.STORE_UNAVAILABLE
    assert (buckets.observe("b") != Absent(), identities.observe("u") != Absent()) == (True, True)
    identities.create_key("u")
    store.lose_answers()
    with pytest.raises(Transient):
        identities.create_key("u")
    assert len(seen(identities.observe("u")).keys) == 2


@pytest.mark.parametrize("verb", ["create", "update", "delete", "count", "empty", "probe", "account"])
def test_what_is_refused_is_refused_until_it_is_allowed(store: MemoryStore, buckets: BucketStore, verb: str) -> None:
    store.put_bucket(b.Bucket("b"))
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: buckets.create(b.Bucket("new")),
        "update": lambda: buckets.update(b.Bucket("b", tags=TAGS), ("tags",)),
        "delete": lambda: buckets.delete("b"),
        "count": lambda: buckets.count("b"),
        "empty": lambda: buckets.empty("b"),
        "probe": lambda: buckets.probe("scratch"),
        "account": buckets.account,
    }
    store.refuse(verb)
    before = dict(store.buckets)
    with pytest.raises(MeshError) as caught:
        acts[verb]()
    assert caught.value.reason == reasons.ACCESS_DENIED
    assert store.buckets == before
    store.allow(verb)
    acts[verb]()


def test_a_refusal_may_be_about_one_name(store: MemoryStore, identities: Identities) -> None:
    for name in ("u", "v"):
        identities.create(Principal(name, "/"))
    store.refuse("observe user", name="u")
    assert error_of(identities.observe("u")).reason == reasons.ACCESS_DENIED
    assert seen(identities.observe("v")).name == "v"


def test_another_account_has_other_users_and_none_of_our_buckets(store: MemoryStore, buckets: BucketStore, identities: Identities) -> None:
    buckets.create(b.Bucket("b"))
    identities.create(USER)
    first = buckets.account()
    store.switch_account("other")
    assert buckets.account() != first
    assert (identities.observe("u"), identities.list("/")) == (Absent(), ())
    assert buckets.observe("b") == Present(b.Bucket("b", is_of_other_account=True))
    with pytest.raises(Terminal) as caught:
        buckets.create(b.Bucket("b"))
    assert caught.value.reason == reasons.NOT_OWNED
    acts: tuple[Callable[[], object], ...] = (
        lambda: buckets.update(b.Bucket("b", tags=TAGS), ("tags",)),
        lambda: buckets.delete("b"),
        lambda: buckets.empty("b"),
    )
    for act in acts:
        with pytest.raises(Transient):
            act()
    buckets.create(b.Bucket("c"))
    store.switch_account(first.id)
    assert (seen(buckets.observe("b")).name, seen(identities.observe("u")).name) == ("b", "u")
    assert buckets.observe("c") == Present(b.Bucket("c", is_of_other_account=True))


def test_a_probe_keeps_its_bucket_and_tells_nothing_of_what_is_unclear(store: MemoryStore, buckets: BucketStore) -> None:
    store.unclear |= {b.ENCRYPTION}
    assert {found.name: found.verdict for found in buckets.probe("scratch") if found.verdict != "Yes"} == {b.ENCRYPTION: "Unclear"}
    store.unclear.clear()
    assert {found.verdict for found in buckets.probe("scratch")} == {"Yes"}
    assert seen(buckets.observe("scratch")).tags == (("clouddatamesh.dev/probe", "true"),)
    store.foreign_buckets.add("theirs")
    assert {found.verdict for found in buckets.probe("theirs")} == {"Unclear"}


def test_a_twin_begins_where_a_store_stands_and_goes_its_own_way(stores: MemoryStores, store: MemoryStore, buckets: BucketStore) -> None:
    buckets.create(b.Bucket("b"))
    store.refuse("probe")
    twins = MemoryStores()
    twins.take_over(stores)
    twin = twins.buckets(AWS)
    twin.update(b.Bucket("b", tags=TAGS), ("tags",))
    twins.at(None).allow()
    assert (seen(buckets.observe("b")).tags, seen(twin.observe("b")).tags) == ((), TAGS)
    with pytest.raises(Transient):
        buckets.probe("scratch")
    assert twin.probe("scratch")
