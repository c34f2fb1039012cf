"""Differences are found by meaning: quantities, order, and what a server fills in."""

from decimal import Decimal

import pytest

from clouddatamesh.model.bucket import Bucket, LifecycleRule, Statement
from clouddatamesh.plan.diff import covers, diff_bucket, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("500m", "0.5"),
        ("0.5", "0.5"),
        ("1Gi", 2**30),
        ("1E", 10**18),
        ("1E3", 1000),
        ("1e3", 1000),
        (".5", "0.5"),
        ("-2k", -2000),
    ],
)
def test_quantities_are_numbers(text: str, number: object) -> None:
    assert parse_quantity(text) == Decimal(str(number))


@pytest.mark.parametrize("text", ["", "a", "1X", "1 Gi", "--1"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert parse_quantity(text) is None


def quota(**hard: str) -> dict[str, object]:
    return {"spec": {"hard": hard}}


def limits(**kinds: dict[str, str]) -> dict[str, object]:
    return {"spec": {"limits": [{"type": "Container", **kinds}]}}


@pytest.mark.parametrize(
    ("observed", "want", "same"),
    [
        (quota(cpu="500m"), quota(cpu="0.5"), True),
        (quota(cpu="500m", pods="3"), quota(cpu="0.5"), False),
        (quota(cpu="501m"), quota(cpu="0.5"), False),
        (quota(), quota(cpu="1"), False),
        ({"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}, {"spec": {"podSelector": {}}}, False),
        ({"subjects": [{"name": "a"}, {"name": "b"}]}, {"subjects": [{"name": "a"}]}, False),
        (limits(default={"cpu": "1"}), limits(default={"cpu": "1000m"}), True),
        (limits(default={"cpu": "1", "memory": "1Gi"}), limits(default={"cpu": "1"}), False),
        (limits(default={"cpu": "1"}, max={"cpu": "2"}), limits(default={"cpu": "1"}), False),
        ({"metadata": {"labels": {"a": "b", "c": "d"}}}, {"metadata": {"labels": {"a": "b"}}}, True),
    ],
)
def test_a_child_covers_what_is_wanted_of_it(observed: dict[str, object], want: dict[str, object], same: bool) -> None:
    assert covers(observed, want) is same


def test_only_wanted_settings_differ_and_in_the_safe_order() -> None:
    want = Bucket("b", tags=(("a", "b"),), public_access_blocked=True, ownership_enforced=True, encryption="AES256", versioning="Enabled")
    assert diff_bucket(Bucket("b"), want) == ("tags", "publicAccessBlock", "ownership", "encryption", "versioning")
    assert diff_bucket(want, Bucket("b", tags=(("a", "b"),))) == ()


def test_order_of_statements_and_rules_does_not_matter() -> None:
    first, second = Statement("a", "Deny", (), ()), Statement("b", "Deny", (), ())
    assert diff_bucket(Bucket("b", policy=(first, second)), Bucket("b", policy=(second, first))) == ()
    rules = (LifecycleRule("a", "x"), LifecycleRule("b", "y"))
    assert diff_bucket(Bucket("b", lifecycle=rules), Bucket("b", lifecycle=rules[::-1])) == ()
    assert diff_bucket(Bucket("b", policy=(Statement.unreadable("a"),)), Bucket("b", policy=(first,))) == ("policy",)
