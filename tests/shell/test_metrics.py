"""What a running operator exports: every metric of the catalogue with its labels, no name of an object, the mesh as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clouddatamesh.errors import Transient
from clouddatamesh.metrics import catalogue
from clouddatamesh.model.objects import Key
from clouddatamesh.model.settings import Next
from clouddatamesh.storage.clients import BotoStores
from tests.reconcile.access_flows import a_port, drift
from tests.reconcile.flows import ENDPOINT, drift_bucket
from tests.support.manifests import a_domain, a_policy, a_product, a_request, a_store
from tests.support.mesh import Mesh
from tests.support.running import Running, a_granted_mesh, an_operator
from tests.unit.test_storage_clients import answering, at

BY_NAME = {metric.name: metric for metric in catalogue.METRICS}
OWN = {"le"}
LIST = b"<ListAllMyBucketsResult><Owner><ID>me</ID></Owner><Buckets/></ListAllMyBucketsResult>"
PLANTED = ("planted-product", "planted-request", "planted-consumer", "planted-store", "planted-reason")


@pytest.fixture
def mesh() -> Mesh:
    return a_granted_mesh()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mesh: Mesh) -> Iterator[Running]:
    found = Running(an_operator(monkeypatch, tmp_path, mesh), mesh)
    yield found
    found.stop()


def everything_happens(running: Running, mesh: Mesh) -> None:
    """One of each thing that is counted."""
    mesh.apply(a_request("another", secretName="another-access")).settle()
    mesh.apply(a_product(outputPorts=[a_port(answerWithin="1m")])).settle()
    mesh.apply(a_policy(params={"minPurpose": 900}))
    mesh.clock.forward(minutes=2)
    mesh.settle()
    drift(mesh)
    mesh.stores.at(ENDPOINT).down = True
    running.look()
    mesh.stores.at(ENDPOINT).down = False
    running.look()
    calls, work = running.operator._client._report, running.operator._workers._meter
    calls("GET", "200")
    work.reconciled(Key("Domain", "", "sales"), Next(failures=("planted-reason",)), seconds=1)
    with answering(LIST) as (endpoint, _):
        report = calls.__self__.called  # type: ignore[attr-defined]  # the meter's own method
        BotoStores(report=report)._client("s3", at(endpoint)).list_buckets()


def test_every_metric_of_the_catalogue_is_exported_as_it_says(running: Running, mesh: Mesh) -> None:
    everything_happens(running, mesh)
    families = {family.name: family for family in text_string_to_metric_families(running.text())}
    found = {name: family for name, family in families.items() if not name.startswith("process_")}
    assert set(found) == {metric.name.removesuffix("_total") for metric in catalogue.METRICS}
    for metric in catalogue.METRICS:
        family = found[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.type, metric.help)
        assert family.samples, f"{metric.name} was never counted"
        assert {frozenset(sample.labels.keys() - OWN) for sample in family.samples} == {frozenset(metric.labels)}


def test_labels_are_bounded_and_every_one_is_explained(running: Running, mesh: Mesh) -> None:
    assert {label for metric in catalogue.METRICS for label in metric.labels} == set(catalogue.LABELS)
    mesh.apply(a_store("planted-store"), a_product("planted-product"), a_product("planted-consumer", "inventory"))
    mesh.apply(a_request("planted-request", consumer={"dataProductRef": {"name": "planted-consumer"}})).settle()
    everything_happens(running, mesh)
    running.look()
    text = running.text()
    assert mesh.exists("AccessRequest", "planted-request", "inventory")
    assert [name for name in (*PLANTED, mesh.bucket_of(), "orders-for-forecast") if name in text] == []
    assert 'reason="_other"' in text


def test_no_metric_shows_a_key(running: Running, mesh: Mesh) -> None:
    everything_happens(running, mesh)
    root = mesh.stores.at(ENDPOINT).root
    held = [mesh.cluster.raw(key) or {} for key in mesh.cluster.all_keys() if key.kind == "Secret"]
    planted = {root.id, root.secret, *(value for secret in held for value in (secret.get("data") or {}).values() if len(value) > 8)}
    assert len(planted) > 6
    assert [secret for secret in planted if secret in running.text()] == []


def test_a_replica_that_does_not_lead_says_nothing_of_the_mesh(running: Running) -> None:
    assert running.value("clouddatamesh_objects", kind="DataProduct") == 2
    running.lead(yes=False)
    of_mesh = {metric.name for metric in catalogue.METRICS if metric.of_mesh}
    assert not of_mesh & {name for name, _ in running.scrape()}
    assert running.value("leader_election_master_status", name="clouddatamesh") == 0


def test_pending_requests_and_their_age(running: Running, mesh: Mesh) -> None:
    mesh.delete("AccessRequest", "orders-for-forecast", "inventory").settle()
    mesh.apply(a_request("another", secretName="another-access"))
    running.look()
    mesh.clock.forward(hours=5)
    assert running.value("clouddatamesh_requests_pending", domain="sales") == 1
    assert running.value("clouddatamesh_requests_pending_oldest_seconds", domain="sales") == 5 * 3600


def test_requests_that_wait_longer_than_their_port_promises(running: Running, mesh: Mesh) -> None:
    mesh.apply(a_request("another", secretName="another-access"), a_product(outputPorts=[a_port(answerWithin="1h")])).settle()
    assert ("clouddatamesh_requests_escalated", ()) not in running.scrape()
    mesh.clock.forward(hours=2)
    running.look()
    assert running.value("clouddatamesh_requests_escalated", domain="sales") == 1


def test_grants_in_effect_and_those_that_end_soon(running: Running, mesh: Mesh) -> None:
    assert running.value("clouddatamesh_grants_in_effect", domain="sales") == 1
    assert running.value("clouddatamesh_grants_expiring", domain="sales") == 0
    mesh.clock.forward(days=25)
    assert running.value("clouddatamesh_grants_expiring", domain="sales") == 1
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    running.show()
    assert running.value("clouddatamesh_grants_in_effect", domain="sales") == 0


def test_drift_is_counted_as_found_and_as_repaired(running: Running, mesh: Mesh) -> None:
    drift_bucket(mesh)
    running.look()
    assert running.value("clouddatamesh_drift_found_total", kind="DataProduct") == 1
    assert running.value("clouddatamesh_drift_repaired_total", kind="DataProduct") == 1
    assert running.value("clouddatamesh_events_total", kind="DataProduct", type="Normal", reason="Repaired") == 1


def test_drift_that_nobody_may_repair_is_counted_as_found_alone(running: Running, mesh: Mesh) -> None:
    mesh.apply(a_product(mode="Observe")).settle()
    drift_bucket(mesh)
    running.look()
    running.look()
    assert running.value("clouddatamesh_drift_found_total", kind="DataProduct") == 1
    assert running.value("clouddatamesh_drift_repaired_total", kind="DataProduct") == 0


def test_for_how_long_something_has_not_been_ready(running: Running, mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).down = True
    running.pass_time(minutes=30)
    labels = {"kind": "ObjectStore", "status": "False", "reason": "StoreUnavailable"}
    assert running.value("clouddatamesh_not_ready_seconds", **labels) == 29 * 60
    assert running.value("controller_runtime_reconcile_total", controller="objectstore", result="error") >= 1
    assert running.value("clouddatamesh_failures_total", kind="ObjectStore", reason="StoreUnavailable") >= 1


def test_the_oldest_domains_have_series_of_their_own(running: Running, mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clouddatamesh.metrics.domains.MOST", 2)
    mesh.clock.forward(minutes=1)
    mesh.apply(a_domain("a-new-one")).settle().apply(a_product("late", "a-new-one"), a_product("lost", "nowhere")).settle()
    running.show()
    domains = {dict(labels)["domain"] for name, labels in running.scrape() if name == "clouddatamesh_products"}
    assert domains == {"inventory", "sales", "_other", "_none"}


def test_access_that_must_end_is_overdue_until_it_ended(running: Running, mesh: Mesh) -> None:
    mesh.clock.forward(days=40)
    mesh.stores.at(ENDPOINT).down = True
    running.pass_time(minutes=3)
    assert running.value("clouddatamesh_access_overdue_seconds") == 120
    mesh.stores.at(ENDPOINT).down = False
    running.pass_time(minutes=2)
    assert running.value("clouddatamesh_access_overdue_seconds") == 0


def test_a_deposed_leaders_writes_are_counted(running: Running, mesh: Mesh) -> None:
    """One that is refused, and one that was on its way when the Lease went."""
    product = Key("DataProduct", "sales", "orders")
    drift_bucket(mesh)
    running.lead(yes=False)
    with pytest.raises(Transient):
        running.operator._workers._reconcile(product)
    assert running.value("clouddatamesh_fenced_writes_total", port="buckets") == 1
    assert running.value("clouddatamesh_late_writes_total", port="buckets") == 0
    running.lead()
    mesh.stores.after_write = lambda _: running.lead(yes=False)
    with pytest.raises(Transient):
        running.operator._workers._reconcile(product)
    assert running.value("clouddatamesh_late_writes_total", port="buckets") == 1


def test_a_reading_that_fails_costs_no_scrape(running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> float:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(running.operator._queue, "oldest", fail)
    assert "workqueue_adds_total" in running.text()
    assert "Some metrics could not be read" in caplog.text


def test_names_and_sentences_read_well() -> None:
    for metric in catalogue.METRICS:
        assert re.fullmatch(r"(workqueue|controller_runtime|rest_client|leader_election|clouddatamesh)_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") is (metric.type == "counter")
        assert bool(metric.buckets) is (metric.type == "histogram")
        assert metric.help[0].isupper() or metric.help[0].isdigit()
        assert not metric.help.endswith(".")
