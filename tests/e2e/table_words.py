"""The words of the table of outside changes: classes of acts, and what is to come of each, written before anything was run.

Nothing here or in tests/e2e/table_*.py imports the operator: what is right is judged from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.table_eye import Picture
    from tests.e2e.table_mesh import Table

Deed = Callable[["Table", "Cell"], None]
"""Something that somebody does to the object of a cell."""
Sight = Callable[["Table", "Cell"], "Picture"]
"""The part of the world that a cell compares."""
AT_ONCE, MINUTE, LOOK = 15.0, 60.0, 75.0
"""Seconds: what is watched; a Secret; the drift interval of a minute, a tenth more, and the look itself on a busy machine."""
TIMES = {AT_ONCE: "at once", MINUTE: "60 s", LOOK: "drift interval"}


class Act(StrEnum):
    """What people and tools do to an object, as classes."""

    EDIT = "edit a field"
    ADD = "add a field"
    IMMUTABLE = "make immutable"
    HOLD = "add a finalizer"
    RELABEL = "change marks or labels"
    COPY = "copy with labels"
    DELETE = "delete"
    REMAKE = "delete and recreate"
    RESTORE = "restore from a backup"
    TAKE = "take permissions away"
    HAND = "hand over to somebody else"
    LIMIT = "lower a quota"
    REFUSE = "refuse by admission or policy"
    WIDEN = "give more rights"


class Key(StrEnum):
    """What becomes of credentials."""

    KEPT = "kept"
    FRESH = "a fresh one, the former is refused"
    GRACED = "kept, or a fresh one and an hour for the former"
    BACK = "one that works"
    ENDED = "ended"
    NONE = "not concerned"


@dataclass(frozen=True)
class Outcome:
    """What comes of an act. `meanwhile`: while its cause lasts. In every case no data is lost and nothing of others changes."""

    says: str
    seconds: float
    key: Key = Key.KEPT
    told: bool = False
    """While the cause lasts the object is not Ready and says why."""
    meanwhile: Key = Key.KEPT
    whole: bool = True
    """At the end our part is as it was before, and the object is Ready."""
    refused: bool = False
    """The act itself fails."""
    heals: bool = True
    """Something has to be done about it; else it must only stay as it is to the end."""


RESTORED = Outcome("The operator restores its part; additions of others stay", LOOK)
REPAIRED = Outcome("The operator restores its part; additions of others stay", AT_ONCE)
LEFT = Outcome("It stays as it is; nothing that the operator owns changes", LOOK, heals=False)
TAKEN_OFF = Outcome("The operator removes permissions that no grant gives", LOOK)
FRESH = Outcome("The operator restores the user and its policy; the Secret gets a new key", LOOK, Key.FRESH)
GRACED = Outcome("The operator restores the Secret; if its key is replaced, the previous key works for another hour", LOOK, Key.GRACED)
BACK = Outcome("The operator recreates the Secret with a key that works", MINUTE, Key.BACK)
WAITS = Outcome("Status says why, nothing is revoked; it recovers without you once the cause is gone", LOOK, told=True)
WAITS_FRESH = Outcome(
    "Status says why, nothing else is revoked; a new key once the cause is gone", LOOK, Key.FRESH, told=True, meanwhile=Key.NONE
)
WAITS_BACK = Outcome("Status says why, the key continues to work; the Secret is back once the cause is gone", LOOK, Key.BACK, told=True)
STOPS = Outcome("Status says whose consent is needed, nothing is revoked or written; with the consent it continues", LOOK, told=True)
STOPS_BACK = Outcome(
    "The foreign object stays and status reports it, the key continues to work; the operator creates its Secret later",
    LOOK,
    Key.BACK,
    told=True,
)
GONE_OVER = Outcome(
    "Keys to a bucket of somebody else end; if it is given back, there are new keys", LOOK, Key.FRESH, told=True, meanwhile=Key.ENDED
)
ENDS = Outcome("Access ends, keys and Secret are removed; data stays", LOOK, Key.ENDED, whole=False)
RETURNS = Outcome(
    "Access ends, data stays; applied again, it takes back what it owned, with a new key", LOOK, Key.FRESH, meanwhile=Key.ENDED
)
COMES_BACK = Outcome("To the operator it is the same object; the Secret has a key that works, the previous or a new one", LOOK, Key.BACK)
REFUSED = Outcome("The act is refused", AT_ONCE, refused=True, heals=False)


@dataclass(frozen=True)
class Scene:
    """The objects that a cell needs before anything happens. Cells of one scene each have an object of their own in it."""

    name: str
    kind: str = "product"
    """product: a product and a request that reads it; domain: a Domain; store: an ObjectStore with product and request."""
    store: str = "main"
    place: str = "makers"
    asks: bool = True
    """Whether there is a request with a grant."""
    spec: dict[str, Any] = field(default_factory=dict, hash=False)
    storage: dict[str, Any] = field(default_factory=dict, hash=False)
    late: bool = False
    """Made by an act, not before."""


@dataclass(frozen=True)
class Cell:
    """One object, what is done to it, and what is to come of it."""

    object: str
    act: Act
    what: str
    scene: Scene
    comes: Outcome
    does: Deed
    sees: Sight
    undoes: Deed | None = None
    """What ends the cause, where it lasts."""
    cause: str = ""
    """How the page tells of that."""
    reason: str = ""
    """One of these, separated by spaces, is what status says while the cause lasts."""
    whose: str = ""
    """producer or consumer, where one of their credentials is concerned; else both."""
    teller: str = ""
    """The kind of the object that says so and is Ready; by default the scene's own, or the request of a consumer."""
    child: str = ""
    """Kind and name of the child that is concerned."""

    @property
    def id(self) -> str:
        return f"{self.object}: {self.what}"
