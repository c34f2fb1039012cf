"""What was done and what failed is told: one structured line of log, one event, one count; a quiet look is told nowhere."""

import logging

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import disown
from tests.reconcile.flows import ENDPOINT, adopted, deletable, drift_bucket, preexisting, ready
from tests.reconcile.test_access import granted
from tests.support.mesh import Mesh

PRODUCT = Key("DataProduct", "sales", "orders")
REQUEST = Key("AccessRequest", "inventory", "orders-for-forecast")


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="clouddatamesh")


def lines(caplog: pytest.LogCaptureFixture, key: Key) -> list[str]:
    """The reasons of the structured lines about one object."""
    told = [record.fields for record in caplog.records if hasattr(record, "fields")]
    return [
        fields["reason"] for fields in told if (fields["kind"], fields["namespace"], fields["name"]) == (key.kind, key.namespace, key.name)
    ]


def events(mesh: Mesh, key: Key, since: int = 0) -> list[str]:
    return [event.reason for about, event in mesh.cluster.events[since:] if about == key]


def test_what_was_given_is_one_line_and_one_event(caplog: pytest.LogCaptureFixture) -> None:
    mesh = granted()
    assert lines(caplog, REQUEST).count("Given") == events(mesh, REQUEST).count("Given") == 1


def test_what_was_taken_is_told(caplog: pytest.LogCaptureFixture) -> None:
    mesh = granted()
    caplog.clear()
    mark = len(mesh.cluster.events)
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert lines(caplog, REQUEST).count("Taken") == events(mesh, REQUEST, mark).count("Taken") == 1


def test_what_was_repaired_is_told(caplog: pytest.LogCaptureFixture) -> None:
    mesh = ready(Mesh()).settle()
    drift_bucket(mesh)
    caplog.clear()
    mark = len(mesh.cluster.events)
    mesh.settle()
    assert lines(caplog, PRODUCT) == events(mesh, PRODUCT, mark) == ["Repaired"]


def test_what_was_adopted_is_told(caplog: pytest.LogCaptureFixture) -> None:
    mesh = Mesh()
    preexisting(mesh)
    adopted(mesh).settle()
    assert lines(caplog, PRODUCT).count("Adopted") == events(mesh, PRODUCT).count("Adopted") == 1


def test_what_was_retained_is_told_though_the_object_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    mesh = ready(Mesh()).settle()
    caplog.clear()
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert {"Retained", "Taken"} <= set(lines(caplog, PRODUCT))


def test_every_look_that_fails_is_one_line_and_what_lasts_is_one_event(caplog: pytest.LogCaptureFixture) -> None:
    mesh = ready(Mesh()).settle()
    caplog.clear()
    mark = len(mesh.cluster.events)
    for _ in range(3):
        mesh.stores.at(ENDPOINT).fail_next(Transient("StoreUnavailable", "The store does not answer"))
        due = reconcile(PRODUCT, mesh.ports)
        assert (due.failures, due.backoff) == (("StoreUnavailable",), True)
        mesh.clock.forward(seconds=10)
    assert lines(caplog, PRODUCT) == ["StoreUnavailable"] * 3
    assert events(mesh, PRODUCT, mark) == ["StoreUnavailable"]


def test_a_look_that_failed_once_is_a_line_and_no_status(caplog: pytest.LogCaptureFixture) -> None:
    """An hour of throttling would be thousands of writes, and Argo CD would flap."""
    mesh = ready(Mesh()).settle()
    store, mark = mesh.stores.at(ENDPOINT), len(mesh.cluster.events)
    before, writes = mesh.product(), len(mesh.cluster.writes)
    caplog.clear()
    for _ in range(5):
        store.fail_next(Transient("Throttled", "The store asks for patience"))
        assert reconcile(PRODUCT, mesh.ports).backoff
        mesh.clock.forward(seconds=9.9)
        assert not reconcile(PRODUCT, mesh.ports).backoff
        mesh.clock.forward(seconds=60)
    assert (mesh.product(), mesh.cluster.writes[writes:], mesh.cluster.events[mark:]) == (before, [], [])
    assert lines(caplog, PRODUCT) == ["Throttled"] * 5


def test_what_fails_for_ten_seconds_is_told_in_status() -> None:
    mesh = ready(Mesh()).settle()
    for seconds, ready_now in ((0, "True"), (9.9, "True"), (0.1, "False")):
        mesh.clock.forward(seconds=seconds)
        mesh.stores.at(ENDPOINT).fail_next(Transient("Throttled", "The store asks for patience"))
        reconcile(PRODUCT, mesh.ports)
        assert mesh.condition("DataProduct", "orders", "sales")["status"] == ready_now


def test_what_failed_and_is_otherwise_now_is_told_at_once() -> None:
    """A grant that went while the store is away: what status says of access is no longer so."""
    mesh = granted()
    mesh.stores.at(ENDPOINT).down = True
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    reconcile(REQUEST, mesh.ports)
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["status"] != "True"


def test_a_quiet_look_and_one_that_waits_are_told_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    mesh = deletable(Mesh()).settle()
    caplog.clear()
    mark = len(mesh.cluster.events)
    mesh.settle()
    assert (lines(caplog, PRODUCT), mesh.cluster.events[mark:]) == ([], [])
    disown_and_wait = granted()
    disown(disown_and_wait)
    caplog.clear()
    reconcile(PRODUCT, disown_and_wait.ports)
    assert lines(caplog, PRODUCT) == []
