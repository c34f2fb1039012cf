"""What every BucketStore promises, on the fake and on real stores alike."""

import json
from dataclasses import replace

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.identity import Connection
from clouddatamesh.plan import policies
from clouddatamesh.plan.diff import diff_bucket
from clouddatamesh.storage.clients import BotoStores
from clouddatamesh.storage.s3 import S3Buckets
from tests.contract.worlds import World, fresh
from tests.support.evidence import error_of, seen

TAGS = (("clouddatamesh.dev/mesh", "acme"), ("theirs", "kept"))


@pytest.fixture
def bucket(world: World) -> b.Bucket:
    """A new bucket, as it is read."""
    name = fresh()
    world.buckets.create(b.Bucket(name, region=world.connection.region))
    return seen(world.buckets.observe(name))


def read(world: World, name: str) -> b.Bucket:
    return seen(world.buckets.observe(name))


def test_what_is_absent_is_none_and_counts_nothing_and_can_be_deleted(world: World) -> None:
    name = fresh()
    assert world.buckets.observe(name) == Absent()
    assert world.buckets.count(name).empty
    world.buckets.delete(name)


def test_marks_are_read_by_themselves(world: World, bucket: b.Bucket) -> None:
    """What tells whose a bucket is needs none of its settings, and is the same that a whole look shows."""
    assert world.buckets.observe_marks(fresh()) == Absent()
    world.buckets.update(replace(bucket, tags=TAGS, versioning="Enabled"), ("tags", "versioning"))
    found = seen(world.buckets.observe_marks(bucket.name))
    assert (found.tags, found.versioning, found.policy, found.is_of_other_account) == (TAGS, None, None, False)
    assert read(world, bucket.name).tags == TAGS


def test_a_real_store_lists_its_buckets_by_prefix_for_checks_from_outside(world: World, bucket: b.Bucket) -> None:
    """No reconciliation lists buckets, so it is no part of the port."""
    if not isinstance(world.buckets, S3Buckets):
        pytest.skip("the fake is for reconciliations")
    assert bucket.name in world.buckets.list(bucket.name[:-2])
    assert world.buckets.list(f"{bucket.name}-more") == ()


def test_creating_ones_own_bucket_again_is_a_conflict_or_success_and_gives_it_no_tags(world: World, bucket: b.Bucket) -> None:
    try:
        world.buckets.create(replace(bucket, tags=TAGS))
    except Transient as error:
        assert error.reason == reasons.CONFLICT
    assert read(world, bucket.name).tags == ()


