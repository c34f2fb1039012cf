"""What reconcile asks of the world. Each port has one contract suite that its public fake and its real adapter both pass.

What observes, or reads one object live, answers Present, Absent or Unknown and never raises. Every other method may raise MeshError:
Terminal, Waiting or Transient, translated at the adapter's edge. Methods that observe, read, get, list, count or find never mutate; every
other method makes one write.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from clouddatamesh.model.bucket import Bucket, Capability, Contents, Delta, Openings
from clouddatamesh.model.evidence import Seen
from clouddatamesh.model.expressions import Expressions, NoExpressions
from clouddatamesh.model.identity import Connection, IssuedKey, Principal, StoreAccount
from clouddatamesh.model.memories import Doubts, Memory, Proofs
from clouddatamesh.model.objects import Event, Key, Manifest
from clouddatamesh.model.operations import SecretPatch
from clouddatamesh.model.settings import Settings


class Clock(Protocol):
    """The only source of time below the shell."""

    def now(self) -> datetime:
        """The current time, aware, UTC."""
        ...

    def is_trusted(self) -> bool:
        """Whether it agrees with the API server's. Where not, nothing is given or taken by time."""
        ...


class BucketStore(Protocol):
    """Buckets of one store, reached through one Connection."""

    def observe(self, name: str) -> Seen[Bucket]:
        """The bucket as it is now, with the settings of the connection read.

        A refusal (403) is no evidence of ownership: what the account's own list of buckets shows is Unknown(AccessDenied), and what a list
        that was answered does not show is Present and `is_of_other_account`.
        """
        ...

    def observe_marks(self, name: str) -> Seen[Bucket]:
        """As `observe`, in one call: whether the bucket is there, and its tags; no setting of it is read."""
        ...

    def locate(self, name: str) -> str:
        """What the store itself calls the bucket's region, empty where it has no name for it. A bucket that is not there: Transient."""
        ...

    def find_openings(self, name: str) -> Openings:
        """How others may reach the bucket besides by policies of users: its ACL, its website, public statements of its policy."""
        ...

    def create(self, want: Bucket) -> None:
        """Make the bucket, without settings or tags. One that exists: Transient(Conflict) if ours, Terminal(NotOwned) if not.

        Some stores answer success for one's own bucket: who makes one has seen it absent, and looks again before it is marked.
        """
        ...

    def update(self, want: Bucket, delta: Delta) -> None:
        """Write only the settings named in delta, as they stand in want, foreign statements and rules included."""
        ...

    def delete(self, name: str) -> None:
        """Remove an empty bucket. Absent: success. Not empty: Terminal(BucketNotEmpty)."""
        ...

    def count(self, name: str) -> Contents:
        """What the bucket holds, counted no further than one page. Absent: nothing."""
        ...

    def empty(self, name: str) -> str:
        """Remove one page (at most 1,000) of versions, delete markers and uploads. With what the page began; empty where there was none."""
        ...

    def probe(self, scratch: str) -> tuple[Capability, ...]:
        """Try every capability on a bucket of that name, which is kept: set, read back, write and read an object.

        404, 409, a refusal, throttling and silence tell nothing of what a store can do: Unclear.
        """
        ...

    def account(self) -> StoreAccount:
        """Whose credentials these are. Wrong ones are Terminal(CredentialsInvalid)."""
        ...


class Identities(Protocol):
    """Principals of one store."""

    def list(self, path: str) -> tuple[str, ...]:
        """Names of all users under an IAM path, sorted."""
        ...

    def observe(self, name: str) -> Seen[Principal]:
        """The principal with path, tags, policies, keys, and (where the connection's settings name them) managed policies and groups."""
        ...

    def create(self, want: Principal) -> None:
        """Make the user with path and tags, without policy or key. Exists under the same path: success; another path: Terminal(NotOwned).

        Said to exist and not found: Transient, since reads of IAM are late.
        """
        ...

    def put_policy(self, want: Principal) -> None:
        """Write the one inline policy."""
        ...

    def delete_policy(self, name: str, policy: str) -> None:
        """Remove one inline policy by its name. Absent: success."""
        ...

    def detach_policy(self, name: str, arn: str) -> None:
        """Take a managed policy off. Absent: success."""
        ...

    def leave_group(self, name: str, group: str) -> None:
        """Take the user out of a group. Absent: success."""
        ...

    def create_key(self, name: str) -> IssuedKey:
        """Make a key. The secret is handed out this once. A full quota of keys is Transient: surplus ones go at the next look."""
        ...

    def disable_key(self, name: str, key_id: str) -> None:
        """Make a key useless without removing it. Absent: success."""
        ...

    def delete_key(self, name: str, key_id: str) -> None:
        """Remove a key. Absent: success."""
        ...

    def delete(self, name: str) -> None:
        """Remove a user that has neither keys nor policies left. Absent: success."""
        ...


