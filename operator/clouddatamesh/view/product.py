"""A product on one page: what it is, how it is, its ports, who has access, and what to do about what is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import named, owner_of, title_of
from clouddatamesh.view.raw import entries, text, value, words
from clouddatamesh.view.violations import Broken, violations_of


@dataclass(frozen=True)
class Port:
    """An output port and its terms. `location` is an S3 URI, `duration` as in `90d`; empty where unknown or without limit."""

    name: str
    version: str
    format: str
    description: str
    approval: str
    modes: tuple[str, ...]
    duration: str
    permanent: bool
    location: str
    consumers: int
    draining: bool
    deprecated: bool
    sample: str

    @property
    def is_offered(self) -> bool:
        """Whether new access to it is given."""
        return not (self.draining or self.deprecated)

    @property
    def terms(self) -> str:
        """Who decides, and for how long at most."""
        if self.draining:
            return "leaves"
        if self.deprecated:
            return "deprecated, no new access"
        limit = f", at most {self.duration}" if self.duration else ""
        return f"{self.approval}{limit}"


@dataclass(frozen=True)
class OtherPort:
    """A port that the operator does not provide: data on another system (`kind` is its type), or a page about the product."""

    name: str
    kind: str
    location: str
    description: str


@dataclass(frozen=True)
class Documentation:
    """What to read, in this order: a text, a ConfigMap of the namespace as `name/key`, a link."""

    text: str
    config_map: str
    url: str


@dataclass(frozen=True)
class Input:
    """Where a product's data comes from. `satisfied` is None where no operator has looked."""

    name: str
    source: str
    satisfied: bool | None
    message: str


@dataclass(frozen=True)
class Consumer:
    """Who has access: a line of the AccessInbox."""

    request: Key
    port: str
    mode: str
    consumer: str
    purpose: str
    until: str


@dataclass(frozen=True)
class Asked:
    """A request for this product that the reader may read."""

    request: Key
    port: str
    health: Health
    until: str


@dataclass(frozen=True)
class ProductPage:
    """`consumers`, `upstream` and `downstream` are None where the reader may not read the AccessInbox."""

    key: Key
    title: str
    health: Health
    description: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    documentation: Documentation
    ports: tuple[Port, ...]
    other_ports: tuple[OtherPort, ...]
    inputs: tuple[Input, ...]
    pending: int
    consumers: tuple[Consumer, ...] | None
    upstream: tuple[str, ...] | None
    downstream: tuple[str, ...] | None
    asked: tuple[Asked, ...]
    violations: tuple[Broken, ...]


_PARTS: Final = ("purpose", "limitations", "usage")


def show_product(mesh: Mesh, product: Manifest) -> ProductPage:
    """The page of a product of the mesh."""
    key = key_of(product)
    inbox = mesh.get("AccessInbox", key.namespace, key.name)
    return ProductPage(
        key=key,
        title=title_of(product),
        health=health_of(product),
        description=tuple(
            (part, said) for part in ("purpose", "limitations", "usage") if (said := text(product, "spec", "description", part))
        ),
        facts=tuple((name, said) for name, said in _facts(mesh, product) if said),
        documentation=documentation_of(product),
        ports=ports_of(product),
        other_ports=tuple(_other_ports(product)),
        inputs=tuple(_inputs(product)),
        pending=int(value(product, "status", "pendingRequestCount") or 0),
        consumers=_consumers(inbox) if inbox else None,
        upstream=_lineage(inbox, "upstream") if inbox else None,
        downstream=_lineage(inbox, "downstream") if inbox else None,
        asked=tuple(_asked(request) for request in mesh.all("AccessRequest") if asked_product(request) == key),
        violations=violations_of(product),
    )


def ports_of(product: Manifest) -> tuple[Port, ...]:
    """The ports of the spec, and after them those that left it and are still served."""
    states = {named(state): state for state in entries(product, "status", "outputPorts")}
    listed = tuple(_port(port, states.get(named(port), {})) for port in entries(product, "spec", "outputPorts"))
    leaving = tuple(_port({}, state) for state in states.values() if state.get("draining") is True)
    return (*listed, *leaving)


def documentation_of(product: Manifest) -> Documentation:
    """What there is to read about a product, or about a Domain in its profile."""
    place = ("spec", "documentation")
    held = "/".join(part for part in (text(product, *place, "configMapRef", "name"), text(product, *place, "configMapRef", "key")) if part)
    return Documentation(text(product, *place, "text"), held, text(product, *place, "url"))


