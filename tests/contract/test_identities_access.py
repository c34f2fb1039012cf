"""What access rests on: users listed by path, keys disabled, and the effect of our policies on real keys where a store enforces them."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from clouddatamesh.model.bucket import IDENTITIES, PREFIX
from clouddatamesh.model.identity import IssuedKey, Principal
from clouddatamesh.plan import policies
from tests.contract.stores import BotoHand, Subject, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

MANY = 120
"""More than a page of ListUsers, which is 100 where nobody says otherwise."""


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    subject = subject_of(world, request)
    subject.need(IDENTITIES)
    return subject


def made(subject: Subject, *, path: str = "/clouddatamesh/acme/", **policy: str) -> Principal:
    """A user, with a consumer's policy if one is described."""
    written = policies.consumer(policy["bucket"], "daily/", policy["mode"]) if policy else None
    want = Principal(fresh(), path, policy=written)
    subject.identities.create(want)
    if written:
        subject.identities.put_policy(want)
    return want


def test_users_are_listed_by_path_over_all_pages(subject: Subject) -> None:
    path = f"/clouddatamesh/{fresh('mesh')}/"
    assert subject.identities.list(path) == ()
    names = sorted(made(subject, path=path).name for _ in range(MANY))
    made(subject, path=path.rstrip("/") + "-other/")
    assert subject.identities.list(path) == tuple(names)


def test_a_disabled_key_is_seen_as_such_and_what_is_absent_is_disabled_already(subject: Subject) -> None:
    user = made(subject)
    key = subject.identities.create_key(user.name)
    subject.identities.disable_key(user.name, key.id)
    found = seen(subject.identities.observe(user.name))
    assert [(held.id, held.active) for held in found.keys] == [(key.id, False)]
    subject.identities.disable_key(fresh(), "AKIAABSENTABSENT0000")


def hand_of(subject: Subject) -> BotoHand:
    if not isinstance(subject.hand, BotoHand):
        pytest.skip("the fake takes no requests of users")
    return subject.hand


def refused(call: Callable[[], object]) -> bool:
    """Whether a call is refused as forbidden."""
    try:
        call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403)
    return False


def reader(subject: Subject, user: Principal, bucket: str) -> tuple[IssuedKey, Callable[[], bool]]:
    """A key of the user, and whether an object within its path is refused to it."""
    key = subject.identities.create_key(user.name)
    client = hand_of(subject).store.client("s3", access_key=key.id, secret_key=key.secret)
    return key, lambda: refused(lambda: client.get_object(Bucket=bucket, Key="daily/a"))


@pytest.fixture
def bucket(subject: Subject) -> str:
    """A bucket with an object within the path and one beside it."""
    name = subject.bucket()
    for key in ("daily/a", "other/a"):
        hand_of(subject).put_object(name, key)
    return name


@pytest.mark.parametrize("end", ["policy", "disabled", "deleted"])
def test_what_is_taken_away_is_refused_at_once(subject: Subject, bucket: str, end: str, request: pytest.FixtureRequest) -> None:
    user = made(subject, bucket=bucket, mode="ReadOnly")
    key, is_refused = reader(subject, user, bucket)
    assert not is_refused()
    acts: dict[str, Callable[[], None]] = {
        "policy": lambda: subject.identities.delete_policy(user.name, PREFIX),
        "disabled": lambda: subject.identities.disable_key(user.name, key.id),
        "deleted": lambda: subject.identities.delete_key(user.name, key.id),
    }
    acts[end]()
    looks_at_keys = end != "disabled" or request.node.callspec.params["world"] != "moto"
    assert is_refused() == looks_at_keys, "docs/stores.md says that moto lets a disabled key in"


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [("ReadOnly", {"get"}), ("ReadWrite", {"get", "put", "delete"}), ("WriteOnly", {"put"})],
)
def test_a_key_does_with_objects_what_its_mode_says_and_only_within_its_path(
    subject: Subject, bucket: str, mode: str, allowed: set[str]
) -> None:
    user = made(subject, bucket=bucket, mode=mode)
    key = subject.identities.create_key(user.name)
    client = hand_of(subject).store.client("s3", access_key=key.id, secret_key=key.secret)
    acts: dict[str, Callable[[str], object]] = {
        "get": lambda path: client.get_object(Bucket=bucket, Key=f"{path}a"),
        "put": lambda path: client.put_object(Bucket=bucket, Key=f"{path}b", Body=b"x"),
        "delete": lambda path: client.delete_object(Bucket=bucket, Key=f"{path}b"),
    }
    within = {name for name, act in acts.items() if not refused(lambda act=act: act("daily/"))}  # type: ignore[misc]
    beside = {name for name, act in acts.items() if not refused(lambda act=act: act("other/"))}  # type: ignore[misc]
    assert (within, beside) == (allowed, set())
