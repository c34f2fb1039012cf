"""Builders of manifests that read aloud in a test: `a_product(deletion_policy="Delete")`."""

from typing import Any

API = "clouddatamesh.dev/v1alpha1"
CREDENTIALS = "main-s3"
PURPOSE = "size(object.spec.description.purpose) >= params.minPurpose"


def a_store(name: str = "main", **spec: Any) -> dict[str, Any]:
    """An ObjectStore at a local endpoint; keyword arguments are camelCase spec fields."""
    base = {
        "endpointUrl": "https://s3.test",
        "region": "us-east-1",
        "bucketPrefix": "acme",
        "credentialsSecretRef": {"name": CREDENTIALS},
        "deletionEnabled": True,
    }
    return {"apiVersion": API, "kind": "ObjectStore", "metadata": {"name": name}, "spec": {**base, **spec}}


def a_domain(name: str = "sales", **spec: Any) -> dict[str, Any]:
    """A Domain with owners and limits."""
    base = {"displayName": name.title(), "access": {"owners": [{"kind": "Group", "name": f"{name}-owners"}]}}
    return {"apiVersion": API, "kind": "Domain", "metadata": {"name": name}, "spec": {**base, **spec}}


def a_product(name: str = "orders", namespace: str = "sales", *, storage: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """An active DataProduct with a bucket, one port and a producer; `storage` is merged into spec.storage."""
    base: dict[str, Any] = {
        "displayName": name.title(),
        "version": "1.0.0",
        "lifecycle": "active",
        "description": {"purpose": f"What there is to know of {name}"},
        "owner": {"name": "Kim Roe", "email": "kim@example.com"},
        "storage": {"storeRef": {"name": "main"}, **(storage or {})},
        "outputPorts": [{"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet"}],
        "producer": {"secretName": f"{name}-producer"},
    }
    return {"apiVersion": API, "kind": "DataProduct", "metadata": {"name": name, "namespace": namespace}, "spec": {**base, **spec}}


def a_profile(name: str = "sales", namespace: str = "", **spec: Any) -> dict[str, Any]:
    """The DomainProfile of a Domain in its home namespace; keyword arguments are camelCase spec fields."""
    base = {"description": {"purpose": f"What {name} knows of its customers"}}
    return _object("DomainProfile", name, namespace or name, {**base, **spec})


def a_team(*members: tuple[str, str, str, str]) -> dict[str, Any]:
    """A team of members, each a username, a role, a first and a last day; what is empty is left out."""
    fields = ("username", "role", "dateIn", "dateOut")
    return {"members": [{field: value for field, value in zip(fields, member, strict=True) if value} for member in members]}


def annotated(manifest: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """The manifest with annotations of our group: `annotated(m, force_delete="orders")`."""
    ours = {f"clouddatamesh.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": ours}}


def a_request(name: str = "orders-for-forecast", namespace: str = "inventory", **spec: Any) -> dict[str, Any]:
    """A request of inventory's product forecast for sales' orders; keyword arguments are camelCase spec fields, None takes one out."""
    base: dict[str, Any] = {
        "dataProductRef": {"namespace": "sales", "name": "orders"},
        "outputPort": {"name": "daily", "version": "1.0.0"},
        "mode": "ReadOnly",
        "consumer": {"dataProductRef": {"name": "forecast"}},
        "purpose": "weekly stock forecast",
        "duration": "90d",
        "secretName": "orders-access",
    }
    return _object("AccessRequest", name, namespace, {**base, **spec})


def a_grant(name: str = "inventory-forecast", namespace: str = "sales", **spec: Any) -> dict[str, Any]:
    """The approval of exactly that request; keyword arguments are camelCase spec fields, None takes one out."""
    base: dict[str, Any] = {
        "decision": "Approve",
        "dataProductRef": {"name": "orders"},
        "outputPort": {"name": "daily", "version": "1.0.0"},
        "requestRef": {"namespace": "inventory", "name": "orders-for-forecast"},
        "consumer": {"dataProductRef": {"name": "forecast"}},
        "mode": "ReadOnly",
        "validUntil": "2099-01-01T00:00:00Z",
    }
    return _object("AccessGrant", name, namespace, {**base, **spec})


def a_rule(name: str = "has-purpose", expression: str = PURPOSE, **rule: Any) -> dict[str, Any]:
    """A rule of a policy: products say in at least `params.minPurpose` characters what they are for."""
    return {"name": name, "expression": expression, "message": f"Rule {name} is kept", "severity": "medium", **rule}


def a_policy(name: str = "ownership", namespace: str = "", **spec: Any) -> dict[str, Any]:
    """A GovernancePolicy on every product; with a namespace, the DomainPolicy there. Keyword arguments are camelCase spec fields."""
    base: dict[str, Any] = {"params": {"minPurpose": 10}, "enforcement": "Audit", "rules": [a_rule()]}
    kind = "DomainPolicy" if namespace else "GovernancePolicy"
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, **place}, "spec": {**base, **spec}}


def a_waiver(name: str = "orders-purpose", **spec: Any) -> dict[str, Any]:
    """A PolicyWaiver for sales' orders and that rule."""
    base: dict[str, Any] = {
        "policyRef": {"kind": "GovernancePolicy", "name": "ownership"},
        "rule": "has-purpose",
        "objectRef": {"kind": "DataProduct", "namespace": "sales", "name": "orders"},
        "reason": "the purpose is being agreed on",
        "approver": "Robin Doe",
        "validUntil": "2026-02-01T00:00:00Z",
    }
    return {"apiVersion": API, "kind": "PolicyWaiver", "metadata": {"name": name}, "spec": {**base, **spec}}


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    given = {field: value for field, value in spec.items() if value is not None}
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": given}
