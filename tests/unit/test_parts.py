"""A part that several files share starts once, and ends with the last file of its group."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.distribution import SHARED
from tests.support.parts import end_what_is_not_next, shared

FIRST, SECOND, *_ = SHARED["mesh"]


class World:
    """A run of pytest, as the fixtures see it."""

    def __init__(self) -> None:
        self.config: Any = SimpleNamespace(stash=pytest.Stash())
        self.told: list[str] = []

    def ask(self, fixture: str, file: str) -> str:
        request: Any = SimpleNamespace(fixturename=fixture, node=SimpleNamespace(nodeid=file), config=self.config)
        return shared(request, lambda: self._part(fixture))

    def end(self, then: str) -> None:
        item: Any = SimpleNamespace(nodeid=f"{then}::test_it") if then else None
        end_what_is_not_next(self.config, item)

    @contextmanager
    def _part(self, name: str) -> Iterator[str]:
        self.told.append(f"{name} starts")
        yield name
        self.told.append(f"{name} ends")


@pytest.fixture
def world() -> World:
    return World()


def test_it_goes_on_from_file_to_file(world: World) -> None:
    assert world.ask("mesh", FIRST) == "mesh"
    world.end(then=FIRST)
    world.end(then=SECOND)
    assert world.ask("mesh", SECOND) == "mesh"
    assert world.told == ["mesh starts"]


@pytest.mark.parametrize("then", ["tests/unit/test_api.py", SHARED["brisk"][0], SHARED["node"][0], ""])
def test_it_ends_before_a_file_of_no_use_to_it_and_with_the_run(world: World, then: str) -> None:
    world.ask("mesh", FIRST)
    world.end(then=then)
    assert world.told == ["mesh starts", "mesh ends"]


def test_one_that_is_asked_for_again_starts_again(world: World) -> None:
    world.ask("mesh", FIRST)
    world.end(then="")
    world.ask("mesh", FIRST)
    assert world.told == ["mesh starts", "mesh ends", "mesh starts"]


def test_a_file_that_is_not_listed_is_named(world: World) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"tests/e2e/test_new.py uses the fixture mesh: add it to SHARED"):
        world.ask("mesh", "tests/e2e/test_new.py")
    assert world.told == []
