"""What a change in a team, its training or a profile makes due."""

from collections.abc import Iterator
from typing import Any

from clouddatamesh.api.v1alpha1.team import TeamMember
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.changes import Change
from clouddatamesh.reconcile.judging import any_policies
from clouddatamesh.reconcile.teams import leavers_of
from clouddatamesh.reconcile.wakes_policies import judged_in


def profiles_of(domain: Manifest, cluster: Cluster) -> Iterator[Key]:
    """The profile of a Domain, also where it is in a namespace that is not the home."""
    keys = (Key("DomainProfile", place, domain["metadata"]["name"]) for place in named_namespaces(domain))
    return (key for key in keys if cluster.get(key) is not None)


def is_other_training(change: Change) -> bool:
    """Whether rules on training may say something else."""
    return bool(_training(change.old) != _training(change.new))


def judged_by_training(change: Change, domains: tuple[Key, ...], cluster: Cluster) -> Iterator[Key]:
    """What rules on the training of these Domains are about."""
    if is_other_training(change) and any_policies(cluster):
        for domain in domains:
            yield from judged_in(domain, cluster)


def is_other_leaving(change: Change) -> bool:
    """Whether somebody else has a last day in a product's team."""
    return _leavers(change.old) != _leavers(change.new)


def _training(profile: Manifest | None) -> Any:
    return ((profile or {}).get("status") or {}).get("training")


def _leavers(product: Manifest | None) -> tuple[TeamMember, ...]:
    return tuple(leavers_of(product)) if product else ()
