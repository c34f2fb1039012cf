"""One look at one object: what it records, what it writes into status, and what it tells by events and in the log."""

import logging
from collections.abc import Callable
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import DeleteChild, Record
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.model.plan import Operation
from clouddatamesh.plan.marks import RECONCILE_ANNOTATION
from clouddatamesh.reconcile.visit import Progress, Visit
from tests.reconcile.test_dispatch import READY, UNREADY, put, seen
from tests.support.manifests import a_domain, a_product
from tests.support.mesh import Mesh

ORDERS, DOMAIN = Key("DataProduct", "sales", "orders"), Key("Domain", "", "sales")
WELL: Final = Finding("Ready", "True", reasons.READY)
SILENT: Final = Transient(reasons.STORE_UNAVAILABLE, "The store did not answer")
WRONG: Final = Terminal(reasons.INVALID_SPEC, "spec.storage: missing")


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="clouddatamesh")


def a_mesh(**product: Any) -> Mesh:
    return put(Mesh(), seen(a_product(), **product))


def visit_of(mesh: Mesh, key: Key = ORDERS) -> Visit:
    return Visit.of(key, mesh.get(key.kind, key.name, key.namespace), mesh.ports)


def status_of(mesh: Mesh) -> dict[str, Any]:
    return dict(mesh.product()["status"])


def conditions_of(mesh: Mesh) -> dict[str, tuple[str, str]]:
    return {found["type"]: (found["status"], found["reason"]) for found in status_of(mesh)["conditions"]}


def removals(*names: str) -> list[Operation]:
    return [DeleteChild(Key("ConfigMap", "sales", name), "uid-1") for name in names]


# What is recorded


def gone(mesh: Mesh) -> None:
    mesh.cluster.user_delete(ORDERS)


def recreated(mesh: Mesh) -> None:
    gone(mesh)
    put(mesh, seen(a_product(), uid="uid-2", status={"phase": "another's"}))


def test_a_look_sees_its_object_as_it_is_now() -> None:
    mesh = a_mesh(status={"phase": "x"})
    visit = visit_of(mesh)
    assert visit.manifest() is mesh.product()
    assert visit.old_status()["phase"] == "x"
    put(mesh, {**mesh.product(), "status": None})
    assert visit.old_status() == {}


@pytest.mark.parametrize("act", [gone, recreated], ids=["gone", "recreated"])
def test_what_is_gone_is_recorded_nowhere(act: Callable[[Mesh], None]) -> None:
    mesh = a_mesh()
    visit = visit_of(mesh)
    act(mesh)
    with pytest.raises(Waiting, match="The object is gone"):
        visit.manifest()
    assert visit.old_status() == {}
    with pytest.raises(Transient, match="nothing is made for it"):
        visit.write_record(Record((("phase", "Creating"),)))
    assert mesh.cluster.writes == []
    visit.close(SILENT, Progress())
    assert act is gone or "conditions" in status_of(mesh)


def test_a_record_is_added_to_status_and_taken_out_again() -> None:
    mesh = a_mesh()
    before = status_of(mesh)
    visit_of(mesh).write_record(Record((("phase", "Creating"), ("bucket", "b"))))
    assert status_of(mesh) == {**before, "phase": "Creating", "bucket": "b"}
    visit_of(mesh).write_record(Record((("phase", None),)))
    assert status_of(mesh) == {**before, "bucket": "b"}


@pytest.mark.parametrize(("key", "late"), [(ORDERS, True), (DOMAIN, False)], ids=["a product", "a domain"])
def test_a_record_of_a_store_counts_only_for_the_version_that_was_read(key: Key, late: bool) -> None:
    mesh = put(Mesh(), seen(a_product()), seen(a_domain()))
    visit = visit_of(mesh, key)
    mesh.cluster.hold_back(key.kind)
    found = mesh.cluster.raw(key) or {}
    mesh.cluster._objects.put(key, {**found, "metadata": {**found["metadata"], "resourceVersion": "2"}})
    if late:
        with pytest.raises(Transient) as told:
            visit.write_record(Record((("phase", "Creating"),)))
        assert told.value.reason == reasons.CONFLICT
    else:
        visit.write_record(Record((("phase", "Creating"),)))
    assert ((mesh.cluster.raw(key) or {})["status"].get("phase") is None) is late


