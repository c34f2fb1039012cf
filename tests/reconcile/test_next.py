"""When an object is reconciled again: on the drift interval, sooner where something waits or ends, often only where that is cheap."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Away, MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import Record
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.model.plan import Operation, Part, Plan, Steps
from clouddatamesh.model.settings import Next
from clouddatamesh.model.store_operations import EmptyBucket, ProbeStore
from clouddatamesh.plan.names import jitter
from clouddatamesh.reconcile.pipeline import Flow, run
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.test_dispatch import put, seen
from tests.support.manifests import a_product
from tests.support.mesh import START, Mesh

ORDERS: Final = Key("DataProduct", "sales", "orders")
WRONG: Final = Terminal(reasons.INVALID_SPEC, "spec.storage: missing")
SILENT: Final = Transient(reasons.STORE_UNAVAILABLE, "The store did not answer")
AWAY: Final = Away(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")
WAITS: Final = Waiting(reasons.DOMAIN_NOT_FOUND, "Namespace sales belongs to no Domain")
EMPTIES: Final = Waiting(reasons.EMPTYING, "The bucket is being emptied")
READY, UNREADY = Finding("Ready", "True", reasons.READY), Finding("Ready", "Unknown", reasons.PENDING)
LONG: Final = timedelta(minutes=10)
INTERVAL: Final = LONG.total_seconds() * jitter("uid-1")
DRIFT: Final = INTERVAL / 2


class Doing:
    def run(self, _operation: Operation) -> None:
        """Everything succeeds."""


def look(
    *errors: MeshError,
    ready: Finding = READY,
    due: float | None = None,
    done: tuple[Operation, ...] = (),
    minor: bool = False,
    fails: MeshError | None = None,
    takes: float = 0,
    **metadata: Any,
) -> Next:
    """What is said at the end of a look that did this, met these errors, and took so many seconds; `due` is after so many."""
    mesh = put(Mesh(), seen(a_product(), **metadata))
    doing: Any = Doing()
    plans = iter([Plan((Part("done", Steps(done)),)), *[Plan()] * 9])

    def plan(_: None) -> Plan:
        mesh.clock.forward(seconds=takes)
        if fails is not None:
            raise fails
        return next(plans)

    failures = tuple(Failure(f"part-{n}", "", error, minor) for n, error in enumerate(errors))
    outcome = Outcome(ready, due=None if due is None else START + timedelta(seconds=due))
    flow: Flow[None] = Flow(lambda: None, plan, lambda _: doing, lambda *_: outcome)
    parts = tuple(Part(failure.part, Steps((), failure.error), minor=minor) for failure in failures)
    stopping: Flow[None] = Flow(flow.gather, lambda _: Plan((*plan(None).parts, *parts)), flow.executor, flow.report)
    return run(Visit.of(ORDERS, mesh.product(), mesh.ports), stopping, interval=LONG)


DELETED: Final[dict[str, Any]] = {"deletionTimestamp": "2025-12-31T23:58:00Z", "finalizers": ["clouddatamesh.dev/finalizer"]}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (look, INTERVAL),
        (lambda: look(ready=UNREADY), DRIFT),
        (lambda: look(WRONG), DRIFT),
        (lambda: look(WRONG, minor=True), INTERVAL),
        (lambda: look(fails=WRONG), DRIFT),
        (lambda: look(WAITS), 20.0),
        (lambda: look(SILENT, WAITS), 20.0),
        (lambda: look(fails=WAITS), 20.0),
        (lambda: look(WAITS, **DELETED), 60.0),
        (lambda: look(EMPTIES), 20.0),
        (lambda: look(EMPTIES, done=(EmptyBucket("b"),)), 0.0),
        (lambda: look(WAITS, done=(EmptyBucket("b"),)), 20.0),
        (lambda: look(due=30), 30.0),
        (lambda: look(due=30, takes=4), 26.0),
        (lambda: look(due=3, takes=4), 0.0),
        (lambda: look(due=0), INTERVAL),
        (lambda: look(due=-30), INTERVAL),
        (lambda: look(due=3000), INTERVAL),
        (lambda: look(WAITS, due=10), 10.0),
    ],
    ids=[
        "Ready",
        "not Ready",
        "a part must be corrected",
        "a part that does not count must be corrected",
        "the object must be corrected",
        "a part waits",
        "a part waits, another fails",
        "the object waits",
        "its deletion waits since two minutes",
        "a bucket is to be emptied",
        "a bucket is being emptied",
        "something else is waited for",
        "something ends",
        "something ends, and the look took a while",
        "something ended meanwhile",
        "something ended just now",
        "something ended before",
        "something ends later",
        "a part waits, something ends before",
    ],
)
def test_how_soon_an_object_is_looked_at_again(said: Callable[[], Next], seconds: float) -> None:
    assert said().after == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("said", "backoff", "brief", "failures"),
    [
        (look, False, False, ()),
        (lambda: look(WAITS), False, False, ()),
        (lambda: look(WRONG), False, False, (WRONG.reason,)),
        (lambda: look(AWAY), True, True, (AWAY.reason,)),
        (lambda: look(AWAY, WAITS), True, True, (AWAY.reason,)),
        (lambda: look(fails=AWAY), True, True, (AWAY.reason,)),
        (lambda: look(SILENT), True, False, (SILENT.reason,)),
        (lambda: look(AWAY, SILENT), True, False, (AWAY.reason, SILENT.reason)),
        (lambda: look(AWAY, done=(ProbeStore("b"),)), True, False, (AWAY.reason,)),
        (lambda: look(AWAY, done=(Record(()),)), True, True, (AWAY.reason,)),
        (lambda: look(SILENT, minor=True), False, False, (SILENT.reason,)),
    ],
    ids=[
        "nothing fails",
        "something is waited for",
        "something must be corrected",
        "the API server is away",
        "it is away, and something is waited for",
        "it is away at once",
        "the store is away",
        "both are away",
        "it is away, and a store was probed",
        "it is away, and something was recorded",
        "what does not count fails",
    ],
)
def test_the_return_of_the_api_server_alone_is_looked_for_often(
    said: Callable[[], Next], backoff: bool, brief: bool, failures: tuple[str, ...]
) -> None:
    found = said()
    assert (found.backoff, found.brief, found.failures) == (backoff, brief, failures)


def test_what_went_while_it_was_looked_at_is_not_looked_at_again() -> None:
    mesh = put(Mesh(), seen(a_product()))
    doing: Any = Doing()
    visit = Visit.of(ORDERS, mesh.product(), mesh.ports)
    flow: Flow[None] = Flow(lambda: mesh.cluster.user_delete(ORDERS), lambda _: Plan(), lambda _: doing, lambda *_: Outcome(READY))
    assert run(visit, flow, interval=LONG) == Next()
    assert mesh.cluster.writes == []
