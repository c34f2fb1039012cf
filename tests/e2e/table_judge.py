"""What speaks against a cell: while its cause lasts, and when it should be whole again. An empty list is what is wanted."""

from collections.abc import Callable, Iterator

from tests.e2e import table_eye as eye
from tests.e2e.table_eye import Grip
from tests.e2e.table_mesh import USERS, Held, Table, grip_of
from tests.e2e.table_words import Cell, Key


def faults_meanwhile(table: Table, cell: Cell) -> list[str]:
    """Status says why, and nothing is taken but what the outcome says."""
    return [*_untold(table, cell), *_of_keys(table, cell, cell.comes.meanwhile, _KEPT_BY_STORE)]


def faults_after(table: Table, cell: Cell) -> list[str]:
    """Our part is as before, what others wrote is as they left it, and keys are what the outcome says."""
    return [*_of_picture(table, cell), *_of_traces(table, cell), *_of_keys(table, cell, cell.comes.key, _CHECKS), *_of_added(table, cell)]


def faults_of_data(table: Table, cell: Cell) -> list[str]:
    """Objects that are missing from the bucket; where it was lost by somebody's own act, they came back with it or were given up."""
    held = table.held.get(cell.scene.name)
    if held is None or f"data of {cell.scene.name}" in table.kept:
        return []
    found = eye.contents(held.store, held.bucket)
    return [f"{key} is lost" for key in (eye.SEED, eye.PRIVATE) if key not in found]


def faults_of_access(table: Table, cell: Cell) -> list[str]:
    """What anybody's key does beyond its grant, be it the present one or one of before."""
    held = table.held.get(cell.scene.name)
    if held is None:
        return []
    given = table.kept.get(f"opened {cell.scene.name}", "")
    return [f"the {whose}'s key {what}" for whose in held.users for grip in _grips(table, cell, held, whose)
            for what in eye.trespasses(grip, consumes=whose == "consumer") if what != given]  # fmt: skip


def _grips(table: Table, cell: Cell, held: Held, whose: str) -> Iterator[Grip]:
    now = grip_of(table, cell.scene, whose, held.store, held.bucket)
    before = held.grips[whose]
    yield before
    if now is not None and now.id != before.id:
        yield now


# What status says


def tellers(cell: Cell) -> Iterator[tuple[str, str, str]]:
    """The objects that are Ready when all is well."""
    scene = cell.scene
    if scene.kind == "domain":
        yield ("domain", scene.name, "")
        return
    if scene.kind == "store" and cell.teller == "objectstore":
        yield ("objectstore", scene.name, "")
    if cell.teller != "accessrequest":
        yield ("dataproduct", scene.name, scene.place)
    if scene.asks and cell.whose != "producer":
        yield ("accessrequest", scene.name, USERS)


def _untold(table: Table, cell: Cell) -> list[str]:
    if not cell.comes.told:
        return []
    kind, name, place = next(tellers(cell))
    found = table.eye.condition(kind, name, place)
    if found.get("status") == "True":
        return [f"{kind} {name} is Ready: {found.get('reason')}"]
    if found.get("reason") not in cell.reason.split() or not found.get("message"):
        return [f"{kind} {name} says {found.get('reason')}: {found.get('message')}; wanted {cell.reason}"]
    return []


def _of_picture(table: Table, cell: Cell) -> list[str]:
    if not cell.comes.whole:
        return []
    faults = []
    for kind, name, place in tellers(cell):
        found = table.eye.condition(kind, name, place)
        if found.get("status") != "True":
            faults.append(f"{kind} {name} is not Ready: {found.get('reason')}: {found.get('message')}")
    if cell.scene.late:
        return faults
    now, before, left = cell.sees(table, cell), table.before[cell.id], table.left.get(cell.id)
    if now.ours != before.ours:
        faults.append(f"ours is {_difference(before.ours, now.ours)}")
    if left is not None and left.others is not None and now.others != left.others:
        faults.append(f"others' is {_difference(left.others, now.others)}")
    return faults