# What status tells


def test_a_status_that_does_not_change_is_not_written() -> None:
    mesh = a_mesh()
    visit_of(mesh).close(Outcome(WELL), Progress())
    mesh.cluster.writes.clear()
    visit_of(mesh).close(Outcome(WELL), Progress())
    assert mesh.cluster.writes == []
    visit_of(mesh).close(Outcome(WELL, fields={"phase": "x"}), Progress())
    assert mesh.cluster.writes == [("status", ORDERS)]
    assert status_of(mesh)["phase"] == "x"


@pytest.mark.parametrize(
    ("annotations", "before", "echo"),
    [
        ({RECONCILE_ANNOTATION: "now"}, None, "now"),
        ({RECONCILE_ANNOTATION: "again"}, "now", "again"),
        ({RECONCILE_ANNOTATION: "x" * 300}, None, "x" * 256),
        ({"other/one": "now"}, "now", None),
        (None, "now", None),
    ],
    ids=["asked for", "asked for again", "asked for by many words", "not asked for any more", "without annotations"],
)
def test_who_asked_for_a_look_sees_that_it_was_had(annotations: dict[str, str] | None, before: str | None, echo: str | None) -> None:
    mesh = a_mesh(annotations=annotations, status={"lastHandledReconcileAt": before} if before else {})
    visit_of(mesh).close(Outcome(WELL, fields={"phase": "x"}), Progress())
    assert (status_of(mesh).get("lastHandledReconcileAt"), status_of(mesh)["phase"]) == (echo, "x")


def test_who_asks_while_a_look_goes_on_sees_the_next_one() -> None:
    """What this one read may be older than what was asked about."""
    mesh = a_mesh(annotations={RECONCILE_ANNOTATION: "first"})
    visit = visit_of(mesh)
    put(mesh, seen(a_product(), annotations={RECONCILE_ANNOTATION: "second"}))
    visit.close(Outcome(WELL, fields={"phase": "x"}), Progress())
    assert (status_of(mesh)["lastHandledReconcileAt"], status_of(mesh)["phase"]) == ("first", "x")
    visit_of(mesh).close(Outcome(WELL, fields={"phase": "x"}), Progress())
    assert status_of(mesh)["lastHandledReconcileAt"] == "second"


BROKEN: Final = {"storage": Failure("storage", "StorageReady", SILENT)}
OUTAGE: Final = Outcome(WELL, failures=(*BROKEN.values(),))


@pytest.mark.parametrize(
    ("product", "result", "progress", "told"),
    [
        ({}, SILENT, Progress(), False),
        ({}, OUTAGE, Progress(), False),
        ({"ready": False}, SILENT, Progress(), True),
        ({"generation": 2}, SILENT, Progress(), True),
        ({}, OUTAGE, Progress(done=removals("a")), True),
        ({}, OUTAGE, Progress(broken=BROKEN), True),
        ({}, WRONG, Progress(), True),
        ({}, Outcome(Finding("Ready", "False", reasons.NOT_OWNED)), Progress(), True),
    ],
    ids=["no answer", "no answer to a part", "it was not Ready", "it changed", "something was done", "something was tried", "it is wrong",
         "something else was found"],
)  # fmt: skip
def test_one_look_without_an_answer_is_not_told_of_what_was_ready(
    product: dict[str, Any], result: Outcome | MeshError, progress: Progress, told: bool
) -> None:
    mesh = a_mesh(**product)
    visit_of(mesh).close(result, progress)
    assert (mesh.cluster.writes == [("status", ORDERS)]) is told
    assert (conditions_of(mesh)["Ready"] != ("True", "Ready")) is told


