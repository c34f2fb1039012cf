"""Moments that status records and that time alone acts on later.

A clock that is not trusted writes none: what is counted from a moment begins at the first look by a clock that is trusted. Nor is one
believed that lies further ahead than a trusted clock could have written it.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol

APART: Final = timedelta(minutes=2)
"""How far two clocks may be apart that are both trusted: each is within a minute of the API server's."""


class Clocked(Protocol):
    """Anything that says when a look is, and whether that is to be believed."""

    @property
    def now(self) -> datetime: ...

    @property
    def is_time_trusted(self) -> bool: ...


def begun(told: datetime | None, look: Clocked) -> datetime | None:
    """Since when something is counted; None: it does not count yet. A beginning that lies ahead is none."""
    if not look.is_time_trusted:
        return told
    return told if told is not None and told <= look.now + APART else look.now


def ends(told: datetime | None, lasting: timedelta, look: Clocked) -> datetime | None:
    """When something ends that has this duration; None: not before a clock that is trusted says when."""
    if not look.is_time_trusted:
        return told
    return told if told is not None and told <= look.now + lasting + APART else look.now + lasting


def is_ahead(told: datetime, now: datetime) -> bool:
    """Whether a moment that should be past lies ahead: the clock that wrote it was wrong, or this one is."""
    return told > now + APART


def text(moment: datetime) -> str:
    """As status says it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
