"""The table of the decision on access: every row, and the page that is written from it."""

import pytest

from clouddatamesh.api.fields import parse_time
from tests.unit.access_table import ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_is_decided(row: Row) -> None:
    found = row.scene.decide()
    assert (found.reason, found.grant.metadata.name if found.grant else "") == (row.reason, row.grant), found.message
    assert found.until == (parse_time(row.until) if row.until else None)
    assert (found.gives, found.stalled, found.answer) == (bool(row.grant), row.stalled, row.answer), found.message
    assert found.message
    assert found.port is not None or not (found.gives or found.answer)


def test_no_two_rows_are_alike() -> None:
    assert len({row.what for row in ROWS}) == len(ROWS) >= 80
    assert [row.what for n, row in enumerate(ROWS) if any(row.scene == other.scene for other in ROWS[:n])] == []
