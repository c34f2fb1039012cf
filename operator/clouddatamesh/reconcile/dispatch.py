"""The shell's way in: which kinds are watched, the reconciler of each, and in what order and how far apart keys are worked on."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next, Settings
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.access.consumers import has_access
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.facts import asked_product, read_grant, read_product, read_request
from clouddatamesh.plan.access.grants import is_in_use
from clouddatamesh.plan.children import CHILD_KINDS
from clouddatamesh.ports import Clock, Cluster, Ports
from clouddatamesh.reconcile import accessrequest, dataproduct, domain, domainprofile, grants, objectstore, policies, review, waivers
from clouddatamesh.reconcile.answers import answers_of
from clouddatamesh.reconcile.domains import find_domain, namespace_uid
from clouddatamesh.reconcile.pipeline import is_settled
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.summarize import is_true

_RECONCILERS: Final[dict[str, Callable[[Key, Manifest, Ports], Next]]] = {
    "ObjectStore": objectstore.reconcile,
    "Domain": domain.reconcile,
    "DataProduct": dataproduct.reconcile,
    "AccessRequest": accessrequest.reconcile,
    "AccessGrant": grants.reconcile,
    "GovernancePolicy": policies.reconcile,
    "DomainPolicy": policies.reconcile,
    "PolicyWaiver": waivers.reconcile,
    "DomainProfile": domainprofile.reconcile,
}
_CLEARERS: Final[dict[str, Callable[[Manifest, Visit], Next]]] = {
    "DataProduct": dataproduct.clear,
    "AccessRequest": accessrequest.clear,
}
RECONCILED: Final = tuple(_RECONCILERS)
ACCESS: Final = ("DataProduct", "AccessRequest", "AccessGrant")
"""Kinds whose change may have to take access away: compared with a list more often than the rest."""
GROUNDS: Final = ("Namespace", "Domain", "ObjectStore", *ACCESS)
"""Kinds that are listed before a turn as leader: what access rests on, but for ServiceAccounts, which are many and are read one by one."""
WATCHED: Final = (*RECONCILED, "AccessInbox", "Namespace", "ServiceAccount", *CHILD_KINDS)
LABELLED: Final = CHILD_KINDS
"""Kinds that are watched only where they carry our label."""


def reconcile(key: Key, ports: Ports) -> Next:
    """Reconcile one object. One that is gone needs nothing more, unless it went without its finalizer and left a record."""
    manifest = ports.cluster.get(key)
    if key.kind == review.KIND:
        return review.review(key, ports)
    if manifest is not None:
        return _RECONCILERS[key.kind](key, manifest, ports)
    ports.memory.forget(key)
    left = ports.cluster.departed(key) if key.kind in _CLEARERS else None
    return _CLEARERS[key.kind](left, Visit.of(key, left, ports)) if left is not None else Next()


def first_due(manifest: Manifest, interval: float, now: datetime, cluster: Cluster) -> float:
    """Seconds after a start until an object is looked at. What is Ready waits for its turn in the drift schedule, or for its end.

    What was written or went while nobody looked makes those that depend on it not wait: a request's product and grants, a grant's request.
    """
    metadata = manifest["metadata"]
    token = (metadata.get("annotations") or {}).get(marks.RECONCILE_ANNOTATION)
    asked = token is not None and token[:256] != (manifest.get("status") or {}).get("lastHandledReconcileAt")
    if manifest["kind"] not in ACCESS or asked or metadata.get("deletionTimestamp") or not is_settled(manifest):
        return 0.0
    if manifest["kind"] == "AccessRequest" and not all(is_settled(found) for found in _grounds(manifest, cluster)):
        return 0.0
    if manifest["kind"] == "AccessGrant" and _is_outdated(manifest, cluster):
        return 0.0
    turn = names.spread(metadata["uid"]) * interval
    until = (manifest.get("status") or {}).get("validUntil")
    return min(turn, max((parse_time(until) - now).total_seconds(), 0.0)) if until else turn


def urgent(key: Key, cluster: Cluster, clock: Clock) -> bool:
    """Whether a key goes before others: something is to be taken away now. A deletion that waits for something is as all the rest."""
    manifest = cluster.get(key)
    if manifest is None:
        return key.kind in _CLEARERS and cluster.departed(key) is not None
    if manifest["metadata"].get("deletionTimestamp"):
        return not is_true(manifest.get("status") or {}, "DeletionBlocked")
    return key.kind == "AccessRequest" and _ends(manifest, cluster, clock)


def overdue(cluster: Cluster, clock: Clock) -> tuple[Key, ...]:
    """Requests whose access is there and must not be: what a missed event or a step of the clock left behind."""
    return tuple(key_of(request) for request in cluster.list("AccessRequest") if _ends(request, cluster, clock))


def _ends(request: Manifest, cluster: Cluster, clock: Clock) -> bool:
    """Whether access is there and the decision gives none: by the same rule, without asking whether manifests can be read as a whole."""
    if not has_access(request):
        return False
    if request["metadata"].get("deletionTimestamp"):
        return True
    ask = read_request(request)
    product, uid = cluster.get(ask.product), namespace_uid(ask.key.namespace, cluster)
    answers = tuple(map(read_grant, answers_of(ask, cluster)))
    is_moved = any(answer.given_namespace not in ("", uid) for answer in answers)
    world = AccessWorld(
        now=clock.now(),
        settings=_NO_SETTINGS,
        is_time_trusted=clock.is_trusted(),
        offer=read_product(product) if product else None,
        product_home=_ANY_HOME,
        consumer_exists=cluster.get(ask.consumer) is not None,
        consumer_home=find_domain(ask.key.namespace, cluster) if is_moved else _ANY_HOME,
        namespace_uid=uid,
        answers=answers,
    )
    return not decide(ask, world).gives


_NO_SETTINGS: Final = Settings(mesh="", namespace="")
_ANY_HOME: Final = Home("")
"""Domains only keep new access from being given; whose a namespace is counts where it is not the one that access was given to."""


def _grounds(request: Manifest, cluster: Cluster) -> tuple[Manifest, ...]:
    product = cluster.get(asked_product(request))
    return (*answers_of(read_request(request), cluster), *([product] if product else ()))


def _is_outdated(grant: Manifest, cluster: Cluster) -> bool:
    """Whether a grant says or holds what its request does not: that one ended, or began to rest on it, and nobody told the grant."""
    answer = read_grant(grant)
    request = cluster.get(answer.request) if answer.request else None
    if request is None:
        return answer.request is not None and bool(answer.held or answer.owner)
    return is_in_use(answer, read_request(request)) != is_true(grant.get("status") or {}, "InEffect")