def _difference(before: object, now: object) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        return "; ".join(f"{key}: was {before.get(key)!r}, is {now.get(key)!r}" for key in keys)
    return f"was {before!r}, is {now!r}"


def _of_traces(table: Table, cell: Cell) -> list[str]:
    faults = []
    for trace in table.traces.get(cell.id, ()):
        found = eye.value_at(table.eye.get(trace.kind, trace.name, trace.namespace), trace.path)
        same = trace.value.items() <= (found or {}).items() if isinstance(trace.value, dict) else found == trace.value
        if not same:
            faults.append(f"{trace.kind} {trace.name} {'.'.join(trace.path)}: was {trace.value!r}, is {found!r}")
    return faults


# What keys do


def _of_keys(table: Table, cell: Cell, wanted: Key, checks: dict[Key, "_Check"]) -> list[str]:
    held = table.held.get(cell.scene.name)
    if held is None or wanted is Key.NONE:
        return []
    concerned = [cell.whose] if cell.whose else list(held.users)
    return [f"{whose}: {what}" for whose in concerned for what in checks[wanted](table, cell, held, whose)]


_Check = Callable[[Table, Cell, Held, str], list[str]]


def _now(table: Table, cell: Cell, held: Held, whose: str) -> Grip | None:
    return grip_of(table, cell.scene, whose, held.store, held.bucket)


def _is_alive(_table: Table, _cell: Cell, held: Held, whose: str) -> list[str]:
    """The store still has user, policy and key; that a policy of somebody's locks it out for a while is not ours."""
    return [] if eye.is_alive(held.store, held.users[whose], held.grips[whose].id) else ["the key was taken"]


def _is_dead(table: Table, cell: Cell, held: Held, whose: str) -> list[str]:
    now = _now(table, cell, held, whose)
    faults = ["the former key is let in"] if held.grips[whose].reads() else []
    faults += ["the user has its key"] if eye.is_alive(held.store, held.users[whose], held.grips[whose].id) else []
    return faults + (["the Secret is there"] if now is not None else [])


def _is_kept(table: Table, cell: Cell, held: Held, whose: str) -> list[str]:
    now = _now(table, cell, held, whose)
    if now is None or (now.id, now.secret) != (held.grips[whose].id, held.grips[whose].secret):
        return [f"the Secret has {'another key' if now else 'no key'}"]
    return [] if now.reads() else ["the key is refused"]


def _is_back(table: Table, cell: Cell, held: Held, whose: str) -> list[str]:
    now = _now(table, cell, held, whose)
    if now is None:
        return ["the Secret has no key"]
    return [] if now.reads() else ["the key in the Secret is refused"]


def _is_fresh(table: Table, cell: Cell, held: Held, whose: str) -> list[str]:
    now, before = _now(table, cell, held, whose), held.grips[whose]
    faults = _is_back(table, cell, held, whose)
    if now is not None and now.id == before.id:
        faults.append("the Secret has the former key")
    return faults + (["the former key is let in"] if before.reads() else [])


def _is_graced(table: Table, cell: Cell, held: Held, whose: str) -> list[str]:
    faults = _is_back(table, cell, held, whose)
    return faults + ([] if held.grips[whose].reads() else ["the former key is refused at once"])


_KEPT_BY_STORE: dict[Key, _Check] = {Key.KEPT: _is_alive, Key.ENDED: _is_dead}
_CHECKS: dict[Key, _Check] = {
    Key.KEPT: _is_kept,
    Key.FRESH: _is_fresh,
    Key.GRACED: _is_graced,
    Key.BACK: _is_back,
    Key.ENDED: _is_dead,
}


def _of_added(table: Table, cell: Cell) -> list[str]:
    """A key that somebody made by hand opens nothing any more."""
    added = table.added.get(cell.id)
    return ["the key that was made by hand is let in"] if added is not None and added.reads() else []
