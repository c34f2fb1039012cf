"""The group, and how times and durations are written. A command line reads it without waiting for the models."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

GROUP: Final = "clouddatamesh.dev"
VERSION: Final = "v1alpha1"

_DURATION: Final = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?")


def parse_duration(text: str) -> timedelta:
    """The span that `90d`, `12h`, `30m` or a sum such as `1d12h` represents. ValueError where it represents none."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is no duration; write days, hours and minutes as in 1d12h30m")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def parse_time(text: str) -> datetime:
    """The moment that an RFC 3339 text represents, in UTC. ValueError where there is no such moment, or it names no zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} names no zone; end it with Z")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not within the years 1 to 9999 in UTC") from None
