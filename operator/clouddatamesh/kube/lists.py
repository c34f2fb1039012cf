"""Paged lists of a kind into the cache: at the start, and to find what a watch missed."""

from typing import Any, Final

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.client import Client
from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.model.objects import Key

LABEL_SELECTOR: Final = "app.kubernetes.io/managed-by=clouddatamesh"
_PAGE: Final = "500"


def list_into(cache: Cache, client: Client, kind: str, *, labelled: bool) -> tuple[Key, ...]:
    """List every object of a kind (only those with our label, if `labelled`); the keys that changed."""
    items: list[dict[str, Any]] = []
    query = {"limit": _PAGE, **({"labelSelector": LABEL_SELECTOR} if labelled else {})}
    version = 0
    while True:
        try:
            page = client.request("GET", collection(kind), query=query)
        except ApiError as error:
            raise translate(error, f"Listing {kind}") from error
        version = version or int(page["metadata"].get("resourceVersion") or 0)
        items += [{"apiVersion": RESOURCES[kind].api_version, "kind": kind, **item} for item in page["items"]]
        token = page["metadata"].get("continue")
        if not token:
            return cache.replace(kind, items, version=version)
        query = {**query, "continue": token}
