"""What a refusal (403) is told as: it proves nothing of whose a bucket is."""

from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError

_WHY: Final = "a Deny in the bucket's policy or a missing permission of the operator refuses it; nothing is taken"


def explain_denial(error: MeshError) -> MeshError:
    """The same error, with what it may come from where it is a refusal."""
    return type(error)(error.reason, f"{error.message}; {_WHY}") if error.reason == reasons.ACCESS_DENIED else error
