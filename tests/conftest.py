"""What every test may ask for. Real parts start only when a test asks for them, once for the whole run."""

pytest_plugins = ["tests.support.fixtures"]
