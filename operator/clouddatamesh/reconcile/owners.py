"""Whose the principals in an ObjectStore are: by what products and requests record, and by what they may get."""

from collections.abc import Iterable, Iterator
from typing import Final

from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import names
from clouddatamesh.plan.access.consumers import holds_principal
from clouddatamesh.plan.access.facts import part_of, read_take_over
from clouddatamesh.plan.references import PRINCIPAL, references
from clouddatamesh.plan.takeover import done_at, own_record
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.places import cluster_uid
from clouddatamesh.status.summarize import is_true

OWNERS: Final = ("DataProduct", "AccessRequest")
"""Kinds whose objects have a principal."""
_NOTHING: Final[Manifest] = {"status": {"conditions": [{"type": "Ready"}]}}
"""A request that went, and holds nothing."""


def users_of(name: str, ports: Ports) -> tuple[Key, ...]:
    """Products that name the store, and requests whose principals are in it."""
    return tuple(user for kind in OWNERS for user in ports.cluster.naming(Key("ObjectStore", "", name), kind))


def stores_elsewhere(store: str, listed: set[str], ports: Ports) -> Iterator[str]:
    """ObjectStores that have an IAM of their own: their markers were seen there, and are not among the users here."""
    for other in ports.cluster.list("ObjectStore"):
        status, name = part_of(other, "status"), str(other["metadata"]["name"])
        if name != store and is_true(status, "Identified") and status.get("marker") and status["marker"] not in listed:
            yield name


def _recorders(principal: str, ports: Ports) -> Iterator[Key]:
    """Products and requests whose status records this principal."""
    return (key for kind in OWNERS for key in ports.cluster.naming(Key(PRINCIPAL, "", principal), kind))


def is_any_recorded(principals: Iterable[str], store: str, ports: Ports) -> bool:
    """Whether some object's status says that one of these principals is in this very store."""
    here = Key("ObjectStore", "", store)
    recorders = (key for name in principals for key in _recorders(name, ports))
    return any(here in references(found) for key in recorders if (found := ports.cluster.get(key)) is not None)


def owned_of(listed: set[str], elsewhere: set[str], ports: Ports, cluster: str) -> set[str]:
    """Which of these principals somebody owns, as recorded or as they are to be, in this store or in one that may be the same.

    Names are made of all objects only where there are principals that nobody records.
    """
    away = {user for name in elsewhere for user in users_of(name, ports)}
    owned = {name for name in listed if any(key not in away for key in _recorders(name, ports))}
    unknown, mesh = listed - owned, ports.settings.mesh
    for kind in OWNERS if unknown else ():
        for key in ports.cluster.keys(kind):
            name = names.principal_name(mesh, cluster, key)
            if name in unknown and key not in away and _may_own(key, ports):
                owned.add(name)
    return owned


def _may_own(key: Key, ports: Ports) -> bool:
    """Whether an object has a principal, or may get one, that it does not record."""
    found = ports.cluster.get(key) or _NOTHING
    if key.kind == "AccessRequest":
        return holds_principal(found)
    spec = part_of(found, "spec")
    return bool(spec.get("producer")) and spec.get("lifecycle") != "proposed"


def ends_former(key: Key, lost: str, store: ObjectStore, ports: Ports) -> bool:
    """Whether an object ends the user that a lost cluster left for it in this store: where it saw none, it looks no more."""
    status = part_of(ports.cluster.get(key) or _NOTHING, "status")
    made = part_of(status, "place" if key.kind == "AccessRequest" else "storage").get("storeId")
    is_here = made in (None, store.status.store_id)
    return is_here and is_served(key, ports) and lost not in done_at(read_take_over(status), store)


def is_served(key: Key, ports: Ports) -> bool:
    """Whether an object has in its store what a lost cluster gave it: then it ends what that one left, else nobody does."""
    found = ports.cluster.get(key) or _NOTHING
    if key.kind == "AccessRequest":
        return bool(part_of(part_of(found, "status"), "place").get("store"))
    status = part_of(found, "status")
    # A status that was restored from a backup tells of what the lost cluster had.
    recorded = str(part_of(status, "producer").get("principal") or "")
    is_here = is_true(status, "StorageReady") or bool(own_record(recorded, ports.settings.mesh, cluster_uid(ports), key))
    has_bucket = part_of(status, "storage").get("phase") in ("Owned", "Adopted")
    return bool(part_of(found, "spec").get("producer")) and has_bucket and is_here
