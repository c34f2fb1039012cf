"""What a status, an event or an annotation says is explained to whoever meets it at night."""

from pathlib import Path

import pytest

from clouddatamesh import reasons
from clouddatamesh.plan import marks

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
REASONS = sorted(value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str))
OF_PEOPLE = (
    marks.RECONCILE_ANNOTATION,
    marks.ROTATE_ANNOTATION,
    marks.RECREATE_ANNOTATION,
    marks.APPLY_PLAN_ANNOTATION,
    marks.FORCE_ANNOTATION,
    marks.ORPHAN_ANNOTATION,
    marks.CUT_OFF_ANNOTATION,
    marks.ACCOUNT_ANNOTATION,
    marks.END_TAKEN_OVER_ANNOTATION,
    marks.ADOPT_ANNOTATION,
    marks.ADOPT_TAG,
    marks.TRANSFER_TAG,
    marks.ADOPTED_TAG,
    marks.RELEASED_TAG,
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_in_the_page_on_operations(reason: str) -> None:
    assert f"`{reason}`" in OPERATIONS


@pytest.mark.parametrize("mark", sorted(set(OF_PEOPLE)))
def test_every_mark_that_people_set_is_in_the_page_on_operations(mark: str) -> None:
    assert f"`{mark}=" in OPERATIONS
