"""Whether the cluster counts what a Domain's quotas limit; the operator waits for it at most a minute, and serves meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.base import Condition
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.plan import Steps, stopped
from clouddatamesh.model.words import some
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import is_child_of
from clouddatamesh.plan.moments import is_ahead

_PATIENCE: Final = timedelta(minutes=1)


def plan_counting(domain: Domain, world: DomainWorld, condition: str) -> Steps:
    """Nothing to do: why the Domain is not Ready yet, or no longer, where the cluster does not count a limit.

    `condition` tells of it, and since when; what is waited for is never waited for longer than a minute.
    """
    quotas = [child for child in world.children if child["kind"] == "ResourceQuota" and is_child_of(child, domain.metadata.name)]
    uncounted = sorted({(key, quota["metadata"]["namespace"]) for quota in quotas for key in _uncounted(quota)})
    if not uncounted:
        return Steps()
    told = next((found for found in domain.status.conditions if found.type == condition), None)
    return stopped(_fault(uncounted) if _is_overdue(domain, world, told) else _wait(uncounted))


def _uncounted(quota: Manifest) -> Iterator[str]:
    """Of what the quota limits now: one that somebody emptied has no limits, and no `hard`."""
    used = (quota.get("status") or {}).get("used") or {}
    return (key for key in (quota.get("spec") or {}).get("hard") or {} if key not in used)


def _is_overdue(domain: Domain, world: DomainWorld, told: Condition | None) -> bool:
    """A new generation may ask for other limits, so it is waited for again."""
    if told is None or told.reason != reasons.QUOTA_NOT_COUNTED or told.observed_generation != domain.metadata.generation:
        return False
    since = parse_time(told.last_transition_time)
    return told.status == "False" or is_ahead(since, world.now) or world.now - since >= _PATIENCE


def _wait(uncounted: list[tuple[str, str]]) -> MeshError:
    return Waiting(reasons.QUOTA_NOT_COUNTED, f"The cluster has not counted these limits yet: {_named(uncounted)}")


def _fault(uncounted: list[tuple[str, str]]) -> MeshError:
    """Without a count the API server refuses every new object of ours; what is of no known kind is never limited."""
    ours = [found for found in uncounted if found[0].endswith(f".{marks.GROUP}")]
    if ours:
        why = f"The cluster does not count {_named(ours)}, and the API server refuses new objects of these kinds until it does"
        return Terminal(reasons.QUOTA_NOT_COUNTED, f"{why}; check that kube-controller-manager runs its resourcequota controller")
    why = f"The cluster does not count {_named(uncounted)}, so nothing is limited by it; the rest of the domain is served"
    return Terminal(reasons.QUOTA_NOT_COUNTED, f"{why}; write a resource that exists in spec.resources.quota, or remove it")


def _named(uncounted: list[tuple[str, str]]) -> str:
    keys, place = sorted({key for key, _ in uncounted}), min(place for _, place in uncounted)
    return f"{some(keys)} (ResourceQuota {marks.MANAGER} in namespace {place})"
