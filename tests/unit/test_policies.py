"""What we write passes the second reader; what must never be sent does not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clouddatamesh.model.bucket import PREFIX, Statement
from clouddatamesh.plan import policies
from clouddatamesh.plan.policy_faults import find_faults
from clouddatamesh.storage.policy import build_document

BUCKET, PATH = "acme-orders", "daily/"
ARN = f"arn:aws:s3:::{BUCKET}"
MODES = ("ReadOnly", "ReadWrite", "WriteOnly")
READS = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectAcl",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
)
NEVER = (
    "*",
    "s3:*",
    "s3:Get*",
    "s3:PutBucketPolicy",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "iam:CreateAccessKey",
    "S3:PUTOBJECTACL",
)
OUTSIDE = {
    "Producer": NEVER,
    "ReadOnly": (*NEVER, "s3:PutObject", "s3:DeleteObject", "s3:ListBucketMultipartUploads"),
    "ReadWrite": (*NEVER, "s3:ListBucketMultipartUploads"),
    "WriteOnly": (*NEVER, *READS, "s3:DeleteObject"),
}
"""What no statement of a mode may do."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SEGMENTS = st.text("AZaz09_=-", min_size=1, max_size=12)
BUCKETS = st.text(LETTERS, min_size=3, max_size=63)
PATHS = st.lists(st.lists(SEGMENTS, min_size=1, max_size=2).map(".".join), min_size=1, max_size=4).map(lambda parts: "/".join(parts) + "/")
SOUND = Statement("s", "Allow", ("s3:GetObject",), (f"{ARN}/{PATH}*",))
LISTS = Statement("l", "Allow", ("s3:ListBucket",), (ARN,), conditions=(("StringLike", "s3:prefix", (PATH, f"{PATH}*")),))


def faults(*statements: Statement, prefix: str = PATH, mode: str = "ReadOnly", bucket: str = BUCKET) -> tuple[str, ...]:
    return find_faults(statements, bucket=bucket, prefix=prefix, mode=mode)


def listing(*values: str, operator: str = "StringLike", key: str = "s3:prefix") -> Statement:
    return replace(LISTS, conditions=((operator, key, values),))


@pytest.mark.parametrize("mode", MODES)
def test_our_own_policies_are_sound(mode: str) -> None:
    assert faults(*policies.consumer(BUCKET, PATH, mode), mode=mode) == ()
    assert faults(*policies.producer(BUCKET), prefix="", mode="Producer") == ()


@pytest.mark.parametrize("mode", MODES)
def test_the_longest_policy_fits(mode: str) -> None:
    path = "a" * 255 + "/"
    longest = policies.consumer("b" * 63, path, mode)
    assert faults(*longest, bucket="b" * 63, prefix=path, mode=mode) == ()
    assert len(build_document(longest)) <= 2048


@pytest.mark.parametrize("mode", MODES)
def test_what_may_only_be_written_cannot_be_read_or_listed(mode: str) -> None:
    actions = {action for statement in policies.consumer(BUCKET, PATH, mode) for action in statement.actions}
    assert ("s3:GetObject" in actions) == (mode != "WriteOnly")
    assert ("s3:ListBucket" in actions) == (mode != "WriteOnly")
    assert ("s3:PutObject" in actions) == (mode != "ReadOnly")
    assert ("s3:DeleteObject" in actions) == (mode == "ReadWrite")


