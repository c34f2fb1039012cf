"""A Domain's children: those that the cache shows, and those whose label somebody took off or changed, which only a live read shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import MeshError
from clouddatamesh.model.evidence import Absent, Present, Unknown, value_of
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import ADDITIONAL, CHILD_KINDS, is_child_of, is_named_as_child, name_children
from clouddatamesh.plan.names import spread
from clouddatamesh.plan.namespaces import holder_of, was_had_by
from clouddatamesh.ports import Cluster, Ports
from clouddatamesh.status.summarize import condition_of

RESYNC: Final = timedelta(minutes=10)
"""How long a Domain that is Ready rests."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_TURNS: Final = 6
"""One look in so many reads live though nothing changed: about one an hour."""


def is_close_look(manifest: Manifest, now: datetime) -> bool:
    """Whether a look at a Domain reads live: its spec changed, the look before failed, or it is its turn. Other looks cost no request."""
    status, metadata = manifest.get("status") or {}, manifest["metadata"]
    ready = condition_of(status, "Ready")
    if status.get("observedGeneration") != metadata.get("generation", 0) or ready is None or ready["status"] == "False":
        return True
    return int(now.timestamp() / RESYNC.total_seconds() + spread(metadata["uid"]) * _TURNS) % _TURNS == 0


def find_marked(name: str, cluster: Cluster) -> tuple[Manifest, ...]:
    """Of the cache the objects of our kinds of children whose label or mark names a domain."""
    return tuple(child for kind in CHILD_KINDS for child in cluster.referring(Key("Domain", "", name), kind))


def find_witnessed(children: Iterable[Manifest], name: str, cluster: Cluster) -> frozenset[str]:
    """Of the children without our mark those that our field manager wrote, as the API server itself recorded."""
    unmarked = (child for child in children if is_named_as_child(child) and not is_child_of(child, name))
    return frozenset(child["metadata"]["uid"] for child in unmarked if _wrote(value_of(cluster.read_metadata(key_of(child)))))


def find_orphaned(domain: Domain, places: Iterable[str], cluster: Cluster) -> tuple[Manifest, ...]:
    """Children in a domain's namespaces that name another Domain, which does not exist: it was forced away and left its people's rights."""
    found = (cluster.get(key) for place in places for kind in CHILD_KINDS for key in cluster.keys(kind, place))
    others = [child for child in found if child is not None and _maker(child)[0] not in ("", domain.metadata.name)]
    gone = {maker for maker in map(_maker, others) if _is_gone(*maker, cluster)}
    return tuple(child for child in others if _maker(child) in gone)


def _maker(child: Manifest) -> tuple[str, str]:
    """Name and uid of the Domain that a child's mark names; empty where it has none of our names, or no such mark."""
    name, uid = marks.maker_of(child)
    return (name, uid) if is_named_as_child(child) and _NAME.fullmatch(name) else ("", "")


def _is_gone(name: str, uid: str, cluster: Cluster) -> bool:
    """Whether that very Domain does not exist. One that was made again under its name knows nothing of what is in another's namespace."""
    match cluster.read(Key("Domain", "", name)):
        case Present(found):
            return bool(found["metadata"]["uid"] != uid)
        case seen:
            return isinstance(seen, Absent)


def find_former(domain: Domain, children: Iterable[Manifest], ports: Ports) -> tuple[frozenset[str], dict[str, MeshError]]:
    """Namespaces without any mark in which children of a domain are left; and those of which that could not be read, with the reason.

    A copy that a team made has name, label and mark as well: so the API server must know a child as written by our field manager.
    """
    cluster, mesh = ports.cluster, ports.settings.mesh
    former: set[str] = set()
    unread: dict[str, MeshError] = {}
    for child in children:
        place, name = child["metadata"]["namespace"], child["metadata"]["name"]
        found = cluster.get(Key("Namespace", "", place))
        may_be_ours = is_child_of(child, domain.metadata.name) or _lost_its_mark(child)
        if found is None or not may_be_ours or name.startswith(ADDITIONAL) or place in former:
            continue
        if holder_of(found, mesh) or was_had_by(domain, found, mesh):
            continue
        match cluster.read_metadata(key_of(child)):
            case Present(seen) if _wrote(seen):
                former.add(place)
            case Unknown(error):
                unread[place] = error
    return frozenset(former), {place: error for place, error in unread.items() if place not in former}


def _lost_its_mark(child: Manifest) -> bool:
    """Whether an object has a name that we give and nobody's mark: then the API server's record of who wrote it tells."""
    return is_named_as_child(child) and marks.OWNER_ANNOTATION not in (child["metadata"].get("annotations") or {})


def _wrote(found: Manifest | None) -> bool:
    entries = ((found or {}).get("metadata") or {}).get("managedFields") or ()
    return any(entry.get("manager") == marks.MANAGER for entry in entries)


@dataclass
class Hidden:
    """What a visit read of the names that the cache does not show. What is not there, or is somebody else's, is read once."""

    ports: Ports
    passed: set[Key] = field(default_factory=set)

    def find(self, domain: Domain, places: Iterable[str]) -> tuple[tuple[Manifest, ...], dict[str, MeshError]]:
        """The domain's children in these namespaces that lost their label; and the namespaces that could not be read, with the reason."""
        found: list[Manifest] = []
        unread: dict[str, MeshError] = {}
        for key in (key for place in places for key in name_children(domain, place, self.ports.settings)):
            if key in self.passed or key.namespace in unread or self.ports.cluster.get(key) is not None:
                continue
            match self.ports.cluster.read(key):
                case Present(child) if self._is_ours(child, domain.metadata.name):
                    found.append(child)
                case Unknown(error):
                    unread[key.namespace] = error
                case _:
                    self.passed.add(key)
        return tuple(found), unread

    def _is_ours(self, child: Manifest, name: str) -> bool:
        """By its mark. One that lost that as well is ours where the API server knows that we wrote it."""
        return is_child_of(child, name) or (_lost_its_mark(child) and bool(find_witnessed((child,), name, self.ports.cluster)))
