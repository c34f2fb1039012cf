"""The three kinds of failure that a reconciliation knows; adapters translate everything into one of them.

    MeshError
    ├── Terminal    somebody must change something: Stalled
    ├── Waiting     something else must happen first
    └── Transient   may pass by itself; whatever is unknown is this
        └── Away    the API server itself is away, which ends for all objects at once

The class says who must act, and never that nobody looks again: what is not Ready is looked at on the drift interval at the latest.
Messages are one line, capitalised, without full stop, time or request id, and never hold a key or a secret.
"""


class MeshError(Exception):
    """A step failed. `reason` is one of clouddatamesh.reasons, `message` a sentence for the user."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = " ".join(message.split())


class Terminal(MeshError):
    """Somebody must change something."""


class Waiting(MeshError):
    """Something else must happen first."""


class Transient(MeshError):
    """May pass by itself."""


class Away(Transient):
    """The API server is away or refuses all load: it gave no answer, or said so. One call that it refuses is no Away."""
