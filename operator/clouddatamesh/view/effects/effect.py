"""An effect, and what all that find some need."""

from dataclasses import dataclass
from enum import StrEnum

from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.facts import major
from clouddatamesh.view.product import Port
from clouddatamesh.view.raw import text


class Sign(StrEnum):
    """The direction of an effect."""

    MAKE = "make"
    CHANGE = "change"
    ASK = "ask"
    GIVE = "give"
    TAKE = "take"


@dataclass(frozen=True)
class Effect:
    """One thing that happens."""

    sign: Sign
    sentence: str


def becomes(old: Manifest, new: Manifest, wanted: str, *path: str) -> bool:
    """Whether a field has a value that it did not have."""
    return text(new, *path) == wanted != text(old, *path)


def identity(port: Port) -> tuple[str, str]:
    """A port is known by its name and major version."""
    return port.name, major(port.version)
