"""The table of the decision on access: every row, and the page that is written from it."""

import os
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from tests.unit.access_rows import AUTO, DRAINING, LATER, OLD, Row
from tests.unit.access_scene import MADE, NOW, TOO_LONG, Scene, approve, capped
from tests.unit.access_table import ROWS, TABLE

PAGE = Path(__file__).parents[2] / "docs" / "access-rule.md"
UPDATE = "UPDATE=1 pytest tests/unit/test_access_decision.py"


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
    if os.environ.get("UPDATE"):
        PAGE.write_text(rule(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == rule(), f"run {UPDATE}"


def rule() -> str:
    """The whole page."""
    intro = (
        "Every state that a decision on access can depend on, and the decision. [Access](access.md) explains the rule in words.\n\n"
        f"Each row is a test of the function that decides (`operator/clouddatamesh/plan/access/decision.py`). In all rows it is\n"
        f"{_day(NOW)}, and the grant `yes` was created on {_day(MADE)}. A row names its difference from the first row.\n"
        "If a row gives no access, existing access is revoked.\n\n"
        f"The page is generated from `tests/unit/access_table.py` by `{UPDATE}`."
    )
    parts = [
        f"## {heading}\n\n| state | grant that gives | until | reason |\n|---|---|---|---|\n{_lines(rows)}"
        for heading, rows in TABLE.items()
    ]
    return "\n\n".join(["# The access rule", intro, *parts]) + "\n"


def _lines(rows: tuple[Row, ...]) -> str:
    return "\n".join(f"| {row.what} | {row.grant or 'no'} | {_until(row)} | {_reason(row)} |" for row in rows)


def _until(row: Row) -> str:
    return (_day(row.until) if row.until else "no end") if row.grant else ""


def _day(moment: str) -> str:
    return moment.removesuffix("T00:00:00Z")


def _reason(row: Row) -> str:
    notes = (
        (f"not Ready: `{row.trouble}`", row.trouble),
        ("requires user action", row.stalled),
        ("the operator creates a grant", row.answer),
        (f"`{', '.join(row.marks)}` is superseded", row.marks),
    )
    return ", ".join([f"`{row.reason}`", *(note for note, holds in notes if holds)])


FAULTY: dict[str, Any] = {"storage_ready": ("False", "AccessDenied")}
GAVE = {**approve(), "status": {"consumer": {"domain": "inventory", "namespaceUid": "uid-inventory"}}}


@pytest.mark.parametrize(
    ("scene", "ended"),
    [
        (Scene(runs_on="yes", port={}), ["yes"]),
        (Scene(grants=(GAVE,), port={}), ["yes"]),
        (Scene(port={}), []),
        (Scene(runs_on="yes", marked={"cut_off": "daily/1.0.0"}, **DRAINING), ["yes"]),
        (Scene(runs_on="yes", marked={"cut_off": "daily/1.0.0"}), []),
        (Scene(runs_on="yes", exists=False), []),
        (Scene(runs_on="yes", grants=(capped(approve(), "10d"),)), ["yes"]),
        (Scene(runs_on="old", grants=(OLD,)), []),
        (Scene(runs_on="yes"), []),
        (Scene(runs_on="yes", grants=(capped(approve(), "10d"),), **FAULTY), ["yes"]),
        (Scene(runs_on="yes", grants=(capped(approve(), "10d"),), trusted=False), []),
        (Scene(runs_on="old", grants=(OLD,), **FAULTY), []),
        (Scene(runs_on="yes", grants=(capped(approve(), "10d"), approve("longer", validUntil=LATER)), **FAULTY), []),
    ],
)
def test_a_grant_that_its_port_ended_never_gives_again(scene: Scene, ended: list[str]) -> None:
    assert [answer.key.name for answer in scene.decide().ended] == ended


@pytest.mark.parametrize(
    ("scene", "past"),
    [
        (Scene(runs_on="old", grants=(OLD,), **FAULTY), True),
        (Scene(runs_on="old", grants=(OLD,), product={"suspend": True}, **AUTO), True),
        (Scene(runs_on="old", grants=(OLD, approve()), **FAULTY), False),
        (Scene(grants=(), product={"suspend": True}, **AUTO), False),
        (Scene(grants=(OLD,), trusted=False), False),
        (Scene(runs_on="yes", keyless=True, grants=(approve(note=TOO_LONG),), product={"suspend": True}), False),
    ],
)
def test_that_access_ended_by_time_is_known_whatever_else_keeps_it_from_being_given(scene: Scene, *, past: bool) -> None:
    assert scene.decide().past is past