def test_an_outage_is_told_once_it_lasts_and_a_look_between_begins_it_again() -> None:
    mesh = a_mesh()
    visit_of(mesh).close(SILENT, Progress())
    mesh.clock.forward(seconds=9)
    visit_of(mesh).close(Outcome(WELL), Progress())
    mesh.clock.forward(seconds=9)
    visit_of(mesh).close(SILENT, Progress())
    assert conditions_of(mesh)["Ready"][0] == "True"
    mesh.clock.forward(seconds=10)
    visit_of(mesh).close(SILENT, Progress())
    assert conditions_of(mesh)["Ready"] == ("False", reasons.STORE_UNAVAILABLE)


# What is told of repairs

NO_DRIFT: Final = Finding("DriftDetected", "False", reasons.READY)
OWNED: Final = Finding("StorageReady", "True", reasons.READY)


def repaired(result: Outcome, *names: str, **product: Any) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Conditions after a look that removed these objects, and the notes of the repairs that were told."""
    mesh = a_mesh(**product)
    visit_of(mesh).close(result, Progress(done=removals(*names)))
    return conditions_of(mesh), [event.note for _, event in mesh.cluster.events if event.reason == reasons.REPAIRED]


@pytest.mark.parametrize(
    ("result", "product", "names", "told"),
    [
        (Outcome(WELL), {}, ["a"], True),
        (Outcome(WELL), {}, [], False),
        (Outcome(WELL), {"generation": 2}, ["a"], False),
        (Outcome(WELL), {"ready": False}, ["a"], False),
        (Outcome(Finding("Ready", "False", reasons.NOT_OWNED), stalled=True), {}, ["a"], False),
    ],
    ids=["drift", "nothing was done", "it was changed", "it was not Ready", "it is not Ready"],
)
def test_writes_for_what_was_ready_as_it_is_were_repairs(result: Outcome, product: dict[str, Any], names: list[str], told: bool) -> None:
    assert repaired(result, *names, **product)[1] == (["Drift was repaired: delete ConfigMap sales/a"] if told else [])


def test_of_many_repairs_three_are_told() -> None:
    _, (note,) = repaired(Outcome(WELL), *"abcde")
    assert note == "Drift was repaired: " + "; ".join(f"delete ConfigMap sales/{name}" for name in "abc")


@pytest.mark.parametrize(
    ("findings", "names", "drift"),
    [
        ((NO_DRIFT,), ["a"], ("True", reasons.REPAIRED)),
        ((OWNED, NO_DRIFT), ["a"], ("True", reasons.REPAIRED)),
        ((OWNED, NO_DRIFT), [], ("False", reasons.READY)),
        ((OWNED,), ["a"], None),
    ],
    ids=["repaired", "repaired, and more", "none", "an object that tells of no drift"],
)
def test_drift_that_was_repaired_is_seen_until_the_next_look(
    findings: tuple[Finding, ...], names: list[str], drift: tuple[str, str] | None
) -> None:
    conditions, _ = repaired(Outcome(WELL, findings), *names)
    assert conditions.get("DriftDetected") == drift
    assert set(conditions) == {"Ready", *(found.type for found in findings)}


# The log

DENIED: Final = Outcome(WELL, (Finding("DeletionBlocked", "True", "InUse", "It is in use"),), failures=(Failure("storage", "", WRONG),))


@pytest.mark.parametrize(
    ("before", "result", "reasons_"),
    [
        (READY, WRONG, [reasons.INVALID_SPEC]),
        (READY, DENIED, ["InUse", reasons.INVALID_SPEC]),
        (UNREADY, Outcome(WELL), [reasons.READY]),
        (READY, Outcome(WELL), []),
        (READY, Waiting(reasons.DOMAIN_NOT_FOUND, "Namespace sales belongs to no Domain"), []),
        (READY, Outcome(WELL, failures=(Failure("tags", "", WRONG, minor=True),)), [reasons.INVALID_SPEC]),
    ],
    ids=["fails", "fails, and its deletion is blocked", "is Ready again", "is Ready", "waits", "fails in what does not count"],
)
def test_each_thing_is_one_line_of_log(
    before: dict[str, Any], result: Outcome | MeshError, reasons_: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    visit_of(a_mesh(status={"conditions": [before]})).close(result, Progress())
    assert [record.fields["reason"] for record in caplog.records if hasattr(record, "fields")] == reasons_
