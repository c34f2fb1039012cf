"""By which keys an object is found again: by what it names, and by the states in which others look for it."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.plan.references import references
from clouddatamesh.reconcile.pipeline import is_settled
from clouddatamesh.reconcile.siblings import loss_of

UNSETTLED: Final = "Unsettled"
"""Products and requests that are not Ready: by their namespace; requests also by the product that they ask for, and its namespace."""


def index_keys(manifest: Manifest) -> tuple[Key, ...]:
    """Every key that leads to an object, each once."""
    return tuple(dict.fromkeys((*references(manifest), *_states(manifest))))


def _states(manifest: Manifest) -> Iterator[Key]:
    kind = manifest["kind"]
    if kind == "DataProduct" and (loss := loss_of(manifest)) is not None:
        yield loss
    if kind in ("DataProduct", "AccessRequest") and not is_settled(manifest):
        yield Key(UNSETTLED, manifest["metadata"]["namespace"], "")
        if kind == "AccessRequest":
            product = asked_product(manifest)
            yield Key(UNSETTLED, product.namespace, "")
            yield Key(UNSETTLED, product.namespace, product.name)
