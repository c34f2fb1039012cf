"""Reports the result and the duration of each call of a store, by the event hooks of botocore. It never changes a call."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from botocore.exceptions import BotoCoreError

Report: TypeAlias = Callable[[str, str, str, float], object]
"""Called with service, operation, result and seconds."""

_BEGAN: Final = "clouddatamesh_began"
_RESULTS: Final = {401: "refused", 403: "refused", 404: "not_found", 409: "conflict", 412: "conflict", 429: "throttled"}
_THROTTLED: Final = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests"})


def measure(client: Any, service: str, report: Report, *, now: Callable[[], float] = time.monotonic) -> None:
    """Report each call of a client. A call that botocore retries counts once."""

    def begin(context: dict[str, Any], **_: Any) -> None:
        context[_BEGAN] = now()

    def end(model: Any, http_response: Any, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        report(service, model.name, result_of(http_response.status_code, parsed), now() - context[_BEGAN])

    def fail(event_name: str, exception: Exception, context: Mapping[str, Any], **_: Any) -> None:
        result = "unavailable" if isinstance(exception, BotoCoreError) else "error"  # the parser's errors are not of boto's family
        report(service, event_name.rpartition(".")[2], result, now() - context[_BEGAN])

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
