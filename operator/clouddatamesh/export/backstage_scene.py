"""What a Backstage export shows and how each of its entities is named, before any of them is written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clouddatamesh.export.backstage_names import Identity, assign
from clouddatamesh.export.catalogue import (
    Output,
    Settings,
    domains_of,
    outputs_of,
    published,
    sources_of,
    team_of,
)
from clouddatamesh.export.iris import Ids
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import major
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import entries, text

SHARED: Final = "default"
"""The Backstage namespace of what belongs to no namespace of the cluster."""
_NAMESPACE: Final = re.compile(r"[a-z0-9]+(-+[a-z0-9]+)*")


@dataclass(frozen=True)
class Scene:
    """`groups` are titles by identity; `uses` are the ports that each consumer reads.

    `guests` are the consumers that are not among the products.
    """

    mesh: Mesh
    ids: Ids
    products: tuple[Manifest, ...]
    domains: tuple[Manifest, ...]
    groups: Mapping[Identity, str]
    uses: Mapping[Key, tuple[Output, ...]]
    guests: tuple[Key, ...]
    names: Mapping[Identity, str]

    def ref(self, kind: str, namespace: str, *parts: str) -> str:
        """An entity reference, as `system:sales/orders`."""
        return f"{kind.lower()}:{namespace}/{self.names[kind, namespace, *parts]}"

    def system(self, key: Key) -> str:
        return self.ref("System", key.namespace, key.name)

    def component(self, key: Key) -> str:
        return self.ref("Component", key.namespace, "DataProduct", key.name)

    def port(self, output: Output) -> str:
        return self.ref(kind_of(output), output.product.namespace, *_port_parts(output))

    def owner(self, domain: Manifest | None, namespace: str) -> str:
        """The Group that owns a Domain and what is in it; without a Domain the Group of the namespace."""
        return self.ref("Group", SHARED, *_owner(domain, namespace)[0])

    def owner_of(self, product: Manifest) -> str:
        namespace = product["metadata"]["namespace"]
        return self.owner(self.mesh.domain_of(namespace), namespace)

    def read_by(self, consumer: Key) -> tuple[Output, ...]:
        return self.uses.get(consumer, ())


def kind_of(output: Output) -> str:
    """A port with a contract is an API, which has a definition; one without is a Resource."""
    return "API" if output.contract else "Resource"


def build_scene(mesh: Mesh, products: Sequence[Manifest], settings: Settings) -> Scene:
    """Everything that the reader may read of the products that are published. Raises Refused for a base that begins no identifiers."""
    shown = published(products)
    domains, uses = domains_of(mesh, shown), _uses(mesh, shown)
    guests = tuple(sorted(set(uses) - {key_of(product) for product in shown}))
    owners = [_owner(domain, "") for domain in domains]
    owners += [
        _owner(mesh.domain_of(place), place)
        for place in (*(product["metadata"]["namespace"] for product in shown), *(key.namespace for key in guests))
    ]
    groups = dict(sorted(owners))
    return Scene(
        mesh=mesh,
        ids=Ids.of(settings),
        products=shown,
        domains=domains,
        groups=groups,
        uses=uses,
        guests=guests,
        names=_names(mesh, shown, domains, groups, guests),
    )


def _owner(domain: Manifest | None, namespace: str) -> tuple[Identity, str]:
    """The identity and the title of a Group."""
    if domain is None:
        return ("Namespace", namespace), namespace
    owners = (text(owner, "name") for owner in entries(domain, "spec", "access", "owners") if text(owner, "kind") == "Group")
    group = next(filter(None, owners), "")
    return (("Subject", group), group) if group else (("Domain", domain["metadata"]["name"]), team_of(domain, namespace))


def _uses(mesh: Mesh, products: Sequence[Manifest]) -> Mapping[Key, tuple[Output, ...]]:
    """By the inboxes that were read. Several requests of one consumer for one port are one use."""
    found: dict[Key, dict[Identity, Output]] = {}
    for product in products:
        inbox = mesh.get("AccessInbox", product["metadata"]["namespace"], product["metadata"]["name"])
        for entry in entries(inbox or {}, "status", "consumers"):
            consumer = _consumer(text(entry, "consumer"))
            name, _, version = text(entry, "outputPort").partition("/")
            for output in outputs_of(product):
                if consumer and (output.port.name, output.major) == (name, major(version)):
                    found.setdefault(consumer, {})[_port_parts(output)] = output
    return {consumer: tuple(outputs.values()) for consumer, outputs in sorted(found.items())}


def _consumer(said: str) -> Key | None:
    """Of a consumer as an inbox names it: `DataProduct inventory/forecast`."""
    kind, _, place = said.partition(" ")
    namespace, _, name = place.partition("/")
    is_known = kind in ("DataProduct", "ServiceAccount") and len(namespace) <= 63 and _NAMESPACE.fullmatch(namespace)
    return Key(kind, namespace, name) if is_known and name else None


def _port_parts(output: Output) -> Identity:
    return output.product.name, output.port.name, output.port.version


def _names(
    mesh: Mesh, products: Sequence[Manifest], domains: Sequence[Manifest], groups: Mapping[Identity, str], guests: Sequence[Key]
) -> Mapping[Identity, str]:
    wanted: dict[tuple[str, str], list[tuple[Identity, str]]] = {}
    for identity, said in (
        *((("Group", SHARED, *parts), title) for parts, title in groups.items()),
        *((("Domain", SHARED, domain["metadata"]["name"]), domain["metadata"]["name"]) for domain in domains),
        *((("Component", guest.namespace, guest.kind, guest.name), guest.name) for guest in guests),
        *(named for product in products for named in _of_product(mesh, product)),
    ):
        wanted.setdefault((identity[0], identity[1]), []).append((identity, said))
    return {identity: name for asked in wanted.values() for identity, name in assign(asked).items()}


def _of_product(mesh: Mesh, product: Manifest) -> Iterator[tuple[Identity, str]]:
    key = key_of(product)
    yield ("System", key.namespace, key.name), key.name
    yield ("Component", key.namespace, "DataProduct", key.name), key.name
    yield ("Resource", key.namespace, key.name), f"{key.name}-bucket"
    for output in (*outputs_of(product), *sources_of(mesh, product)):
        place = output.product
        yield (kind_of(output), place.namespace, *_port_parts(output)), f"{place.name}-{output.port.name}-v{output.major}"
