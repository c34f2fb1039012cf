"""`world`: each test of a contract runs once per world."""

import pytest

from tests.contract.worlds import World, in_memory, over_boto


@pytest.fixture(scope="session", params=["memory", "moto", "rgw"])
def world(request: pytest.FixtureRequest) -> World:
    """One of the three."""
    if request.param == "memory":
        return in_memory()
    return over_boto(request.getfixturevalue(request.param))
