"""A product in one line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.naming import owner_of, port_names, title_of
from clouddatamesh.view.raw import text, value, words


@dataclass(frozen=True)
class Entry:
    """`ports` are `name/version`."""

    namespace: str
    name: str
    title: str
    version: str
    lifecycle: str
    health: Health
    owner: str
    ports: tuple[str, ...]
    tags: tuple[str, ...]
    purpose: str


def list_products(products: Iterable[Manifest]) -> Iterator[Entry]:
    """In the order given, one at a time."""
    for product in products:
        spec = value(product, "spec")
        yield Entry(
            namespace=product["metadata"]["namespace"],
            name=product["metadata"]["name"],
            title=title_of(product),
            version=text(spec, "version"),
            lifecycle=text(spec, "lifecycle"),
            health=health_of(product),
            owner=owner_of(product),
            ports=port_names(product),
            tags=words(spec, "tags"),
            purpose=text(spec, "description", "purpose"),
        )
