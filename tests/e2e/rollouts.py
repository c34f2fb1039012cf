"""Helm upgrades of the operator in real Pods, and who holds its Lease while they are replaced."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tests.support.installation import CHART, NAMESPACE, RELEASE, Installation
from tests.support.rollout import Tenure, holders_of, longest_unheld, longest_unrenewed

OPERATORS = "app.kubernetes.io/name=clouddatamesh"
HELM = ("--namespace", NAMESPACE, "--timeout", "90s")


@dataclass(frozen=True)
class Handover:
    """Who held the Lease, one after the other; and in seconds the longest time without a holder, and between two writes."""

    holders: list[str]
    unheld: float
    unrenewed: float


def upgrade(mesh: Installation, *values: str) -> None:
    """`helm upgrade --wait` with the values of now and some more."""
    sets = [part for value in values for part in ("--set", value)]
    mesh.cluster.helm("upgrade", RELEASE, str(CHART), *HELM, "--reuse-values", "--wait", *sets)


def pods_of(mesh: Installation) -> set[str]:
    """The names of the operator's Pods, also of those that are ending."""
    return set(mesh.cluster.kubectl("get", "pods", "-n", NAMESPACE, "-l", OPERATORS, "-o", "name").replace("pod/", "").split())


def leads(mesh: Installation) -> bool:
    """Whether one of the operator's Pods holds the Lease."""
    return Tenure.of(mesh.cluster).first.get("holderIdentity") in pods_of(mesh)


def replace_pods(mesh: Installation, replicas: int) -> Handover:
    """Change the template of so many Pods, until new ones alone are there and one of them leads."""
    upgrade(mesh, f"replicas={replicas}")
    mesh.until(lambda: len(pods_of(mesh)) == replicas, what="Pods of one template")
    before, tenure = pods_of(mesh), Tenure.of(mesh.cluster)
    assert holders_of(tenure.states())[-1] in before
    upgrade(mesh, f"podAnnotations.rollout=of-{replicas}")
    mesh.until(lambda: not pods_of(mesh) & before, seconds=60, what="new Pods alone")
    mesh.until(lambda: holders_of(tenure.states())[-1] in pods_of(mesh), what="a new Pod that leads")
    states = tenure.states()
    return Handover(holders_of(states), longest_unheld(states, datetime.now(UTC)), longest_unrenewed(states))
