"""Parsed objects and worlds for tests of the pure layers."""

from datetime import UTC, datetime
from typing import Any

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model import bucket as b
from clouddatamesh.model.access import Home
from clouddatamesh.model.settings import Settings
from clouddatamesh.model.world import ProductWorld
from tests.support.manifests import a_product, a_store

START = datetime(2026, 1, 1, tzinfo=UTC)

CLUSTER = "uid-kube-system"
SETTINGS = Settings(mesh="acme", namespace="clouddatamesh-system", version="test")
ABLE = [{"name": name, "supported": True, "proof": "ReadBack"} for name in b.CAPABILITIES]


def the_store(**spec: Any) -> ObjectStore:
    """A store that can do everything."""
    return ObjectStore.model_validate({**a_store(**spec), "status": {"capabilities": ABLE}})


def the_product(
    *, uid: str = "uid-1", status: dict[str, Any] | None = None, annotations: dict[str, str] | None = None, **spec: Any
) -> DataProduct:
    """A product as the API server holds it, with our finalizer on."""
    manifest = a_product(**spec)
    metadata = {**manifest["metadata"], "uid": uid, "annotations": annotations or {}, "finalizers": ["clouddatamesh.dev/finalizer"]}
    return DataProduct.model_validate({**manifest, "metadata": metadata, "status": status or {}})


def a_world(**parts: Any) -> ProductWorld:
    """A world with store and domain, and whatever else is given."""
    plain: dict[str, Any] = {"cluster": CLUSTER, "home": Home("sales"), "namespace_uid": "uid-sales", "store": the_store()}
    return ProductWorld(**{"now": START, "settings": SETTINGS, **plain, **parts})


def owned_tags(namespace: str = "sales", name: str = "orders", *, mesh: str = "acme", uid: str = "uid-1", **more: str) -> b.Tags:
    """The ownership tags of a bucket, and further tags under our group: `owned_tags(transfer_to="sales/x")`; an empty one is left out."""
    ours = {"mesh": mesh, "cluster": CLUSTER, "domain": "sales", "namespace": namespace, "namespace_uid": f"uid-{namespace}"}
    every = {**ours, "name": name, "uid": uid, **more}
    return tuple(sorted((f"clouddatamesh.dev/{key.replace('_', '-')}", value) for key, value in every.items() if value))
