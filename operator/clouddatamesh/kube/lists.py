"""Paged lists of a kind into the cache: at the start, and to find what a watch missed."""

from typing import Any, Final

from clouddatamesh.kube.cache import Cache, version_of
from clouddatamesh.kube.client import Transport
from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.model.objects import Key

LABEL_SELECTOR: Final = "app.kubernetes.io/managed-by=clouddatamesh"
_PAGE: Final = "500"


def list_into(cache: Cache, client: Transport, kind: str, *, labelled: bool) -> tuple[Key, ...]:
    """List every object of a kind (only those with our label, if `labelled`); the keys that changed.

    A page whose continuation expired raises Transient: what was read so far is of no use.
    """
    items: list[dict[str, Any]] = []
    query = {"limit": _PAGE, **({"labelSelector": LABEL_SELECTOR} if labelled else {})}
    version, token = 0, ""
    while True:
        try:
            page = client.request("GET", collection(kind), query={**query, **({"continue": token} if token else {})})
        except ApiError as error:
            raise translate(error, f"Listing {kind}") from error
        version = version or version_of(page)
        items += [{"apiVersion": RESOURCES[kind].api_version, "kind": kind, **item} for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            return cache.replace(kind, items, version=version)
