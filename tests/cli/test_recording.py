"""The picture of a session in the README is what the commands print. `pytest tests/cli --update-golden` draws it again."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from rich.text import Text

from hack.picture import draw_lines
from tests.cli.conftest import Run
from tests.support.installation import ROOT
from tests.support.served import Served

PICTURE: Final = ROOT / "docs" / "assets" / "terminal.svg"
WIDTH: Final = 132
MOMENT: Final = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SESSION: Final = (
    ("search", "orders"),
    ("describe", "sales/orders"),
    ("request", "sales/orders", "daily", "--for", "forecast", "--purpose", "weekly stock forecast", "--duration", "30d"),
    ("why", "areq/orders-for-forecast"),
    ("approve", "inventory/orders-for-forecast", "--until", "30d"),
    ("requests", "--mine"),
    ("tree", "areq/orders-for-forecast"),
)


@pytest.fixture
def colored(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a terminal."""
    del served
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    yield


def lines(run: Run) -> Iterator[Text]:
    for command in SESSION:
        typed = " ".join(f'"{word}"' if " " in word else word for word in command)
        yield Text.assemble(("$ ", "bold green"), (f"kubectl mesh {typed}", "bold"))
        for line in MOMENT.sub("2027-01-20T09:00:00Z", run(*command)).rstrip().splitlines():
            yield Text.from_ansi(line)
        yield Text("")


@pytest.mark.usefixtures("colored")
def test_the_picture_of_a_session_is_what_is_printed(request: pytest.FixtureRequest, run: Run) -> None:
    shown = list(lines(run))
    drawn = draw_lines(shown, title="kubectl mesh", width=WIDTH)
    if request.config.getoption("--update-golden"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8")
    assert any(line.spans for line in shown), "there are colors"
    assert "terminal.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
