"""One table for both ways: fields of a foreign object, where ours are, and what is left over.

Reading gives ours, a line of the report for each field, and the rest: what ours do not hold, in the shape of the document. Writing overlays
ours on that rest. A value of the rest that still reads as ours is written as it was spelled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from clouddatamesh.export.bitol.report import Entry, Verdict, changed, error, has, kept, mapped, shown
from clouddatamesh.export.bitol.values import Node, Reader, Unfit, Wrong, same, words

MARK: Final = "$ours"
"""In an item of the rest: which item of ours it belongs to."""


@dataclass(frozen=True)
class Part:
    """What was read of an object or a field."""

    ours: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)
    report: tuple[Entry, ...] = ()

    def __or__(self, other: "Part") -> "Part":
        return Part({**self.ours, **other.ours}, {**self.rest, **other.rest}, (*self.report, *other.report))


class Rule(Protocol):
    """One key of a foreign object, both ways."""

    @property
    def theirs(self) -> str: ...
    def take(self, node: Node, path: str) -> Part: ...
    def give(self, ours: Node, rest: Node) -> dict[str, Any]: ...


Table = Sequence[Rule]


def read_object(node: Node, path: str, table: Table) -> Part:
    """An object by its table; keys that are not in it are rest."""
    part, known = Part(), {rule.theirs for rule in table}
    for rule in table:
        part |= rule.take(node, f"{path}.{rule.theirs}")
    others = {name: value for name, value in node.items() if name not in known and name != MARK}
    return part | Part(rest=others, report=tuple(kept(f"{path}.{name}") for name in others))


def write_object(ours: Node, rest: Node, table: Table) -> dict[str, Any]:
    """The object again, in the order of the table, then the rest."""
    out: dict[str, Any] = {}
    for rule in table:
        out |= rule.give(ours, rest)
    known = {rule.theirs for rule in table}
    return out | {name: value for name, value in rest.items() if name not in known and name != MARK}


@dataclass(frozen=True)
class Field:
    """A single value. `absent` is what ours is where the document says nothing that fits."""

    theirs: str
    ours: str
    read: Reader
    write: Callable[[Any], Any] = same
    absent: Any = None
    required: bool = False
    """Whether an item without it cannot be ours."""
    named: bool = False
    """Whether ours is made of it, so that the rest has the spelling."""

    def take(self, node: Node, path: str) -> Part:
        value = node.get(self.theirs)
        if value is None:
            return self._absent(path, {}, "It is absent")
        try:
            held = self.read(value, node)
        except Unfit as unfit:
            return self._absent(path, {self.theirs: value}, str(unfit))
        except Wrong as wrong:
            return Part(rest={self.theirs: value}, report=(error(path, str(wrong)),))
        if self.write(held) == value:
            return Part({self.ours: held}, {}, (mapped(path, self.ours),))
        return Part({self.ours: held}, {self.theirs: value}, (changed(path, self.ours, f"{shown(value)} became {shown(held)}"),))

    def _absent(self, path: str, rest: Node, why: str) -> Part:
        if self.required:
            raise Unfit(f"{self.theirs}: {why}")
        left = (kept(path, why),) if rest else ()
        if self.absent is None:
            return Part({}, rest, left)
        return Part({self.ours: self.absent}, rest, (changed(path, self.ours, f"{why}: {shown(self.absent)} is written"),))

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        held, spelled = ours.get(self.ours), rest.get(self.theirs)
        if spelled is not None and (self.named or self._means(spelled, rest, held)):
            return {self.theirs: spelled}
        return {} if held is None else {self.theirs: self.write(held)}

    def _means(self, spelled: Any, rest: Node, held: Any) -> bool:
        try:
            return bool(self.read(spelled, rest) == held)
        except (Unfit, Wrong):
            return held in (None, self.absent)


@dataclass(frozen=True)
class Words:
    """A list of words. Those that do not fit are written after ours."""

    theirs: str
    ours: str
    most: int

    def take(self, node: Node, path: str) -> Part:
        return Field(self.theirs, self.ours, words(self.most)).take(node, path)

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        held, spelled = list(ours.get(self.ours) or ()), rest.get(self.theirs)
        if not isinstance(spelled, list):
            return {self.theirs: held or spelled} if held or spelled is not None else {}
        try:
            fit = words(self.most)(spelled, rest)
        except Unfit:
            fit = []
        others = [word for word in spelled if word not in fit]
        return {self.theirs: spelled if fit == held else [*held, *others]}


@dataclass(frozen=True)
class Nested:
    """An object with a table of its own."""

    theirs: str
    ours: str
    table: Table

    def take(self, node: Node, path: str) -> Part:
        value = node.get(self.theirs)
        if value is None:
            return Part()
        if not isinstance(value, Mapping):
            return Part(rest={self.theirs: value}, report=(kept(path, "It is no object"),))
        inner = read_object(value, path, self.table)
        ours = {self.ours: inner.ours} if inner.ours else {}
        # An empty object is a spelling of its own.
        rest = {self.theirs: inner.rest} if inner.rest or not value else {}
        return Part(ours, rest, tuple(_below(self.ours, inner.report)))

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        spelled = rest.get(self.theirs)
        if spelled is not None and not isinstance(spelled, Mapping):
            spelled = None if ours.get(self.ours) else {self.theirs: spelled}
            return spelled or {self.theirs: write_object(ours[self.ours], {}, self.table)}
        written = write_object(ours.get(self.ours) or {}, spelled or {}, self.table)
        return {self.theirs: written} if written or spelled is not None else {}


def _below(name: str, report: Iterable[Entry]) -> Iterator[Entry]:
    for entry in report:
        yield Entry(entry.path, entry.verdict, f"{name}.{entry.target}" if entry.target else "", entry.message)


Found = Mapping[str, tuple[str, Node]]
"""Items of ours so far, by mark: the path of each in the document, and itself."""
Again = Callable[[str, Node, Found], tuple[str, Node]]
"""What an item becomes whose mark is taken: mark and item. Raises Unfit (it is rest) or Wrong."""


def refuse(mark: str, _: Node, found: Found) -> tuple[str, Node]:
    """The second of two alike is rest."""
    raise Unfit(f"{found[mark][0]} has the same key")


def number(mark: str, ours: Node, found: Iterable[str]) -> tuple[str, Node]:
    """Both are items of ours."""
    taken = set(found)
    return next(name for place in range(2, len(taken) + 3) if (name := f"{mark}#{place}") not in taken), ours


@dataclass(frozen=True)
class Items:
    """A list of objects, each by the same table. What cannot be an item of ours is rest as a whole."""

    theirs: str
    ours: str
    table: Table
    identity: Callable[[Node], str]
    most: int
    again: Again = refuse

    def take(self, node: Node, path: str) -> Part:
        value = node.get(self.theirs)
        if value is None:
            return Part()
        if not isinstance(value, list):
            return Part(rest={self.theirs: value}, report=(kept(path, "It is no list"),))
        return self.take_some(list(enumerate(value)), path)

    def take_some(self, items: Sequence[tuple[int, Any]], path: str) -> Part:
        """Items with their places in the document."""
        found: dict[str, tuple[str, Node]] = {}
        rest: list[Any] = []
        report: list[Entry] = []
        for place, item in items:
            at = f"{path}[{place}]"
            part = self._item(item, at, found)
            found |= {mark: (at, ours) for mark, ours in part.ours.items()}
            rest.append(part.rest["item"])
            report += part.report
        bare = all(isinstance(item, Mapping) and set(item) == {MARK} for item in rest)
        ours = [one for _, one in found.values()]
        return Part({self.ours: ours} if ours else {}, {} if bare and items else {self.theirs: rest}, tuple(report))

    def _item(self, item: Any, path: str, found: Found) -> Part:
        """`ours` by its mark, and `rest` as `item`."""
        if not isinstance(item, Mapping):
            return Part(rest={"item": item}, report=(kept(path, "It is no object"),))
        try:
            if len(found) >= self.most:
                raise Unfit(f"there are more than {self.most}")
            part = read_object(item, path, self.table)
            if has(part.report, Verdict.ERROR):
                return Part(rest={"item": item}, report=part.report)
            mark, ours = self._settled(part.ours, found)
        except Unfit as unfit:
            clean = {name: value for name, value in item.items() if name != MARK}
            return Part(rest={"item": clean}, report=(kept(path, f"It cannot be an entry of {self.theirs}: {unfit}"),))
        except Wrong as wrong:
            return Part(rest={"item": item}, report=(error(path, str(wrong)),))
        report = (*_below(f"{self.theirs}[{mark}]", part.report),)
        if ours == part.ours:
            return Part({mark: ours}, {"item": {**part.rest, MARK: mark}}, report)
        names = {rule.theirs: item[rule.theirs] for rule in self.table if isinstance(rule, Field) and rule.named}
        renamed = changed(path, self.theirs, f"It became {mark}: {self.identity(part.ours)} is taken")
        return Part({mark: ours}, {"item": {**names, **part.rest, MARK: mark}}, (*report, renamed))

    def _settled(self, ours: Node, found: Found) -> tuple[str, Node]:
        mark = self.identity(ours)
        return self.again(mark, ours, found) if mark in found else (mark, ours)

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        spelled = rest.get(self.theirs)
        entries = spelled if isinstance(spelled, list) else []
        left = {item[MARK]: item for item in entries if _is_marked(item)}
        written = {mark: write_object(item, left.get(mark, {}), self.table) for mark, item in self._marked(ours)}
        out = [written.pop(item[MARK]) if _is_marked(item) else item for item in entries if not _is_marked(item) or item[MARK] in written]
        whole = [*out, *written.values()]
        if whole:
            return {self.theirs: whole}
        return {self.theirs: spelled} if spelled is not None and not left else {}

    def _marked(self, ours: Node) -> Iterator[tuple[str, Node]]:
        marks: set[str] = set()
        for item in ours.get(self.ours) or ():
            mark = self.identity(item)
            mark = number(mark, item, marks)[0] if mark in marks else mark
            marks.add(mark)
            yield mark, item


def _is_marked(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get(MARK), str)
