"""A product that is in the cluster already: what an import must not move."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clouddatamesh.export.bitol.report import Report, error
from clouddatamesh.export.bitol.values import Node, major
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import entries, text

Present = Mapping[str, Manifest]
"""DataProducts of the namespace by name, as far as the user may read them."""
_STAGES: Final = ("proposed", "draft", "active", "deprecated", "retired")


def store_of(present: Manifest | None, chosen: str) -> str:
    """Its store never changes."""
    return text(present or {}, "spec", "storage", "storeRef", "name") or chosen


def with_paths(ports: Sequence[Node], present: Manifest | None) -> list[dict[str, Any]]:
    """Ports with the paths that they have, where no document says another."""
    known = {_port(port): text(port, "path") for port in entries(present or {}, "spec", "outputPorts")}
    return [{**({"path": known[_port(port)]} if _port(port) in known else {}), **port} for port in ports]


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
