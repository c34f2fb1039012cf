"""What strangers change in what is ours shows when it is read: nothing that was tampered with equals what is wanted."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

import pytest
from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.storage.lifecycle import parse_rules
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from clouddatamesh.storage.policy import parse_policy
from hack.tools.store import Store
from tests.contract.stores import Subject, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

SID: Final = "clouddatameshNoWebsite"
PATH: Final = "/clouddatamesh/acme/"
TAMPERED: Final[dict[str, dict[str, Any]]] = {
    "another action": {"Action": ["s3:PutBucketWebsite", "s3:DeleteBucketWebsite"]},
    "another effect": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
    "a condition": {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "nobody"}}},
}


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    return subject_of(world, request)


class Stranger(Protocol):
    """Somebody who writes what we write, in words of their own."""

    def put_policy(self, bucket: str, text: str) -> None: ...
    def put_rules(self, bucket: str, rules: list[dict[str, Any]]) -> None: ...
    def put_block(self, bucket: str, parts: dict[str, bool]) -> None: ...
    def put_encryption(self, bucket: str, algorithm: str) -> None: ...
    def put_user_policy(self, user: str, policy: str, text: str) -> None: ...
    def make_key(self, user: str) -> str: ...
    def put_key_to_sleep(self, user: str, key: str) -> None: ...
    def make_user(self, user: str, path: str) -> None: ...


class BotoStranger:
    """On a real store, with clients of their own."""

    def __init__(self, store: Store) -> None:
        self.s3, self.iam = store.client("s3"), store.client("iam")

    def put_policy(self, bucket: str, text: str) -> None:
        self.s3.put_bucket_policy(Bucket=bucket, Policy=text)

    def put_rules(self, bucket: str, rules: list[dict[str, Any]]) -> None:
        self.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})

    def put_block(self, bucket: str, parts: dict[str, bool]) -> None:
        self.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=parts)

    def put_encryption(self, bucket: str, algorithm: str) -> None:
        default = {"SSEAlgorithm": algorithm, "KMSMasterKeyID": "11111111-2222-4333-8444-555555555555"}
        rules = [{"ApplyServerSideEncryptionByDefault": default}]
        self.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})

    def put_user_policy(self, user: str, policy: str, text: str) -> None:
        self.iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=text)

    def make_key(self, user: str) -> str:
        return str(self.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"])

    def put_key_to_sleep(self, user: str, key: str) -> None:
        self.iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")

    def make_user(self, user: str, path: str) -> None:
        self.iam.create_user(UserName=user, Path=path)

    def close(self) -> None:
        self.s3.close()
        self.iam.close()


class MemoryStranger:
    """On the fake, whose documents have no words: what theirs mean is put there."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def _change_bucket(self, bucket: str, **changes: Any) -> None:
        held = self.store.buckets[bucket]
        held.bucket = replace(held.bucket, **changes)

    def _change_user(self, user: str, **changes: Any) -> None:
        self.store.users[user] = replace(self.store.users[user], **changes)

    def put_policy(self, bucket: str, text: str) -> None:
        ours, foreign = parse_policy(text)
        self._change_bucket(bucket, policy=ours, foreign_statements=foreign)

    def put_rules(self, bucket: str, rules: list[dict[str, Any]]) -> None:
        ours, foreign = parse_rules(rules)
        self._change_bucket(bucket, lifecycle=ours, foreign_rules=foreign)

    def put_block(self, bucket: str, parts: dict[str, bool]) -> None:
        self._change_bucket(bucket, public_access_blocked=all(parts.values()))

    def put_encryption(self, bucket: str, algorithm: str) -> None:
        self._change_bucket(bucket, encryption=algorithm)

    def put_user_policy(self, user: str, policy: str, text: str) -> None:
        ours, foreign = parse_policy(text)
        if policy == b.PREFIX:
            self._change_user(user, policy=(*ours, *map(b.Statement.unreadable, foreign)))
        else:
            self._change_user(user, other_policies=tuple(sorted({*self.store.users[user].other_policies, policy})))

    def make_key(self, user: str) -> str:
        key = self.store.issue()
        self._change_user(user, keys=(*self.store.users[user].keys, AccessKey(key.id)))
        return key.id

    def put_key_to_sleep(self, user: str, key: str) -> None:
        keys = (replace(held, active=held.active and held.id != key) for held in self.store.users[user].keys)
        self._change_user(user, keys=tuple(keys))

    def make_user(self, user: str, path: str) -> None:
        self.store.users[user] = Principal(user, path)


@pytest.fixture
def stranger(world: World, request: pytest.FixtureRequest) -> Iterator[Stranger]:
    """Somebody at the store of this world."""
    if isinstance(world.stores, MemoryStores):
        yield MemoryStranger(world.stores.at(world.connection.endpoint))
        return
    someone = BotoStranger(request.getfixturevalue(request.node.callspec.params["world"]))
    yield someone
    someone.close()


def statement(bucket: str) -> b.Statement:
    return b.Statement(SID, "Deny", ("s3:PutBucketWebsite",), (f"arn:aws:s3:::{bucket}",), ("*",))


def raw(bucket: str, **changes: Any) -> str:
    """The same statement as a document, with changes."""
    plain = {"Sid": SID, "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketWebsite", "Resource": f"arn:aws:s3:::{bucket}"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**plain, **changes}]})


