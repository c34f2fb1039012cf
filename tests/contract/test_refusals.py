"""A refusal is no evidence: what the store will not show is Unknown, whatever call is refused, and shows again when the refusal ends."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.identity import Connection
from clouddatamesh.storage.memory import MemoryStore, MemoryStores
from tests.contract.stores import Subject, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import error_of, seen

VERBS: Final = {
    "s3:GetBucketTagging": "observe",
    "s3:ListAllMyBuckets": "list buckets",
    "s3:GetBucketVersioning": f"observe {b.VERSIONING}",
    "s3:GetLifecycleConfiguration": f"observe {b.LIFECYCLE}",
    "s3:PutBucketTagging": "update",
}
"""By the right that is missing: what the fake refuses."""


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    subject = subject_of(world, request)
    subject.need(b.IDENTITIES)
    return subject


Refuse = Callable[..., Subject]


@pytest.fixture
def without(subject: Subject) -> Iterator[Refuse]:
    """The same store, reached by somebody who may do everything but these actions; afterwards everything, if he is given none."""
    if isinstance(subject.stores, MemoryStores):
        store = subject.stores.at(subject.connection.endpoint)
        yield lambda *actions: _refusing(subject, store, actions)
        store.allow()
        return
    user, iam = fresh("limited"), subject.hand.store.client("iam")  # type: ignore[attr-defined]
    iam.create_user(UserName=user)
    key = subject.identities.create_key(user)

    def limit(*actions: str) -> Subject:
        denied = [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}] if actions else []
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, *denied]}
        iam.put_user_policy(UserName=user, PolicyName="limits", PolicyDocument=json.dumps(document))
        return subject.with_(access_key_id=key.id, secret_access_key=key.secret)

    yield limit
    iam.close()


def _refusing(subject: Subject, store: MemoryStore, actions: tuple[str, ...]) -> Subject:
    store.allow()
    store.refuse(*(VERBS[action] for action in actions))
    return subject


def with_owner(subject: Subject) -> dict[str, Any]:
    """The account that is expected, where the store looks at it."""
    return {"expected_owner": subject.buckets.account().id} if b.EXPECTED_OWNER in subject.able else {}


@pytest.mark.parametrize(
    "actions",
    [
        ("s3:GetBucketTagging",),
        ("s3:GetBucketTagging", "s3:ListAllMyBuckets"),
        ("s3:GetBucketVersioning",),
        ("s3:GetLifecycleConfiguration",),
    ],
    ids="+".join,
)
@pytest.mark.parametrize("expects", [False, True], ids=["any owner", "our account expected"])
def test_what_may_not_be_read_is_unknown_and_shows_again_later(
    subject: Subject, without: Refuse, actions: tuple[str, ...], expects: bool
) -> None:
    name, owner = subject.bucket(), with_owner(subject) if expects else {}
    error = error_of(without(*actions).with_(**owner).buckets.observe(name))
    assert (type(error), error.reason) == (Transient, reasons.ACCESS_DENIED)
    assert name in error.message
    assert "a Deny in the bucket's policy or a missing permission" in error.message
    assert seen(without().with_(**owner).buckets.observe(name)).name == name


def test_a_right_that_is_missing_hides_no_absence(without: Refuse) -> None:
    """A store that says NoSuchBucket has looked."""
    assert without("s3:GetBucketVersioning").buckets.observe(fresh()) == Absent()


def test_what_may_not_be_written_is_transient_and_stays(subject: Subject, without: Refuse) -> None:
    name = subject.bucket()
    with pytest.raises(Transient) as caught:
        without("s3:PutBucketTagging").buckets.update(b.Bucket(name, tags=(("a", "b"),)), ("tags",))
    assert caught.value.reason == reasons.ACCESS_DENIED
    assert subject.read(name).tags == ()


def test_the_fake_tells_another_accounts_bucket_by_the_list_where_accounts_are_told_apart() -> None:
    stores = MemoryStores()
    store = stores.at("https://memory.test")
    connection = replace(_plain(store), expected_owner=store.account)
    buckets = stores.buckets(connection)
    buckets.create(b.Bucket("mine"))
    store.foreign_buckets.add("theirs")
    assert buckets.observe("theirs") == Present(b.Bucket("theirs", is_of_other_account=True))
    store.switch_account("other")
    switched = stores.buckets(replace(connection, expected_owner="other"))
    assert switched.observe("mine") == Present(b.Bucket("mine", is_of_other_account=True))
    assert error_of(stores.buckets(_plain(store)).observe("mine")).reason == reasons.ACCESS_DENIED
    store.refuse("list buckets")
    assert error_of(switched.observe("mine")).reason == reasons.ACCESS_DENIED


def _plain(store: MemoryStore) -> Connection:
    place = "https://memory.test"
    return Connection("us-east-1", place, place, access_key_id=store.root.id, secret_access_key=store.root.secret)
