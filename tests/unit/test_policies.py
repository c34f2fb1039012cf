"""What we write passes the second reader; what must never be sent does not."""

from dataclasses import replace

import pytest

from clouddatamesh.model.bucket import Statement
from clouddatamesh.plan import policies
from clouddatamesh.plan.policy_faults import find_faults

SOUND = Statement("s", "Allow", ("s3:GetObject",), ("arn:aws:s3:::acme-orders/daily/*",))


def faults(statement: Statement, prefix: str = "daily/") -> tuple[str, ...]:
    return find_faults((statement,), bucket="acme-orders", prefix=prefix)


def test_our_own_policies_are_sound() -> None:
    assert find_faults(policies.producer("acme-orders"), bucket="acme-orders", prefix="") == ()
    assert faults(SOUND) == ()


@pytest.mark.parametrize(
    "unsound",
    [
        replace(SOUND, effect="Deny"),
        replace(SOUND, effect="Unreadable"),
        replace(SOUND, principals=("*",)),
        replace(SOUND, actions=("s3:*",)),
        replace(SOUND, actions=("*",)),
        replace(SOUND, actions=("iam:CreateUser",)),
        replace(SOUND, actions=("s3:DeleteBucket",)),
        replace(SOUND, actions=("s3:PutBucketPolicy",)),
        replace(SOUND, actions=("s3:DeleteObjectVersion",)),
        replace(SOUND, resources=("*",)),
        replace(SOUND, resources=("arn:aws:s3:::*",)),
        replace(SOUND, resources=("arn:aws:s3:::acme-orders*",)),
        replace(SOUND, resources=("arn:aws:s3:::acme-other/daily/*",)),
        replace(SOUND, resources=("arn:aws:s3:::acme-orders/*",)),
        replace(SOUND, resources=("arn:aws:s3:::acme-orders/daily/../*",)),
        replace(SOUND, resources=("arn:aws:s3:::acme-orders/daily/${aws:username}/*",)),
        replace(SOUND, resources=tuple(f"arn:aws:s3:::acme-orders/daily/*{' ' * n}" for n in range(200))),
    ],
    ids=lambda s: f"{s.effect} {s.actions[0]} {s.resources[0]} {len(s.resources)}",
)
def test_a_policy_that_says_too_much_is_not_sent(unsound: Statement) -> None:
    assert faults(unsound)


def test_a_bucket_name_with_wildcards_makes_every_resource_unsound() -> None:
    assert find_faults((replace(SOUND, resources=("arn:aws:s3:::*/daily/*",)),), bucket="*", prefix="daily/")
