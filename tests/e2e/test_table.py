"""Everything that people, tools and clouds do to the mesh from outside: each object, each class of acts, in one mesh at one time.

What comes of each class is written in table_words.py, judged by boto3 and kubectl alone; docs/outside-changes.md is written from the table.
"""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hack.tools.store import Store
from tests.e2e.table_bucket import BUCKETS, MARKS
from tests.e2e.table_course import Course, run
from tests.e2e.table_eye import Picture
from tests.e2e.table_objects import OBJECTS
from tests.e2e.table_page import PAGE, UPDATE, page
from tests.e2e.table_secrets import SECRETS
from tests.e2e.table_settings import SETTINGS
from tests.e2e.table_spaces import DOMAINS, INSIDE, SPACES
from tests.e2e.table_stores import STORES
from tests.e2e.table_users import USERS_CELLS
from tests.e2e.table_words import Act, Cell
from tests.support.installation import ROOT

CELLS: tuple[Cell, ...] = (
    *BUCKETS,
    *MARKS,
    *SETTINGS,
    *USERS_CELLS,
    *SECRETS,
    *SPACES,
    *INSIDE,
    *DOMAINS,
    *OBJECTS,
    *STORES,
)
SLACK = 10.0
"""Seconds, for a machine that is busy with a whole mesh at once."""


@pytest.fixture(scope="module")
def course(rgw: Store, moto: Store) -> Course:
    """All of it, once."""
    return run(rgw, moto, CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_what_comes_of_it(course: Course, cell: Cell) -> None:
    found = course.found[cell.id]
    assert found.broken == ""
    assert bool(found.said) == cell.comes.refused, found.said or "it was not refused"
    assert "; ".join(found.meanwhile) == "", "while its cause lasts"
    assert "; ".join(found.after) == "", "when it should be whole"
    assert "; ".join(found.finally_) == "", "at last"
    assert found.took <= cell.comes.seconds + SLACK


PARTS = {
    "Bucket tags": "tags",
    "Bucket: public access": "public access",
    "Bucket: versioning": "versioning",
    "Bucket: lifecycle": "rules",
    "Bucket: policy": "statements",
    "Bucket: encryption": "encrypted",
    "Bucket: object ownership": "ownership",
}
"""What of a bucket's picture a row about one of its settings is about."""


def test_no_row_of_a_setting_that_comes_back_compares_nothing_with_nothing(course: Course) -> None:
    rows = [cell for cell in CELLS if cell.object in PARTS and cell.comes.whole and cell.comes.heals and not cell.comes.refused]
    assert {cell.object for cell in rows} == set(PARTS)
    assert [cell.id for cell in rows if not _ours(course.before[cell.id])[PARTS[cell.object]]] == []


def _ours(seen: Picture) -> dict[str, Any]:
    """Some rows look at more besides."""
    return dict(seen.ours[0] if isinstance(seen.ours, tuple) else seen.ours)


def test_nothing_of_others_changes(course: Course) -> None:
    before, after = course.neighbours
    assert after == before


def test_the_log_has_no_traceback(course: Course) -> None:
    assert course.log
    assert "Traceback" not in course.log


# About the table itself


def test_there_are_at_least_a_hundred_and_twenty_and_no_two_alike() -> None:
    told = [(cell.object, cell.act, cell.what) for cell in CELLS]
    assert len(told) == len(set(told)) >= 120
    objects = [(cell.scene.name, cell.object, cell.whose) for cell in CELLS]
    assert len(objects) == len(set(objects)), "one object a cell"
    scenes = {cell.scene for cell in CELLS}
    assert len(scenes) == len({scene.name for scene in scenes}), "one scene a name"


def test_every_class_of_acts_befalls_several_objects() -> None:
    """Only what can be immutable is made so: Secrets."""
    befalls = {act: {cell.object for cell in CELLS if cell.act is act} for act in Act}
    assert [act for act, objects in befalls.items() if len(objects) < (2 if act is Act.IMMUTABLE else 5)] == []


def test_who_judges_knows_nothing_of_the_operator() -> None:
    reached = set(_reached(Path(__file__)))
    assert len(reached) > 10
    for path in reached:
        assert [name for name in _imported(path) if name.partition(".")[0] == "clouddatamesh"] == [], path


def _reached(start: Path) -> Iterator[Path]:
    """Every file of this repository that a file imports, directly or not."""
    todo, seen = [start], {start}
    while todo:
        path = todo.pop()
        yield path
        files = {ROOT / Path(*name.split(".")).with_suffix(".py") for name in _imported(path)}
        new = {file for file in files if file.exists()} - seen
        seen |= new
        todo += new


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_page_is_fresh() -> None:
    if os.environ.get("UPDATE"):
        PAGE.write_text(page(CELLS), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(CELLS), f"run {UPDATE}"