UNSOUND: dict[str, Statement] = {
    "a denial": replace(SOUND, effect="Deny"),
    "a statement that could not be read": Statement.unreadable("s"),
    "principals": replace(SOUND, principals=("*",)),
    "every S3 action": replace(SOUND, actions=("s3:*",)),
    "every action": replace(SOUND, actions=("*",)),
    "an action with a wildcard": replace(SOUND, actions=("s3:Get*",)),
    "an action of another service": replace(SOUND, actions=("iam:CreateUser",)),
    "writing with ReadOnly": replace(SOUND, actions=("s3:PutObject",)),
    "hiding with ReadOnly": replace(SOUND, actions=("s3:DeleteObject",)),
    "destroying a version": replace(SOUND, actions=("s3:DeleteObjectVersion",)),
    "reading old versions": replace(SOUND, actions=("s3:GetObjectVersion",)),
    "removing the bucket": replace(SOUND, actions=("s3:DeleteBucket",), resources=(ARN,)),
    "the bucket's policy": replace(SOUND, actions=("s3:PutBucketPolicy",), resources=(ARN,)),
    "listing versions": replace(LISTS, actions=("s3:ListBucketVersions",)),
    "listing the bucket's uploads": replace(LISTS, actions=("s3:ListBucketMultipartUploads",)),
    "no action": replace(SOUND, actions=()),
    "no resource": replace(SOUND, resources=()),
    "every resource": replace(SOUND, resources=("*",)),
    "every bucket": replace(SOUND, resources=("arn:aws:s3:::*",)),
    "buckets that begin so": replace(SOUND, resources=(f"{ARN}*",)),
    "another bucket": replace(SOUND, resources=(f"arn:aws:s3:::acme-other/{PATH}*",)),
    "the whole bucket": replace(SOUND, resources=(f"{ARN}/*",)),
    "a path that begins so": replace(SOUND, resources=(f"{ARN}/daily*",)),
    "a way out of the path": replace(SOUND, resources=(f"{ARN}/{PATH}../*",)),
    "a policy variable": replace(SOUND, resources=(f"{ARN}/{PATH}${{aws:username}}/*",)),
    "one good and one bad resource": replace(SOUND, resources=(f"{ARN}/{PATH}*", f"{ARN}/other/*")),
    "far too many resources": replace(SOUND, resources=tuple(f"{ARN}/{PATH}*{' ' * n}" for n in range(200))),
    "listing without a condition": replace(LISTS, conditions=()),
    "listing without a value": listing(),
    "listing everything": listing("*"),
    "listing the empty prefix": listing("", f"{PATH}*"),
    "listing paths that begin so": listing("daily*"),
    "listing another path": listing("other/*"),
    "listing by a variable": listing(f"{PATH}${{aws:username}}*"),
    "listing by what it is not": listing(f"{PATH}*", operator="StringNotLike"),
    "listing if there is a prefix at all": listing(f"{PATH}*", operator="StringLikeIfExists"),
    "listing by another key": listing(f"{PATH}*", key="s3:delimiter"),
    "a second condition": replace(LISTS, conditions=(*LISTS.conditions, ("Bool", "aws:SecureTransport", ("true",)))),
}


@pytest.mark.parametrize("unsound", UNSOUND.values(), ids=UNSOUND)
def test_is_not_sent(unsound: Statement) -> None:
    assert faults(SOUND, LISTS) == ()
    assert faults(SOUND, LISTS, unsound)


@pytest.mark.parametrize(
    "prefix", ["", "/", "*", "daily", "/daily/", "a//b/", "a/../b/", "../", "da?ly/", "${aws:username}/", "d\u0430ily/", "a b/", "a\n/"]
)
def test_a_path_that_is_none_makes_every_policy_unsound(prefix: str) -> None:
    assert faults(replace(SOUND, resources=(f"{ARN}/{prefix}*",)), prefix=prefix)


@pytest.mark.parametrize("bucket", ["*", "acme*", "Acme", "a", "acme_orders", "acme/orders", ""])
def test_a_bucket_that_is_none_makes_every_policy_unsound(bucket: str) -> None:
    assert faults(replace(SOUND, resources=(f"arn:aws:s3:::{bucket}/{PATH}*",)), bucket=bucket)


def test_an_unknown_mode_is_refused() -> None:
    assert faults(SOUND, mode="Everything")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str, str, tuple[Statement, ...]]:
    """A bucket, a path, a mode and the policy that we write for them."""
    bucket, mode = draw(BUCKETS), draw(st.sampled_from(("Producer", *MODES)))
    path = "" if mode == "Producer" else draw(PATHS)
    return bucket, path, mode, policies.producer(bucket) if mode == "Producer" else policies.consumer(bucket, path, mode)


def mutations(statement: Statement, bucket: str, path: str, mode: str) -> Iterator[Statement]:
    """The statement changed in exactly one way, each of which gives more than was asked for."""
    for more in OUTSIDE[mode]:
        yield replace(statement, actions=(*statement.actions, more))
    for place, resource in enumerate(statement.resources):
        rest = resource.removeprefix(f"arn:aws:s3:::{bucket}")
        for other in (f"{bucket}x", f"x{bucket}", f"{bucket}*", "*"):
            yield replace(statement, resources=put(statement.resources, place, f"arn:aws:s3:::{other}{rest}"))
        for wider in wider_than(path) if rest and path else ():
            yield replace(statement, resources=put(statement.resources, place, f"arn:aws:s3:::{bucket}/{wider}*"))
    for operator, key, values in statement.conditions:
        yield replace(statement, conditions=())
        for wider in wider_than(path):
            yield replace(statement, conditions=((operator, key, (*values, f"{wider}*")),))
    yield replace(statement, principals=("*",))
    yield replace(statement, effect="Deny")


