"""What the formats for catalogues have in common: which products they publish, the ports of a product, and where its data comes from.

Everything is of the Mesh, so of what the reader may read. Persons are never part of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import major
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.naming import title_of
from clouddatamesh.view.product import Port, ports_of
from clouddatamesh.view.raw import entries, text, value, words

STAGES: Final = ("draft", "active", "deprecated")
"""Published. Of a proposed product nothing exists yet; of a retired one nobody gets the data any more."""
_PARTS: Final = (("purpose", "{}"), ("limitations", "Limitations: {}"), ("usage", "Usage: {}"))
_BEGINNING: Final = "1970-01-01T00:00:00Z"
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")


class Settings(Protocol):
    """What the user says about the catalogue as a whole."""

    @property
    def catalog(self) -> str:
        """Title of the catalogue. Empty: `Data mesh`."""

    @property
    def base(self) -> str:
        """Where identifiers begin: `https://…` of the catalogue's pages, or a `urn:…`. Empty: a URN made of the title."""


def title_of_all(settings: Settings) -> str:
    """The title of the catalogue."""
    return settings.catalog.strip() or "Data mesh"


@dataclass(frozen=True)
class Output:
    """An output port that is in the spec. `contract` is the identifier of its data contract, empty where it has none."""

    product: Key
    port: Port
    contract: str
    tags: tuple[str, ...]

    @property
    def major(self) -> str:
        return major(self.port.version)

    @property
    def order(self) -> tuple[str, tuple[int, ...], str]:
        """By name and then by version, 1.10.0 after 1.9.0."""
        release = self.port.version.partition("-")[0].partition("+")[0]
        return self.port.name, tuple(int(part) if part.isdecimal() else 0 for part in release.split(".")), self.port.version


def stage_of(product: Manifest) -> str:
    """The stage of its lifecycle."""
    return text(product, "spec", "lifecycle") or "active"


def published(products: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """Those that a catalogue shows, each once, by namespace and name."""
    found = {key_of(product): product for product in products if stage_of(product) in STAGES}
    return tuple(found[key] for key in sorted(found))


def outputs_of(product: Manifest) -> tuple[Output, ...]:
    """The ports of the spec by name and version; not those that only stay for the consumers they have."""
    more = {(text(port, "name"), text(port, "version")): port for port in entries(product, "spec", "outputPorts")}
    listed = [
        Output(key_of(product), port, text(more[known], "contractId"), words(more[known], "tags"))
        for port in ports_of(product)
        if (known := (port.name, port.version)) in more and all(known) and not port.draining
    ]
    return tuple(sorted(listed, key=lambda output: output.order))


def earlier(outputs: Iterable[Output]) -> Iterator[tuple[Output, Output]]:
    """Each port with the next older version of the same port."""
    return ((new, old) for old, new in pairwise(outputs) if old.port.name == new.port.name)


def is_deprecated(product: Manifest, port: Port) -> bool:
    """Whether no new access is given, because of the product or of the port."""
    return stage_of(product) == "deprecated" or port.deprecated


def sources_of(mesh: Mesh, product: Manifest) -> tuple[Output, ...]:
    """The ports that a product reads, of published products that the reader may read."""
    found = {(source.product, source.order): source for source in _sources(mesh, product)}
    return tuple(found[known] for known in sorted(found))


def _sources(mesh: Mesh, product: Manifest) -> Iterator[Output]:
    for entry in entries(product, "spec", "inputPorts"):
        wanted = text(entry, "from", "outputPort", "name"), major(text(entry, "from", "outputPort", "version"))
        source = mesh.get("DataProduct", text(entry, "from", "namespace"), text(entry, "from", "dataProduct"))
        if source is not None and stage_of(source) in STAGES:
            yield from (output for output in outputs_of(source) if (output.port.name, output.major) == wanted)


def domains_of(mesh: Mesh, products: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The Domains of the products and their parents, as far as they were read, by name."""
    found: dict[str, Manifest] = {}
    for product in products:
        domain = mesh.domain_of(product["metadata"]["namespace"])
        while domain is not None and domain["metadata"]["name"] not in found:
            found[domain["metadata"]["name"]] = domain
            domain = parent_of(mesh, domain)
    return tuple(found[name] for name in sorted(found))


def parent_of(mesh: Mesh, domain: Manifest) -> Manifest | None:
    """The parent of a Domain, if the reader may read it."""
    return mesh.get("Domain", "", text(domain, "spec", "parentRef", "name"))


def description_of(manifest: Manifest) -> str:
    """Purpose, limitations and usage as one text; the title where nothing is said."""
    said = ((form, text(manifest, "spec", "description", part)) for part, form in _PARTS)
    return "\n\n".join(form.format(part) for form, part in said if part) or title_of(manifest)


def team_of(domain: Manifest | None, namespace: str) -> str:
    """Who answers for what is in a namespace: a name, not a person."""
    if domain is None:
        return namespace
    return text(domain, "spec", "team", "name") or title_of(domain)


def custom(product: Manifest, name: str) -> tuple[str, ...]:
    """The values of a custom property, whatever its case, split at commas."""
    said = (text(entry, "value") for entry in entries(product, "spec", "customProperties") if text(entry, "property").casefold() == name)
    return tuple(part.strip() for each in said for part in each.split(",") if part.strip())


def tags_of(product: Manifest, output: Output | None = None) -> tuple[str, ...]:
    """Tags and synonyms of a product, and the tags of a port."""
    synonyms = (text(entry, "synonym") for entry in entries(product, "spec", "synonyms"))
    found = {*words(product, "spec", "tags"), *synonyms, *(output.tags if output else ())}
    return tuple(sorted(tag for tag in found if tag.strip()))


def created_at(product: Manifest) -> str:
    """When the object was created, in RFC 3339; empty where that is not known."""
    return next(_times(product["metadata"].get("creationTimestamp")), "")


def changed_at(product: Manifest) -> str:
    """When the object was last written, in RFC 3339: the same for the same object, because no clock is read."""
    written = (text(entry, "time") for entry in entries(product["metadata"], "managedFields"))
    return max(_times(created_at(product), *written), default=_BEGINNING)


def _times(*said: object) -> Iterator[str]:
    return (time for time in said if isinstance(time, str) and _TIME.fullmatch(time))


def endpoint_of(product: Manifest) -> str:
    """The S3 endpoint of a product that has storage; empty where none is known."""
    storage = value(product, "status", "storage")
    region = text(product, "status", "storage", "region")
    return text(product, "status", "storage", "endpoint") or (f"https://s3.{region}.amazonaws.com" if storage and region else "")
