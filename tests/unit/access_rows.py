"""A row of the table of the decision on access, how rows read aloud, and what many of them speak of."""

from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh import reasons as r
from clouddatamesh.model.objects import Manifest
from tests.unit.access_scene import END, Scene, approve


@dataclass(frozen=True)
class Row:
    """One state of the world, and what is decided in it."""

    what: str
    scene: Scene
    reason: str
    grant: str = ""
    """Name of the grant that gives; empty: nothing is given."""
    until: str = ""
    stalled: bool = False
    answer: bool = False
    trouble: str = ""
    """Why access that is kept is not Ready."""
    marks: tuple[str, ...] = ()
    """Names of the grants that are superseded from now on."""


def gives(what: str, *, grant: str = "yes", until: str = END, answer: bool = False, marks: tuple[str, ...] = (), **differs: Any) -> Row:
    """Access is there."""
    return Row(what, Scene(**differs), r.GRANTED, grant, until, answer=answer, marks=marks)


def keeps(what: str, trouble: str, *, grant: str = "yes", until: str = END, **differs: Any) -> Row:
    """Access that runs is kept as it is, and is not Ready."""
    return Row(what, Scene(**differs), r.GRANTED, grant, until, trouble=trouble)


def waits(what: str, reason: str, *, answer: bool = False, marks: tuple[str, ...] = (), **differs: Any) -> Row:
    """Something else must happen first."""
    return Row(what, Scene(**differs), reason, answer=answer, marks=marks)


def stalls(what: str, reason: str, *, marks: tuple[str, ...] = (), **differs: Any) -> Row:
    """Somebody must change something."""
    return Row(what, Scene(**differs), reason, stalled=True, marks=marks)


DAILY: Final = {"name": "daily", "version": "1.0.0"}
SEEN: Final = {**DAILY, "path": "daily/", "draining": True}
DRAINING: Final[dict[str, Any]] = {"port": {}, "seen": SEEN}
AUTO: Final[dict[str, Any]] = {"access": {"approval": "Auto"}}
AUTO_PERMANENT: Final[dict[str, Any]] = {"access": {"approval": "Auto", "allowPermanent": True}}
FOREVER: Final = {"permanent": True, "duration": None}
SOON: Final = "2026-03-25T00:00:00Z"
LATER: Final = "2026-05-01T00:00:00Z"
OLD: Final[Manifest] = approve("old", validUntil="2026-02-15T00:00:00Z")
SOONEST: Final = "2026-03-05T00:00:00Z"
SHORT: Final[Manifest] = approve(validUntil=SOONEST)
TOMORROW: Final = {"renewal": {"requestedAt": "2026-03-02T00:00:00Z"}}
RENEWAL: Final = {"renewal": {"requestedAt": "2026-02-25T00:00:00Z"}}
ANEW: Final = "2026-02-26T00:00:00Z"
NEWER: Final[Manifest] = approve("short", made=ANEW, validUntil=SOON)
HOURLY: Final = {"name": "hourly", "version": "1.0.0"}
MOVED: Final[dict[str, Any]] = {"port": {"path": "public/"}}
HEIR: Final = {**HOURLY, "path": "daily/"}
ASIDE: Final = {**HOURLY, "path": "hourly/"}
EXTERNAL: Final = {**DAILY, "type": "topic", "location": "kafka://broker.test/orders"}
SUSPENDED: Final = {"suspend": True}
ACCOUNT: Final = {"serviceAccountRef": {"name": "loader"}}
