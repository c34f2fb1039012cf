"""Control planes and installations that several files of tests share.

Each starts when a file first asks for it, and ends when the next file of this worker is not one of those: what is idle takes time from
others.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

import pytest

from tests.support.distribution import file_of, group_of

T = TypeVar("T")


class Parts:
    """What is running now, by the name of its fixture."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Any, contextlib.ExitStack]] = {}

    def get(self, name: str, start: Callable[[], AbstractContextManager[T]]) -> T:
        """The part of this name, started where it is not running."""
        if name not in self._running:
            stack = contextlib.ExitStack()
            self._running[name] = (stack.enter_context(start()), stack)
        found: T = self._running[name][0]
        return found

    def keep(self, name: str) -> None:
        """End all but the one of this name."""
        for other in [other for other in self._running if other != name]:
            self._running.pop(other)[1].close()


_RUNNING: Final = pytest.StashKey[Parts]()


def shared(request: pytest.FixtureRequest, start: Callable[[], AbstractContextManager[T]]) -> T:
    """The part whose fixture this is. Fails where the file is not known to use it, as it would start more than once."""
    name, file = str(request.fixturename), file_of(request.node.nodeid)
    if group_of(file) != name:
        pytest.fail(f"{file} uses the fixture {name}: add it to SHARED in tests/support/distribution.py")
    return request.config.stash.setdefault(_RUNNING, Parts()).get(name, start)


def end_what_is_not_next(config: pytest.Config, nextitem: pytest.Item | None) -> None:
    """Keep only the part that the next test's file shares."""
    config.stash.setdefault(_RUNNING, Parts()).keep(group_of(file_of(nextitem.nodeid)) if nextitem else "")
