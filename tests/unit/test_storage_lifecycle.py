"""Lifecycle rules are compared by meaning, and a rule of ours that says more than we do is not ours any more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clouddatamesh.model.bucket import LifecycleRule
from clouddatamesh.storage.lifecycle import build_rules, parse_rules

OURS = LifecycleRule("clouddatamesh-a", "tmp/", 7, 30, 3)
RAW = build_rules([OURS])[0]


def parsed(**changes: Any) -> LifecycleRule:
    ours, foreign = parse_rules([{key: value for key, value in {**RAW, **changes}.items() if value is not None}])
    assert foreign == ()
    return ours[0]


@pytest.mark.parametrize(
    "rule",
    [
        OURS,
        LifecycleRule("clouddatamesh-b", "", expire_days=1),
        LifecycleRule("clouddatamesh-c", "", expire_noncurrent_days=1),
        LifecycleRule("clouddatamesh-d", "x/", abort_uploads_days=1),
        LifecycleRule("clouddatamesh-owner-0-1", "clouddatamesh.dev/none/", expire_days=36500, enabled=False),
    ],
    ids=lambda rule: rule.id,
)
def test_what_is_written_is_read(rule: LifecycleRule) -> None:
    assert parse_rules(build_rules([rule])) == ((rule,), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"Filter": None, "Prefix": "tmp/"},
        {"Expiration": {"Days": 7, "ExpiredObjectDeleteMarker": False}},
    ],
    ids=["the old way to write a prefix", "a part that says nothing"],
)
def test_another_way_to_write_the_same_is_the_same(changes: dict[str, Any]) -> None:
    assert parsed(**changes) == OURS


def test_an_empty_prefix_may_be_left_out() -> None:
    everything = LifecycleRule("clouddatamesh-a", "", 7, 30, 3)
    shapes: tuple[dict[str, Any], ...] = ({"Filter": {}}, {"Filter": None}, {"Filter": None, "Prefix": ""})
    for changes in shapes:
        assert parsed(**changes) == everything


@pytest.mark.parametrize(
    "changes",
    [
        {"Status": "Suspended"},
        {"Filter": {"Tag": {"Key": "a", "Value": "b"}}},
        {"Filter": {"And": {"Prefix": "tmp/", "ObjectSizeGreaterThan": 1}}},
        {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
        {"Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}},
        {"Expiration": {"Days": 7, "ExpiredObjectDeleteMarker": True}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 2}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_rule_under_our_id_that_says_something_else_is_unreadable(changes: dict[str, Any]) -> None:
    assert not parsed(**changes).readable
    assert parsed(**changes) != OURS


def test_foreign_rules_keep_their_meaning_and_may_stand_beside_ours() -> None:
    """S3 refuses a configuration in which one rule has a Filter and another the old Prefix."""
    theirs: list[dict[str, Any]] = [
        {"ID": "old", "Status": "Enabled", "Prefix": "o/", "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}},
        {"Status": "x"},
    ]
    _, foreign = parse_rules(theirs)
    written = build_rules([OURS], foreign)
    assert all("Filter" in rule and "Prefix" not in rule for rule in written)
    assert [rule["Filter"] for rule in written if rule.get("ID") == "old"] == [{"Prefix": "o/"}]
    assert parse_rules(written) == ((OURS,), foreign)
