"""Evidence in tests: what was seen, or why nothing is known. Anything else fails."""

from typing import TypeVar

from clouddatamesh.errors import MeshError
from clouddatamesh.model.evidence import Present, Seen, Unknown

T = TypeVar("T")


def seen(found: Seen[T]) -> T:
    """The value of a Present."""
    assert isinstance(found, Present), found
    return found.value


def error_of(found: Seen[T]) -> MeshError:
    """The error of an Unknown."""
    assert isinstance(found, Unknown), found
    return found.error
