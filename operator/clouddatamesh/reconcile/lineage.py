"""Where a product's data comes from and goes to, followed over the access that is in effect. Every product is visited once."""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, Final

from clouddatamesh.model.objects import Key
from clouddatamesh.plan.access.consumers import is_in_effect
from clouddatamesh.plan.access.facts import asked_product, consumer_key
from clouddatamesh.plan.references import CONSUMER
from clouddatamesh.ports import Cluster

_SHOWN: Final = 50
_VISITED: Final = 500
"""Products that are followed in one direction; beyond them only the number is known to be larger."""
_READ: Final = 1000
"""Requests that are read in one direction at most, since one product may have thousands."""


def gather_lineage(product: Key, cluster: Cluster) -> dict[str, Any]:
    """status.lineage; empty where nothing leads anywhere."""
    above, below = _follow(product, lambda key: _sources(key, cluster)), _follow(product, lambda key: _users(key, cluster))
    found: dict[str, Any] = {}
    for name, reached in (("upstream", above), ("downstream", below)):
        nodes = sorted((distance, key) for key, distance in reached.items() if key != product)
        if nodes:
            found[name] = [{"namespace": key.namespace, "name": key.name, "distance": distance} for distance, key in nodes[:_SHOWN]]
        if len(nodes) > _SHOWN:
            found[f"more{name.capitalize()}"] = len(nodes) - _SHOWN
    return {**found, **({"cyclic": True} if product in above else {})}


def _follow(start: Key, neighbours: Callable[[Key], Iterator[Key | None]]) -> dict[Key, int]:
    """Distances of everything that can be reached; the start itself only where a way leads back to it."""
    reached: dict[Key, int] = {}
    edge, distance, left = [start], 0, _READ
    while edge and left and len(reached) < _VISITED:
        distance += 1
        read = list(islice(chain.from_iterable(map(neighbours, edge)), left))
        left -= len(read)
        fresh = sorted({key for key in read if key is not None} - set(reached))
        reached.update(dict.fromkeys(fresh, distance))
        edge = [key for key in fresh if key != start]
    return reached


def _sources(consumer: Key, cluster: Cluster) -> Iterator[Key | None]:
    """What each request of a consumer leads to: None where it is not in effect."""
    for key in cluster.naming(Key(CONSUMER, consumer.namespace, consumer.name), "AccessRequest"):
        request = cluster.get(key)
        yield asked_product(request) if request and is_in_effect(request) else None


def _users(product: Key, cluster: Cluster) -> Iterator[Key | None]:
    """What each request for a product leads to: None where it is not in effect, or its consumer is no product."""
    for key in cluster.naming(product, "AccessRequest"):
        request = cluster.get(key)
        uses = request and asked_product(request) == product and consumer_key(request).kind == "DataProduct" and is_in_effect(request)
        yield consumer_key(request) if request and uses else None