class Stores(Protocol):
    """Opens stores. Clients are made once per connection and shared; opening makes no call."""

    def buckets(self, connection: Connection) -> BucketStore: ...

    def identities(self, connection: Connection) -> Identities: ...


class Cluster(Protocol):
    """Objects of the Kubernetes cluster. What gets, lists, names or departed is of the cache, in which our own writes show at once.

    A look or a wake must never read all objects of a kind: it finds what it needs by keys. `list` is for rounds of the whole process.
    """

    def get(self, key: Key) -> Manifest | None:
        """The cached object: one of our kinds, a Namespace, or a child that carries our label."""
        ...

    def list(self, kind: str) -> tuple[Manifest, ...]:
        """All cached objects of a kind, sorted by key."""
        ...

    def keys(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        """The keys of all cached objects of a kind, of one namespace if it is given, sorted. No object is touched."""
        ...

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        """All cached objects of a kind that this key leads to (`reconcile.indexes`), sorted by key."""
        ...

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        """The keys of what `referring` gives. No object is touched."""
        ...

    def named(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        """The keys of a kind, of one namespace if it is given, that lead to any cached object, sorted; whether or not they exist."""
        ...

    def departed(self, key: Key) -> Manifest | None:
        """The last state of an object of that name that went without our letting it go, kept for a quarter of an hour; else None.

        It may have been made again meanwhile, under another uid.
        """
        ...

    def read(self, key: Key) -> Seen[Manifest]:
        """One object as the API server has it now; never a Secret. For what is about to be destroyed: a cache may be behind."""
        ...

    def read_metadata(self, key: Key) -> Seen[Manifest]:
        """Only the metadata, read live (PartialObjectMetadata with managedFields); for Secrets, and for what our label does not show."""
        ...

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        """The decoded data of a Secret in the operator's own namespace, read live. No other Secret's data is ever read."""
        ...

    def create(self, manifest: Manifest) -> None:
        """POST. Exists already: Terminal(NotOwned), nothing changed."""
        ...

    def apply(self, manifest: Manifest) -> None:
        """Update, bound to the metadata.uid that the manifest must carry, so that it never makes or takes over another object."""
        ...

    def patch_secret(self, key: Key, uid: str, patch: SecretPatch) -> None:
        """Merge into a Secret of that uid; the answer is asked for as metadata only.

        One that is immutable, or of another type than the patch names: Terminal(SecretImmutable), nothing changed.
        """
        ...

    def claim_secret(self, key: Key, uid: str, *, data: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """Write these values into a Secret of that uid and hold the fields, also those that hold the same value by somebody else's hand."""
        ...

    def delete(self, key: Key, uid: str) -> None:
        """DELETE with a uid precondition. Absent, or another uid: success (what we meant is gone)."""
        ...

    def write_status(self, key: Key, uid: str, status: Mapping[str, Any], *, version: str = "") -> bool:
        """Replace the status. False where the object is gone or of another uid: there is nobody to tell, and nothing was recorded.

        With `version` only if the object still has that resourceVersion: Transient(Conflict) where it has another.
        """
        ...

    def write_finalizer(self, key: Key, uid: str, present: bool) -> None:
        """Put our finalizer on, or take it off; leaves all others.

        Put on what is gone, of another uid or being deleted: Transient(Conflict), nothing is held. Taken off there: success.
        """
        ...

    def mark_namespace(self, name: str, uid: str, *, labels: Mapping[str, str | None], annotations: Mapping[str, str | None]) -> None:
        """Set (or with None remove) labels and annotations of a namespace that exists."""
        ...

    def emit(self, key: Key, uid: str, event: Event) -> None:
        """Write a Kubernetes event; never fails."""
        ...


@dataclass(frozen=True)
class Ports:
    """All doors to the world, handed to every reconciler."""

    cluster: Cluster
    stores: Stores
    clock: Clock
    settings: Settings
    proofs: Proofs = field(default_factory=Proofs)
    doubts: Doubts = field(default_factory=Doubts)
    expressions: Expressions = field(default_factory=NoExpressions)
    memory: Memory = field(default_factory=Memory)