def _other_ports(product: Manifest) -> Iterator[OtherPort]:
    for port in entries(product, "spec", "externalPorts"):
        name = f"{text(port, 'name')}/{text(port, 'version')}".rstrip("/")
        yield OtherPort(name, text(port, "type"), text(port, "location"), text(port, "description"))
    for port in entries(product, "spec", "managementPorts"):
        yield OtherPort(text(port, "name"), text(port, "content"), text(port, "url") or text(port, "channel"), text(port, "description"))


def _port(port: Manifest, state: Manifest) -> Port:
    return Port(
        name=text(port or state, "name"),
        version=text(port or state, "version"),
        format=text(port, "format"),
        description=text(port, "description"),
        approval=text(port, "access", "approval") or "Manual",
        modes=words(port, "access", "modes") or ("ReadOnly",),
        duration=text(port, "access", "maxDuration"),
        permanent=value(port, "access", "allowPermanent") is True,
        location=text(state, "location"),
        consumers=int(value(state, "consumers") or 0),
        draining=not port,
        deprecated=value(port, "deprecated") is True,
        sample=text(port, "sample"),
    )


def _facts(mesh: Mesh, product: Manifest) -> tuple[tuple[str, str], ...]:
    domain = mesh.domain_of(product["metadata"]["namespace"])
    links = (f"{text(link, 'type')}: {text(link, 'url')}" for link in entries(product, "spec", "authoritativeDefinitions"))
    return (
        ("Domain", _domain(domain) if domain else ""),
        ("Type", text(product, "spec", "type")),
        ("Also called", ", ".join(text(name, "synonym") for name in entries(product, "spec", "synonyms"))),
        ("Owner", owner_of(product)),
        ("Support", "; ".join(_channel(channel) for channel in entries(product, "spec", "support"))),
        ("Version", text(product, "spec", "version")),
        ("Lifecycle", text(product, "spec", "lifecycle")),
        ("Classification", _classification(product)),
        ("Tags", ", ".join(words(product, "spec", "tags"))),
        ("Id", text(product, "spec", "id")),
        ("Links", "; ".join(links)),
        ("Bucket", text(product, "status", "storage", "bucket")),
    )


def _domain(domain: Manifest) -> str:
    team = text(domain, "spec", "team", "name")
    return f"{title_of(domain)} ({domain['metadata']['name']})" + (f", team {team}" if team else "")


def _channel(channel: Manifest) -> str:
    tool, parts = text(channel, "tool"), (text(channel, "url"), text(channel, "description"))
    return " ".join(part for part in (text(channel, "channel"), f"({tool})" if tool else "", *parts) if part)


def _classification(product: Manifest) -> str:
    level = text(product, "spec", "classification")
    return f"{level}, personal data" if value(product, "spec", "personalData") is True else level


def _inputs(product: Manifest) -> list[Input]:
    states = {text(state, "name"): state for state in entries(product, "status", "inputPorts")}
    return [_input(port, states.get(text(port, "name"))) for port in entries(product, "spec", "inputPorts")]


def _input(port: Manifest, state: Manifest | None) -> Input:
    source = value(port, "from")
    if source:
        named = f"{text(source, 'outputPort', 'name')}/{text(source, 'outputPort', 'version')}"
        where = f"{text(source, 'namespace')}/{text(source, 'dataProduct')} {named}"
    else:
        contract = text(port, "contractId")
        where = text(port, "external", "url") or text(port, "external", "description") or (f"contract {contract}" if contract else "")
    satisfied = state.get("satisfied") is True if state else None
    return Input(text(port, "name"), where, satisfied, text(state or {}, "message"))


def _consumers(inbox: Manifest) -> tuple[Consumer, ...]:
    return tuple(
        Consumer(
            request=Key("AccessRequest", text(entry, "namespace"), text(entry, "name")),
            port=text(entry, "outputPort"),
            mode=text(entry, "mode"),
            consumer=text(entry, "consumer"),
            purpose=text(entry, "purpose"),
            until=text(entry, "validUntil"),
        )
        for entry in entries(inbox, "status", "consumers")
    )


def _lineage(inbox: Manifest, side: str) -> tuple[str, ...]:
    return tuple(f"{text(node, 'namespace')}/{text(node, 'name')}" for node in entries(inbox, "status", "lineage", side))


def _asked(request: Manifest) -> Asked:
    port = f"{text(request, 'spec', 'outputPort', 'name')}/{text(request, 'spec', 'outputPort', 'version')}"
    return Asked(key_of(request), port, health_of(request), text(request, "status", "validUntil"))
