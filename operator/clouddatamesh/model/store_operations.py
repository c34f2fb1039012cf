"""What a plan may do in a store: each operation is one concern, which a crash leaves done, undone, or to be done again."""

from dataclasses import dataclass, field

from clouddatamesh.model.bucket import Bucket, BucketPath, Tags
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Manifest, key_of


@dataclass(frozen=True)
class CreateBucket:
    """Make a bucket that was seen absent."""

    want: Bucket

    def __str__(self) -> str:
        return f"create bucket {self.want.name}"


@dataclass(frozen=True)
class MarkBucket:
    """Write the ownership tags of a bucket that carries none, after one more look: whoever tagged it meanwhile has it."""

    want: Bucket

    def __str__(self) -> str:
        return f"mark bucket {self.want.name}"


@dataclass(frozen=True)
class UpdateBucket:
    """Write one setting of a bucket that is ours or becomes so; tags only where they still are as they were `seen`."""

    want: Bucket
    path: BucketPath
    seen: Tags | None = None

    def __str__(self) -> str:
        return f"set {self.path} of bucket {self.want.name}"


@dataclass(frozen=True)
class CheckDestruction:
    """See live that a bucket may still be deleted, or emptied too, before anything that belongs to it is taken away."""

    name: str
    empties: bool = False

    def __str__(self) -> str:
        return f"check that bucket {self.name} may be destroyed"


@dataclass(frozen=True)
class EmptyBucket:
    """Remove some pages of versions, delete markers and uploads."""

    name: str

    def __str__(self) -> str:
        return f"empty bucket {self.name}"


@dataclass(frozen=True)
class DeleteBucket:
    """Remove an empty bucket of ours."""

    name: str
    way_out: str = ""
    """What somebody is told where the store, which lists nothing, refused it for long; empty: it is tried again."""

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
    """Write the user's one inline policy; `bucket`, `prefix`, `account` and `partition` bound what it may name."""

    want: Principal
    bucket: str
    prefix: str = ""
    mode: str = "Producer"
    account: str = ""
    partition: str = "aws"

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
class DetachPolicy:
    """Take a managed policy off a user of ours."""

    principal: str
    arn: str

    def __str__(self) -> str:
        return f"detach policy {self.arn} from principal {self.principal}"


@dataclass(frozen=True)
class LeaveGroup:
    """Take a user of ours out of a group."""

    principal: str
    group: str

    def __str__(self) -> str:
        return f"take principal {self.principal} out of group {self.group}"


@dataclass(frozen=True)
class ReplaceKey:
    """Make an access key, put it into the Secret, and remove the keys that the Secret does not hold then.

    A repair: done as a whole or not at all. Interrupted, the next look does the rest: a key that no Secret holds is surplus.
    """

    principal: str
    secret: Manifest = field(repr=False)
    """The Secret with everything but the key."""
    uid: str = ""
    """Of the Secret that exists and is ours; empty where there is none."""
    surplus: tuple[str, ...] = ()
    """Ids of the keys that end."""
    keeps: str = ""
    """Id of the key that works on for a while, as status records."""

    def __str__(self) -> str:
        return f"issue a key of principal {self.principal} into {key_of(self.secret)}"


@dataclass(frozen=True)
class RotateKey:
    """Make a second access key, and at once put it into the Secret in place of the first, which works on."""

    principal: str
    secret: Manifest = field(repr=False)
    """The Secret with everything but the key."""
    uid: str = ""

    def __str__(self) -> str:
        return f"issue a new key of principal {self.principal} into {key_of(self.secret)}"


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
