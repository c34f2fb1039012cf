"""What a refusal (403) is told as: it proves nothing of whose a bucket is."""

from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError

_WHY: Final = "a Deny in the bucket's policy or a missing permission of the operator refuses it; nothing is taken"
_TLS: Final = "; a bucket that was made over https refuses requests without TLS: then set the ObjectStore's spec.endpointUrl back to https"


def explain_denial(error: MeshError, *, endpoint: str | None = None) -> MeshError:
    """The same error, with what it may come from where it is a refusal."""
    if error.reason != reasons.ACCESS_DENIED:
        return error
    without = _TLS if endpoint is not None and endpoint.startswith("http://") else ""
    return type(error)(error.reason, f"{error.message}; {_WHY}{without}")
