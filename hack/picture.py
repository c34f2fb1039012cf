"""Draws what `make demo` printed as a picture of a terminal.

`make demo > build/demo.txt`, Ctrl-C after its last figures, then `python hack/picture.py docs/assets/demo.svg < build/demo.txt`.
"""

import io
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

_WIDTH: Final = 150
_LEFT_OUT: Final = ("control plane is ready", "rm -rf", "uv ", "touch ", "PATH=", "make:")
_END: Final = "It stays up until Ctrl-C"


def draw(printed: str) -> str:
    """The picture as SVG. Lines that tell of this machine are left out, and so is what comes after the last figures."""
    lines = printed.partition(_END)[0].strip().splitlines()
    return draw_lines((_coloured(line) for line in lines if not line.startswith(_LEFT_OUT)), title="make demo", width=_WIDTH)


def draw_lines(lines: Iterable[Text], *, title: str, width: int) -> str:
    """Lines of a terminal as SVG, each cut at `width` characters."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(line, overflow="crop", no_wrap=True)
    drawn = re.sub(r"@font-face \{.*?\}\n", "", console.export_svg(title=title), flags=re.DOTALL)  # fonts are not fetched
    return "\n".join(line.rstrip() for line in drawn.splitlines() if line.strip()) + "\n"


def _coloured(line: str) -> Text:
    text = Text(line)
    if line.startswith("==>"):
        text.stylize("bold cyan")
    text.highlight_regex(r"^  yes\b|\bTrue\b|\bGranted\b", "green")
    text.highlight_regex(r"^  no\b|\bFalse\b|\bDenied\b", "red")
    text.highlight_regex(r"\bAwaitingGrant\b|\bUnknown\b", "yellow")
    return text


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(draw(sys.stdin.read()), encoding="utf-8")
