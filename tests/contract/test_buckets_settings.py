"""The BucketStore port: what is written is what is read, only what is named is touched, and what is foreign stays."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent
from tests.contract.stores import EVERYTHING, Subject, counted, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import error_of

WANT = b.Bucket(
    "any",
    tags=(("clouddatamesh.dev/mesh", "acme"), ("cost-center", "47 11+ä")),
    public_access_blocked=True,
    ownership_enforced=True,
    policy=(),
    encryption="AES256",
    versioning="Enabled",
    lifecycle=(
        b.LifecycleRule("clouddatamesh-all", "", abort_uploads_days=3),
        b.LifecycleRule("clouddatamesh-tmp", "tmp/", 7, 30, 3),
    ),
)
PATHS: tuple[tuple[b.BucketPath, str, str], ...] = (
    ("tags", "tags", b.TAGS),
    ("publicAccessBlock", "public_access_blocked", ""),
    ("ownership", "ownership_enforced", b.OBJECT_OWNERSHIP),
    ("policy", "policy", ""),
    ("encryption", "encryption", ""),
    ("versioning", "versioning", b.VERSIONING),
    ("lifecycle", "lifecycle", b.LIFECYCLE),
)


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    return subject_of(world, request)


def statement(bucket: str, sid: str = "clouddatameshNoWebsite") -> b.Statement:
    """A statement with everything in it that harms nobody."""
    resources = (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")
    condition = ("StringEquals", "aws:PrincipalTag/team", ("a", "b"))
    return b.Statement(sid, "Deny", ("s3:DeleteBucketWebsite", "s3:PutBucketWebsite"), resources, ("*",), (condition,))


def wanted(name: str) -> b.Bucket:
    return replace(WANT, name=name, policy=(statement(name),))


def test_an_absent_bucket_is_none_after_one_request(subject: Subject) -> None:
    with counted(subject) as (same, requests):
        assert same.buckets.observe(fresh()) == Absent()
        assert requests() == 1


def test_a_new_bucket_has_nothing_set(subject: Subject) -> None:
    found = subject.read(subject.bucket())
    assert (found.tags, found.policy, found.lifecycle, found.versioning) == ((), (), (), "Off")
    assert (found.public_access_blocked, found.ownership_enforced, found.foreign_statements, found.foreign_rules) == (False, False, (), ())


def test_making_a_bucket_again_changes_nothing(subject: Subject) -> None:
    name = subject.bucket()
    subject.buckets.update(wanted(name), ("tags", "versioning"))
    before = subject.read(name)
    with suppress(Transient):
        subject.buckets.create(b.Bucket(name))
    assert subject.read(name) == before


@pytest.mark.parametrize(("path", "attribute", "capability"), PATHS, ids=[path for path, *_ in PATHS])
def test_what_is_written_is_what_is_read_and_nothing_else_moves(
    subject: Subject, path: b.BucketPath, attribute: str, capability: str
) -> None:
    """A store that cannot do it refuses the setting, or takes it and does not heed it."""
    name = subject.bucket()
    before, want = subject.read(name), wanted(name)
    try:
        subject.buckets.update(want, (path,))
    except Terminal as error:
        assert (error.reason, capability not in ("", *subject.able)) == (reasons.STORE_REFUSED, True)
        return
    assert subject.read(name) == replace(before, **{attribute: getattr(want, attribute)})


def test_writing_the_same_again_reads_the_same(subject: Subject) -> None:
    name = subject.bucket()
    paths: b.Delta = ("tags", "policy", "versioning", "lifecycle")
    subject.buckets.update(wanted(name), paths)
    first = subject.read(name)
    subject.buckets.update(first, paths)
    assert subject.read(name) == first


@pytest.mark.parametrize("path", ["tags", "publicAccessBlock", "policy", "lifecycle"])
def test_what_is_taken_back_reads_as_if_it_never_was(subject: Subject, path: b.BucketPath) -> None:
    name = subject.bucket()
    before = subject.read(name)
    subject.buckets.update(wanted(name), (path,))
    subject.buckets.update(before, (path,))
    assert subject.read(name) == before


def test_versions_once_kept_are_suspended(subject: Subject) -> None:
    name = subject.bucket()
    subject.buckets.update(wanted(name), ("versioning",))
    subject.buckets.update(replace(wanted(name), versioning="Off"), ("versioning",))
    assert subject.read(name).versioning == "Suspended"


def test_foreign_statements_stay_when_ours_come_and_go(subject: Subject) -> None:
    name = subject.bucket()
    theirs = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:PutBucketWebsite", "Resource": f"arn:aws:s3:::{name}"}
    foreign = (json.dumps(theirs | {"Sid": "theirs"}, sort_keys=True), json.dumps(theirs, sort_keys=True))
    subject.buckets.update(b.Bucket(name, policy=(), foreign_statements=foreign), ("policy",))
    kept = subject.read(name).foreign_statements
    assert len(kept) == 2
    subject.buckets.update(replace(wanted(name), foreign_statements=kept), ("policy",))
    assert subject.read(name).policy == (statement(name),)
    subject.buckets.update(b.Bucket(name, policy=(), foreign_statements=kept), ("policy",))
    assert (subject.read(name).policy, subject.read(name).foreign_statements) == ((), kept)


def test_foreign_rules_stay_when_ours_come_and_go(subject: Subject) -> None:
    name = subject.bucket()
    dated = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Date": "2031-01-01T00:00:00+00:00"}}
    off = {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2}}
    foreign = tuple(sorted(json.dumps(rule, sort_keys=True) for rule in (dated, off)))
    subject.buckets.update(b.Bucket(name, lifecycle=(), foreign_rules=foreign), ("lifecycle",))
    kept = subject.read(name).foreign_rules
    assert [json.loads(rule)["ID"] for rule in kept] == [json.loads(rule)["ID"] for rule in foreign]
    subject.buckets.update(replace(wanted(name), foreign_rules=kept), ("lifecycle",))
    assert (subject.read(name).lifecycle, subject.read(name).foreign_rules) == (WANT.lifecycle, kept)
    subject.buckets.update(b.Bucket(name, lifecycle=(), foreign_rules=kept), ("lifecycle",))
    assert (subject.read(name).lifecycle, subject.read(name).foreign_rules) == ((), kept)


def test_the_witness_of_an_owner_is_kept_as_written_with_everything_else(subject: Subject) -> None:
    """A rule that is off, for a prefix that nobody uses: it says whose the bucket is where its tags are lost."""
    subject.need(b.LIFECYCLE)
    name = subject.bucket()
    witness = b.LifecycleRule("clouddatamesh-owner-0a1b2c3d-0000-4000-8000-0123456789ab", "clouddatamesh.dev/none/", 36500, enabled=False)
    foreign = json.dumps({"ID": "x", "Status": "Disabled", "Filter": {"Prefix": "y/"}, "Expiration": {"Days": 2}}, sort_keys=True)
    want = b.Bucket(name, lifecycle=(*(WANT.lifecycle or ()), witness), foreign_rules=(foreign,))
    subject.buckets.update(want, ("lifecycle",))
    found = subject.read(name)
    assert sorted(found.lifecycle or ()) == sorted(want.lifecycle or ())
    assert witness in (found.lifecycle or ())
    subject.buckets.update(replace(found, tags=()), ("lifecycle", "tags"))
    assert subject.read(name) == found


def test_settings_that_the_connection_does_not_name_are_not_read(subject: Subject) -> None:
    name = subject.bucket()
    subject.buckets.update(wanted(name), ("tags", "policy", "versioning"))
    with counted(subject.with_(settings=frozenset())) as (blind, requests):
        assert blind.read(name) == b.Bucket(name, tags=WANT.tags)
        assert requests() == 1


def test_a_whole_bucket_is_read_with_at_most_seven_requests(subject: Subject) -> None:
    name = subject.bucket()
    with counted(subject) as (same, requests):
        same.read(name)
        assert 1 <= requests() <= 1 + len(EVERYTHING - {b.TAGS}) == 7


def test_one_setting_is_one_request(subject: Subject) -> None:
    name = subject.bucket()
    with counted(subject) as (same, requests):
        same.buckets.update(wanted(name), ("tags",))
        assert requests() == 1


def test_a_setting_of_an_absent_bucket_is_not_written_and_not_final(subject: Subject) -> None:
    name = fresh()
    with pytest.raises(Transient):
        subject.buckets.update(wanted(name), ("tags",))
    assert subject.buckets.observe(name) == Absent()


def test_an_owner_that_is_not_the_expected_one_proves_nothing_of_a_bucket_in_our_list(subject: Subject) -> None:
    subject.need(b.EXPECTED_OWNER)
    name = subject.bucket()
    stranger = subject.with_(expected_owner="000000000000")
    error = error_of(stranger.buckets.observe(name))
    assert (type(error), error.reason) == (Transient, reasons.ACCESS_DENIED)
    assert name in error.message
    with pytest.raises(Transient):
        stranger.buckets.update(wanted(name), ("tags",))
    assert subject.read(name).tags == ()


def test_with_the_right_owner_expected_all_is_as_without(subject: Subject) -> None:
    subject.need(b.EXPECTED_OWNER)
    owner = subject.with_(expected_owner=subject.buckets.account().id)
    name = owner.bucket()
    owner.buckets.update(wanted(name), ("tags",))
    assert owner.read(name) == subject.read(name)
    assert owner.buckets.observe(fresh()) == Absent()
    assert owner.buckets.empty(name) == ""
    owner.buckets.delete(name)
    assert subject.buckets.observe(name) == Absent()


def test_the_account_is_named_and_stays(subject: Subject) -> None:
    assert subject.buckets.account().id
    assert subject.buckets.account() == subject.buckets.account()


def test_wrong_keys_are_told_apart_from_what_they_ask_for(subject: Subject) -> None:
    secret = "w" * 40
    for wrong in (subject.with_(secret_access_key=secret), subject.with_(access_key_id="AKIAWRONGWRONGWRONG1", secret_access_key=secret)):
        with pytest.raises(Terminal) as caught:
            wrong.buckets.account()
        for error in (caught.value, error_of(wrong.buckets.observe(fresh()))):
            assert (type(error), error.reason) == (Terminal, reasons.CREDENTIALS_INVALID)
            assert secret not in error.message
            assert "AKIAWRONG" not in error.message


def test_eight_at_once_do_not_disturb_each_other(subject: Subject) -> None:
    def make(_: int) -> bool:
        name = subject.bucket()
        want = replace(wanted(name), tags=(("name", name),))
        subject.buckets.update(want, ("tags", "policy", "versioning", "lifecycle"))
        found = subject.read(name)
        subject.buckets.delete(name)
        return (found.tags, found.policy, found.versioning) == (want.tags, want.policy, want.versioning)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(make, range(24)))
