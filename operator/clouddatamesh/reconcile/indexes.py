"""By which keys an object is found again: by what it names, and by the states in which others look for it."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.plan.references import references
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile import verdicts
from clouddatamesh.reconcile.pipeline import is_settled
from clouddatamesh.reconcile.siblings import MADE, has_bucket, loss_of, store_name_of
from clouddatamesh.reconcile.teams import LEAVERS, leavers_of

UNHELD: Final = "Unheld"
"""Products, requests and grants without our finalizer, for which nothing was made: by their namespace; products also by their store."""
UNSETTLED: Final = "Unsettled"
"""Products, profiles and requests that are not Ready: by namespace; requests also by the product that they ask for, and its own."""


_HOLDING: Final = ("DataProduct", "AccessRequest", "AccessGrant")


def index_keys(manifest: Manifest) -> tuple[Key, ...]:
    """Every key that leads to an object, each once."""
    return tuple(dict.fromkeys((*references(manifest), *_states(manifest), *verdicts.keys_of(manifest))))


def _states(manifest: Manifest) -> Iterator[Key]:
    kind = manifest["kind"]
    if kind in _HOLDING and marks.FINALIZER not in (manifest["metadata"].get("finalizers") or ()):
        yield Key(UNHELD, manifest["metadata"]["namespace"], "")
        if kind == "DataProduct":
            yield Key(UNHELD, "", store_name_of(manifest) or "")
    if kind == "DataProduct" and has_bucket(manifest):
        yield Key(MADE, "", "")
    if kind == "DataProduct" and any(leavers_of(manifest)):
        yield Key(LEAVERS, manifest["metadata"]["namespace"], "")
    if kind == "DataProduct" and (loss := loss_of(manifest)) is not None:
        yield loss
    if kind in ("DataProduct", "DomainProfile", "AccessRequest") and not is_settled(manifest):
        yield Key(UNSETTLED, manifest["metadata"]["namespace"], "")
        if kind == "AccessRequest":
            product = asked_product(manifest)
            yield Key(UNSETTLED, product.namespace, "")
            yield Key(UNSETTLED, product.namespace, product.name)


def find_newcomers(place: Key, since: str | None, cluster: Cluster) -> frozenset[Key]:
    """Of what is unheld at a place those that came after a deletion began: they hold nothing, and wait for what comes next."""
    if since is None:
        return frozenset()
    return frozenset(key_of(found) for kind in _HOLDING for found in cluster.referring(place, kind) if is_newcomer(found, since))


def is_newcomer(manifest: Manifest, since: str) -> bool:
    """Whether an object came after a deletion began, and nothing was made for it."""
    metadata = manifest["metadata"]
    return marks.FINALIZER not in (metadata.get("finalizers") or ()) and (metadata.get("creationTimestamp") or "") >= since
