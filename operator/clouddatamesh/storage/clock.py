"""The time by which requests to a store are signed: this machine's, put right by the store's own `Date` where it says that it is off.

So that what is to be taken away is taken, though a node's clock is wrong. What is given or ends by time never goes by this.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.auth import AUTH_TYPE_MAPS, SIGV4_TIMESTAMP, S3SigV4Auth, SigV4Auth

SKEWED: Final = ("RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired")
_SIGNATURE: Final = ("SignatureDoesNotMatch", "InvalidSignature")
_OF_TIME: Final = ("Signature expired", "Signature not yet current")
"""How AWS's IAM and STS say the same, by a code that has other causes."""
_APART: Final = timedelta(minutes=1)
"""No store refuses what is signed so little off."""
_OFFSET: Final = "clouddatamesh-offset"
_PLAIN: Final = {"v4": "clouddatamesh-v4", "s3v4": "clouddatamesh-s3v4"}


class _Corrected(SigV4Auth):  # type: ignore[misc]
    """Signs by this machine's time and the offset in the request's context."""

    def _modify_request_before_signing(self, request: Any) -> None:
        signed = datetime.strptime(request.context["timestamp"], SIGV4_TIMESTAMP).replace(tzinfo=UTC)
        request.context["timestamp"] = (signed + request.context.get(_OFFSET, timedelta())).strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)


class _CorrectedS3(_Corrected, S3SigV4Auth):  # type: ignore[misc]
    """The same for S3."""


AUTH_TYPE_MAPS.update({_PLAIN["v4"]: _Corrected, _PLAIN["s3v4"]: _CorrectedS3})


def is_skewed(code: str, message: str) -> bool:
    """Whether a store refuses a request for the time at which it was signed."""
    return code in SKEWED or (code.startswith(_SIGNATURE) and message.startswith(_OF_TIME))


class StoreClock:
    """What one client knows of how far its store's clock is from this machine's. Thread-safe: one value, written as a whole."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def keep(self, client: Any, service: str) -> None:
        """Have a client sign by it."""
        events = client.meta.events
        events.register(f"choose-signer.{service}", _choose)
        events.register(f"before-sign.{service}", self._tell)
        events.register(f"needs-retry.{service}", self._learn)

    def _tell(self, request: Any, **_: Any) -> None:
        request.context[_OFFSET] = self.offset

    def _learn(self, response: Any, attempts: int, request_dict: Any, **_: Any) -> int | None:
        """Asked after each answer: 0 has the request signed and sent again at once."""
        http, parsed = response if response is not None else (None, {})
        error = parsed.get("Error") or {}
        if http is None or not is_skewed(str(error.get("Code") or ""), str(error.get("Message") or "")):
            return None
        context = request_dict["context"]
        theirs, signed = _parse(http.headers.get("Date")), context.get("timestamp")
        if theirs is None or signed is None:
            return None
        apart = theirs - datetime.strptime(signed, SIGV4_TIMESTAMP).replace(tzinfo=UTC)
        if abs(apart) <= _APART:  # its Date is no help: perhaps it is another's, as a proxy's
            self.offset = timedelta()
            return None
        self.offset = context.get(_OFFSET, timedelta()) + apart
        return 0 if attempts == 1 else None


def _choose(signature_version: Any, signing_name: str, context: Any, **_: Any) -> str | None:
    """The same signature by a time that can be put right; None, and botocore chooses, for what is not signed in the plain way."""
    chosen = context.get("auth_type") or signature_version
    if chosen not in _PLAIN or context.get("unsigned_payload"):
        return None
    return _PLAIN["s3v4" if signing_name == "s3" else chosen]


def _parse(date: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None else None
