"""One table from what the API server answers to MeshError. Whatever is unknown is Transient."""

import json
import re
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError, Terminal, Transient, Waiting

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
    "TooManyRequests": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "ServerTimeout": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "StorageReadError": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "Timeout": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "InternalError": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "ServiceUnavailable": (Transient, reasons.CLUSTER_UNAVAILABLE),
    "": (Transient, reasons.CLUSTER_UNAVAILABLE),
}
KNOWN_REASONS: Final = frozenset(_TABLE)
_BY_STATUS: Final = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests"}
"""Answers without a metav1.Status: flow control and proxies say plain text."""
_AWAY: Final = (429, 502, 503, 504)
"""Statuses of a server that serves nobody, or of what is in front of it. A webhook that does not answer is a 500: the rest goes on."""
_REFUSED: Final = re.compile(r"denied (the )?request")
"""Admission webhooks and ValidatingAdmissionPolicies, whatever HTTP status they chose."""
LABEL_LAGS: Final = "The operator writes only in namespaces that carry the label"
"""Of our own guard: the API server's admission reads namespaces from a cache, in which a label that was just written may not show yet."""
_ECHOES_NOTHING: Final = re.compile(r'cannot [a-z]+ resource "|exceeded quota: |status unknown for quota: ')
"""Refusals by RBAC and quota: they name verb, resource and numbers, never an object's content."""
_LENGTH: Final = 400


class ApiError(Exception):
    """The API server answered with an error. `status` is the HTTP code, `reason` a metav1 StatusReason."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        parsed = _parse(body)
        self.reason = str(parsed.get("reason") or _BY_STATUS.get(status, ""))
        self.message = str(parsed.get("message") or "")
        details = parsed.get("details") or {}
        self.name = str(details.get("name") or "")
        """The object that the answer is about; empty where it is about none, as for a kind that the server does not serve."""
        causes = details.get("causes") or ()
        self.causes = tuple(str(cause.get("reason") or "") for cause in causes)
        self.fields = tuple(str(cause.get("field") or "") for cause in causes)
        """The fields that an Invalid complains of."""


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def is_of_object(error: ApiError) -> bool:
    """Whether an answer speaks of one object, and not of the server: a webhook may ask for patience with the one that it refuses."""
    return bool(error.name) or _REFUSED.search(error.message) is not None


def is_absent(error: ApiError) -> bool:
    """Whether the server says that this one object is not there, and not that it knows no such kind or path."""
    return error.status == 404 and bool(error.name)


def is_other_uid(error: ApiError) -> bool:
    """Whether the object is gone or another one took its name, as apply and merge patch (422) and delete (409) tell it."""
    if error.status == 404:
        return is_absent(error)
    if error.status == 409:
        return "uid mismatch: " in error.message or "the UID in the precondition " in error.message
    return error.status == 422 and "metadata.uid" in error.fields


def is_failed_test(error: ApiError) -> bool:
    """Whether a `test` of a JSON patch failed: the server says no more than that, unlike of an invalid object or a refusal by a webhook."""
    return error.status == 422 and not error.causes and not _REFUSED.search(error.message)


def is_immutable(error: ApiError) -> bool:
    """Whether a Secret lets nobody write into it, or is of another type than the write says."""
    locked = {("FieldValueForbidden", "data"), ("FieldValueForbidden", "immutable"), ("FieldValueInvalid", "type")}
    return error.status == 422 and any(cause in locked for cause in zip(error.causes, error.fields, strict=True))


def translate(error: ApiError, what: str, *, quiet: bool = False) -> MeshError:
    """The MeshError that an answer means. `quiet` leaves out the server's words where they may echo a Secret's content."""
    hidden = not error.message or (quiet and not _ECHOES_NOTHING.search(error.message))
    said = f"HTTP {error.status}" if hidden else error.message[:_LENGTH]
    if "NamespaceTerminating" in error.causes:
        return Waiting(reasons.NAMESPACE_TERMINATING, f"{what} waits for the end of its namespace")
    if error.reason == "AlreadyExists":
        why = "it exists already and was not made by this operator; remove or rename it"
        return Terminal(reasons.NOT_OWNED, f"{what} failed: {why}")
    kind, reason = _refusal_of(error) or _TABLE.get(error.reason, _TABLE[""])
    away = kind is Transient and reason == reasons.CLUSTER_UNAVAILABLE and error.status in _AWAY
    return (Away if away else kind)(reason, f"{what} failed: {said}")


def _refusal_of(error: ApiError) -> tuple[type[MeshError], str] | None:
    """What admission meant, which hides behind several HTTP statuses."""
    if _REFUSED.search(error.message) and LABEL_LAGS in error.message:
        return Transient, reasons.ADMISSION_REFUSED
    if _REFUSED.search(error.message):
        return Terminal, reasons.ADMISSION_REFUSED
    if error.reason == "Forbidden" and "exceeded quota" in error.message:
        return Terminal, reasons.LIMIT_EXCEEDED
    if error.reason == "Forbidden" and "status unknown for quota" in error.message:
        return Waiting, reasons.QUOTA_NOT_COUNTED
    return None
