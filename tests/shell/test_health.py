"""Probes and metrics, as functions and over HTTP."""

import urllib.error
import urllib.request

import pytest

from clouddatamesh.shell.health import Checks, HealthServer, answer, find_stuck, format_metrics


def checks(*against: str) -> Checks:
    return Checks(alive=lambda: (), ready=lambda: against, metrics=lambda: "clouddatamesh_queue_depth 0\n")


@pytest.mark.parametrize(
    ("path", "code", "body"),
    [
        ("/healthz", 200, "ok"),
        ("/readyz", 503, "Domain is not listed yet"),
        ("/metrics", 200, "clouddatamesh_queue_depth 0"),
        ("/", 404, "not found"),
    ],
)
def test_answers(path: str, code: int, body: str) -> None:
    found = answer(path, checks("Domain is not listed yet"))
    assert (found[0], found[1].decode().strip()) == (code, body)


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"longest": 601.0}, "a reconciliation has run for 601 s"),
        ({"oldest": 601.0}, "a key has been due for 601 s"),
        ({"threads_alive": False}, "a worker thread has ended"),
        ({"watching": False}, "the watcher has ended"),
    ],
    ids=str,
)
def test_what_speaks_against_being_alive(trouble: dict[str, float], sentence: str) -> None:
    well = {"longest": 0.0, "oldest": 0.0, "threads_alive": True, "watching": True}
    assert find_stuck(**well) == ()  # type: ignore[arg-type]
    assert find_stuck(**{**well, **trouble}) == (sentence,)  # type: ignore[arg-type]


def test_metrics_are_prometheus_text() -> None:
    text = format_metrics({"queue_depth": 3}, {("Domain", "settled"): 2})
    assert 'clouddatamesh_reconciliations_total{kind="Domain",result="settled"} 2' in text.splitlines()
    assert "clouddatamesh_queue_depth 3" in text.splitlines()


def test_over_http() -> None:
    server = HealthServer(0, checks())
    server.start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=5) as found:
            assert found.read() == b"ok\n"
    finally:
        server.stop()
