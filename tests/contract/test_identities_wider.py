"""What else gives a user access, managed policies and groups: it shows where it is asked for, can be taken off, and holds the user."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

import pytest
from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.identity import Principal
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from tests.contract.stores import Subject, counted, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

OF_AWS: Final = ("arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
NO_ARN: Final = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
BOTH: Final = frozenset({b.ATTACHED_POLICIES, b.GROUPS})


class Admin(Protocol):
    """Somebody who gives a user more than we do."""

    arns: tuple[str, ...]
    """Of two managed policies, sorted."""

    def attach(self, user: str, arn: str) -> None: ...
    def join(self, user: str, group: str) -> None: ...


class MemoryAdmin:
    """At the fake."""

    arns: tuple[str, ...] = OF_AWS

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def attach(self, user: str, arn: str) -> None:
        found = self._store.users[user]
        self._store.users[user] = replace(found, attached=tuple(sorted({*found.attached, arn})))

    def join(self, user: str, group: str) -> None:
        found = self._store.users[user]
        self._store.users[user] = replace(found, groups=tuple(sorted({*found.groups, group})))


class BotoAdmin:
    """At a real store."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam
        self.arns = tuple(sorted(_managed_policies(iam)))

    def attach(self, user: str, arn: str) -> None:
        self._iam.attach_user_policy(UserName=user, PolicyArn=arn)

    def join(self, user: str, group: str) -> None:
        self._iam.create_group(GroupName=group)
        self._iam.add_user_to_group(UserName=user, GroupName=group)


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    subject = subject_of(world, request)
    subject.need(b.IDENTITIES, *BOTH)
    return subject.with_(settings=BOTH)


@pytest.fixture
def admin(subject: Subject) -> Iterator[Admin]:
    if isinstance(subject.stores, MemoryStores):
        yield MemoryAdmin(subject.stores.at(subject.connection.endpoint))
        return
    iam = subject.hand.store.client("iam")  # type: ignore[attr-defined]
    yield BotoAdmin(iam)
    iam.close()


def _managed_policies(iam: Any) -> tuple[str, ...]:
    """RGW has those of AWS and makes none; moto makes some and has none of AWS."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    try:
        return tuple(iam.create_policy(PolicyName=fresh("wide"), PolicyDocument=document)["Policy"]["Arn"] for _ in range(2))
    except ClientError:
        return OF_AWS


def made(subject: Subject) -> Principal:
    want = Principal(fresh(), "/clouddatamesh/acme/")
    subject.identities.create(want)
    return want


def read(subject: Subject, name: str) -> Principal:
    return seen(subject.identities.observe(name))


def test_a_new_user_has_neither(subject: Subject) -> None:
    found = read(subject, made(subject).name)
    assert (found.attached, found.groups) == ((), ())


def test_managed_policies_show_sorted_and_are_taken_off_one_by_one(subject: Subject, admin: Admin) -> None:
    user = made(subject).name
    for arn in reversed(admin.arns):
        admin.attach(user, arn)
    assert read(subject, user).attached == admin.arns
    subject.identities.detach_policy(user, admin.arns[0])
    subject.identities.detach_policy(user, admin.arns[0])
    assert read(subject, user).attached == admin.arns[1:]


def test_groups_show_sorted_and_are_left_one_by_one(subject: Subject, admin: Admin) -> None:
    user, groups = made(subject).name, sorted(f"group-{uuid.uuid4().hex[:8]}" for _ in range(2))
    for group in reversed(groups):
        admin.join(user, group)
    assert read(subject, user).groups == tuple(groups)
    subject.identities.leave_group(user, groups[0])
    subject.identities.leave_group(user, groups[0])
    assert read(subject, user).groups == (groups[1],)


def test_neither_is_asked_for_where_the_connection_does_not_name_it(subject: Subject, admin: Admin) -> None:
    user = made(subject).name
    admin.attach(user, admin.arns[0])
    with counted(subject.with_(settings=frozenset())) as (blind, requests):
        found = read(blind, user)
        assert (found.attached, found.groups) == ((), ())
        assert 1 <= requests() <= 4
    subject.identities.detach_policy(user, admin.arns[0])


def test_a_user_with_a_managed_policy_stays_until_it_is_taken_off(subject: Subject, admin: Admin) -> None:
    user = made(subject).name
    admin.attach(user, admin.arns[0])
    with pytest.raises(Transient) as caught:
        subject.identities.delete(user)
    assert caught.value.reason == reasons.CONFLICT
    subject.identities.detach_policy(user, admin.arns[0])
    subject.identities.delete(user)
    assert subject.identities.observe(user) == Absent()


def test_a_user_that_left_its_groups_goes(subject: Subject, admin: Admin) -> None:
    """RGW lets a user go together with its memberships; AWS does not."""
    user, group = made(subject).name, fresh("group")
    admin.join(user, group)
    try:
        subject.identities.delete(user)
    except MeshError as error:
        assert (type(error), error.reason) == (Transient, reasons.CONFLICT)
        subject.identities.leave_group(user, group)
        subject.identities.delete(user)
    assert subject.identities.observe(user) == Absent()


def test_nothing_is_taken_from_a_user_that_is_absent(subject: Subject) -> None:
    name = fresh()
    subject.identities.detach_policy(name, NO_ARN)
    subject.identities.leave_group(name, fresh("group"))
    assert subject.identities.observe(name) == Absent()
