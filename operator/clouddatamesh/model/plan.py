"""A plan: named parts, each the writes that lead from what was read to what should be in a safe order, and why there are no more.

Parts are independent of each other but for what `after` names: an error stops its own part and those that come after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from clouddatamesh.errors import MeshError
from clouddatamesh.model import operations as o
from clouddatamesh.model import store_operations as s

Operation: TypeAlias = (
    o.Record
    | o.HoldObject
    | o.HoldGrant
    | o.MarkGrant
    | o.ReleaseObject
    | o.CreateChild
    | o.ApplyChild
    | o.ReplaceChild
    | o.WriteInbox
    | o.DeleteChild
    | o.LabelNamespace
    | o.MarkNamespace
    | s.CreateBucket
    | s.MarkBucket
    | s.UpdateBucket
    | s.CheckDestruction
    | s.EmptyBucket
    | s.DeleteBucket
    | s.ProbeStore
    | s.CreatePrincipal
    | s.PutPolicy
    | s.DeletePolicy
    | s.DetachPolicy
    | s.LeaveGroup
    | s.ReplaceKey
    | s.RotateKey
    | s.DisableKey
    | s.DeleteKey
    | s.DeletePrincipal
    | o.PatchSecret
    | o.ClaimSecret
    | o.Announce
)

_UNSEEN = (
    o.Record,
    o.HoldObject,
    o.HoldGrant,
    o.MarkGrant,
    o.MarkNamespace,
    o.WriteInbox,
    o.ReleaseObject,
    o.Announce,
    s.CheckDestruction,
    s.ProbeStore,
)


@dataclass(frozen=True)
class Steps:
    """Operations in order, and the reason why nothing further is done after them (None: the world is then as wanted)."""

    operations: tuple[Operation, ...] = ()
    stop: MeshError | None = None

    def __add__(self, other: "Steps") -> "Steps":
        """These steps, then the other; after a stop nothing follows."""
        if self.stop is not None:
            return self
        return Steps(self.operations + other.operations, other.stop)


def stopped(error: MeshError, *operations: Operation) -> Steps:
    """Steps that end with an error."""
    return Steps(operations, error)


@dataclass(frozen=True)
class Part:
    """One concern of an object. `condition` is the condition type that tells of it; `after` names the parts that must not have failed.

    `instead_of` names the part without whose failure it is left out. `each`: its operations do not need each other, and one that fails
    keeps none of the rest from being tried.
    `minor`: what fails is told in its own condition, and the object is Ready all the same.
    """

    name: str
    steps: Steps = Steps()
    condition: str = ""
    after: tuple[str, ...] = ()
    instead_of: str = ""
    each: bool = False
    minor: bool = False

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.steps.operations

    @property
    def stop(self) -> MeshError | None:
        return self.steps.stop

    @property
    def is_settled(self) -> bool:
        """Whether what was read is what is wanted."""
        return not self.operations and self.stop is None


@dataclass(frozen=True)
class Plan:
    """All parts, in the order in which they are carried out: what takes away comes first."""

    parts: tuple[Part, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for part in self.parts for operation in part.operations)

    def describe(self) -> tuple[str, ...]:
        """The operations in words, without our own bookkeeping."""
        return describe(self.operations)

    def keeping(self, *names: str) -> "Plan":
        """The same plan with the operations of these parts only; why others stop is still told."""
        return Plan(tuple(part if part.name in names else replace(part, steps=Steps((), part.stop)) for part in self.parts))


def describe(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Operations in words, without our own bookkeeping."""
    return tuple(str(operation) for operation in operations if not isinstance(operation, _UNSEEN))
