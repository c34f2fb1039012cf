"""What the model's values say of themselves."""

import pytest

from clouddatamesh.errors import Waiting
from clouddatamesh.model.bucket import Contents
from clouddatamesh.model.operations import HoldObject
from clouddatamesh.model.plan import Part, Steps, stopped


@pytest.mark.parametrize("held", [Contents(versions=1), Contents(delete_markers=1), Contents(uploads=1), Contents(more=True)])
def test_a_bucket_is_empty_only_where_nothing_at_all_is_in_it(held: Contents) -> None:
    assert Contents().empty
    assert not held.empty


def test_a_part_is_settled_only_where_nothing_is_to_do_and_nothing_stops_it() -> None:
    assert Part("a").is_settled
    assert not Part("a", Steps((HoldObject(),))).is_settled
    assert not Part("a", stopped(Waiting("Waits", "It waits"))).is_settled
