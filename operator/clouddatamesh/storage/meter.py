"""Tells of each call of a store how it ended and how long it took, by the hooks that botocore has for it. It changes nothing of a call."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from botocore.exceptions import BotoCoreError

Told: TypeAlias = Callable[[str, str, str, float], object]
"""Of service, operation, result and seconds."""

_BEGAN: Final = "clouddatamesh_began"
_RESULTS: Final = {401: "refused", 403: "refused", 404: "not_found", 409: "conflict", 412: "conflict", 429: "throttled"}
_THROTTLED: Final = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests"})


def measure(client: Any, service: str, told: Told, *, now: Callable[[], float] = time.monotonic) -> None:
    """Tell `told` of each call of a client. A call that botocore repeats is one call."""

    def begin(context: dict[str, Any], **_: Any) -> None:
        context[_BEGAN] = now()

    def end(model: Any, http_response: Any, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        told(service, model.name, result_of(http_response.status_code, parsed), now() - context[_BEGAN])

    def fail(event_name: str, exception: Exception, context: Mapping[str, Any], **_: Any) -> None:
        result = "unavailable" if isinstance(exception, BotoCoreError) else "error"  # an answer that cannot be read is none of boto's own
        told(service, event_name.rpartition(".")[2], result, now() - context[_BEGAN])

    events = client.meta.events
    events.register_first("before-call", begin)
    events.register("after-call", end)
    events.register("after-call-error", fail)


def result_of(status: int, parsed: Mapping[str, Any]) -> str:
    """One word for an answer."""
    if status < 400:
        return "success"
    code = (parsed.get("Error") or {}).get("Code")
    if code in _THROTTLED:
        return "throttled"
    return _RESULTS.get(status, "unavailable" if status >= 500 else "error")
