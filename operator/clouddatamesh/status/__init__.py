"""Pure: the only maker of conditions."""
