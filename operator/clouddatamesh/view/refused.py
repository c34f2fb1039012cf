"""How view/ and export/ say no."""


class Refused(Exception):
    """What was asked for cannot be; the message says why, and what to do."""
