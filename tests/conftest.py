"""What every test may ask for, and which worker runs it. Real parts start only when a test asks for them."""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.support import distribution, parts

# Programs in Go collect their garbage at five times what lives, not at twice: a fifth less of their CPU time for a few hundred MB.
os.environ.setdefault("GOGC", "400")
pytest_plugins = ["tests.support.fixtures"]
# Besides what hypothesis itself sets in a CI. No test passes or fails by the time that it takes.
_ANY_TIME = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("busy machine", hypothesis.settings(), **_ANY_TIME)
hypothesis.settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/cases/*.plan.yaml again")
    parser.addoption("--no-node", action="store_true", help="as on a machine without root: no real node")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Of pytest-xdist."""
    return distribution.Distribution(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that share a part come one after the other."""
    distribution.put_groups_together(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Before the first test of this process."""
    distribution.step_back(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After all fixtures that end with this test."""
    try:
        return (yield)
    finally:
        parts.end_what_is_not_next(item.config, nextitem)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where there is no node, fewer things are shown than a passed test seems to say."""
    from tests.support.pods import find_obstacles

    if obstacles := find_obstacles(config):
        terminalreporter.line(f"No Pod ran: {obstacles}. What is shown of the operator in Pods was shown of local processes or skipped.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Also where the run ends early."""
    parts.end_what_is_not_next(session.config, None)
