"""A plan: the writes that lead from what was read to what should be, in the order in which they are safe, and why there are no more."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from clouddatamesh.errors import MeshError
from clouddatamesh.model.bucket import Bucket, BucketPath
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Event, Key, Manifest, key_of


@dataclass(frozen=True)
class Record:
    """Write these status fields now, because they must stand before the first outside write."""

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
    """Put our finalizer on the grant that access is to rest on, so that it does not go before the access does."""

    key: Key
    uid: str

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
class LabelNamespace:
    """Set labels of a namespace; None removes one."""

    name: str
    uid: str
    labels: tuple[tuple[str, str | None], ...]

    def __str__(self) -> str:
        verb = "label" if any(value is not None for _, value in self.labels) else "release"
        return f"{verb} Namespace {self.name}"


@dataclass(frozen=True)
class CreateBucket:
    """Make a bucket that was seen absent."""

    want: Bucket

    def __str__(self) -> str:
        return f"create bucket {self.want.name}"


@dataclass(frozen=True)
class UpdateBucket:
    """Write one setting of a bucket of ours."""

    want: Bucket
    path: BucketPath

    def __str__(self) -> str:
        return f"set {self.path} of bucket {self.want.name}"


@dataclass(frozen=True)
class EmptyBucket:
    """Remove one page of versions, delete markers and uploads."""

    name: str

    def __str__(self) -> str:
        return f"empty bucket {self.name}"


@dataclass(frozen=True)
class DeleteBucket:
    """Remove an empty bucket of ours."""

    name: str

    def __str__(self) -> str:
        return f"delete bucket {self.name}"


@dataclass(frozen=True)
class ProbeStore:
    """Try on a scratch bucket what the store can do."""

    scratch: str

    def __str__(self) -> str:
        return f"probe the store on bucket {self.scratch}"


@dataclass(frozen=True)
class CreatePrincipal:
    """Make the IAM user."""

    want: Principal

    def __str__(self) -> str:
        return f"create principal {self.want.name}"


@dataclass(frozen=True)
class PutPolicy:
    """Write the user's one inline policy; `bucket` and `prefix` bound what it may name."""

    want: Principal
    bucket: str
    prefix: str = ""
    mode: str = "Producer"

    def __str__(self) -> str:
        return f"set the policy of principal {self.want.name}"


@dataclass(frozen=True)
class DeletePolicy:
    """Remove one inline policy of a user of ours."""

    principal: str
    policy: str

    def __str__(self) -> str:
        return f"delete policy {self.policy} of principal {self.principal}"


@dataclass(frozen=True)
class IssueKey:
    """Make an access key and at once the Secret that holds it."""

    principal: str
    secret: Manifest = field(repr=False)
    """The Secret with everything but the key."""

    def __str__(self) -> str:
        return f"issue a key of principal {self.principal} into {key_of(self.secret)}"


@dataclass(frozen=True)
class RotateKey:
    """Make a second access key, and at once put it into the Secret in place of the first, which works on."""

    principal: str
    secret: Key
    uid: str

    def __str__(self) -> str:
        return f"issue a new key of principal {self.principal} into {self.secret}"


@dataclass(frozen=True)
class DisableKey:
    """Make an access key useless, so that its end can still be taken back."""

    principal: str
    key_id: str

    def __str__(self) -> str:
        return f"disable a key of principal {self.principal}"


@dataclass(frozen=True)
class DeleteKey:
    """Remove an access key."""

    principal: str
    key_id: str

    def __str__(self) -> str:
        return f"delete a key of principal {self.principal}"


@dataclass(frozen=True)
class DeletePrincipal:
    """Remove a user that has neither keys nor policies left."""

    name: str

    def __str__(self) -> str:
        return f"delete principal {self.name}"


@dataclass(frozen=True)
class PatchSecret:
    """Bring those keys of a Secret of ours up to date that are no secret."""

    key: Key
    uid: str
    data: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"update {self.key}"


@dataclass(frozen=True)
class Announce:
    """Tell the user by an event; no change to the world, but said only beside one."""

    event: Event

    def __str__(self) -> str:
        return f"announce {self.event.reason}"


Operation: TypeAlias = (
    Record
    | HoldObject
    | HoldGrant
    | ReleaseObject
    | CreateChild
    | ApplyChild
    | DeleteChild
    | LabelNamespace
    | CreateBucket
    | UpdateBucket
    | EmptyBucket
    | DeleteBucket
    | ProbeStore
    | CreatePrincipal
    | PutPolicy
    | DeletePolicy
    | IssueKey
    | RotateKey
    | DisableKey
    | DeleteKey
    | DeletePrincipal
    | PatchSecret
    | Announce
)

TAKES_AWAY = (ReleaseObject, DeleteChild, EmptyBucket, DeleteBucket, DeletePolicy, DisableKey, DeleteKey, DeletePrincipal)
"""What spec.suspend leaves of a plan."""

_UNSEEN = (Record, HoldObject, HoldGrant, ReleaseObject, Announce)


@dataclass(frozen=True)
class Plan:
    """Operations in order, and the reason why nothing further is done after them (None: the world is then as wanted)."""

    operations: tuple[Operation, ...] = ()
    stop: MeshError | None = None

    def __add__(self, other: "Plan") -> "Plan":
        """This plan, then the other; after a stop nothing follows."""
        if self.stop is not None:
            return self
        return Plan(self.operations + other.operations, other.stop)

    def describe(self) -> tuple[str, ...]:
        """The operations in words, without our own bookkeeping."""
        return tuple(str(operation) for operation in self.operations if not isinstance(operation, _UNSEEN))


def stopped(error: MeshError, *operations: Operation) -> Plan:
    """A plan that ends with an error."""
    return Plan(operations, error)
