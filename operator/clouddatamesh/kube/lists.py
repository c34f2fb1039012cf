"""Paged lists of a kind into the cache: at the start, and to find what a watch missed."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from clouddatamesh.kube.cache import Cache, version_of
from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Key, Manifest

_log = logging.getLogger(__name__)
LABEL_SELECTOR: Final = "app.kubernetes.io/managed-by=clouddatamesh"
PAGE: Final = 50
"""Objects of a page. An object may have 1.5 MB, and somebody may have made many of these: a page of 500 would take all our memory."""


def list_into(
    cache: Cache, client: Transport, kind: str, *, labelled: bool, restored: Callable[[str], object] = lambda _: None
) -> tuple[Key, ...]:
    """List every object of a kind (only those with our label, if `labelled`), page by page; the keys that changed.

    A page whose continuation expired raises Transient: nothing is removed for it. A list that is older than what was known before it was
    asked for means that the API server was restored from a backup: then the list counts, and `restored` is told of the kind.
    """
    query = _query(str(PAGE), labelled=labelled)
    with cache.listing(kind) as newest:
        first = _ask(client, kind, query)
        version = version_of(first)
        if 0 < version < newest:
            _log.warning(
                "The list of %s is of version %d, and %d was known: the API server was restored; the list counts", kind, version, newest
            )
            cache.forget_versions(kind)
            restored(kind)
        return cache.replace(kind, _items(client, kind, query, first), version=version)


def list_all(client: Transport, kind: str) -> tuple[Manifest, ...]:
    """Every object of a kind. Raises MeshError where any page is not to be had: a list is whole, or none."""
    query = _query(str(PAGE), labelled=False)
    return tuple(_items(client, kind, query, _ask(client, kind, query)))


def current_version(client: Transport, kind: str, *, labelled: bool) -> int:
    """The version of a kind in the API server now, by the shortest of lists; 0 where it tells none."""
    return version_of(_ask(client, kind, _query("1", labelled=labelled)))


def _query(limit: str, *, labelled: bool) -> dict[str, str]:
    return {"limit": limit, **({"labelSelector": LABEL_SELECTOR} if labelled else {})}


def _items(client: Transport, kind: str, query: dict[str, str], page: dict[str, Any]) -> Iterator[Manifest]:
    """The objects of this page and of those that follow it, each page asked for when the one before was taken in."""
    while True:
        for item in page["items"]:
            yield {"apiVersion": RESOURCES[kind].api_version, "kind": kind, **item}
        token = page["metadata"].get("continue", "")
        if not token:
            return
        page = _ask(client, kind, {**query, "continue": token})


def _ask(client: Transport, kind: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return client.request("GET", collection(kind), query=query)
    except ApiError as error:
        raise translate(error, f"Listing {kind}") from error
