"""What lost clusters left in a store, as it is seen now."""

from dataclasses import dataclass
from datetime import datetime

from clouddatamesh.model.evidence import Seen
from clouddatamesh.model.identity import Principal


@dataclass(frozen=True)
class TakeOver:
    """What status recorded: until when former users work in addition to the object's own, and the clusters that left none."""

    until: datetime | None = None
    cluster: str = ""
    """UID of the cluster that counts until then; empty in records of before that was told."""
    done: tuple[str, ...] = ()
    marker: str = ""
    """The marker of the IAM endpoint where that was found: of any other it says nothing. Empty in records of before that was told."""


@dataclass(frozen=True)
class FormerUser:
    """The user that a lost cluster made for an object. `cluster` is the UID of its kube-system."""

    cluster: str
    path: str
    name: str
    seen: Seen[Principal]


@dataclass(frozen=True)
class LostCluster:
    """A lost cluster whose store is taken over: its users that are left, and those of them that no object here owns."""

    uid: str
    principals: int = 0
    unclaimed: tuple[str, ...] = ()
