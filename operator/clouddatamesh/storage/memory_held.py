"""A bucket of the fake and what is in it, counted as real stores count versions and delete markers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clouddatamesh.model.bucket import Bucket, Openings
from clouddatamesh.model.identity import Connection, IssuedKey, Principal

PAGE = 1000


@dataclass
class Held:
    """A bucket and what is in it."""

    bucket: Bucket
    versions: int = 0
    delete_markers: int = 0
    uploads: int = 0
    account: str = ""
    """Whose bucket it is; empty: of the account whose turn it is."""
    location: str = ""
    """What the store calls the region in which it was made."""
    openings: Openings = field(default_factory=Openings)
    """Its ACL and website; public statements are those of its policy."""
    nulls: set[str] = field(default_factory=set)
    """Keys with a version that was written while none were kept; such a key has at most one."""
    null_markers: set[str] = field(default_factory=set)
    """Keys with a delete marker of the same kind."""

    @property
    def keeps_versions(self) -> bool:
        return self.bucket.versioning == "Enabled"

    def put(self, key: str) -> None:
        """Writing over an object makes a version only where versions are kept; what was kept before stays."""
        if self.keeps_versions:
            self.versions += 1
            return
        self.delete_markers -= int(key in self.null_markers)
        self.null_markers.discard(key)
        self.versions += int(key not in self.nulls)
        self.nulls.add(key)

    def delete(self, key: str) -> None:
        """A delete marker where versions are, or once were, kept, also for what never was; else the object goes."""
        if self.keeps_versions:
            self.delete_markers += 1
            return
        self.versions -= int(key in self.nulls)
        self.nulls.discard(key)
        if self.bucket.versioning == "Suspended":
            self.delete_markers += int(key not in self.null_markers)
            self.null_markers.add(key)

    def drop_page(self) -> None:
        """Remove up to a page of versions and markers, then uploads."""
        room = PAGE
        for part in ("versions", "delete_markers", "uploads"):
            taken = min(room, getattr(self, part))
            setattr(self, part, getattr(self, part) - taken)
            room -= taken
        self.nulls.clear()
        self.null_markers.clear()


class World(Protocol):
    """What the two ports need of the store that they share."""

    account: str
    unsupported: frozenset[str]
    unclear: set[str]
    unseen: set[str]
    harmful: set[str]
    remakes: bool
    buckets: dict[str, Held]
    users: dict[str, Principal]
    secrets: dict[str, str]
    foreign_buckets: set[str]

    def check(self, connection: Connection, verb: str, name: str) -> None: ...

    def check_right(self, verb: str, name: str) -> None: ...

    def write(self, verb: str, name: str, change: Callable[[], object]) -> None: ...

    def issue(self) -> IssuedKey: ...

    def is_ours(self, name: str) -> bool: ...

    def seen_bucket(self, name: str) -> Bucket | None: ...

    def seen_users(self) -> Mapping[str, Principal]: ...
