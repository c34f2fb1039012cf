"""What a look at the world is evidence of. Whoever reads a Seen has to say what happens in each of its three cases."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from clouddatamesh.errors import MeshError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Present(Generic[T_co]):
    """It was read, as it is now."""

    value: T_co


@dataclass(frozen=True)
class Absent:
    """The place that was asked says that it is not there. Whether that place is the right one is for `doubted` to say."""


@dataclass(frozen=True)
class Unknown:
    """It could not be read, or the answer cannot be trusted: nothing is concluded, nothing is destroyed, records are kept."""

    error: MeshError


Seen: TypeAlias = Present[T] | Absent | Unknown


def doubted(seen: Seen[T], doubt: MeshError | None) -> Seen[T]:
    """The same look, where the place that answered is in doubt: its no counts for nothing, what it shows is there all the same."""
    return Unknown(doubt) if doubt is not None and isinstance(seen, Absent) else seen


def value_of(seen: Seen[T]) -> T | None:
    """What was seen; None where nothing was. Only for what needs no difference between absent and unknown: what is seen can be taken."""
    return seen.value if isinstance(seen, Present) else None


def require(seen: Seen[T]) -> T | None:
    """What was seen, None where it is absent. Raises the error of an unknown."""
    if isinstance(seen, Unknown):
        raise seen.error
    return value_of(seen)
