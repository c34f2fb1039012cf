"""Custom properties of the vendor clouddatamesh: what the standard has no word for. They are written by us and read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.export.bitol.mapping import Items, Part, Table
from clouddatamesh.export.bitol.report import Entry, kept, lost
from clouddatamesh.export.bitol.values import Node

VENDOR: Final = "clouddatamesh"
PREFIX: Final = f"{VENDOR}."
"""Of the names of properties, where a version of the standard has no vendor."""


@dataclass(frozen=True)
class Custom:
    """`customProperties`: ours by a table, whose keys are names of properties, and the others as items or as rest."""

    table: Table
    items: Items | None = None
    theirs: str = "customProperties"

    def take(self, node: Node, path: str) -> Part:
        value = node.get(self.theirs)
        if value is None:
            return Part()
        if not isinstance(value, list):
            return Part(report=(lost(path, "It is no list, and our own properties are written there; write a list"),))
        ours: dict[str, Any] = {}
        report: list[Entry] = []
        others: list[tuple[int, Any]] = []
        for place, item in enumerate(value):
            read = self._ours(item, f"{path}[{place}]")
            ours |= read.ours
            report += read.report
            if not read.ours:
                others.append((place, item))
        part = Part(ours, {}, tuple(report))
        return part | self._others(others, path) if others or not value else part

    def _ours(self, item: Any, path: str) -> Part:
        if not isinstance(item, Mapping) or item.get("vendor") != VENDOR:
            return Part()
        for rule in self.table:
            if rule.theirs == item.get("property"):
                return rule.take({rule.theirs: item.get("value")}, f"{path}.value")
        return Part()

    def _others(self, others: list[tuple[int, Any]], path: str) -> Part:
        if self.items is not None:
            return self.items.take_some(others, path)
        report: tuple[Entry, ...] = tuple(kept(f"{path}[{place}]") for place, _ in others)
        return Part(rest={self.theirs: [item for _, item in others]}, report=report)

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        kept_ones = rest.get(self.theirs)
        others = self.items.give(ours, rest).get(self.theirs) if self.items is not None else kept_ones
        written: dict[str, Any] = {}
        for rule in self.table:
            written |= rule.give(ours, {})
        entries = [{"property": name, "value": value, "vendor": VENDOR} for name, value in written.items()]
        mine = {entry["property"] for entry in entries}
        left = [item for item in others if not _is_one(item, mine)] if isinstance(others, list) else []
        if left or entries:
            return {self.theirs: [*left, *entries]}
        return {} if others is None else {self.theirs: others}


def _is_one(item: Any, names: set[str]) -> bool:
    """Whether it is one of our properties, which could not be read and is written again."""
    return isinstance(item, Mapping) and item.get("vendor") == VENDOR and item.get("property") in names


def said(node: Node, name: str) -> Any:
    """The value of one of our properties in an object, or None."""
    listed = node.get("customProperties")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping) and item.get("vendor") == VENDOR and item.get("property") == name:
            return item.get("value")
    return None
