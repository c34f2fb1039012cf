"""What a bucket holds: counted, emptied page by page, and never lost by deleting the bucket."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent
from tests.contract.stores import Subject, counted, subject_of
from tests.contract.worlds import World, fresh

ODD = ("a b/&<>é", "plus+%20", "x\u2028y", "q'\"", "dot/../x", "-", "tab\there")
UNSPEAKABLE = ("return\rhere", "bell\x07here", "end\uffffhere")
"""What XML cannot carry."""
MANY = 1010
MARK = (("clouddatamesh.dev/probe", "true"),)


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    return subject_of(world, request)


def versioned(subject: Subject) -> str:
    subject.need(b.VERSIONING)
    name = subject.bucket()
    subject.buckets.update(b.Bucket(name, versioning="Enabled"), ("versioning",))
    return name


def test_versions_markers_and_uploads_are_counted_and_emptied(subject: Subject) -> None:
    name = versioned(subject)
    for key in ("one", "one", "two"):
        subject.hand.put_object(name, key)
    subject.hand.delete_object(name, "one")
    subject.hand.start_upload(name)
    assert subject.buckets.count(name) == b.Contents(versions=3, delete_markers=1, uploads=1)
    assert subject.buckets.empty(name)
    assert subject.buckets.empty(name) == ""
    assert subject.buckets.count(name).empty
    subject.buckets.delete(name)
    assert subject.buckets.observe(name) == Absent()


def test_without_versions_an_object_is_one_thing(subject: Subject) -> None:
    name = subject.bucket()
    for key in ("one", "one", "two"):
        subject.hand.put_object(name, key)
    assert subject.buckets.count(name) == b.Contents(versions=2)
    subject.hand.delete_object(name, "one")
    assert subject.buckets.count(name) == b.Contents(versions=1)


@pytest.mark.parametrize("hold", ["version", "marker"])
def test_a_bucket_that_holds_anything_is_not_deleted(subject: Subject, hold: str) -> None:
    name = versioned(subject)
    subject.hand.put_object(name, "one")
    if hold == "marker":
        subject.hand.delete_object(name, "one")
    with pytest.raises(Terminal) as caught:
        subject.buckets.delete(name)
    assert caught.value.reason == reasons.BUCKET_NOT_EMPTY
    assert not subject.buckets.count(name).empty


def test_keys_with_odd_characters_are_removed(subject: Subject) -> None:
    name = versioned(subject)
    for key in ODD:
        subject.hand.put_object(name, key)
        subject.hand.delete_object(name, key)
    assert subject.buckets.count(name) == b.Contents(versions=len(ODD), delete_markers=len(ODD))
    assert subject.buckets.empty(name)
    assert subject.buckets.count(name).empty


def test_keys_that_xml_cannot_carry_are_removed(subject: Subject, request: pytest.FixtureRequest) -> None:
    if "moto" in request.node.name:
        pytest.skip("moto cannot list such keys")
    name = versioned(subject)
    for key in ("a", *UNSPEAKABLE):
        subject.hand.put_object(name, key)
        subject.hand.delete_object(name, key)
    assert subject.buckets.count(name) == b.Contents(versions=4, delete_markers=4)
    assert subject.buckets.empty(name)
    assert subject.buckets.count(name).empty


def test_emptying_stops_after_a_page_and_goes_on(subject: Subject) -> None:
    name = versioned(subject)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: subject.hand.put_object(name, f"key-{number % 100}"), range(MANY)))
    first = subject.buckets.count(name)
    assert first.more and 0 < first.versions <= 1000, "counted no further than a page"
    pages = [subject.buckets.empty(name)]
    with counted(subject) as (same, requests):
        left = same.buckets.count(name)
        assert 1 <= requests() <= 2
    assert MANY - 1000 <= left.versions < MANY, "a store's page may be shorter than what was asked for"
    while page := subject.buckets.empty(name):
        pages.append(page)
    assert len(set(pages)) == len(pages) > 1, "each begins otherwise"
    assert subject.buckets.count(name).empty


def test_emptying_what_is_empty_or_absent_is_done(subject: Subject) -> None:
    assert subject.buckets.empty(subject.bucket()) == ""
    assert subject.buckets.empty(fresh()) == ""


def test_an_absent_bucket_holds_nothing_and_is_deleted_already(subject: Subject) -> None:
    name = fresh()
    assert subject.buckets.count(name) == b.Contents()
    subject.buckets.delete(name)


def test_the_probe_has_a_verdict_for_every_capability_and_leaves_an_empty_bucket_of_its_own(subject: Subject) -> None:
    scratch = fresh()
    found = subject.buckets.probe(scratch)
    assert [verdict.name for verdict in found] == sorted(b.CAPABILITIES)
    assert {verdict.name for verdict in found if verdict.verdict == "Yes"} == subject.able
    assert all(verdict.verdict == "Yes" or verdict.message for verdict in found)
    assert (subject.read(scratch).tags, subject.buckets.count(scratch)) == (MARK, b.Contents())
    assert subject.identities.observe(scratch[:60]) == Absent()


def test_the_probe_starts_again_where_another_was_interrupted(subject: Subject) -> None:
    scratch = versioned(subject)
    assert {verdict.name for verdict in subject.buckets.probe(scratch) if verdict.verdict == "Yes"} == subject.able
    assert subject.read(scratch).tags == MARK


def test_the_probe_touches_no_bucket_in_which_somebody_has_objects(subject: Subject) -> None:
    scratch = subject.bucket()
    subject.hand.put_object(scratch, "theirs")
    found = subject.buckets.probe(scratch)
    assert {verdict.verdict for verdict in found} == {"Unclear"}
    assert all(scratch in verdict.message and "remove it" in verdict.message for verdict in found)
    assert subject.buckets.count(scratch) == b.Contents(versions=1)
