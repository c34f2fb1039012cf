"""A product on one page: what it is, how it is, its ports, who has access, and what to do about what is wrong."""

from dataclasses import dataclass
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import entries, text, value, words


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

    @property
    def terms(self) -> str:
        """Who decides, and for how long at most."""
        if self.draining:
            return "leaves"
        limit = f", at most {self.duration}" if self.duration else ""
        return f"{self.approval}{limit}"


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
    ports: tuple[Port, ...]
    inputs: tuple[Input, ...]
    pending: int
    consumers: tuple[Consumer, ...] | None
    upstream: tuple[str, ...] | None
    downstream: tuple[str, ...] | None
    asked: tuple[Asked, ...]


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
        ports=ports_of(product),
        inputs=tuple(_inputs(product)),
        pending=int(value(product, "status", "pendingRequestCount") or 0),
        consumers=_consumers(inbox) if inbox else None,
        upstream=_lineage(inbox, "upstream") if inbox else None,
        downstream=_lineage(inbox, "downstream") if inbox else None,
        asked=tuple(_asked(request) for request in mesh.all("AccessRequest") if asked_product(request) == key),
    )


def title_of(manifest: Manifest) -> str:
    """The name for people."""
    return text(manifest, "spec", "displayName") or str(manifest["metadata"]["name"])


def owner_of(product: Manifest) -> str:
    """The person responsible, with an address if there is one."""
    name, email = text(product, "spec", "owner", "name"), text(product, "spec", "owner", "email")
    return f"{name} <{email}>" if name and email else name or email


def ports_of(product: Manifest) -> tuple[Port, ...]:
    """The ports of the spec, and after them those that left it and are still served."""
    states = {(text(state, "name"), text(state, "version")): state for state in entries(product, "status", "outputPorts")}
    listed = tuple(
        _port(port, states.get((text(port, "name"), text(port, "version")), {})) for port in entries(product, "spec", "outputPorts")
    )
    leaving = tuple(_port({}, state) for state in states.values() if state.get("draining") is True)
    return (*listed, *leaving)


def _named(port: Manifest) -> tuple[str, str]:
    return text(port, "name"), text(port, "version")


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
    )


def _facts(mesh: Mesh, product: Manifest) -> tuple[tuple[str, str], ...]:
    domain = mesh.domain_of(product["metadata"]["namespace"])
    links = (f"{text(link, 'type')}: {text(link, 'url')}" for link in entries(product, "spec", "authoritativeDefinitions"))
    return (
        ("Domain", _domain(domain) if domain else ""),
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
    tool, url = text(channel, "tool"), text(channel, "url")
    return " ".join(part for part in (text(channel, "channel"), f"({tool})" if tool else "", url) if part)


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
        where = text(port, "external", "url") or text(port, "external", "description")
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
