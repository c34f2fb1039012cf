"""Which step a reconciliation is in: each step is told once, and none where no reconciliation runs."""

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.trail import Trail, at, current, during, reconciling

PRODUCT = Key("DataProduct", "sales", "orders")


def test_each_step_and_part_is_told_once_and_the_end_too() -> None:
    told: list[Trail | None] = []
    with reconciling(PRODUCT, told.append):
        at("gather")
        at("gather")
        during("apply", lambda: at("apply", "storage"))()
        at("apply", "storage")
        at("end", failures=("StoreUnavailable",))
        assert current() == told[-1]
    steps = [(trail.key, trail.step, trail.part, trail.failures) if trail else None for trail in told]
    assert steps == [
        (PRODUCT, "parse", "", ()),
        (PRODUCT, "gather", "", ()),
        (PRODUCT, "apply", "", ()),
        (PRODUCT, "apply", "storage", ()),
        (PRODUCT, "end", "", ("StoreUnavailable",)),
        None,
    ]
    assert len({trail.id for trail in told if trail}) == 1


def test_outside_of_a_reconciliation_nothing_is_told() -> None:
    at("gather")
    assert current() is None


def test_the_end_is_told_also_where_a_step_fails() -> None:
    told: list[Trail | None] = []
    with pytest.raises(ValueError, match="no"), reconciling(PRODUCT, told.append):
        raise ValueError("no")
    assert told[-1] is None
    assert current() is None
