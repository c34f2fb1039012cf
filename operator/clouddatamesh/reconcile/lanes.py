"""The lane of each key in the work queue: which outside system its work waits on, and how many workers what waits on none may have."""

from collections.abc import Mapping
from typing import Final

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile import review
from clouddatamesh.reconcile.siblings import store_name_of

_REVIEWS: Final = ":policies"
"""Of objects that are judged alone; no ObjectStore has this name."""
LIMITS: Final[Mapping[str, int]] = {_REVIEWS: 2}
"""Workers of a lane at most. A change of policies judges thousands of objects: more workers judge no faster, and all other work waits."""


def lane(key: Key, cluster: Cluster) -> str:
    """Which outside system a key's work waits on, so that one that hangs does not take every worker."""
    if key.kind == "ObjectStore":
        return key.name
    if key.kind == review.KIND:
        return _REVIEWS
    manifest = cluster.get(key) or cluster.departed(key)
    if manifest is None:
        return ""
    if key.kind == "DataProduct":
        return store_name_of(manifest) or ""
    return _store_of_request(manifest, cluster) if key.kind == "AccessRequest" else ""


def _store_of_request(request: Manifest, cluster: Cluster) -> str:
    """Where its principal is, or would be."""
    place = (request.get("status") or {}).get("place") or {}
    product = cluster.get(asked_product(request))
    return str(place.get("store") or (store_name_of(product) if product else "") or "")
