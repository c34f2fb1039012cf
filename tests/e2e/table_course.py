"""How the table is run: all acts at once, one wait, every cause removed, one more wait; what is found of each cell is kept."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hack.tools.store import Store
from tests.e2e import table_mesh as m
from tests.e2e.table_eye import Picture
from tests.e2e.table_judge import faults_after, faults_meanwhile, faults_of_access, faults_of_data
from tests.e2e.table_mesh import Table, at_once, neighbours
from tests.e2e.table_words import LOOK, Cell

_PAUSE, _RARELY, _MOST = 1.5, 12.0, 20
"""Seconds between looks, and until something in a store is looked at again; how many of those in one look."""
_LATE = 15.0
"""Seconds by which the drift interval's look at the last object may be late on a busy machine. What was taken by then stays taken."""
SPECIFIED = ("ObjectStore", "Domain", "DataProduct", "AccessRequest", "AccessGrant")
"""Objects with a spec, which is others' and must stay as it was left."""


@dataclass
class Found:
    """What was found of one cell."""

    said: str = ""
    """What was answered to an act that should be refused."""
    broken: str = ""
    """Why the act itself could not be done."""
    meanwhile: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    finally_: list[str] = field(default_factory=list)
    took: float = 0.0
    """Seconds from when it could be whole to the last look at which it was not."""


@dataclass
class Course:
    """Everything that was found."""

    found: dict[str, Found]
    neighbours: tuple[list[Picture], list[Picture]]
    """Before and after."""
    before: dict[str, Picture]
    """Of each cell, when all was well."""
    log: str
    seconds: float


def run(rgw: Store, moto: Store, cells: Sequence[Cell]) -> Course:
    """From an empty cluster to the last look."""
    begun = time.monotonic()
    found = {cell.id: Found() for cell in cells}
    with m.a_table(rgw, moto, cells) as table:
        before = neighbours(table)
        _act(table, cells, found)
        _wait(table, cells, found)
        _set_right(table, [cell for cell in cells if cell.undoes], found)
        _look_at_last(table, cells, found)
        seconds = time.monotonic() - begun
        return Course(found, (before, neighbours(table)), dict(table.before), table.installed.log(), seconds)


def _act(table: Table, cells: Sequence[Cell], found: dict[str, Found]) -> None:
    """What may take longest comes first; each cell's own time runs from the end of its act."""

    def act(cell: Cell) -> None:
        try:
            cell.does(table, cell)
            _remember(table, cell, lasts=cell.undoes is not None)
        except Exception as error:
            found[cell.id].broken = f"{type(error).__name__}: {error}"
        found[cell.id].said = table.said.get(cell.id, "")
        table.note(cell.id)

    at_once(act, sorted(cells, key=lambda cell: (-cell.comes.seconds, cell.undoes is None)))
    table.note("acted")
    _see_specs(table, [cell for cell in cells if not cell.undoes])


def _remember(table: Table, cell: Cell, *, lasts: bool) -> None:
    """What is others' of the object, as somebody has just left it."""
    if not lasts and not cell.scene.late and cell.comes.whole:
        table.left[cell.id] = cell.sees(table, cell)


def _see_specs(table: Table, cells: Sequence[Cell]) -> None:
    """The same of what is seen by the eye: it has to look first."""
    table.eye.look()
    for cell in cells:
        if cell.object in SPECIFIED:
            _remember(table, cell, lasts=False)


def _settle(table: Table, cells: Sequence[Cell], seconds: float, since: str) -> dict[str, list[str]]:
    """Look again and again until nothing speaks against any, or the time is over; what was said at last of each that is left."""
    end, faults = table.since[since] + seconds, {cell.id: ["it was not looked at"] for cell in cells}
    due = dict.fromkeys(faults, 0.0)
    while any(faults.values()):
        table.eye.look()
        now = time.monotonic()
        left = [cell for cell in cells if faults[cell.id]]
        asked = left if now > end else _due(left, due, now)
        at_once(lambda cell: faults.__setitem__(cell.id, faults_after(table, cell)), asked)
        for cell in asked:
            due[cell.id] = now + (_RARELY if cell.comes.seconds == LOOK else 0.0)
            if faults[cell.id]:
                table.since[f"faulty {cell.id}"] = now
        if now > end:
            break
        time.sleep(_PAUSE)
    return faults


def _due(left: Sequence[Cell], due: Mapping[str, float], now: float) -> list[Cell]:
    """All that are quick, and some of the others in turns: a look at what is in a store costs more."""
    slow = sorted((cell for cell in left if cell.comes.seconds == LOOK and due[cell.id] <= now), key=lambda cell: due[cell.id])
    return [cell for cell in left if cell.comes.seconds < LOOK] + slow[:_MOST]


def _wait(table: Table, cells: Sequence[Cell], found: dict[str, Found]) -> None:
    """One drift interval for all. What lasts is judged when it is over; what does not, as soon as it is whole."""
    passing = [cell for cell in cells if not cell.undoes and cell.comes.heals]
    _note(table, passing, found, _settle(table, passing, LOOK, "acted"))
    time.sleep(max(table.since["acted"] + LOOK - time.monotonic(), 0.0))
    table.eye.look()
    left = [cell for cell in cells if cell.undoes]
    while left:
        at_once(lambda cell: setattr(found[cell.id], "meanwhile", faults_meanwhile(table, cell)), left)
        left = [cell for cell in left if found[cell.id].meanwhile]
        if time.monotonic() > table.since["acted"] + LOOK + _LATE:
            break
        time.sleep(_PAUSE)
        table.eye.look()


def _note(table: Table, cells: Sequence[Cell], found: dict[str, Found], left: dict[str, list[str]], *, since: str = "") -> None:
    for cell in cells:
        found[cell.id].after = left[cell.id]
        begun = table.since[since or cell.id]
        found[cell.id].took = max(table.since.get(f"faulty {cell.id}", begun) - begun, 0.0)


def _set_right(table: Table, cells: Sequence[Cell], found: dict[str, Found]) -> None:
    """Every cause ends; nobody tells the operator."""

    def undo(cell: Cell) -> None:
        try:
            if cell.undoes:
                cell.undoes(table, cell)
            _remember(table, cell, lasts=False)
        except Exception as error:
            found[cell.id].broken += f" then {type(error).__name__}: {error}"

    at_once(undo, cells)
    table.note("set right")
    _see_specs(table, cells)
    _note(table, cells, found, _settle(table, cells, LOOK, "set right"), since="set right")


def _look_at_last(table: Table, cells: Sequence[Cell], found: dict[str, Found]) -> None:
    """Nothing was lost, no key goes beyond its grant, and what was whole still is."""
    table.eye.look()

    def look(cell: Cell) -> None:
        late = [] if found[cell.id].after else faults_after(table, cell)
        found[cell.id].finally_ = [*late, *faults_of_data(table, cell), *faults_of_access(table, cell)]

    at_once(look, cells)
