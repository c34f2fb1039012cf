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
    "Domain": frozenset({"dataModels", "dataSources", "description", "processing", "stakeholders"}),
    "DomainProfile": frozenset({"dataModels", "dataSources", "description", "documentation", "processing", "stakeholders"}),
}
"""Fields of a spec that are shown to people and acted on by nobody; a product may have 8 KiB of documentation and 32 samples of 4 KiB."""
_OF_PORTS: Final = frozenset({"description", "sample", "tags"})
_OF_MEMBERS: Final = frozenset({"name"})
_OF_TRAININGS: Final = frozenset({"url"})


def without_texts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without what is only for people. That an input port is external is kept, and what is written about it is not."""
    unread, spec = _FOR_PEOPLE.get(manifest["kind"]), manifest.get("spec")
    if unread is None or not isinstance(spec, dict):
        return manifest
    kept = {name: value for name, value in spec.items() if name not in unread}
    for ports in ("inputPorts", "outputPorts"):
        if isinstance(kept.get(ports), list):
            kept[ports] = [_without_text(port) for port in kept[ports]]
    if "team" in kept:
        kept.update(_team(kept.pop("team"), only_leavers=manifest["kind"] == "DataProduct"))
    if isinstance(kept.get("training"), list):
        kept["training"] = [_without(_OF_TRAININGS, training) for training in kept["training"]]
    return {**manifest, "spec": kept}


def _without_text(port: Any) -> Any:
    kept = _without(_OF_PORTS, port)
    return {**kept, "external": {}} if isinstance(kept, dict) and isinstance(kept.get("external"), dict) else kept


def _without(unread: frozenset[str], value: Any) -> Any:
    return {name: inner for name, inner in value.items() if name not in unread} if isinstance(value, dict) else value


def _team(team: Any, *, only_leavers: bool) -> dict[str, Any]:
    """The members without their names; of a product's only those who have a last day, and none of a team that is malformed."""
    members = team.get("members") if isinstance(team, dict) else None
    kept = [_without(_OF_MEMBERS, one) for one in (members if isinstance(members, list) else ()) if not only_leavers or _has_last_day(one)]
    return {"team": {"members": kept}} if kept else {}


def _has_last_day(member: Any) -> bool:
    return isinstance(member, dict) and bool(member.get("dateOut"))
