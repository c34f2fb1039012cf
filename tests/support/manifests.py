"""Builders of manifests that read aloud in a test: `a_product(deletion_policy="Delete")`."""

from typing import Any

API = "clouddatamesh.dev/v1alpha1"
CREDENTIALS = "main-s3"


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


def a_request(name: str = "orders-for-forecast", namespace: str = "inventory", **spec: Any) -> dict[str, Any]:
    """An AccessRequest for the port daily of sales/orders; keyword arguments are camelCase spec fields."""
    base: dict[str, Any] = {
        "dataProductRef": {"namespace": "sales", "name": "orders"},
        "outputPort": {"name": "daily", "version": "1.0.0"},
        "mode": "ReadOnly",
        "consumer": {"dataProductRef": {"name": "forecast"}},
        "purpose": "Weekly stock forecast",
        "duration": "90d",
        "secretName": "orders-access",
    }
    return {"apiVersion": API, "kind": "AccessRequest", "metadata": {"name": name, "namespace": namespace}, "spec": {**base, **spec}}


def a_grant(name: str = "inventory-forecast", namespace: str = "sales", **spec: Any) -> dict[str, Any]:
    """An AccessGrant that approves `a_request()` for as long as any port allows."""
    base: dict[str, Any] = {
        "decision": "Approve",
        "dataProductRef": {"name": "orders"},
        "outputPort": {"name": "daily", "version": "1.0.0"},
        "requestRef": {"namespace": "inventory", "name": "orders-for-forecast"},
        "consumer": {"dataProductRef": {"name": "forecast"}},
        "mode": "ReadOnly",
        "validUntil": "2099-01-01T00:00:00Z",
    }
    return {"apiVersion": API, "kind": "AccessGrant", "metadata": {"name": name, "namespace": namespace}, "spec": {**base, **spec}}


def annotated(manifest: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """The manifest with annotations of our group: `annotated(m, force_delete="orders")`."""
    ours = {f"clouddatamesh.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": ours}}
