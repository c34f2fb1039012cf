"""The values of the label `domain`: a bounded number of Domains by name, whatever the size of the mesh."""

from collections.abc import Callable
from typing import Final

from clouddatamesh.metrics.tally import OTHER
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks
from clouddatamesh.ports import Cluster

MOST: Final = 200
"""This many Domains have series of their own: the oldest, so that a new Domain never displaces another."""
NONE: Final = "_none"


def domain_labels(cluster: Cluster) -> Callable[[str], str]:
    """A function that gives the label of a namespace, as the namespace's own label says now."""
    domains = sorted(cluster.list("Domain"), key=_age)
    named = frozenset(str(domain["metadata"]["name"]) for domain in domains[:MOST])

    def label_of(namespace: str) -> str:
        found = cluster.get(Key("Namespace", "", namespace))
        name = ((found or {}).get("metadata") or {}).get("labels", {}).get(marks.DOMAIN_LABEL)
        return NONE if not name else str(name) if name in named else OTHER

    return label_of


def _age(domain: Manifest) -> tuple[str, str]:
    metadata = domain["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata["name"])
