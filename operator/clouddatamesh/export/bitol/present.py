"""A product that is in the cluster already: what an import must not move."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clouddatamesh.export.bitol.facts import made_id
from clouddatamesh.export.bitol.report import Report, changed, error
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.plan.access.facts import major
from clouddatamesh.view.raw import entries, text

Present = Mapping[str, Manifest]
"""DataProducts of the namespace by name, as far as the user may read them."""
_STAYS: Final = ("path", "access", "deprecated", "sample")
_STAGES: Final = ("proposed", "draft", "active", "deprecated", "retired")


def store_of(present: Manifest | None, chosen: str) -> str:
    """Its store never changes."""
    return text(present or {}, "spec", "storage", "storeRef", "name") or chosen


def with_terms(ports: Sequence[Node], present: Manifest | None) -> tuple[list[dict[str, Any]], Report]:
    """Ports with what the product in the cluster has of them and no document says: paths, terms of access, samples."""
    known = {_port(port): port for port in entries(present or {}, "spec", "outputPorts")}
    found, report = [], []
    for port in ports:
        there = known.get(_port(port), {})
        stays = {name: there[name] for name in _STAYS if name in there and name not in port}
        found.append({**stays, **port})
        if "access" in stays:
            named = f"outputPorts[{port['name']}/{port['version']}].access"
            report.append(changed("$.outputPorts", named, "The terms of access stay as they are in the cluster"))
    return found, tuple(report)


def check_identity(identity: Any, present: Manifest | None) -> Report:
    """A document of another id is another product: it must not take the place of the one that is there."""
    if present is None:
        return ()
    key, known = key_of(present), text(present, "spec", "id")
    contracts = {text(port, "contractId") for port in entries(present, "spec", "outputPorts")}
    if identity in (known, made_id(key)) or identity in contracts:
        return ()
    if not known:
        return (changed("$.id", "spec.id", f"{key} is there already and has no id: it becomes this one"),)
    return (error("$.id", f"{key} is there already, with the id {known}; correct the id, or give the document another name"),)


def _port(port: Node) -> tuple[str, str]:
    return text(port, "name"), major(text(port, "version"))


def check_stage(lifecycle: Any, present: Manifest | None) -> Report:
    """A lifecycle moves forward only, except from deprecated back to active."""
    former = text(present or {}, "spec", "lifecycle")
    if former not in _STAGES or lifecycle not in _STAGES or (former, lifecycle) == ("deprecated", "active"):
        return ()
    if _STAGES.index(former) <= _STAGES.index(lifecycle):
        return ()
    said = f"The product in the cluster is {former}, and a lifecycle moves forward only; correct the status, or name another product"
    return (error("$.status", said),)
