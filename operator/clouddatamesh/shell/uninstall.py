"""Checks before an uninstall that no object is left which needs the operator; it waits for those that are being deleted."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.errors import Transient
from clouddatamesh.kube.errors import ApiError, translate
from clouddatamesh.kube.resources import collection
from clouddatamesh.kube.served import is_served
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.words import some

_log = logging.getLogger(__name__)
_ROUND: Final = 3.0
_GRACE: Final = 20.0
"""Seconds in which somebody may begin to delete what is left: Argo CD deletes several Applications side by side."""
_SHOWN: Final = 10
HELD: Final = ("ObjectStore", "Domain", "DataProduct", "AccessRequest", "AccessGrant")
"""Kinds whose objects carry the operator's finalizer. Policies, waivers and profiles go without it."""


@dataclass(frozen=True)
class Left:
    """An object that is there: how a message calls it, whether it is being deleted, and whether its data would go with it."""

    name: str
    deleting: bool
    destroys: bool


def find_left(client: Transport) -> tuple[Left, ...]:
    """All objects of the mesh that carry the operator's finalizer or will get it. A kind without a CRD has none. Raises MeshError."""
    return tuple(_left(kind, item) for kind in HELD for item in _items(client, kind))


def wait_until_gone(
    look: Callable[[], tuple[Left, ...]],
    *,
    seconds: float,
    patient: bool = False,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Wait while objects are being deleted, and if `patient` also for those that nobody deletes yet.

    Empty when none is left; else one sentence that says what is left and what to do.
    """
    began, told = now(), ""
    while True:
        try:
            left = look()
        except Transient as error:
            _log.warning("%s; asking again", error)
            left = None
        if left == ():
            return ""
        passed = now() - began
        if passed >= seconds or (left and passed >= _GRACE and not patient and not any(one.deleting for one in left)):
            return describe(left)
        if left and (said := describe_wait(left)) != told:
            told = said
            _log.info("%s", said)
        wait(_ROUND)


def describe_wait(left: tuple[Left, ...]) -> str:
    """What is waited for, and which of it ends only if somebody acts."""
    deleted, kept = ([one.name for one in left if one.deleting == deleting] for deleting in (True, False))
    parts = [f"being deleted ({len(deleted)}): {_some(deleted)}"] if deleted else []
    parts += [f"deleted by nobody yet ({len(kept)}): {_some(kept)}"] if kept else []
    return f"Waiting for objects of the mesh; {'; '.join(parts)}"


def describe(left: tuple[Left, ...] | None) -> str:
    """Why the operator must stay, and what to do."""
    if left is None:
        return "The API server did not say which objects of the mesh are left; try again, or skip this check by helm uninstall --no-hooks"
    destroyed = [one.name for one in left if one.destroys]
    data = f" The data of {_some(destroyed)} would be destroyed." if destroyed else ""
    return (
        f"{len(left)} objects of the mesh are left: {_some([one.name for one in left])}. Without the operator nothing revokes their access "
        f"or removes their finalizers.{data} Delete them while the operator runs, with spec.storage.deletionPolicy: Retain where data must "
        "stay, and uninstall again. To keep them, run helm rollback to the last revision that helm history shows, because a refused "
        "uninstall leaves the release without a state that can be upgraded, then helm upgrade with crds.keep=true and uninstall.check=auto"
    )


def _left(kind: str, item: Manifest) -> Left:
    metadata, storage = item["metadata"], (item.get("spec") or {}).get("storage") or {}
    name = "/".join(part for part in (metadata.get("namespace", ""), metadata["name"]) if part)
    return Left(f"{kind} {name}", "deletionTimestamp" in metadata, kind == "DataProduct" and storage.get("deletionPolicy") == "Delete")


def _items(client: Transport, kind: str) -> Iterator[Manifest]:
    """Page by page, so that no more than a page is in memory."""
    query: dict[str, str] = {"limit": "500"}
    while True:
        page = _ask(client, kind, query)
        yield from page["items"]
        token = page["metadata"].get("continue", "")
        if not token:
            return
        query = {"limit": "500", "continue": token}


def _ask(client: Transport, kind: str, query: dict[str, str]) -> dict[str, Any]:
    try:
        return client.request("GET", collection(kind), query=query)
    except ApiError as error:
        if error.status == 404 and not is_served(client, collection(kind)):
            return {"items": [], "metadata": {}}
        raise translate(error, f"Listing {kind}") from error


def _some(names: Iterable[str]) -> str:
    return some(sorted(names), _SHOWN)