def rule(**changes: Any) -> dict[str, Any]:
    plain = {"ID": "clouddatamesh-tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}
    return {**plain, **changes}


def test_a_statement_written_in_another_way_is_the_same(subject: Subject, stranger: Stranger) -> None:
    name = subject.bucket()
    stranger.put_policy(name, raw(name, Principal={"AWS": ["*"]}, Action=["s3:PutBucketWebsite"]))
    assert subject.read(name).policy == (statement(name),)


@pytest.mark.parametrize("change", TAMPERED)
def test_a_statement_under_our_sid_that_was_tampered_with_is_not_ours(subject: Subject, stranger: Stranger, change: str) -> None:
    name = subject.bucket()
    subject.buckets.update(b.Bucket(name, policy=(statement(name),)), ("policy",))
    stranger.put_policy(name, raw(name, **TAMPERED[change]))
    found = subject.read(name)
    assert [one.sid for one in found.policy or ()] == [SID]
    assert found.policy != (statement(name),)
    subject.buckets.update(b.Bucket(name, policy=(statement(name),), foreign_statements=found.foreign_statements), ("policy",))
    assert subject.read(name).policy == (statement(name),)


@pytest.mark.parametrize("change", [{"Status": "Disabled"}, {"Expiration": {"Days": 8}}, {"Filter": {"Prefix": ""}}])
def test_a_rule_under_our_id_that_was_tampered_with_is_not_ours(subject: Subject, stranger: Stranger, change: dict[str, Any]) -> None:
    subject.need(b.LIFECYCLE)
    name = subject.bucket()
    want = b.Bucket(name, lifecycle=(b.LifecycleRule("clouddatamesh-tmp", "tmp/", 7),))
    stranger.put_rules(name, [rule()])
    assert subject.read(name).lifecycle == want.lifecycle
    stranger.put_rules(name, [rule(**change)])
    assert subject.read(name).lifecycle != want.lifecycle
    subject.buckets.update(want, ("lifecycle",))
    assert subject.read(name).lifecycle == want.lifecycle


def test_a_public_access_block_that_lost_a_part_is_none(subject: Subject, stranger: Stranger) -> None:
    name = subject.bucket()
    subject.buckets.update(b.Bucket(name, public_access_blocked=True), ("publicAccessBlock",))
    parts = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}
    stranger.put_block(name, parts)
    assert subject.read(name).public_access_blocked is False


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_encryption_with_keys_of_somebody_shows_as_such_and_no_other_write_touches_it(
    subject: Subject, stranger: Stranger, algorithm: str
) -> None:
    name = subject.bucket()
    try:
        stranger.put_encryption(name, algorithm)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
        pytest.skip(f"the store takes no {algorithm}")
    found = subject.read(name)
    assert found.encryption == algorithm
    subject.buckets.update(replace(found, tags=(("a", "b"),), versioning="Enabled"), ("tags", "versioning"))
    assert subject.read(name).encryption == algorithm


def made(subject: Subject) -> Principal:
    subject.need(b.IDENTITIES)
    policy = (b.Statement("clouddatameshRead", "Allow", ("s3:GetObject",), ("arn:aws:s3:::b/*",)),)
    want = Principal(fresh(), PATH, policy=policy)
    subject.identities.create(want)
    subject.identities.put_policy(want)
    return want


def read(subject: Subject, name: str) -> Principal:
    return seen(subject.identities.observe(name))


def test_policies_that_a_stranger_gave_a_user_show_by_name_and_can_be_removed(subject: Subject, stranger: Stranger) -> None:
    want = made(subject)
    statements = [{"Sid": "all", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    for other in ("zeta", "alpha"):
        stranger.put_user_policy(want.name, other, document)
    found = read(subject, want.name)
    assert (found.other_policies, found.policy) == (("alpha", "zeta"), want.policy)
    subject.identities.delete_policy(want.name, "alpha")
    found = read(subject, want.name)
    assert (found.other_policies, found.policy) == (("zeta",), want.policy)


@pytest.mark.parametrize("sid", ["all", "clouddatameshRead"])
def test_a_users_policy_that_was_tampered_with_is_not_ours_and_is_written_over(subject: Subject, stranger: Stranger, sid: str) -> None:
    want = made(subject)
    more = {"Sid": sid, "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [more]})
    stranger.put_user_policy(want.name, b.PREFIX, document)
    assert read(subject, want.name).policy != want.policy
    subject.identities.put_policy(want)
    assert read(subject, want.name).policy == want.policy


def test_a_key_that_a_stranger_made_or_put_to_sleep_shows(subject: Subject, stranger: Stranger) -> None:
    want = made(subject)
    issued = subject.identities.create_key(want.name)
    other = stranger.make_key(want.name)
    stranger.put_key_to_sleep(want.name, issued.id)
    assert {key.id: key.active for key in read(subject, want.name).keys} == {issued.id: False, other: True}


def test_a_user_that_a_stranger_made_is_not_taken_over(subject: Subject, stranger: Stranger) -> None:
    subject.need(b.IDENTITIES)
    want = Principal(fresh(), PATH)
    stranger.make_user(want.name, "/theirs/")
    before = read(subject, want.name)
    assert before.path == "/theirs/"
    with pytest.raises(Terminal) as caught:
        subject.identities.create(want)
    assert caught.value.reason == reasons.NOT_OWNED
    assert read(subject, want.name) == before