def put(resources: tuple[str, ...], place: int, resource: str) -> tuple[str, ...]:
    return (*resources[:place], resource, *resources[place + 1 :])


def wider_than(path: str) -> tuple[str, ...]:
    """Every true beginning of a path, the empty one too, and what a wildcard or a variable makes of it."""
    return (*(path[:length] for length in range(len(path))), f"*/{path}", f"?{path[1:]}", f"${{aws:username}}/{path}")


@given(written())
def test_whatever_we_write_is_sound_and_fits(made: tuple[str, str, str, tuple[Statement, ...]]) -> None:
    bucket, path, mode, policy = made
    assert faults(*policy, bucket=bucket, prefix=path, mode=mode) == ()
    assert len(build_document(policy)) <= 2048


@given(written())
def test_every_single_change_that_widens_what_we_write_is_found(made: tuple[str, str, str, tuple[Statement, ...]]) -> None:
    bucket, path, mode, policy = made
    for place, statement in enumerate(policy):
        for changed in mutations(statement, bucket, path, mode):
            assert faults(*policy[:place], changed, *policy[place + 1 :], bucket=bucket, prefix=path, mode=mode), changed


@pytest.mark.parametrize("action", sorted(READS))
def test_whoever_may_only_write_neither_reads_nor_lists(action: str) -> None:
    for place in (ARN, f"{ARN}/{PATH}*"):
        assert faults(Statement("s", "Allow", (action,), (place,), conditions=LISTS.conditions), mode="WriteOnly")


@pytest.mark.parametrize("mode", ["Producer", *MODES])
@pytest.mark.parametrize("action", ["s3:ListBucketMultipartUploads", "s3:GetObject", "s3:PutObject", "s3:GetBucketPolicy"])
def test_with_a_path_the_bucket_itself_is_only_located_and_listed(action: str, mode: str) -> None:
    assert faults(replace(LISTS, actions=(action,)), mode=mode)


@pytest.mark.parametrize(("mode", "narrower"), [("ReadWrite", "ReadOnly"), ("ReadWrite", "WriteOnly"), ("ReadOnly", "WriteOnly")])
def test_a_mode_is_not_read_as_a_narrower_one(mode: str, narrower: str) -> None:
    assert faults(*policies.consumer(BUCKET, PATH, mode), mode=narrower)


@pytest.mark.parametrize(
    ("narrow", "wide", "is_within"),
    [
        ("daily/", "daily/", True),
        ("daily/public/", "daily/", True),
        ("daily/", "daily/public/", False),
        ("dailyx/", "daily/", False),
        ("daily/", "public/", False),
    ],
)
@pytest.mark.parametrize("account", ["", "111122223333"])
def test_what_a_consumer_may_do_below_a_path_is_within_what_he_may_do_in_it(
    narrow: str, wide: str, account: str, *, is_within: bool
) -> None:
    small, large = (policies.consumer("bucket", path, "ReadOnly", account=account) for path in (narrow, wide))
    found = {one.sid: policies.is_within(one, large) for one in small}
    assert found == {f"{PREFIX}List": is_within, f"{PREFIX}Location": True, f"{PREFIX}Objects": is_within}


def test_fewer_conditions_allow_more() -> None:
    bound, free = (policies.consumer("bucket", "daily/", "ReadOnly", account=account) for account in ("111122223333", ""))
    assert all(policies.is_within(one, free) for one in bound)
    assert not any(policies.is_within(one, bound) for one in free)
    (listing,) = (one for one in free if one.sid == f"{PREFIX}List")
    assert not policies.is_within(replace(listing, conditions=(("StringLike", "s3:prefix", ()),)), free), "a condition that says nothing"
    assert not policies.is_within(replace(listing, conditions=(("StringNotLike", "s3:prefix", ("daily/*",)),)), free)
