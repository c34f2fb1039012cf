"""What of an object is only for people: shown, and acted on by nobody, so that no cache of the operator needs it."""

from collections.abc import Mapping
from typing import Any, Final

_FOR_PEOPLE: Final[Mapping[str, frozenset[str]]] = {
    "DataProduct": frozenset(
        {
            "authoritativeDefinitions",
            "customProperties",
            "description",
            "documentation",
            "externalPorts",
            "managementPorts",
            "owner",
            "support",
            "synonyms",
            "tags",
        }
    ),
    "Domain": frozenset({"dataModels", "dataSources", "description", "processing", "stakeholders", "team"}),
}
"""Fields of a spec that are shown to people and acted on by nobody; a product may have 8 KiB of documentation and 32 samples of 4 KiB."""
_OF_PORTS: Final = frozenset({"description", "sample", "tags"})


def without_texts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without what is only for people. That an input port is external is kept, and what is written about it is not."""
    unread, spec = _FOR_PEOPLE.get(manifest["kind"]), manifest.get("spec")
    if unread is None or not isinstance(spec, dict):
        return manifest
    kept = {name: value for name, value in spec.items() if name not in unread}
    for ports in ("inputPorts", "outputPorts"):
        if isinstance(kept.get(ports), list):
            kept[ports] = [_without_text(port) for port in kept[ports]]
    return {**manifest, "spec": kept}


def _without_text(port: Any) -> Any:
    if not isinstance(port, dict):
        return port
    kept = {name: value for name, value in port.items() if name not in _OF_PORTS}
    return {**kept, "external": {}} if isinstance(port.get("external"), dict) else kept
