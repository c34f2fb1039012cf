"""Foreign documents to manifests, and a report of every field. Pure: what the cluster knows is in the Target."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from clouddatamesh.export.bitol import contract_import, product_import
from clouddatamesh.export.bitol.contracts import Ports
from clouddatamesh.export.bitol.kinds import standard_of
from clouddatamesh.export.bitol.making import Settings
from clouddatamesh.export.bitol.present import Present
from clouddatamesh.export.bitol.report import Entry, Report, Verdict, error, has, kept
from clouddatamesh.export.bitol.values import Node, Wrong
from clouddatamesh.model.objects import Manifest

Check: TypeAlias = Callable[[str, Node], Iterable[tuple[str, str]]]
"""Standard and document, to JSON paths and sentences about what the standard's own schema refuses."""


def unchecked(_: str, __: Node) -> Iterable[tuple[str, str]]:
    """Without a schema."""
    return ()


@dataclass(frozen=True)
class Target:
    """Where the manifests go. `domain` is the Domain of the namespace if it is known; `into` a port whose contract the documents are."""

    namespace: str
    store: str
    domain: Manifest | None = None
    contracts: Ports = field(default_factory=dict)
    present: Present = field(default_factory=dict)
    into: contract_import.Port | None = None
    lenient: bool = False
    check: Check = unchecked


@dataclass(frozen=True)
class Source:
    """A document and where it is: a file, and its number there if it is not the only one."""

    name: str
    body: Any


@dataclass(frozen=True)
class Imported:
    """What came of all documents. With an error in the report there are no manifests."""

    manifests: tuple[dict[str, Any], ...]
    report: Report


@dataclass(frozen=True)
class _Sorted:
    products: tuple[Source, ...] = ()
    contracts: tuple[Source, ...] = ()
    report: Report = ()


def read(sources: Sequence[Source], target: Target) -> Imported:
    """All documents of one command: contracts next to a product give its ports their places."""
    found = _sort(sources, target)
    manifests: list[dict[str, Any]] = []
    report = list(found.report)
    used: set[str] = set()
    for source in found.products:
        made = product_import.read(source.body, [one.body for one in found.contracts], _settings(target, manifests))
        manifests += made.manifests
        report += _named(made.report, source)
        for place, entries in made.contracts.items():
            used.add(found.contracts[place].name)
            report += _named(entries, found.contracts[place])
    for source in found.contracts:
        if source.name in used:
            continue
        if target.into is not None:
            alone = contract_import.into_port(source.body, target.into)
        else:
            alone = contract_import.as_product(source.body, _settings(target, manifests))
        manifests += alone.manifests
        report += _named(alone.report, source)
    return Imported(() if has(report, Verdict.ERROR) else tuple(manifests), tuple(report))


def _settings(target: Target, manifests: Iterable[Mapping[str, Any]]) -> Settings:
    taken = frozenset(str(one["metadata"]["name"]) for one in manifests if one["kind"] == "DataProduct")
    return Settings(target.namespace, target.store, target.domain, target.contracts, target.lenient, target.present, taken)


def _sort(sources: Sequence[Source], target: Target) -> _Sorted:
    found, ids = _Sorted(), dict[tuple[str, Any, Any], str]()
    for source in sources:
        try:
            standard = standard_of(source.body)
            _once(standard, source, ids)
        except Wrong as wrong:
            found = replace(found, report=(*found.report, *_named((error("$", str(wrong)),), source)))
            continue
        faults = tuple(target.check(standard, source.body))
        said = tuple(
            (kept if target.lenient else error)(path, f"{sentence}{'' if target.lenient else _LENIENT}") for path, sentence in faults
        )
        if standard == "odps" and target.into is not None:
            said = (*said, error("$", "--into takes contracts (ODCS) only; leave it out to import a product"))
        found = replace(found, report=(*found.report, *_named(said, source)))
        if standard == "odps":
            found = replace(found, products=(*found.products, source))
        else:
            found = replace(found, contracts=(*found.contracts, source))
    return found


_LENIENT: Final = "; correct it, or use --lenient to keep it as it is"


def _once(standard: str, source: Source, ids: dict[tuple[str, Any, Any], str]) -> None:
    """Two documents of one id would become two products, or one of them by chance."""
    version = source.body.get("version") if standard == "odcs" else None
    one = (standard, str(source.body.get("id")), str(version))
    if source.body.get("id") is not None and one in ids:
        raise Wrong(f"{ids[one]} has the same id; leave one of them out, or give each its own")
    ids[one] = source.name


def _named(report: Iterable[Entry], source: Source) -> list[Entry]:
    return [replace(entry, document=source.name) for entry in report]
