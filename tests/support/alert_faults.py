"""For each alert of the chart the fault that it is for, planted in a running operator over the fakes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clouddatamesh.metrics.instruments import CallMeter
from clouddatamesh.model.objects import Key
from tests.reconcile.access_flows import granted
from tests.reconcile.flows import ENDPOINT, drift_bucket, mark_as_anothers
from tests.reconcile.test_moods import add_orphan
from tests.support.manifests import a_product, a_request, a_store
from tests.support.mesh import Mesh
from tests.support.running import Running

Act = Callable[[Running, Mesh], object]
LOST = tuple(f"lost-{number}" for number in range(4))
PRODUCT = Key("DataProduct", "sales", "orders")


def a_quiet_mesh() -> Mesh:
    """Two domains, six products, one granted request; all is well."""
    return granted(Mesh()).apply(*map(a_product, LOST)).settle()


def nothing(_running: Running, _mesh: Mesh) -> None:
    pass


@dataclass(frozen=True)
class Fault:
    """`plant` is done once, `each` every minute of `minutes`; then the last scrape is repeated for `hold` minutes.

    `also` is what else must fire, since the fault is one of that, too.
    """

    alert: str
    plant: Act = nothing
    each: Act = nothing
    minutes: int = 4
    hold: int = 0
    also: tuple[str, ...] = ()
    answers: bool = True
    """Whether the operator still answers scrapes."""


def calls_of(running: Running) -> CallMeter:
    """What the adapters tell of their calls."""
    found: CallMeter = running.operator._client._report.__self__  # type: ignore[attr-defined]  # a method of the meter
    return found


def take_down_store(_running: Running, mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).down = True


def lose_permissions(running: Running, _mesh: Mesh) -> None:
    running.operator._access._find_missing = lambda needs: needs[:2]
    running.operator._access.run_once()


def skew_clock(running: Running, _mesh: Mesh) -> None:
    running.operator._skew.look("Thu, 01 Jan 2026 00:00:00 GMT", 0.1)


def fail_requests(running: Running, _mesh: Mesh) -> None:
    for code in ("200", "200", "503", "<error>"):
        calls_of(running).requested("GET", code)


def fail_calls(running: Running, _mesh: Mesh) -> None:
    for result in ("success", "refused", "unavailable"):
        calls_of(running).called("s3", "GetBucketTagging", result, 0.1)


def break_operator(_running: Running, mesh: Mesh) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("nobody thought of this")

    mesh.stores.buckets = fail  # type: ignore[method-assign, assignment]  # a bug below the pipeline


def hang_workers(running: Running, _mesh: Mesh) -> None:
    """Every worker has something else to do."""
    running.operator._queue._has_room = lambda name: False  # type: ignore[method-assign]  # noqa: ARG005 - no lane has room


def restart_watcher(running: Running, _mesh: Mesh) -> None:
    running.operator._watcher.restarts += 1


def stop_while_writing(running: Running, mesh: Mesh) -> None:
    """The Lease goes while a write to the store is on its way, and comes back."""
    drift_bucket(mesh)
    mesh.stores.after_write = lambda _: running.lead(yes=False)
    running.look()
    mesh.stores.after_write = lambda _: None
    running.lead()


def end_access(_running: Running, mesh: Mesh) -> None:
    """The grant ends by time while the store refuses to take anything away."""
    mesh.stores.at(ENDPOINT).refuse("delete user", "delete policy", "disable key", "delete key")
    mesh.clock.forward(days=40)


def mark_many(_running: Running, mesh: Mesh) -> None:
    for name in LOST:
        mark_as_anothers(mesh, name)


def lose_capability(_running: Running, mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).unsupported = frozenset({"Encryption"})
    mesh.apply(a_store(baseline={"encryption": "Required"}))


def write_wrong_product(_running: Running, mesh: Mesh) -> None:
    mesh.apply(a_product("wrong", storage={"bucketName": "another-prefix"}))


def write_newer_product(_running: Running, mesh: Mesh) -> None:
    mesh.apply(a_product("newer", lifecycle="unheard-of"))


def leave_orphan(_running: Running, mesh: Mesh) -> None:
    add_orphan(mesh, "stuck")
    mesh.stores.at(ENDPOINT).refuse("delete user", name="stuck")


def delete_used_product(_running: Running, mesh: Mesh) -> None:
    mesh.delete("DataProduct", "orders", "sales")


def ask(_running: Running, mesh: Mesh) -> None:
    mesh.apply(a_request("another", secretName="another-access"))


def forward(**delta: float) -> Act:
    return lambda _, mesh: mesh.clock.forward(**delta)


def both(*acts: Act) -> Act:
    def act(running: Running, mesh: Mesh) -> None:
        for one in acts:
            one(running, mesh)
            running.look()

    return act


FAULTS = (
    Fault("ClouddatameshDown", minutes=12, answers=False),
    Fault("ClouddatameshNoLeader", lambda running, _: running.lead(yes=False)),
    Fault("ClouddatameshPermissionsMissing", lose_permissions, hold=4),
    Fault("ClouddatameshClockSkewed", skew_clock),
    Fault("ClouddatameshWatchSilent", lambda running, _: running.silent.add("AccessGrant"), minutes=6),
    Fault("ClouddatameshWatcherRestarts", each=restart_watcher, minutes=6),
    Fault("ClouddatameshListsFail", both(lambda running, _: setattr(running, "lists", False), forward(minutes=25)), hold=5),
    Fault("ClouddatameshApiErrors", each=fail_requests, minutes=14),
    Fault("ClouddatameshReconcileErrors", break_operator, minutes=24, also=("ClouddatameshInternalError", "ClouddatameshStoreNotReady")),
    Fault("ClouddatameshInternalError", break_operator, minutes=4),
    Fault("ClouddatameshQueueOld", hang_workers, minutes=13),
    Fault("ClouddatameshLateWrites", stop_while_writing),
    Fault("ClouddatameshAccessOverdue", end_access, minutes=6),
    Fault("ClouddatameshStoreNotReady", take_down_store, hold=10),
    Fault("ClouddatameshStoreCallsFail", each=fail_calls, minutes=14),
    Fault("ClouddatameshStorageLossBrake", mark_many, minutes=6),
    Fault("ClouddatameshProtectionsMissing", both(lose_capability, *[forward(days=2)] * 3), hold=10),
    Fault("ClouddatameshNotReady", both(write_wrong_product, forward(minutes=31)), hold=6),
    Fault("ClouddatameshUnreadable", write_newer_product, hold=10),
    Fault("ClouddatameshPrincipalsOrphaned", leave_orphan, minutes=10, hold=60),
    Fault("ClouddatameshDriftReturns", each=lambda _, mesh: drift_bucket(mesh), minutes=16),
    Fault("ClouddatameshDeletionWaits", both(delete_used_product, forward(days=2)), hold=6),
    Fault("ClouddatameshRequestsPending", both(ask, forward(days=3)), hold=6),
    Fault("ClouddatameshGrantsExpiring", forward(days=25), hold=60),
)
