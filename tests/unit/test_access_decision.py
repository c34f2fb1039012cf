"""The table of the decision on access: every row, and the page that is written from it."""

import os
from pathlib import Path

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from tests.unit.access_rows import Row
from tests.unit.access_scene import MADE, NOW
from tests.unit.access_table import ROWS, TABLE

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
UPDATE = "UPDATE=1 pytest tests/unit/test_access_decision.py"
HEAD = "## The whole rule\n"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_is_decided(row: Row) -> None:
    found = row.scene.decide()
    assert (found.reason, found.grant.key.name if found.grant else "") == (row.reason, row.grant), found.message
    if found.gives:
        assert found.until == (parse_time(row.until) if row.until else None)
    else:
        assert found.until is None or (found.reason == "Expired" and found.until <= parse_time(row.scene.now))
    assert (found.gives, found.stalled, found.answer) == (bool(row.grant), row.stalled, row.answer), found.message
    assert (found.trouble.reason if found.trouble else "", found.is_frozen) == (row.trouble, row.trouble == reasons.UNREADABLE)
    assert tuple(answer.key.name for answer in found.superseded) == row.marks
    assert found.message
    assert found.port is not None or not (found.gives or found.answer)


def test_no_two_rows_are_alike() -> None:
    assert len({row.what for row in ROWS}) == len(ROWS) >= 80
    assert [row.what for n, row in enumerate(ROWS) if any(row.scene == other.scene for other in ROWS[:n])] == []


def test_the_page_is_fresh() -> None:
    told = PAGE.read_text(encoding="utf-8")
    want = told.partition(HEAD)[0] + rule()
    if os.environ.get("UPDATE"):
        PAGE.write_text(want, encoding="utf-8")
        told = want
    assert told == want, f"run {UPDATE}"


def rule() -> str:
    """The table as the page has it."""
    intro = (
        "Every row is a test of the one function that decides (`operator/clouddatamesh/plan/access/decision.py`); written from\n"
        f"`tests/unit/access_table.py` by `{UPDATE}`. It is {_day(NOW)}; the plain\ngrant, `yes`, was made on {_day(MADE)}."
        " A row says what differs from the plain world, the first one. Where nothing is given, access that\nruns is taken away."
    )
    parts = [f"### {heading}\n\n| state | gives | until | reason |\n|---|---|---|---|\n{_lines(rows)}" for heading, rows in TABLE.items()]
    return "\n\n".join([HEAD.rstrip(), intro, *parts]) + "\n"


def _lines(rows: tuple[Row, ...]) -> str:
    return "\n".join(f"| {row.what} | {row.grant or 'no'} | {_until(row)} | {_reason(row)} |" for row in rows)


def _until(row: Row) -> str:
    return (_day(row.until) if row.until else "no end") if row.grant else ""


def _day(moment: str) -> str:
    return moment.removesuffix("T00:00:00Z")


def _reason(row: Row) -> str:
    notes = (
        (f"not Ready: `{row.trouble}`", row.trouble),
        ("somebody must act", row.stalled),
        ("the operator makes a grant", row.answer),
        (f"`{', '.join(row.marks)}` is superseded", row.marks),
    )
    return ", ".join([f"`{row.reason}`", *(note for note, holds in notes if holds)])
