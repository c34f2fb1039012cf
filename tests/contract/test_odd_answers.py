"""Somebody else answers in the store's place, as if all were well: a proxy's page, a health check, nothing. That is no evidence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.storage import s3
from clouddatamesh.storage.memory import MemoryStores
from clouddatamesh.storage.scratch import Patience
from tests.contract.stores import Subject, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen
from tests.support.fault_proxy import FaultProxy, Rule

XHTML: Final = b"<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>"
PAGES: Final = {
    "a page that is XML": XHTML,
    "a page with a declaration": b'<?xml version="1.0"?>\n<!-- maintenance -->\n<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    "a page that is no XML": b"<html><head><meta charset=utf-8><body><p>Back soon<br>",
    "a health check": b'{"status": "ok"}',
    "words": b"OK",
    "nothing": b"",
    "another answer of S3": b'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>',
}
SETTINGS: Final = {
    "GetBucketTagging": "",
    "GetBucketPolicy": b.TLS_ONLY,
    "GetBucketEncryption": b.ENCRYPTION,
    "GetBucketVersioning": b.VERSIONING,
    "GetBucketLifecycle": b.LIFECYCLE,
    "GetPublicAccessBlock": b.BLOCK_PUBLIC_ACCESS,
    "GetOwnershipControls": b.OBJECT_OWNERSHIP,
}
OF_USERS: Final = ("GetUser", "ListUserPolicies", "GetUserPolicy", "ListAccessKeys", "ListAttachedUserPolicies", "ListGroupsForUser")


@pytest.fixture
def proxy(world: World) -> Iterator[FaultProxy]:
    if isinstance(world.stores, MemoryStores):
        pytest.skip("the fake speaks no HTTP")
    with FaultProxy(world.connection.endpoint or "") as found:
        yield found


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest, proxy: FaultProxy) -> Subject:
    return subject_of(world, request).with_(endpoint=proxy.endpoint, iam_endpoint=proxy.endpoint, settings=frozenset())


def is_unknown(found: object) -> bool:
    return isinstance(found, Unknown) and isinstance(found.error, Transient) and found.error.reason == reasons.STORE_UNAVAILABLE


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("action", SETTINGS)
def test_what_is_answered_by_somebody_else_is_not_a_setting_that_is_not_there(
    subject: Subject, proxy: FaultProxy, action: str, page: str
) -> None:
    subject = subject.with_(settings=frozenset(filter(None, [SETTINGS[action]])))
    name = subject.bucket()
    subject.buckets.update(b.Bucket(name, tags=(("a", "b"),)), ("tags",))
    if not isinstance(subject.buckets.observe(name), Present):
        pytest.skip("the store does not know this setting")
    before = subject.read(name)
    rule = proxy.add(Rule(action, shows=PAGES[page]))
    assert is_unknown(subject.buckets.observe(name))
    assert rule.used
    proxy.lift(rule)
    assert subject.read(name) == before


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("action", ["GetObjectVersions", "GetUploads"])
def test_what_is_answered_by_somebody_else_is_not_an_empty_bucket(subject: Subject, proxy: FaultProxy, action: str, page: str) -> None:
    name = subject.bucket()
    subject.hand.put_object(name, "one")
    subject.hand.start_upload(name)
    proxy.add(Rule(action, shows=PAGES[page]))
    with pytest.raises(Transient):
        subject.buckets.count(name)
    with pytest.raises(Transient):
        subject.buckets.empty(name)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_answered_by_somebody_else_was_not_removed(subject: Subject, proxy: FaultProxy, page: str) -> None:
    name = subject.bucket()
    subject.hand.put_object(name, "one")
    rule = proxy.add(Rule("DeleteObjects", shows=PAGES[page]))
    with pytest.raises(Transient):
        subject.buckets.empty(name)
    proxy.lift(rule)
    assert subject.buckets.count(name).versions == 1


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("action", ["GetBucketAcl", "GetBucketWebsite", "GetBucketPolicy"])
def test_what_is_answered_by_somebody_else_is_not_a_closed_bucket(subject: Subject, proxy: FaultProxy, action: str, page: str) -> None:
    name = subject.bucket()
    proxy.add(Rule(action, shows=PAGES[page]))
    with pytest.raises(Transient):
        subject.buckets.find_openings(name)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("action", OF_USERS)
def test_what_is_answered_by_somebody_else_is_not_a_user_without_rights_or_keys(
    subject: Subject, proxy: FaultProxy, action: str, page: str
) -> None:
    subject = subject.with_(settings=frozenset({b.ATTACHED_POLICIES, b.GROUPS}))
    user = a_user(subject)
    before = seen(subject.identities.observe(user))
    rule = proxy.add(Rule(action, shows=PAGES[page]))
    assert is_unknown(subject.identities.observe(user))
    assert rule.used
    proxy.lift(rule)
    assert subject.identities.observe(user) == Present(before)


def a_user(subject: Subject) -> str:
    name = fresh("odd")
    statement = b.Statement(f"{PREFIX}Read", "Allow", ("s3:GetObject",), ("arn:aws:s3:::odd/*",))
    subject.identities.create(Principal(name, "/odd/"))
    subject.identities.put_policy(Principal(name, "/odd/", policy=(statement,)))
    subject.identities.create_key(name)
    return name


@pytest.mark.parametrize("page", PAGES)
def test_what_is_answered_by_somebody_else_is_not_a_store_without_users(subject: Subject, proxy: FaultProxy, page: str) -> None:
    proxy.add(Rule("ListUsers", shows=PAGES[page]))
    with pytest.raises(Transient):
        subject.identities.list("/odd/")


@pytest.mark.parametrize("page", ["a page that is XML", "a page that is no XML"])
def test_what_is_written_to_somebody_else_was_not_written(subject: Subject, proxy: FaultProxy, page: str) -> None:
    name, user = subject.bucket(), a_user(subject)
    (key,) = seen(subject.identities.observe(user)).keys
    acts: dict[str, Callable[[], object]] = {
        "DeleteBucket": lambda: subject.buckets.delete(name),
        "CreateBucket": lambda: subject.buckets.create(b.Bucket(fresh())),
        "PutBucketTagging": lambda: subject.buckets.update(b.Bucket(name, tags=(("c", "d"),)), ("tags",)),
        "DeleteAccessKey": lambda: subject.identities.delete_key(user, key.id),
        "UpdateAccessKey": lambda: subject.identities.disable_key(user, key.id),
        "DeleteUserPolicy": lambda: subject.identities.delete_policy(user, PREFIX),
        "DeleteUser": lambda: subject.identities.delete(user),
        "CreateAccessKey": lambda: subject.identities.create_key(user),
    }
    for action, act in acts.items():
        rule = proxy.add(Rule(action, shows=PAGES[page]))
        with pytest.raises(MeshError) as caught:
            act()
        assert isinstance(caught.value, Transient), action
        assert rule.used, action
        proxy.lift(rule)
    assert subject.buckets.observe(name) != Absent()
    assert seen(subject.identities.observe(user)).keys == (key,)


@pytest.mark.parametrize("page", ["a page that is XML", "nothing"])
def test_a_probe_that_somebody_else_answers_proves_nothing(subject: Subject, proxy: FaultProxy, page: str) -> None:
    rules = [proxy.add(Rule(action, shows=PAGES[page])) for action in SETTINGS]
    found = subject.buckets.probe(fresh("probe"))
    assert {one.verdict for one in found if one.name in SETTINGS.values()} <= {"Unclear", "No", "Unseen"}
    proxy.lift(*rules)


LISTING: Final = b'<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>'
"""RGW lists the bucket where it does not know the question."""


def test_a_store_that_knows_no_ownership_and_lists_the_bucket_has_none(subject: Subject, proxy: FaultProxy) -> None:
    subject = subject.with_(settings=frozenset({b.OBJECT_OWNERSHIP}))
    name = subject.bucket()
    proxy.add(Rule("GetOwnershipControls", shows=LISTING))
    assert subject.read(name).ownership_enforced is False


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe tries as often as ever, and waits for nothing."""
    monkeypatch.setattr(s3, "Patience", lambda _sleep: Patience(lambda _seconds: None))


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize("action", [action for action in SETTINGS if action != "GetBucketTagging"])
def test_a_setting_that_cannot_be_read_keeps_a_probe_from_cleaning_nothing_else(subject: Subject, proxy: FaultProxy, action: str) -> None:
    scratch = fresh("probe")
    proxy.add(Rule(action, shows=LISTING))
    subject.buckets.probe(scratch)
    assert subject.buckets.count(scratch).empty


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("action", "shown"),
    [*((action, LISTING) for action in SETTINGS), *((action, XHTML) for action in ("GetBucketPolicy", "GetBucketVersioning"))],
)
def test_one_question_that_a_store_does_not_know_spoils_no_other_capability(
    subject: Subject, proxy: FaultProxy, action: str, shown: bytes
) -> None:
    """A gateway that lists the bucket, or a firewall that answers for one path: in the first probe of a bucket and in the next."""
    scratch, concerned = fresh("probe"), SETTINGS[action] or b.TAGS
    left_out = {concerned, b.EXPECTED_OWNER} if action == "GetBucketVersioning" else {concerned}  # an owner is tried by that question
    before = {one.name: one.verdict for one in subject.buckets.probe(fresh("probe"))}
    proxy.add(Rule(action, shows=shown))
    for _ in range(2):
        found = {one.name: one.verdict for one in subject.buckets.probe(scratch)}
        assert found[concerned] != "Yes"
        assert [name for name, verdict in found.items() if verdict != before[name] and name not in left_out] == []


def test_a_policy_that_is_the_stores_and_cannot_be_read_is_still_said_to_be(subject: Subject, proxy: FaultProxy) -> None:
    name = subject.bucket()
    proxy.add(Rule("GetBucketPolicy", shows=b'{"Version": "2012-10-17", "Statement": 7}'))
    found = replace(subject, connection=replace(subject.connection, settings=frozenset({b.TLS_ONLY}))).buckets.observe(name)
    assert isinstance(found, Unknown) and isinstance(found.error, Terminal)
