"""The operator as a whole where things go wrong at its start, or with its watcher: what its probes say, and how it ends."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.model.settings import Settings
from clouddatamesh.shell import health, supervisor, wiring
from clouddatamesh.shell.settings import ShellSettings
from clouddatamesh.shell.wiring import Operator


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Operator]:
    """An operator whose API server does not answer, and whose watcher waits for its end."""
    cluster = {"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}
    config = {"clusters": [cluster], "contexts": [context], "users": [{"name": "nobody", "user": {}}], "current-context": "nowhere"}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    for module in ("kubernetes.config", "kubernetes.config.kube_config"):
        monkeypatch.setattr(f"{module}.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(wiring, "run_kopf", lambda *given: given[-1].wait())
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    core = Settings(mesh="acme", namespace="mesh-system", version="test")
    found = Operator(ShellSettings(core, "operator-0", health_port=0))
    yield found
    found._health._server.server_close()


def ask(operator: Operator, path: str) -> tuple[int, str]:
    code, body = health.answer(path, health.Checks(operator._find_stuck, operator._find_unready, operator._exporter.render))
    return code, body.decode()


def test_a_start_that_fails_ends_the_process_and_is_told(operator: Operator, caplog: pytest.LogCaptureFixture) -> None:
    def fill(**_: object) -> bool:
        raise RuntimeError("nobody thought of this")

    operator._resync.fill = fill  # type: ignore[method-assign]
    assert not operator.run()
    assert ask(operator, "/healthz") == (503, "the start failed with RuntimeError\n")
    assert "the start failed with RuntimeError" in ask(operator, "/readyz")[1]
    assert "The start failed; this process ends, to be started again" in caplog.messages


def test_the_only_replica_too_works_only_while_it_holds_the_lease(operator: Operator) -> None:
    operator._queue.add(Key("Domain", "", "sales"))
    assert operator._queue.get(wait=0.0) is None
    assert not operator._leader.leads()
    assert 'leader_election_master_status{name="clouddatamesh"} 0.0' in ask(operator, "/metrics")[1]
    operator._queue.resume()
    assert operator._queue.get(wait=0.0) is not None


def test_what_access_rests_on_is_listed_before_a_turn_begins(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    monkeypatch.setattr(wiring, "list_into", lambda _cache, _client, kind, **_: listed.append(kind))
    assert operator._fill()
    assert sorted(listed) == ["AccessGrant", "AccessRequest", "DataProduct", "Domain", "Namespace", "ObjectStore"]
    operator._grounds.stop()
    assert not operator._fill()


def test_a_start_that_is_told_to_end_is_no_failure(operator: Operator) -> None:
    threading.Timer(0.2, operator._stop.set).start()
    assert operator.run()


def test_a_watcher_that_dies_again_and_again_is_never_ready(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST", 0.0)
    monkeypatch.setattr(supervisor, "LONGEST", 0.0)
    thrice = threading.Event()
    runs: list[int] = []

    def die(*_: object) -> None:
        runs.append(1)
        if len(runs) > 3:
            thrice.set()
            operator._stop.wait(10)
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(wiring, "run_kopf", die)
    operator._watcher._wait = 0.0
    operator._watcher.start()
    try:
        assert thrice.wait(10)
        code, body = ask(operator, "/readyz")
        assert code == 503
        assert "watching ended 3 times in a row, at last with KeyError: 'getpwuid(): uid not found: 65532'" in body
        assert "the watch of DataProduct has not begun" in body
        assert "clouddatamesh_watcher_restarts_total 3.0" in ask(operator, "/metrics")[1]
    finally:
        operator._stop.set()
        operator._watcher.stop(seconds=5)


def test_what_speaks_against_the_clock_is_in_readiness_and_in_a_metric(operator: Operator) -> None:
    operator._skew.look("Thu, 01 Jan 2026 00:00:00 GMT", 0.1)
    assert not operator._clock.is_trusted()
    assert "s ahead of the API server's; nothing is given or taken by time" in ask(operator, "/readyz")[1]
    (line,) = (line for line in ask(operator, "/metrics")[1].splitlines() if line.startswith("clouddatamesh_clock_skew_seconds "))
    assert float(line.split()[1]) > 86_400
