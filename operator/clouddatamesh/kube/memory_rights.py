"""What the fake lets the operator do: as the API server, what its roles declare, and nothing else."""

from functools import cache

from clouddatamesh.api import permissions
from clouddatamesh.kube.resources import RESOURCES


@cache
def is_readable(kind: str) -> bool:
    """Whether the operator may ask for one object of a kind."""
    resource = RESOURCES[kind]
    group = resource.api_version.rpartition("/")[0]
    rules = (*permissions.OPERATOR_CLUSTER, *permissions.OPERATOR_DOMAIN_NAMESPACE)
    return any(group in rule.groups and resource.plural in rule.resources and "get" in rule.verbs for rule in rules)
