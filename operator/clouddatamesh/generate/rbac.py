"""The chart's RBAC from api/permissions.py, as one file that its templates read."""

from collections.abc import Iterable
from typing import Any

from clouddatamesh.api import permissions
from clouddatamesh.api.permissions import PolicyRule
from clouddatamesh.generate.crds import dump


def permissions_file() -> str:
    """charts/clouddatamesh/files/permissions.yaml."""
    return dump(
        {
            "operator": {"cluster": _rules(permissions.OPERATOR_CLUSTER), "namespace": _rules(permissions.OPERATOR_OWN_NAMESPACE)},
            "gate": _rules(permissions.GATE),
            "clusterRoles": {name: _rules(rules) for name, rules in permissions.CLUSTER_ROLES.items()},
        }
    )


def _rules(rules: Iterable[PolicyRule]) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in rules]


def _rule(rule: PolicyRule) -> dict[str, Any]:
    built = {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
    return {**built, "resourceNames": list(rule.names)} if rule.names else built
