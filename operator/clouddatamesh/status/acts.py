"""What was done for people, read from the operations that ran: given, taken, destroyed. One event and one line each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce
from clouddatamesh.model.plan import Operation, describe
from clouddatamesh.model.store_operations import (
    DeleteBucket,
    DeleteKey,
    DeletePolicy,
    DeletePrincipal,
    DetachPolicy,
    DisableKey,
    EmptyBucket,
    LeaveGroup,
    ReplaceKey,
)
from clouddatamesh.model.words import some

_GIVES: Final = (ReplaceKey,)
_TAKES: Final = (DeletePolicy, DetachPolicy, LeaveGroup, DisableKey, DeletePrincipal)
_SHOWN: Final = 3


def find_acts(done: Iterable[Operation]) -> Iterator[Event]:
    """The events of what was done, but for repairs, which depend on what was there before."""
    operations = tuple(done)
    given: list[Operation] = [operation for operation in operations if isinstance(operation, _GIVES)]
    taken = [operation for operation in operations if isinstance(operation, _TAKES)]
    ended = [operation for operation in operations if isinstance(operation, DeleteKey)]
    if given:
        yield Event("Normal", reasons.GIVEN, f"Credentials were given: {_words(given)}")
    destroyed = [operation for operation in operations if isinstance(operation, EmptyBucket | DeleteBucket)]
    if destroyed:
        yield Event("Normal", reasons.DESTROYED, f"As spec.storage.deletionPolicy says: {_words(destroyed)}")
    if taken:
        yield Event("Normal", reasons.TAKEN, f"Access was taken away: {_words([*taken, *ended])}")


def announced(done: Iterable[Operation]) -> Iterator[Event]:
    """What the plan itself had announced, and the executor told already."""
    return (operation.event for operation in done if isinstance(operation, Announce))


def _words(operations: Sequence[Operation]) -> str:
    return some(dict.fromkeys(describe(operations)), _SHOWN, between="; ")
