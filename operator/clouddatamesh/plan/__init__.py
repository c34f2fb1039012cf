"""Pure: what should be, and what differs from what was read. Plans cannot fail, read no clock and are deterministic in their order."""
