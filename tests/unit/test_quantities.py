"""Quantities mean to us what they mean to Kubernetes."""

from decimal import Decimal

import pytest

from clouddatamesh.plan.diff import covers, parse_quantity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1000m"), ("1m", "1000u"), ("1u", "1000n"),
        ("1k", "1000"), ("1M", "1000k"), ("1G", "1000M"), ("1T", "1000G"), ("1P", "1000T"), ("1E", "1000P"),
        ("1Ki", "1024"), ("1Mi", "1024Ki"), ("1Gi", "1024Mi"), ("1Ti", "1024Gi"), ("1Pi", "1024Ti"), ("1Ei", "1024Pi"),
    ],
)  # fmt: skip
def test_each_suffix_is_a_thousand_or_1024_of_the_one_below(one: str, other: str) -> None:
    assert parse_quantity(one) == parse_quantity(other)
    assert parse_quantity(one) != Decimal(0)
    assert covers({"spec": {"hard": {"cpu": other}}}, {"spec": {"hard": {"cpu": one}}})


def test_what_is_no_amount_is_compared_as_it_is_written() -> None:
    assert not covers({"metadata": {"labels": {"amount": "1000m"}}}, {"metadata": {"labels": {"amount": "1"}}})
    assert not covers({"spec": {"hard": {"cpu": "much"}}}, {"spec": {"hard": {"cpu": "more"}}})
    assert not covers({"spec": {"limits": ["a", "b"]}}, {"spec": {"limits": ["a"]}})
    assert not covers({"spec": "a"}, {"spec": {"hard": {"cpu": "1"}}})
