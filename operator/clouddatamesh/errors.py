"""The three kinds of failure that a reconciliation knows; adapters translate everything into one of them.

    MeshError
    ├── Terminal    somebody must change something: Stalled, not retried until the object or what it named changes
    ├── Waiting     something else must happen first: its watch wakes the key, a slow timer is the net
    └── Transient   try again with backoff; whatever is unknown is this

Messages are one line, capitalised, without full stop, time or request id, and never hold a key or a secret.
"""


class MeshError(Exception):
    """A step failed. `reason` is one of clouddatamesh.reasons, `message` a sentence for the user."""

    def __init__(self, reason: str, message: str, *, condition: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = " ".join(message.split())
        self.condition = condition
        """The condition type of the step that failed, beside Ready; empty where there is none."""

    def during(self, condition: str) -> "MeshError":
        """The same error, told of the step in which it happened; the innermost step wins."""
        return type(self)(self.reason, self.message, condition=self.condition or condition)


class Terminal(MeshError):
    """Somebody must change something; retrying would only repeat it."""


class Waiting(MeshError):
    """Something else must happen first."""


class Transient(MeshError):
    """May pass by itself."""
