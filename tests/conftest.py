"""What every test may ask for. Real parts start only when a test asks for them, once for the whole run."""

import pytest

pytest_plugins = ["tests.support.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/cases/*.plan.yaml again")
