"""A whole operator over the public fakes: its cache shows what the fake cluster has, its workers reconcile there, and nothing waits."""

import json
import signal
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.reconcile.dispatch import RECONCILED, WATCHED
from clouddatamesh.shell import health, wiring
from clouddatamesh.shell.settings import ShellSettings
from clouddatamesh.shell.wiring import Operator
from tests.reconcile.access_flows import granted
from tests.support.mesh import Mesh

Series = tuple[str, tuple[tuple[str, str], ...]]
"""Name and sorted labels."""


def a_granted_mesh() -> Mesh:
    """Two domains, two products, one granted request; made once and copied."""
    return _granted().copy()


@cache
def _granted() -> Mesh:
    return granted(Mesh())


def an_operator(monkeypatch: pytest.MonkeyPatch, folder: Path, mesh: Mesh) -> Operator:
    """An operator whose API server does not answer, with the fakes of a mesh in place of its adapters. Nothing is started."""
    cluster = {"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}
    config = {"clusters": [cluster], "contexts": [context], "users": [{"name": "nobody", "user": {}}], "current-context": "nowhere"}
    (folder / "kubeconfig").write_text(json.dumps(config))
    for module in ("kubernetes.config", "kubernetes.config.kube_config"):
        monkeypatch.setattr(f"{module}.KUBE_CONFIG_DEFAULT_LOCATION", str(folder / "kubeconfig"))
    monkeypatch.setattr(wiring, "run_kopf", lambda *given: given[-1].wait())
    monkeypatch.setattr(mesh.cluster, "is_there", lambda _: True, raising=False)
    monkeypatch.setattr(wiring, "KubeCluster", lambda *_: mesh.cluster)
    monkeypatch.setattr(wiring, "BotoStores", lambda **_: mesh.stores)
    monkeypatch.setattr(wiring, "CelProcess", lambda: mesh.expressions)
    monkeypatch.setattr(wiring, "SystemClock", lambda _: mesh.clock)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    operator = Operator(ShellSettings(mesh.settings, "operator-0", health_port=0))
    for part in (operator._queue, operator._streams, operator._resync, operator._overdue, operator._workers):
        monkeypatch.setattr(part, "_now", lambda: mesh.clock.now().timestamp())
    operator._overdue.look(())
    return operator


class Running:
    """An operator that leads, driven by hand: `look` reconciles everything once, `scrape` reads /metrics."""

    def __init__(self, operator: Operator, mesh: Mesh) -> None:
        self.operator, self.mesh = operator, mesh
        self._shown: dict[Key, Mapping[str, Any]] = {}
        self.silent: set[str] = set()
        """Kinds whose watch brings nothing."""
        self.lists = True
        """Whether the API server answers lists."""
        self.lead()
        self.show()

    def lead(self, *, yes: bool = True) -> None:
        """Hold the Lease for ever, or no more."""
        self.operator._leader._until = float("inf") if yes else 0.0
        (self.operator._queue.resume if yes else self.operator._queue.pause)()

    def show(self) -> None:
        """The cache learns what is there, as from watches, and each gives its sign of life."""
        for kind in set(WATCHED) - self.silent:
            self.operator._streams.hear(kind)
        if self.lists:
            self.operator._resync._listed = self.operator._resync._now()
        cluster, cache = self.mesh.cluster, self.operator._cache
        now = {key_of(manifest): manifest for kind in WATCHED for manifest in cluster.list(kind)}
        for key, manifest in now.items():
            if self._shown.get(key) is not manifest:
                cache.put(manifest)
        for key in self._shown.keys() - now.keys():
            cache.remove(self._shown[key])
        self._shown = now

    def look(self) -> None:
        """Every object passes through queue and workers once."""
        queue, workers = self.operator._queue, self.operator._workers
        for kind in RECONCILED:
            for manifest in self.mesh.cluster.list(kind):
                queue.add(key_of(manifest))
        while (key := queue.get(wait=0.0)) is not None:
            workers.run(key)
        self.show()
        self.operator._end_overdue()

    def pass_time(self, *, minutes: int, each: Callable[[], object] = lambda: None) -> list[dict[Series, float]]:
        """What a scrape a minute sees while time passes."""
        seen = []
        for _ in range(minutes):
            each()
            self.look()
            seen.append(self.scrape())
            self.mesh.clock.forward(minutes=1)
        return seen

    def text(self) -> str:
        """/metrics as Prometheus gets it."""
        operator = self.operator
        checks = health.Checks(operator._find_stuck, operator._find_unready, operator._exporter.render)
        code, body = health.answer("/metrics", checks)
        assert code == 200
        return body.decode()

    def scrape(self) -> dict[Series, float]:
        """/metrics as series."""
        families = text_string_to_metric_families(self.text())
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def value(self, metric: str, /, **labels: str) -> float:
        """One series; 0 where it is not there."""
        return self.scrape().get((metric, tuple(sorted(labels.items()))), 0.0)

    def stop(self) -> None:
        """Give the port back."""
        threading.Event.set(self.operator._stop)
        self.operator._health._server.server_close()
