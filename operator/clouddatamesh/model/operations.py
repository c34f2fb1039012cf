"""What a plan may do in the cluster: each operation is one write, or one repair that is done as a whole or not at all."""

from dataclasses import dataclass, field
from typing import Any

from clouddatamesh.model.objects import Event, Key, Manifest, key_of


@dataclass(frozen=True)
class Record:
    """Write these status fields now, because they must stand before the first outside write; None removes one."""

    fields: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"record {', '.join(name for name, _ in self.fields)} in status"


@dataclass(frozen=True)
class HoldObject:
    """Put our finalizer on the object."""

    def __str__(self) -> str:
        return "add the finalizer"


@dataclass(frozen=True)
class HoldGrant:
    """Put our finalizer on the grant that access is to rest on, so that it does not go before the access does; and read it live.

    `held`: the finalizer is on already, as far as the cache knows. `generation`: of the spec on which it was decided.
    `consumer`: who is to use what is given, and is read live too; None where nothing is given yet. `stays`: access goes on as it runs, so
    that a consumer that is being deleted keeps it until it is gone.
    """

    key: Key
    uid: str
    held: bool = False
    generation: int = 0
    consumer: Key | None = None
    stays: bool = False

    def __str__(self) -> str:
        return f"add the finalizer to {self.key}"


@dataclass(frozen=True)
class ReleaseObject:
    """Take our finalizer off: nothing that had to go is left."""

    def __str__(self) -> str:
        return "remove the finalizer"


@dataclass(frozen=True)
class CreateChild:
    """Make an object of the cluster."""

    manifest: Manifest = field(repr=False)

    def __str__(self) -> str:
        return f"create {key_of(self.manifest)}"


@dataclass(frozen=True)
class ApplyChild:
    """Bring an object of ours back to what it should be; the manifest carries its uid."""

    manifest: Manifest = field(repr=False)

    def __str__(self) -> str:
        return f"update {key_of(self.manifest)}"


@dataclass(frozen=True)
class DeleteChild:
    """Remove an object of ours."""

    key: Key
    uid: str

    def __str__(self) -> str:
        return f"delete {self.key}"


@dataclass(frozen=True)
class ReplaceChild:
    """Put an object of ours in the place of one that cannot be changed into it. A repair: done as a whole or not at all."""

    manifest: Manifest = field(repr=False)
    uid: str = ""
    """Of the one that goes."""

    def __str__(self) -> str:
        return f"replace {key_of(self.manifest)}"


@dataclass(frozen=True)
class WriteInbox:
    """Write the status of a product's AccessInbox."""

    key: Key
    uid: str
    status: Manifest = field(repr=False)

    def __str__(self) -> str:
        return f"update {self.key}"


@dataclass(frozen=True)
class MarkGrant:
    """Write into a grant's status what must outlive its successor or its port: that it is superseded, or the cap under which it gave."""

    key: Key
    uid: str
    superseded_by: str = ""
    max_duration: str = ""
    ended_generation: int = 0
    """Of the spec under which access on it ended by the port's terms; 0 where that is not so."""
    approvals: int = 0
    """On how many approvals the access rests that it gives; 0 where that is recorded as it is."""
    required: int = 0
    """How many approvals its port asks for, where that is yet to be recorded."""

    def __str__(self) -> str:
        return f"mark {self.key} as superseded" if self.superseded_by else f"record the terms of {self.key}"


@dataclass(frozen=True)
class LabelNamespace:
    """Set labels and annotations of a namespace; None removes one."""

    name: str
    uid: str
    labels: tuple[tuple[str, str | None], ...]
    annotations: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        verb = "label" if any(value is not None for _, value in self.labels) else "release"
        return f"{verb} Namespace {self.name}"


@dataclass(frozen=True)
class MarkNamespace:
    """Set annotations of a namespace that is labelled already."""

    name: str
    uid: str
    annotations: tuple[tuple[str, str | None], ...]

    def __str__(self) -> str:
        return f"mark Namespace {self.name}"


@dataclass(frozen=True)
class SecretPatch:
    """What is merged into a Secret of ours: None removes a field. What is not named stays as it is, whoever wrote it."""

    data: tuple[tuple[str, str | None], ...] = field(default=(), repr=False)
    annotations: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    owners: tuple[Manifest, ...] | None = None
    """The whole list of ownerReferences; None leaves it."""
    type: str = ""
    """The type that it must have; empty leaves it."""


@dataclass(frozen=True)
class PatchSecret:
    """Bring our marks on a Secret of ours up to date, and remove fields of ours that are not wanted any more."""

    key: Key
    uid: str
    patch: SecretPatch

    def __str__(self) -> str:
        return f"update {self.key}"


@dataclass(frozen=True)
class ClaimSecret:
    """Write the fields of a Secret of ours that are no secret, and hold them from now on, also where somebody wrote the same values."""

    key: Key
    uid: str
    data: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"update the fields of {self.key}"


@dataclass(frozen=True)
class Announce:
    """Tell the user by an event; changes nothing, and is told only together with a change."""

    event: Event

    def __str__(self) -> str:
        return f"announce {self.event.reason}"
