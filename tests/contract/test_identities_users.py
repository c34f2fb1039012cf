"""The Identities port: a user under its path, one policy, its keys; what is absent is removed already."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model.bucket import IDENTITIES, PREFIX, Statement
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.identity import Principal
from tests.contract.stores import Subject, counted, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

PATH = "/clouddatamesh/acme/"
TAGS = (("clouddatamesh.dev/mesh", "acme"), ("clouddatamesh.dev/name", "orders"))


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    subject = subject_of(world, request)
    subject.need(IDENTITIES)
    return subject


def principal(name: str, path: str = PATH) -> Principal:
    policy = (
        Statement(f"{PREFIX}List", "Allow", ("s3:ListBucket",), ("arn:aws:s3:::b",), (), (("StringLike", "s3:prefix", ("d/*",)),)),
        Statement(f"{PREFIX}Objects", "Allow", ("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::b/d/*",)),
    )
    return Principal(name, path, tags=TAGS, policy=policy)


def made(subject: Subject) -> Principal:
    want = principal(fresh())
    subject.identities.create(want)
    return want


def read(subject: Subject, name: str) -> Principal:
    return seen(subject.identities.observe(name))


def test_an_absent_user_is_none_after_one_request(subject: Subject) -> None:
    with counted(subject) as (same, requests):
        assert same.identities.observe(fresh()) == Absent()
        assert requests() == 1


def test_a_new_user_has_its_path_and_neither_policy_nor_key(subject: Subject) -> None:
    want = made(subject)
    found = read(subject, want.name)
    assert (found.name, found.path, found.policy, found.other_policies, found.keys) == (want.name, PATH, None, (), ())
    assert found.tags in ((), TAGS), "a store keeps all tags of a user, or none"


def test_making_a_user_again_is_success_and_changes_nothing(subject: Subject) -> None:
    want = made(subject)
    subject.identities.put_policy(want)
    before = read(subject, want.name)
    subject.identities.create(want)
    assert read(subject, want.name) == before


def test_a_user_under_another_path_is_not_owned_and_stays(subject: Subject) -> None:
    want = made(subject)
    before = read(subject, want.name)
    with pytest.raises(Terminal) as caught:
        subject.identities.create(principal(want.name, "/clouddatamesh/other/"))
    assert caught.value.reason == reasons.NOT_OWNED
    assert read(subject, want.name) == before


def test_the_policy_is_read_as_it_was_written_and_removed_by_name(subject: Subject) -> None:
    want = made(subject)
    subject.identities.put_policy(want)
    subject.identities.put_policy(want)
    assert read(subject, want.name).policy == want.policy
    subject.identities.delete_policy(want.name, PREFIX)
    subject.identities.delete_policy(want.name, PREFIX)
    assert read(subject, want.name).policy is None


def test_a_key_is_handed_out_once_and_read_without_its_secret(subject: Subject) -> None:
    want = made(subject)
    issued = subject.identities.create_key(want.name)
    (key,) = read(subject, want.name).keys
    assert (key.id, key.active) == (issued.id, True)
    assert datetime.fromisoformat(key.created).utcoffset() == timedelta(0)
    assert issued.secret
    assert issued.secret not in f"{issued!r} {key!r}"


def test_a_user_has_at_most_two_keys(subject: Subject) -> None:
    want = made(subject)
    first, second = (subject.identities.create_key(want.name) for _ in range(2))
    with pytest.raises(Transient) as caught:
        subject.identities.create_key(want.name)
    assert caught.value.reason == reasons.LIMIT_EXCEEDED
    subject.identities.delete_key(want.name, first.id)
    subject.identities.delete_key(want.name, first.id)
    assert [key.id for key in read(subject, want.name).keys] == [second.id]


def test_a_user_goes_only_after_what_it_holds(subject: Subject) -> None:
    want = made(subject)
    subject.identities.put_policy(want)
    key = subject.identities.create_key(want.name)
    with pytest.raises(Transient):
        subject.identities.delete(want.name)
    subject.identities.delete_key(want.name, key.id)
    subject.identities.delete_policy(want.name, PREFIX)
    subject.identities.delete(want.name)
    assert subject.identities.observe(want.name) == Absent()


def test_what_is_absent_is_removed_already(subject: Subject) -> None:
    name = fresh()
    subject.identities.delete_key(name, "AKIAABSENTABSENT0000")
    subject.identities.delete_policy(name, PREFIX)
    subject.identities.delete(name)


def test_nothing_is_given_to_a_user_that_is_absent(subject: Subject) -> None:
    name = fresh()
    for act in (lambda: subject.identities.create_key(name), lambda: subject.identities.put_policy(principal(name))):
        with pytest.raises(Transient):
            act()
    assert subject.identities.observe(name) == Absent()


def test_a_user_is_read_with_at_most_four_requests(subject: Subject) -> None:
    want = made(subject)
    subject.identities.put_policy(want)
    with counted(subject) as (same, requests):
        read(same, want.name)
        assert 1 <= requests() <= 4


def test_eight_users_at_once_do_not_disturb_each_other(subject: Subject) -> None:
    def make(_: int) -> bool:
        want = made(subject)
        subject.identities.put_policy(want)
        key = subject.identities.create_key(want.name)
        found = read(subject, want.name)
        return found.policy == want.policy and [held.id for held in found.keys] == [key.id]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(make, range(16)))
