"""Writes of a bucket with a last look before them: what came in between is somebody else's, and nothing is written or removed for it."""

from dataclasses import replace
from typing import Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import Bucket, Tags
from clouddatamesh.model.evidence import Present, Seen, Unknown
from clouddatamesh.model.identity import Connection
from clouddatamesh.model.store_operations import DeleteBucket
from clouddatamesh.reconcile.buckets import delete, empty, mark, rewrite_tags
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from clouddatamesh.storage.memory_buckets import MemoryBuckets

OURS: Final = (("clouddatamesh.dev/name", "orders"),)
THEIRS: Final = (("owner", "somebody"),)
WANT: Final = Bucket("acme-orders", tags=OURS)


class Odd(MemoryBuckets):
    """A store whose answers to some calls are given."""

    seen: Seen[Bucket] | None = None
    pages: tuple[str, ...] | None = None
    refuses: MeshError | None = None
    asked = 0

    def observe_marks(self, name: str) -> Seen[Bucket]:
        return super().observe_marks(name) if self.seen is None else self.seen

    def empty(self, name: str) -> str:
        self.asked += 1
        return super().empty(name) if self.pages is None else self.pages[self.asked - 1]

    def delete(self, name: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        super().delete(name)


def a_store(bucket: Bucket | None = None, *, objects: int = 0) -> tuple[MemoryStore, Odd]:
    store = MemoryStores().at("https://s3.test")
    if bucket is not None:
        store.put_bucket(bucket)
        store.buckets[bucket.name].versions = objects
    return store, Odd(store, Connection("us-east-1", "https://s3.test", access_key_id=store.root.id, secret_access_key=store.root.secret))


UNKNOWN: Final = Unknown(Transient(reasons.STORE_UNAVAILABLE, "It does not answer"))
FOREIGN: Final = Present(Bucket(WANT.name, is_of_other_account=True))


def test_a_bucket_that_was_just_made_is_marked() -> None:
    store, buckets = a_store(Bucket(WANT.name))
    mark(buckets, WANT)
    assert store.buckets[WANT.name].bucket.tags == OURS


@pytest.mark.parametrize(
    ("there", "seen", "reason"),
    [
        (None, None, reasons.NOT_VISIBLE_YET),
        (Bucket(WANT.name), UNKNOWN, reasons.NOT_VISIBLE_YET),
        (Bucket(WANT.name, tags=THEIRS), None, reasons.CONFLICT),
        (Bucket(WANT.name), FOREIGN, reasons.CONFLICT),
    ],
    ids=["not there", "not read", "marked by somebody else", "of another account"],
)
def test_a_bucket_that_is_not_as_it_was_made_is_not_marked(there: Bucket | None, seen: Seen[Bucket] | None, reason: str) -> None:
    store, buckets = a_store(there)
    buckets.seen = seen
    with pytest.raises(Transient) as told:
        mark(buckets, WANT)
    assert told.value.reason == reason
    assert [held.bucket.tags for held in store.buckets.values()] == ([there.tags] if there else [])


def test_a_bucket_that_somebody_filled_meanwhile_is_not_marked() -> None:
    store, buckets = a_store(Bucket(WANT.name), objects=1)
    with pytest.raises(Transient, match="was filled by somebody else") as told:
        mark(buckets, WANT)
    assert told.value.reason == reasons.CONFLICT
    assert store.buckets[WANT.name].bucket.tags == ()


def test_tags_are_written_over_what_was_read() -> None:
    store, buckets = a_store(Bucket(WANT.name, tags=THEIRS))
    rewrite_tags(buckets, WANT, THEIRS)
    assert store.buckets[WANT.name].bucket.tags == OURS


@pytest.mark.parametrize(
    ("tags", "seen"),
    [((), None), (OURS, None), (THEIRS, UNKNOWN), (THEIRS, Present(replace(FOREIGN.value, tags=THEIRS)))],
    ids=["taken off", "others", "not read", "of another account"],
)
def test_tags_that_changed_meanwhile_are_not_written_over(tags: Tags, seen: Seen[Bucket] | None) -> None:
    store, buckets = a_store(Bucket(WANT.name, tags=tags))
    buckets.seen = seen
    with pytest.raises(Transient, match="changed at the same time") as told:
        rewrite_tags(buckets, replace(WANT, tags=(("new", "1"),)), THEIRS)
    assert told.value.reason == reasons.CONFLICT
    assert store.buckets[WANT.name].bucket.tags == tags


def emptied(*pages: str) -> tuple[Odd, list[int]]:
    """A store that lists these pages, and how many of them were asked for at each check."""
    _, buckets = a_store(Bucket(WANT.name))
    buckets.pages = pages
    return buckets, []


@pytest.mark.parametrize(
    ("pages", "asked"), [(("a", ""), 2), (("a", "b", ""), 3), (("a", "b", "c", "d", "e"), 4)], ids=["one page", "two", "more than one look"]
)
def test_a_bucket_is_emptied_page_by_page_each_after_a_check(pages: tuple[str, ...], asked: int) -> None:
    buckets, checks = emptied(*pages)
    empty(buckets, WANT.name, lambda: checks.append(buckets.asked))
    assert (buckets.asked, checks) == (asked, list(range(asked)))


@pytest.mark.parametrize(
    ("pages", "why"),
    [(("", "a"), "lists nothing to remove"), (("a", "a"), "still lists what was removed"), (("a", "b", "b"), "still lists")],
    ids=["lists nothing at once", "lists the same", "lists the same later"],
)
def test_a_bucket_that_does_not_get_empty_is_looked_at_with_pauses(pages: tuple[str, ...], why: str) -> None:
    buckets, _ = emptied(*pages)
    with pytest.raises(Transient, match=why) as told:
        empty(buckets, WANT.name, lambda: None)
    assert told.value.reason == reasons.BUCKET_NOT_EMPTY


def test_nothing_is_removed_once_the_check_fails() -> None:
    store, buckets = a_store(Bucket(WANT.name), objects=1500)
    left: list[int] = []

    def check() -> None:
        left.append(store.buckets[WANT.name].versions)
        if len(left) > 1:
            raise Transient(reasons.CONFLICT, "It is kept")

    with pytest.raises(Transient, match="It is kept"):
        empty(buckets, WANT.name, check)
    assert left == [1500, 500] and store.buckets[WANT.name].versions == 500


@pytest.mark.parametrize(
    ("reason", "way_out", "kind", "told"),
    [
        (reasons.BUCKET_NOT_EMPTY, "", Transient, "it is asked again"),
        (reasons.BUCKET_NOT_EMPTY, "leave it", Terminal, "or leave it"),
        (reasons.STORE_REFUSED, "", Terminal, "As it was said"),
        (reasons.STORE_REFUSED, "leave it", Terminal, "As it was said"),
    ],
    ids=["at first", "for long", "for another reason", "for another reason for long"],
)
def test_a_store_that_refuses_to_delete_is_told_of(reason: str, way_out: str, kind: type[MeshError], told: str) -> None:
    _, buckets = a_store(Bucket(WANT.name))
    buckets.refuses = Terminal(reason, "As it was said")
    with pytest.raises(kind, match=told) as raised:
        delete(buckets, DeleteBucket(WANT.name, way_out=way_out))
    assert (type(raised.value), raised.value.reason) == (kind, reason)


def test_an_empty_bucket_is_deleted() -> None:
    store, buckets = a_store(Bucket(WANT.name))
    delete(buckets, DeleteBucket(WANT.name))
    assert store.buckets == {}