@pytest.mark.parametrize(
    ("path", "capability", "change"),
    [
        ("tags", b.TAGS, {"tags": TAGS}),
        ("publicAccessBlock", b.BLOCK_PUBLIC_ACCESS, {"public_access_blocked": True}),
        ("ownership", b.OBJECT_OWNERSHIP, {"ownership_enforced": True}),
        ("encryption", b.ENCRYPTION, {"encryption": "AES256"}),
        ("versioning", b.VERSIONING, {"versioning": "Enabled"}),
        ("versioning", b.VERSIONING, {"versioning": "Suspended"}),
        (
            "lifecycle",
            b.LIFECYCLE,
            {"lifecycle": (b.LifecycleRule("clouddatamesh-a", "tmp/", 7, 30, 3), b.LifecycleRule("clouddatamesh-b", "x/", 1))},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_setting_is_read_back_as_written_where_the_store_can_do_it(
    world: World, bucket: b.Bucket, path: b.BucketPath, capability: str, change: dict[str, object]
) -> None:
    want = replace(bucket, **change)  # type: ignore[arg-type]
    if capability not in world.able:
        assert path == "tags" or getattr(bucket, next(iter(change))) is None, "what a store cannot do is not read"
        return
    world.buckets.update(want, (path,))
    assert diff_bucket(read(world, bucket.name), want) == ()


def test_statements_round_trip_and_foreign_ones_survive(world: World, bucket: b.Bucket) -> None:
    """On an endpoint without TLS the statements, as they are, would lock us out: here they are about one action that nobody needs."""
    reading = replace(world.connection, settings=world.connection.settings | {b.TLS_ONLY})
    buckets = world.stores.buckets(reading)
    resource = f"arn:aws:s3:::{bucket.name}/no/*"
    foreign = json.dumps({"Action": "s3:PutObject", "Effect": "Deny", "Principal": "*", "Resource": resource, "Sid": "theirs"})
    ours = tuple(replace(statement, actions=("s3:PutBucketWebsite",)) for statement in policies.tls_only(bucket.name))
    want = replace(bucket, policy=ours, foreign_statements=(foreign,))
    buckets.update(want, ("policy",))
    found = seen(buckets.observe(bucket.name))
    assert diff_bucket(found, want) == ()
    assert [("theirs" in statement) for statement in found.foreign_statements] == [True]
    buckets.update(replace(found, policy=()), ("policy",))
    left = seen(buckets.observe(bucket.name))
    assert left.policy == () and left.foreign_statements == found.foreign_statements


def test_a_full_bucket_is_not_deleted_until_it_was_emptied_page_by_page(world: World, bucket: b.Bucket) -> None:
    world.buckets.update(replace(bucket, versioning="Enabled"), ("versioning",))
    world.fill(bucket.name)
    assert world.buckets.count(bucket.name) == b.Contents(versions=6, delete_markers=1, uploads=1)
    with pytest.raises(Terminal) as caught:
        world.buckets.delete(bucket.name)
    assert caught.value.reason == reasons.BUCKET_NOT_EMPTY
    pages = 1
    while world.buckets.empty(bucket.name):
        pages += 1
        assert pages < 5
    assert world.buckets.count(bucket.name).empty
    world.buckets.delete(bucket.name)
    assert world.buckets.observe(bucket.name) == Absent()


def test_a_probe_keeps_its_bucket_without_settings_and_can_be_repeated(world: World) -> None:
    scratch = fresh("probe")
    first = world.buckets.probe(scratch)
    assert world.buckets.probe(scratch) == first
    left = seen(world.buckets.observe(scratch))
    assert left.tags == (("clouddatamesh.dev/probe", "true"),)
    assert (left.policy or (), left.lifecycle or (), left.foreign_statements, left.foreign_rules) == ((), (), (), ())
    assert world.buckets.count(scratch).empty
    assert world.identities.observe(scratch) == Absent()
    assert all(capability.verdict == "Yes" or capability.message for capability in first)
    assert {capability.verdict for capability in first} <= {"Yes", "No"}


@pytest.mark.parametrize(
    ("harm", "kind", "reason"),
    [
        ({"access_key_id": "NOSUCHKEY", "secret_access_key": "wrong"}, Terminal, reasons.CREDENTIALS_INVALID),
        ({"secret_access_key": "wrong"}, Terminal, reasons.CREDENTIALS_INVALID),
    ],
    ids=["unknown key", "wrong secret"],
)
def test_wrong_credentials_have_a_reason_of_their_own(world: World, harm: dict[str, str], kind: type[MeshError], reason: str) -> None:
    if harm.get("access_key_id") is None and not _checks_signatures(world):
        return
    with pytest.raises(kind) as caught:
        world.stores.buckets(replace(world.connection, **harm)).account()  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert "wrong" not in caught.value.message


def _checks_signatures(world: World) -> bool:
    """moto looks up the key and its policies, and believes every signature; so a wrong secret is no difference that a store need show."""
    try:
        world.stores.buckets(replace(world.connection, secret_access_key="other")).account()
    except MeshError:
        return True
    return False


def test_a_store_that_does_not_answer_is_transient() -> None:
    away = Connection(
        region="us-east-1", endpoint="http://127.0.0.1:9", iam_endpoint="http://127.0.0.1:9", access_key_id="a", secret_access_key="b"
    )
    error = error_of(BotoStores().buckets(away).observe("anything"))
    assert (type(error), error.reason) == (Transient, reasons.STORE_UNAVAILABLE)
