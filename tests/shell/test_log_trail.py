"""As JSON every line of a reconciliation says of which object and at which step it was written; no other line does."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.trail import at, current, reconciling
from clouddatamesh.shell.logs import JsonFormatter
from tests.reconcile.flows import ENDPOINT, drift_bucket
from tests.support.running import Running, a_granted_mesh, an_operator

PRODUCT = Key("DataProduct", "sales", "orders")
NAMED = {"kind": "DataProduct", "namespace": "sales", "name": "orders", "key": "DataProduct sales/orders"}


class Lines(logging.Handler):
    """What a JSON log would have."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.seen: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    handler, logger = Lines(), logging.getLogger("clouddatamesh")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield handler.seen
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Running]:
    mesh = a_granted_mesh()
    found = Running(an_operator(monkeypatch, tmp_path, mesh), mesh)
    yield found
    found.stop()


def reconcile(running: Running, key: Key) -> None:
    """As a worker does."""
    running.operator._queue.add(key)
    while (found := running.operator._queue.get(wait=0.0)) is not None:
        running.operator._workers.run(found)


def test_what_was_done_and_what_failed(running: Running, lines: list[dict[str, Any]]) -> None:
    drift_bucket(running.mesh)
    reconcile(running, PRODUCT)
    running.mesh.stores.at(ENDPOINT).down = True
    reconcile(running, PRODUCT)
    assert [line["reason"] for line in lines if "reason" in line] == ["Repaired", "StoreUnavailable"]
    assert all(NAMED.items() <= line.items() for line in lines)
    assert all(line["step"] in ("gather", "plan", "apply", "summarize", "write") for line in lines if "reason" in line)
    assert len({line["reconcileID"] for line in lines}) == 2


def test_a_bug_names_the_step_and_the_part_that_met_it(running: Running, lines: list[dict[str, Any]]) -> None:
    drift_bucket(running.mesh)

    def fail(_: str) -> None:
        raise RuntimeError("nobody thought of this")

    running.mesh.stores.before_write = fail
    reconcile(running, PRODUCT)
    (line,) = (line for line in lines if "trace" in line)
    assert (line["message"], line["step"], line["part"]) == ("Reconciling DataProduct sales/orders failed", "apply", "storage")
    assert NAMED.items() <= line.items()


def test_a_line_of_an_adapter_says_it_too(lines: list[dict[str, Any]]) -> None:
    with reconciling(PRODUCT):
        at("apply", "credentials")
        logging.getLogger("clouddatamesh.kube.cluster").debug("An event was not written")
    (line,) = lines
    assert {**NAMED, "step": "apply", "part": "credentials"}.items() <= line.items()
    assert line["logger"] == "clouddatamesh.kube.cluster"


def test_a_line_outside_of_a_reconciliation_says_none_of_it(lines: list[dict[str, Any]]) -> None:
    with reconciling(PRODUCT):
        pass
    at("apply")
    logging.getLogger("clouddatamesh.shell.leader").info("This replica leads")
    assert current() is None
    assert lines[0].keys() == {"time", "level", "logger", "message"}
