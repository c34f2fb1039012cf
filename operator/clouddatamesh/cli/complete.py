"""Completion in kubectl: it runs `kubectl_complete-mesh` with the words after `kubectl mesh`, the last one unfinished."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

_NO_FILES, _FILES = 4, 0
"""Directives of Cobra, the library of kubectl: do not offer files; offer them."""
_TAKING_FILES: Final = ("files", "file")


def complete(words: Sequence[str]) -> Iterator[str]:
    """The words that can come, each with what it means after a tab, and at last the directive."""
    from typer.main import get_command

    from clouddatamesh.cli.app import app, load_commands

    load_commands()
    command: Any = get_command(app)
    *given, unfinished = words or ("",)
    for word in given:
        command = getattr(command, "commands", {}).get(word, command)
    previous = _option(command, given[-1] if given else "")
    found = list(_values(command, previous) if previous is not None else _words(command, unfinished))
    yield from (line for line in found if line.startswith(unfinished))
    named = [previous] if previous is not None else command.params
    takes_files = not found and any(parameter.name in _TAKING_FILES for parameter in named)
    yield f":{_FILES if takes_files else _NO_FILES}"


def _option(command: Any, word: str) -> Any:
    """The option of a command that a word names, where its value comes next."""
    options = (parameter for parameter in command.params if word.startswith("-") and word in parameter.opts)
    return next((option for option in options if not getattr(option, "is_flag", False)), None)


def _values(command: Any, option: Any) -> Iterator[str]:
    import typer

    return (item.value for item in option.shell_complete(typer.Context(command), ""))


def _words(command: Any, unfinished: str) -> Iterator[str]:
    if unfinished.startswith("-"):
        for parameter in command.params:
            yield from (f"{name}\t{_first(parameter.help)}" for name in parameter.opts if name.startswith("--"))
        return
    for name, inner in getattr(command, "commands", {}).items():
        yield f"{name}\t{_first(inner.help)}"


def _first(text: str | None) -> str:
    """The first sentence, on one line."""
    return " ".join((text or "").split()).partition(". ")[0]


def main() -> None:
    """The console script."""
    for line in complete(sys.argv[1:]):
        sys.stdout.write(f"{line}\n")
