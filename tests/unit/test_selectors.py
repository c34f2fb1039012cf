"""Label selectors pick what Kubernetes would pick."""

from typing import Any

import pytest

from clouddatamesh.api.fields import LabelSelector
from clouddatamesh.plan.selectors import matches

GOLD_IN_EUROPE = {"tier": "gold", "region": "eu"}


def a_selector(labels: dict[str, str] | None = None, *requirements: tuple[str, str, tuple[str, ...]]) -> LabelSelector:
    expressions = [{"key": key, "operator": operator, "values": values} for key, operator, values in requirements]
    return LabelSelector.model_validate({"matchLabels": labels or {}, "matchExpressions": expressions})


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        (None, True),
        (a_selector(), True),
        (a_selector({"tier": "gold"}), True),
        (a_selector({"tier": "silver"}), False),
        (a_selector({"owner": "kim"}), False),
        (a_selector({"tier": "gold", "region": "us"}), False),
        (a_selector(None, ("tier", "Exists", ())), True),
        (a_selector(None, ("owner", "Exists", ())), False),
        (a_selector(None, ("tier", "DoesNotExist", ())), False),
        (a_selector(None, ("owner", "DoesNotExist", ())), True),
        (a_selector(None, ("tier", "In", ("silver", "gold"))), True),
        (a_selector(None, ("tier", "In", ("silver",))), False),
        (a_selector(None, ("owner", "In", ("kim",))), False),
        (a_selector(None, ("tier", "NotIn", ("silver", "gold"))), False),
        (a_selector(None, ("tier", "NotIn", ("silver",))), True),
        (a_selector(None, ("owner", "NotIn", ("kim",))), True),
        (a_selector({"tier": "gold"}, ("region", "In", ("us",))), False),
        (a_selector({"tier": "silver"}, ("region", "In", ("eu",))), False),
        (a_selector({"tier": "gold"}, ("region", "In", ("eu",))), True),
        (a_selector(None, ("region", "In", ("eu",)), ("tier", "DoesNotExist", ())), False),
    ],
)
def test_labels_fit_where_everything_that_is_asked_holds(selector: Any, fits: bool) -> None:
    assert matches(selector, GOLD_IN_EUROPE) is fits
