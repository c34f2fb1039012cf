"""OpenTelemetry traces, if the environment names a collector: a span for each reconciliation, in it one for each step and each store call.

The only importer of `opentelemetry`, which is loaded only where it is used. Spans hold names of objects and steps, never what is in them.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from clouddatamesh.reconcile.trail import Follower, Trail

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Either of these standard variables switches traces on; the others of OpenTelemetry count as well."""

_PATIENCE: Final = 2.0
StoreCall = Callable[[str, str, str, float], object]


class Traces:
    """`provider` is OpenTelemetry's, or None: then nothing is traced, and nothing costs anything."""

    def __init__(self, provider: Any = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("clouddatamesh") if provider is not None else None

    def follow(self) -> Follower | None:
        """A follower for one reconciliation."""
        return _Spans(self._tracer).follow if self._tracer is not None else None

    def with_calls(self, report: StoreCall) -> StoreCall:
        """The same report of a store's call, which also becomes a span of the step that is running in this thread."""
        tracer = self._tracer
        if tracer is None:
            return report

        def traced(service: str, operation: str, result: str, seconds: float) -> None:
            report(service, operation, result, seconds)
            end = time.time_ns()
            attributes = {"rpc.service": service, "rpc.method": operation, "clouddatamesh.result": result}
            span = tracer.start_span(f"{service} {operation}", start_time=end - int(seconds * 1e9), attributes=attributes)
            span.end(end)

        return traced

    def stop(self) -> None:
        """Send what was not sent yet. A collector that does not answer delays the end of this process by two seconds."""
        if self._provider is not None:
            sender = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
            sender.start()
            sender.join(_PATIENCE)


class _Spans:
    """The spans of one reconciliation. The current span of OpenTelemetry's own context is the step."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._stack = ExitStack()
        self._whole: Any = None
        self._step = ExitStack()

    def follow(self, trail: Trail | None) -> None:
        self._step.close()
        if trail is None:
            self._stack.close()
            return
        if self._whole is None:
            whole = self._tracer.start_as_current_span(f"reconcile {trail.key.kind}", attributes=attributes_of(trail))
            self._whole = self._stack.enter_context(whole)
        if trail.step == "end":
            self._end(trail.failures)
        else:
            name = f"{trail.step} {trail.part}".strip()
            self._step.enter_context(self._tracer.start_as_current_span(name))

    def _end(self, failures: tuple[str, ...]) -> None:
        from opentelemetry.trace import StatusCode

        if failures:
            self._whole.set_status(StatusCode.ERROR, ", ".join(failures))


def attributes_of(trail: Trail) -> Mapping[str, str]:
    """What a span says of its reconciliation; `reconcileID` is the one of the log."""
    key = trail.key
    named = {"kind": key.kind, "namespace": key.namespace, "name": key.name, "reconcileID": trail.id}
    return {f"clouddatamesh.{name}": value for name, value in named.items()}


def open_traces(env: Mapping[str, str], *, version: str, pod: str) -> Traces:
    """Traces to the collector that the environment names; none where it names none."""
    if not any(env.get(name) for name in ENDPOINTS):
        return Traces()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    names = {"service.name": "clouddatamesh", "service.version": version, "service.instance.id": pod}
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traces(provider)
