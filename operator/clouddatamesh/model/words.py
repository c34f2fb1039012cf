"""How much is said of many."""

from collections.abc import Iterable


def some(listed: Iterable[object], most: int = 5, *, between: str = ", ") -> str:
    """The first of these, and how many more there are: `a, b and 3 more`."""
    words = [str(one) for one in listed]
    return between.join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
