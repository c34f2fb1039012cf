"""Which Domains a policy reaches. Domains are read leniently: one that cannot be read as a whole is not left out of a policy for that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clouddatamesh.api.fields import LabelSelector
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.selectors import matches


@dataclass(frozen=True)
class Area:
    """What is read of one Domain."""

    name: str
    labels: Mapping[str, str]
    parent: str
    home: str
    """The first namespace of its spec; where that has none, one of the Domain's name."""
    holds: tuple[str, ...]
    """Namespaces that it has by its status."""

    @classmethod
    def of(cls, domain: Manifest) -> "Area":
        metadata, spec, status = domain["metadata"], _map(domain.get("spec")), _map(domain.get("status"))
        named = _names(spec.get("namespaces"))
        return cls(
            name=metadata["name"],
            labels=_map(metadata.get("labels")),
            parent=str(_map(spec.get("parentRef")).get("name") or ""),
            home=named[0] if named else metadata["name"],
            holds=_names(status.get("namespaces")),
        )


@dataclass(frozen=True)
class Areas:
    """All Domains of the mesh."""

    all: tuple[Area, ...]

    @classmethod
    def of(cls, domains: Iterable[Manifest]) -> "Areas":
        return cls(tuple(sorted(map(Area.of, domains), key=lambda area: area.name)))

    @cached_property
    def _by_name(self) -> Mapping[str, Area]:
        return {area.name: area for area in self.all}

    def selected(self, selector: LabelSelector) -> tuple[str, ...]:
        """The Domains that a selector fits, with all that are below them; sorted."""
        return self._with_children({area.name for area in self.all if matches(selector, area.labels)})

    def below(self, name: str) -> tuple[str, ...]:
        """A Domain with all that are below it; sorted."""
        return self._with_children({name})

    def _with_children(self, names: set[str]) -> tuple[str, ...]:
        return tuple(area.name for area in self.all if self._line_of(area) & names)

    def _line_of(self, area: Area | None) -> set[str]:
        """A Domain and its ancestors. One that is its own ancestor is there once."""
        line: set[str] = set()
        while area is not None and area.name not in line:
            line.add(area.name)
            area = self._by_name.get(area.parent)
        return line

    def at_home_in(self, namespace: str) -> str:
        """The Domain whose home a namespace is; empty where it is none's. What status says of a namespace counts before what specs say."""
        named = [area for area in self.all if area.home == namespace]
        holders = [area for area in self.all if namespace in area.holds]
        found = [area for area in named if area in holders] if holders else named
        return found[0].name if len(found) == 1 else ""


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(entries: Any) -> tuple[str, ...]:
    found = entries if isinstance(entries, list | tuple) else ()
    return tuple(str(entry["name"]) for entry in found if isinstance(entry, Mapping) and entry.get("name"))
