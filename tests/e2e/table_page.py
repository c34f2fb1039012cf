"""docs/outside-changes.md, written from the table."""

from collections.abc import Sequence

from tests.e2e.table_words import TIMES, Cell
from tests.support.installation import ROOT

PAGE = ROOT / "docs" / "outside-changes.md"
UPDATE = "UPDATE=1 pytest tests/e2e/test_table.py -k fresh"
INTRO = f"""# Changes from outside

What happens when people, tools or clouds change what the operator made. Every row is a test (`tests/e2e/test_table.py`): all of them
happen to one mesh at one moment, on a real API server and Ceph RGW, or on moto where it says so. The page is written by `{UPDATE}`.

For every row: no data is lost, no key does more than its grant allows, nothing of others changes, and the object is whole again by itself
once the cause is gone.

| within | means |
|---|---|
| at once | the object is watched: a few seconds |
| 60 s | a minute |
| drift interval | the next scheduled look at the object (`driftInterval`, default 5 minutes) |
"""


def page(cells: Sequence[Cell]) -> str:
    """The whole page."""
    objects = dict.fromkeys(cell.object for cell in cells)
    parts = [_part(name, [cell for cell in cells if cell.object == name]) for name in objects]
    return "\n".join([INTRO, f"{len(cells)} rows.\n", *parts])


def _part(name: str, cells: Sequence[Cell]) -> str:
    head = f"## {name}\n\n| act | what exactly | what happens | within | status says meanwhile | until |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(cell) for cell in cells)]) + "\n"


def _row(cell: Cell) -> str:
    said = " or ".join(f"`{reason}`" for reason in cell.reason.split()) or "-"
    return f"| {cell.act} | {cell.what} | {cell.comes.says} | {TIMES[cell.comes.seconds]} | {said} | {cell.cause or '-'} |"
