"""Traces are off unless the environment names a collector; then each reconciliation is a span with its steps and store calls in it."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.trail import at, reconciling
from clouddatamesh.shell import wiring
from clouddatamesh.shell.traces import ENDPOINTS, Traces, open_traces
from tests.reconcile.flows import ENDPOINT, drift_bucket
from tests.support.running import Running, a_granted_mesh, an_operator

PRODUCT = Key("DataProduct", "sales", "orders")


@pytest.fixture
def seen() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(seen: InMemorySpanExporter) -> Traces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(seen))
    return Traces(provider)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, traces: Traces) -> Iterator[Running]:
    monkeypatch.setattr(wiring, "open_traces", lambda *_, **__: traces)
    mesh = a_granted_mesh()
    found = Running(an_operator(monkeypatch, tmp_path, mesh), mesh)
    yield found
    found.stop()


def parent_of(span: ReadableSpan, spans: tuple[ReadableSpan, ...]) -> str:
    """The name of the span in which another one is; empty for none."""
    return next((one.name for one in spans if span.parent and one.context and one.context.span_id == span.parent.span_id), "")


def reconcile(running: Running, seen: InMemorySpanExporter) -> tuple[ReadableSpan, ...]:
    seen.clear()
    running.operator._queue.add(PRODUCT)
    found = running.operator._queue.get(wait=0.0)
    assert found == PRODUCT
    running.operator._workers.run(found)
    return seen.get_finished_spans()


def test_a_reconciliation_is_a_span_with_its_steps_in_it(running: Running, seen: InMemorySpanExporter) -> None:
    drift_bucket(running.mesh)
    spans = reconcile(running, seen)
    *steps, whole = spans
    assert whole.name == "reconcile DataProduct"
    assert {(span.name, parent_of(span, spans)) for span in steps} == {
        (name, "reconcile DataProduct") for name in ("parse", "gather", "plan", "apply storage", "summarize", "write")
    }
    attributes = dict(whole.attributes or {})
    assert len(str(attributes.pop("clouddatamesh.reconcileID"))) == 32
    assert attributes == {"clouddatamesh.kind": "DataProduct", "clouddatamesh.namespace": "sales", "clouddatamesh.name": "orders"}
    assert whole.status.is_unset


def test_a_reconciliation_that_failed_says_why(running: Running, seen: InMemorySpanExporter) -> None:
    running.mesh.stores.at(ENDPOINT).down = True
    *_, whole = reconcile(running, seen)
    assert (whole.status.is_ok, whole.status.description) == (False, "StoreUnavailable")


def test_a_store_call_is_in_the_step_that_made_it(traces: Traces, seen: InMemorySpanExporter) -> None:
    reported: list[tuple[object, ...]] = []
    follow = traces.follow()
    assert follow is not None
    with reconciling(PRODUCT, follow):
        at("apply", "storage")
        traces.with_calls(lambda *call: reported.append(call))("s3", "PutBucketTagging", "success", 0.25)
    spans = seen.get_finished_spans()
    call = next(span for span in spans if span.name == "s3 PutBucketTagging")
    assert parent_of(call, spans) == "apply storage"
    assert (call.end_time or 0) - (call.start_time or 0) == 250_000_000
    assert reported == [("s3", "PutBucketTagging", "success", 0.25)]


def test_no_span_shows_a_key(running: Running, seen: InMemorySpanExporter) -> None:
    cluster = running.mesh.cluster
    cluster.user_delete(Key("Secret", "sales", "orders-producer"))
    shown = "".join(span.to_json() for span in reconcile(running, seen))
    secret = cluster.raw(Key("Secret", "sales", "orders-producer"))
    assert secret is not None, "it was given a new key"
    assert [value for value in secret["data"].values() if len(value) > 15 and value in shown] == []


def test_without_a_collector_nothing_is_loaded_or_followed() -> None:
    traces = open_traces({}, version="1", pod="one")
    assert traces.follow() is None
    code = "import sys, clouddatamesh.shell.wiring; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize("variable", ENDPOINTS)
def test_spans_go_to_the_collector_that_the_environment_names(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[tuple[str, bytes]] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}{'/v1/traces' if 'TRACES' in variable else ''}")
    traces = open_traces({variable: "set"}, version="1.2.3", pod="operator-0")
    follow = traces.follow()
    assert follow is not None
    with reconciling(PRODUCT, follow):
        at("gather")
    traces.stop()
    server.shutdown()
    server.server_close()
    ((path, body),) = posted
    assert path == "/v1/traces"
    assert all(word in body for word in (b"reconcile DataProduct", b"gather", b"operator-0", b"1.2.3"))
