"""Bitol ODPS 1.1 and the fields of a DataProduct, key by key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.api.fields import parse_duration
from clouddatamesh.api.v1alpha1.documentation import MOST_SAMPLE, Documentation
from clouddatamesh.api.v1alpha1.ports import ExternalInput, PortAccess, ProductPortReference
from clouddatamesh.export.bitol.mapping import Field, Found, Items, Nested, Part, Words, number
from clouddatamesh.export.bitol.report import kept, mapped
from clouddatamesh.export.bitol.team import TEAM
from clouddatamesh.export.bitol.values import (
    Node,
    Unfit,
    Wrong,
    channel,
    label,
    lifecycle,
    model,
    page,
    pattern,
    text,
    truth,
    url,
    version,
)
from clouddatamesh.export.bitol.vendor import Custom, said
from clouddatamesh.plan.access.facts import major
from clouddatamesh.plan.names import hash80

CONTRACT_ID: Final = pattern("[!-~]+", 256, "id of visible characters")
_PATH: Final = pattern(r"([A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*/)+", 256, "path of folders that ends in a slash")
_LEVEL: Final = pattern("public|internal|confidential|restricted", 16, "classification")
_SUBDOMAIN: Final = pattern(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", 253, "name of an object")
_PLACE: Final = pattern(r"(?s).*[^ \t\n\f\r].*", 1024, "place")
OTHER_SYSTEMS: Final = frozenset({"topic", "stream", "queue", "api", "rest", "graphql", "dashboard", "report", "event", "events", "kafka"})
"""Types of output ports that no object store has."""


def is_external(port: Node) -> bool:
    """Whether an output port is one that the operator does not provide."""
    return "location" in port or str(port.get("type", "")).casefold() in OTHER_SYSTEMS


def port_mark(port: Node) -> str:
    """How an output port is called in the rest and in the report: name and major version."""
    return f"{port['name']}/{major(port['version'])}"


def _second_port(mark: str, port: Node, found: Found) -> tuple[str, Node]:
    """Ports of other systems may be alike but for their versions; ours may not share name and major version."""
    path, other = found[mark]
    if is_external(port) or is_external(other):
        if port["version"] == other["version"]:
            raise Wrong(f"It and {path} are both {port['name']}/{port['version']}; rename one of them")
        return number(mark, port, found)
    raise Wrong(
        f"It and {path} both become port {port['name']} with major version {major(port['version'])}, which has to be unique;"
        " rename one of them, or raise its major version"
    )


def _input_mark(port: Node) -> str:
    if not {"contractId", "from", "external"} & set(port):
        raise Unfit("it names no contract, so that its source is unknown")
    return str(port["name"])


def _second_input(_: str, port: Node, found: Found) -> tuple[str, Node]:
    """Our inputs have one name each: the second gets a suffix that its contract decides."""
    tail = hash80("input", str(port.get("contractId", "")), str(port.get("from", "")), str(port.get("external", "")))[:8]
    name = f"{port['name'][:54].rstrip('-')}-{tail}"
    if name in found:
        raise Unfit(f"{found[name][0]} has the same name and contract")
    return name, {**port, "name": name}


@dataclass(frozen=True)
class _InputVersion:
    """The version of an input is ours only where it is that of a port of the mesh."""

    theirs: str = "version"

    def take(self, node: Node, path: str) -> Part:
        value = node.get(self.theirs)
        if value is None:
            return Part()
        source = said(node, "from")
        if isinstance(source, Mapping) and _version_of(source) == value:
            return Part(report=(mapped(path, "from.outputPort.version"),))
        return Part(rest={self.theirs: value}, report=(kept(path),))

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        value = rest[self.theirs] if self.theirs in rest else _version_of(ours.get("from") or {})
        return {} if value is None else {self.theirs: value}


def _version_of(source: Mapping[str, Any]) -> Any:
    port = source.get("outputPort")
    return port.get("version") if isinstance(port, Mapping) else None


def _documentation(value: Any, node: Node) -> Any:
    found = model(Documentation)(value, node)
    if not found:
        raise Unfit("It is empty")
    if "url" in found:
        page(found["url"], node)
    return found


def _external(value: Any, node: Node) -> Any:
    found = model(ExternalInput)(value, node)
    if not found:
        raise Unfit("It is empty")
    return found


_ACCESS_SPANS: Final = ("maxDuration", "minDuration", "rotateAfter")


def _access(value: Any, node: Node) -> Any:
    found = model(PortAccess)(value, node)
    if any(not set(found[name]) & set("123456789") for name in _ACCESS_SPANS if name in found):
        raise Unfit("A duration is zero")
    if _is_shorter(found.get("maxDuration"), found.get("minDuration")):
        raise Unfit("minDuration is longer than maxDuration")
    if len(set(found.get("modes", ()))) != len(found.get("modes", ())):
        raise Unfit("A mode is there twice")
    return found


def _is_shorter(longest: str | None, shortest: str | None) -> bool:
    """The default of minDuration cannot be told from a value that somebody wrote, and gives way."""
    return bool(longest and shortest and shortest != "1h" and parse_duration(longest) < parse_duration(shortest))


_SAMPLE: Final = text(MOST_SAMPLE, least=1)
_DEFINITION: Final = (
    Field("type", "type", text(256), required=True),
    Field("url", "url", url, required=True),
)
_SYNONYM: Final = (
    Field("synonym", "synonym", text(256, least=1), required=True),
    Field("description", "description", text(1024, cut=True)),
    Field("locale", "locale", text(256)),
)
_PROPERTY: Final = (
    Field("property", "property", text(256, least=1), required=True),
    Field("value", "value", text(1024), required=True),
)
_INPUT: Final = (
    Field("name", "name", label, required=True, named=True),
    _InputVersion(),
    Field("contractId", "contractId", CONTRACT_ID),
    Custom((Field("from", "from", model(ProductPortReference)), Field("external", "external", _external))),
)
PORT: Final = (
    Field("name", "name", label, required=True, named=True),
    Field("description", "description", text(1024, cut=True)),
    Field("type", "type", text(256)),
    Field("version", "version", version, absent="1.0.0"),
    Field("contractId", "contractId", CONTRACT_ID),
    Words("tags", "tags", 16),
    Field("deprecated", "deprecated", truth),
    Custom(
        (
            Field("format", "format", text(256)),
            Field("path", "path", _PATH),
            Field("access", "access", _access),
            Field("sample", "sample", _SAMPLE),
            Field("location", "location", _PLACE),
        )
    ),
)
_MANAGEMENT: Final = (
    Field("content", "content", text(256, least=1), required=True),
    Field("type", "type", text(256, least=1)),
    Field("name", "name", text(256, least=1), required=True),
    Field("description", "description", text(1024, cut=True)),
    Field("url", "url", page),
    Field("channel", "channel", text(256)),
    Words("tags", "tags", 16),
    Field("deprecated", "deprecated", truth),
)
SUPPORT: Final = (
    Field("channel", "channel", text(256, least=1), required=True),
    Field("url", "url", channel),
    Field("description", "description", text(1024, cut=True)),
    Field("tool", "tool", text(256)),
    Field("scope", "scope", text(256)),
)


def _channels(value: Any, _: Node) -> Any:
    """Channels without a link, which the standard does not have."""
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) and "url" not in item for item in value):
        raise Unfit("It is no list of channels without links")
    part = Items("support", "support", SUPPORT, lambda item: str(item["channel"]), 16, number).take({"support": value}, "")
    if part.rest or not part.ours:
        raise Unfit("A channel has members that are not known")
    return list(part.ours["support"])


def is_unlinked(channel: Any) -> bool:
    """Whether it is wholly a channel of ours, and has no link."""
    try:
        return bool(_channels([channel], {}))
    except Unfit:
        return False


DESCRIPTION: Final = tuple(Field(name, name, text(4096, cut=True)) for name in ("purpose", "limitations", "usage"))
DEFINITIONS: Final = Items(
    "authoritativeDefinitions", "authoritativeDefinitions", _DEFINITION, lambda item: f"{item['type']} {item['url']}", 32, number
)
CHANNELS: Final = Items("support", "support", SUPPORT, lambda item: str(item["channel"]), 16, number)
PROPERTIES: Final = Items("customProperties", "customProperties", _PROPERTY, lambda item: str(item["property"]), 64)
PRODUCT: Final = (
    Field("id", "id", text(256, least=1)),
    Field("name", "displayName", text(256, least=1)),
    Field("version", "version", version),
    Field("status", "lifecycle", lifecycle, absent="proposed"),
    Field("type", "type", text(256)),
    Nested("description", "description", DESCRIPTION),
    Items("synonyms", "synonyms", _SYNONYM, lambda item: str(item["synonym"]), 32, number),
    Words("tags", "tags", 64),
    DEFINITIONS,
    Custom(
        (
            Field("namespace", "namespace", pattern("[a-z0-9]([a-z0-9-]*[a-z0-9])?", 63, "name of a namespace")),
            Field("name", "name", _SUBDOMAIN),
            Field("displayName", "namedAlike", truth),
            Field("classification", "classification", _LEVEL),
            Field("personalData", "personalData", truth),
            Field("documentation", "documentation", _documentation),
            Field("support", "unlinkedSupport", _channels),
        ),
        PROPERTIES,
    ),
    Items("inputPorts", "inputPorts", _INPUT, _input_mark, 64, _second_input),
    Items("outputPorts", "ports", PORT, port_mark, 32, _second_port),
    Items("managementPorts", "managementPorts", _MANAGEMENT, lambda item: str(item["name"]), 16),
    CHANNELS,
    TEAM,
)
