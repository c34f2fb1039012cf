"""The shell's way in: which kinds are watched, the reconciler of each, and in what order and how far apart keys are worked on."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.plan.consumers import asked_product, ends_now, is_refused
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.reconcile import accessrequest, dataproduct, domain, grants, objectstore
from clouddatamesh.reconcile.objectstore import store_name_of
from clouddatamesh.reconcile.pipeline import is_settled

_RECONCILERS: Final[dict[str, Callable[[Key, Manifest, Ports], Next]]] = {
    "ObjectStore": objectstore.reconcile,
    "Domain": domain.reconcile,
    "DataProduct": dataproduct.reconcile,
    "AccessRequest": accessrequest.reconcile,
    "AccessGrant": grants.reconcile,
}
RECONCILED: Final = tuple(_RECONCILERS)
ACCESS: Final = ("DataProduct", "AccessRequest", "AccessGrant")
"""Kinds whose change may have to take access away: compared with a list more often than the rest."""
WATCHED: Final = (*RECONCILED, "Namespace", "ServiceAccount", *CHILD_KINDS)
LABELLED: Final = CHILD_KINDS
"""Kinds that are watched only where they carry our label."""


def reconcile(key: Key, ports: Ports) -> Next:
    """Reconcile one object; an object that is gone needs nothing more."""
    manifest = ports.cluster.get(key)
    return Next() if manifest is None else _RECONCILERS[key.kind](key, manifest, ports)


def first_due(manifest: Manifest, interval: float, now: datetime, cluster: Cluster) -> float:
    """Seconds after a start until an object is looked at. What is Ready waits for its turn in the drift schedule, or for its end.

    A request whose product or grants were written while nobody looked does not wait.
    """
    metadata = manifest["metadata"]
    token = (metadata.get("annotations") or {}).get(marks.RECONCILE_ANNOTATION)
    asked = token is not None and token[:256] != (manifest.get("status") or {}).get("lastHandledReconcileAt")
    if manifest["kind"] not in ACCESS or asked or metadata.get("deletionTimestamp") or not is_settled(manifest):
        return 0.0
    if manifest["kind"] == "AccessRequest" and not all(is_settled(found) for found in _grounds(manifest, cluster)):
        return 0.0
    turn = names.spread(metadata["uid"]) * interval
    until = (manifest.get("status") or {}).get("validUntil")
    return min(turn, max((parse_time(until) - now).total_seconds(), 0.0)) if until else turn


def urgent(key: Key, cluster: Cluster, now: datetime) -> bool:
    """Whether a key goes before all others: something is to be taken away."""
    manifest = cluster.get(key)
    if manifest is None:
        return False
    return bool(manifest["metadata"].get("deletionTimestamp")) or (key.kind == "AccessRequest" and _ends(manifest, cluster, now))


def overdue(cluster: Cluster, now: datetime) -> tuple[Key, ...]:
    """Requests whose access stands and must not: what a missed event or a step of the clock left behind."""
    return tuple(key_of(request) for request in cluster.list("AccessRequest") if _ends(request, cluster, now))


def _ends(request: Manifest, cluster: Cluster, now: datetime) -> bool:
    return ends_now(request, cluster.get, now) or is_refused(request, _answers(request, cluster))


def _answers(request: Manifest, cluster: Cluster) -> tuple[Manifest, ...]:
    """Grants that name the request, or the namespace that it is in."""
    refused = cluster.referring(Key("Namespace", "", request["metadata"]["namespace"]), "AccessGrant")
    return (*cluster.referring(key_of(request), "AccessGrant"), *refused)


def _grounds(request: Manifest, cluster: Cluster) -> tuple[Manifest, ...]:
    product = cluster.get(asked_product(request))
    return (*_answers(request, cluster), *([product] if product else ()))


def lane(key: Key, cluster: Cluster) -> str:
    """Which outside system a key's work waits on, so that one that hangs does not take every worker."""
    if key.kind == "ObjectStore":
        return key.name
    manifest = cluster.get(key)
    if manifest is None:
        return ""
    if key.kind == "DataProduct":
        return store_name_of(manifest) or ""
    return _store_of_request(manifest, cluster) if key.kind == "AccessRequest" else ""


def _store_of_request(request: Manifest, cluster: Cluster) -> str:
    """Where its principal stands, or would."""
    place = (request.get("status") or {}).get("place") or {}
    product = cluster.get(asked_product(request))
    return str(place.get("store") or (store_name_of(product) if product else "") or "")
