"""What others set on a bucket is found, named and kept: policy Id and Version, sizes of transitions, ACL, website, public statements."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent
from tests.contract.stores import BotoHand, MemoryHand, Subject, counted, subject_of
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

TAGS: Final = (("clouddatamesh.dev/adopt-by", "acme/sales/orders:may-delete"), ("team", "a"))


@pytest.fixture
def subject(world: World, request: pytest.FixtureRequest) -> Subject:
    return subject_of(world, request)


def with_boto(subject: Subject, act: Callable[[Any], object], in_memory: Callable[[MemoryHand], object]) -> bool:
    """Somebody sets something; whether the store takes it."""
    if isinstance(subject.hand, MemoryHand):
        in_memory(subject.hand)
        return True
    assert isinstance(subject.hand, BotoHand)
    try:
        act(subject.hand.s3)
    except ClientError:
        return False
    return True


def open_acl(name: str, *grants: str) -> Callable[[MemoryHand], object]:
    return lambda hand: setattr(hand.store.buckets[name], "openings", b.Openings(grants=grants))


def public(name: str) -> dict[str, Any]:
    return {"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}


def ours(name: str) -> b.Statement:
    return b.Statement("clouddatameshNoWebsite", "Deny", ("s3:PutBucketWebsite",), (f"arn:aws:s3:::{name}",), ("*",))


def test_marks_are_read_with_one_request_and_nothing_else(subject: Subject) -> None:
    name = subject.bucket()
    subject.buckets.update(b.Bucket(name, tags=TAGS, versioning="Enabled"), ("tags", "versioning"))
    with counted(subject) as (same, requests):
        assert seen(same.buckets.observe_marks(name)) == b.Bucket(name, tags=TAGS)
        assert requests() == 1
    assert subject.buckets.observe_marks(fresh()) == Absent()


@pytest.mark.parametrize(("version", "id_"), [("2008-10-17", "theirs"), ("2012-10-17", "theirs"), ("2008-10-17", ""), ("", "")], ids=str)
def test_a_policys_version_and_id_stay_when_our_statement_comes_and_goes(subject: Subject, version: str, id_: str) -> None:
    name = subject.bucket()
    theirs = json.dumps({**public(name), "Effect": "Deny", "Action": "s3:PutBucketWebsite", "Resource": f"arn:aws:s3:::{name}"})
    frame: dict[str, Any] = {"policy_version": version, "policy_id": id_}
    try:
        subject.buckets.update(b.Bucket(name, policy=(), foreign_statements=(theirs,), **frame), ("policy",))
    except Terminal:
        pytest.skip("the store takes no policy of that version")
    found = subject.read(name)
    assert (found.policy_version, found.policy_id) == (version, id_)
    for policy in ((ours(name),), ()):
        want = b.Bucket(name, policy=policy, foreign_statements=found.foreign_statements, **frame)
        subject.buckets.update(want, ("policy",))
        again = subject.read(name)
        assert (again.policy, again.policy_version, again.policy_id) == (policy, version, id_)


def test_the_least_size_of_transitions_stays_when_our_rules_come_and_go(subject: Subject) -> None:
    subject.need(b.LIFECYCLE)
    name = subject.bucket()
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 5}, "Expiration": {"Days": 9}}
    minimum = "varies_by_storage_class"
    taken = with_boto(
        subject,
        lambda s3: s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [rule]}, TransitionDefaultMinimumObjectSize=minimum
        ),
        lambda _: subject.buckets.update(
            b.Bucket(name, lifecycle=(), foreign_rules=(json.dumps(rule),), transition_minimum=minimum), ("lifecycle",)
        ),
    )
    before = subject.read(name)
    if not taken or before.transition_minimum != minimum:
        pytest.skip("the store knows no such sizes")
    mine = b.LifecycleRule("clouddatamesh-tmp", "tmp/", 7)
    subject.buckets.update(
        b.Bucket(name, lifecycle=(mine,), foreign_rules=before.foreign_rules, transition_minimum=minimum), ("lifecycle",)
    )
    after = subject.read(name)
    assert (after.lifecycle, after.transition_minimum, after.foreign_rules) == ((mine,), minimum, before.foreign_rules)
    assert json.loads(after.foreign_rules[0])["Filter"] == {"ObjectSizeGreaterThan": 5}


def test_buckets_that_were_made_alike_are_at_one_place(subject: Subject) -> None:
    one, two = subject.bucket(), subject.bucket()
    assert subject.buckets.locate(one) == subject.buckets.locate(two)
    with pytest.raises(Transient):
        subject.buckets.locate(fresh())


def test_a_new_bucket_is_open_to_nobody(subject: Subject) -> None:
    assert subject.buckets.find_openings(subject.bucket()) == b.Openings()


def test_an_acl_that_lets_others_in_is_found(subject: Subject) -> None:
    name = subject.bucket()
    if not with_boto(subject, lambda s3: s3.put_bucket_acl(Bucket=name, ACL="public-read"), open_acl(name, "READ to AllUsers")):
        pytest.skip("the store takes no ACL")
    assert subject.buckets.find_openings(name).grants == ("READ to AllUsers",)


def test_a_website_is_found(subject: Subject) -> None:
    name = subject.bucket()
    website = {"IndexDocument": {"Suffix": "index.html"}}
    put = with_boto(
        subject,
        lambda s3: s3.put_bucket_website(Bucket=name, WebsiteConfiguration=website),
        lambda hand: setattr(hand.store.buckets[name], "openings", b.Openings(website=True)),
    )
    if not put:
        pytest.skip("the store has no websites")
    assert subject.buckets.find_openings(name).website


def test_public_statements_are_found_and_named_where_they_are_refused(subject: Subject) -> None:
    """Where public access is blocked, real stores take no policy with such a statement: somebody has to remove it."""
    name = subject.bucket()
    text = json.dumps({"Version": "2012-10-17", "Statement": [public(name)]})
    foreign = (json.dumps(public(name), sort_keys=True),)
    with_boto(
        subject,
        lambda s3: s3.put_bucket_policy(Bucket=name, Policy=text),
        lambda _: subject.buckets.update(b.Bucket(name, policy=(), foreign_statements=foreign), ("policy",)),
    )
    assert subject.buckets.find_openings(name).statements == ("PublicRead",)
    before = subject.read(name)
    assert before.foreign_statements != ()
    both = b.Bucket(name, policy=(ours(name),), foreign_statements=before.foreign_statements, public_access_blocked=True)
    subject.buckets.update(both, ("policy",))
    subject.buckets.update(both, ("publicAccessBlock",))
    assert subject.read(name).policy == (ours(name),), "ours was written before public access was blocked"
    try:
        subject.buckets.update(both, ("policy",))
    except MeshError as error:
        assert (type(error), error.reason) == (Terminal, reasons.STORE_REFUSED)
        assert "PublicRead" in error.message
