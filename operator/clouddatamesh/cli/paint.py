"""Words in color, for commands that show one object."""

from typing import Final

from rich.console import Console
from rich.text import Text

from clouddatamesh.view.health import Health

_STYLES: Final = {"Ready": "green", "InProgress": "yellow", "Stalled": "red", "Deleting": "magenta", "Unseen": "yellow"}


def console() -> Console:
    """Standard output. Colors only in a terminal, and never with NO_COLOR; long lines are the terminal's to wrap."""
    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False)


def say_health(health: Health) -> Text:
    """The word in its color, and the reason."""
    reason = "" if health.reason in ("", health.word) else f" ({health.reason})"
    return Text.assemble((health.word, _STYLES[health.word]), reason)
