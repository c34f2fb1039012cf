"""One table from what the API server answers to MeshError. Whatever is unknown is Transient."""

import json
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting

_TABLE: Final[dict[str, tuple[type[MeshError], str]]] = {
    "Unauthorized": (Transient, reasons.ACCESS_DENIED),
    "Forbidden": (Transient, reasons.ACCESS_DENIED),
    "NotFound": (Transient, reasons.CONFLICT),
    "AlreadyExists": (Terminal, reasons.NOT_OWNED),
    "Conflict": (Transient, reasons.CONFLICT),
    "Gone": (Transient, reasons.CONFLICT),
    "Expired": (Transient, reasons.CONFLICT),
    "Invalid": (Terminal, reasons.ADMISSION_REFUSED),
    "BadRequest": (Terminal, reasons.ADMISSION_REFUSED),
    "RequestEntityTooLarge": (Terminal, reasons.ADMISSION_REFUSED),
    "MethodNotAllowed": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "NotAcceptable": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "UnsupportedMediaType": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "TooManyRequests": (Transient, reasons.THROTTLED),
    "ServerTimeout": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "StoreReadError": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "Timeout": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "InternalError": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "ServiceUnavailable": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "": (Transient, reasons.CLUSTER_UNAVAILABLE),
}
KNOWN_REASONS: Final = frozenset(_TABLE)
_LENGTH: Final = 400


class ApiError(Exception):
    """The API server answered with an error. `status` is the HTTP code, `reason` a metav1 StatusReason."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        parsed = _parse(body)
        self.reason = str(parsed.get("reason") or "")
        self.message = str(parsed.get("message") or "")
        details = parsed.get("details") or {}
        self.causes = tuple(str(cause.get("reason") or "") for cause in details.get("causes") or ())


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def translate(error: ApiError, what: str, *, quiet: bool = False) -> MeshError:
    """The MeshError that an answer stands for. `quiet` leaves the server's words out, which may echo a Secret's content."""
    said = "" if quiet or not error.message else f": {error.message[:_LENGTH]}"
    if "NamespaceTerminating" in error.causes:
        return Waiting(reasons.NAMESPACE_TERMINATING, f"{what} waits for the end of its namespace")
    if error.reason == "Forbidden" and "exceeded quota" in error.message:
        return Terminal(reasons.LIMIT_EXCEEDED, f"{what} failed{said}")
    if error.reason == "Forbidden" and "ValidatingAdmissionPolicy" in error.message:
        return Terminal(reasons.ADMISSION_REFUSED, f"{what} failed{said}")
    kind, reason = _TABLE.get(error.reason, _TABLE[""])
    if reason == reasons.NOT_OWNED:
        return Terminal(reason, f"{what} failed: it exists already and was not made by this operator; remove or rename it")
    return kind(reason, f"{what} failed{said or f': HTTP {error.status}'}")
