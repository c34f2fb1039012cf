"""Workers: an error is one key's own, a result says when a key is due again, and all end when told."""

import logging
import threading

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Away, Transient
from clouddatamesh.metrics.exporter import Exporter
from clouddatamesh.metrics.instruments import WorkMeter
from clouddatamesh.model.objects import Key
from clouddatamesh.model.settings import Next
from clouddatamesh.shell.queue import BRIEF, LONGEST, Queue
from clouddatamesh.shell.workers import Workers
from tests.shell.hand import Hand

GOOD, BAD = Key("Domain", "", "good"), Key("Domain", "", "bad")


def taken(queue: Queue, key: Key) -> Key:
    queue.add(key)
    found = queue.get(wait=0.0)
    assert found == key
    return found


@pytest.mark.parametrize(
    ("due", "soon"),
    [(Next(), False), (Next(after=0.0), True), (Next(after=60.0), False)],
    ids=["nothing", "at once", "later"],
)
def test_a_result_says_when_the_key_is_due_again(due: Next, soon: bool) -> None:
    queue = Queue()
    Workers(queue, lambda _: due, threads=1).run(taken(queue, GOOD))
    assert (queue.get(wait=0.0) == GOOD) is soon


def test_a_key_that_waits_for_the_api_server_alone_is_tried_again_soon_after_its_return() -> None:
    """Also after an hour without it; what a store or a manifest is to blame for backs off as long as before."""
    for brief, most in ((True, BRIEF), (False, LONGEST)):
        clock = Hand()
        queue = Queue(now=clock)
        due = Next(backoff=True, failures=(reasons.CLUSTER_UNAVAILABLE,), brief=brief)
        workers = Workers(queue, lambda _, due=due: due, threads=1)  # type: ignore[misc]
        for _ in range(15):
            workers.run(taken(queue, BAD))
        clock.time += most
        assert queue.get(wait=0.0) == BAD
        workers.run(BAD)
        clock.time += most * 0.7
        assert queue.get(wait=0.0) is None


@pytest.mark.parametrize(("kind", "most"), [(Away, BRIEF), (Transient, LONGEST)])
def test_what_could_not_even_be_told_is_tried_soon_where_the_api_server_is_away(kind: type[Transient], most: float) -> None:
    clock = Hand()
    queue = Queue(now=clock)

    def fail(_: Key) -> Next:
        raise kind(reasons.CLUSTER_UNAVAILABLE, "The status could not be written")

    workers = Workers(queue, fail, threads=1)
    for _ in range(15):
        workers.run(taken(queue, BAD))
    clock.time += BRIEF
    assert (queue.get(wait=0.0) == BAD) is (most == BRIEF)


def test_whatever_is_raised_is_logged_and_backs_off(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()

    def fail(_: Key) -> Next:
        raise ValueError("a fault")

    exporter = Exporter()
    workers = Workers(queue, fail, threads=1, meter=WorkMeter(exporter))
    with caplog.at_level(logging.ERROR):
        workers.run(taken(queue, BAD))
    assert "Reconciling Domain bad failed" in caplog.text
    assert 'controller_runtime_reconcile_total{controller="domain",result="error"} 1.0' in exporter.render().decode()
    assert 'controller_runtime_reconcile_panics_total{controller="domain"} 1.0' in exporter.render().decode()
    assert queue.get(wait=0.0) is None


def test_an_error_of_the_world_is_logged_in_one_line_and_backs_off(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()

    def fail(_: Key) -> Next:
        raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")

    Workers(queue, fail, threads=1).run(taken(queue, BAD))
    (record,) = caplog.records
    assert record.getMessage() == "Reconciling Domain bad could not be concluded: The API server did not answer"
    assert record.exc_info is None
    assert queue.get(wait=0.0) is None


def test_a_poisoned_key_delays_no_other() -> None:
    queue, done, poisoned = Queue(), threading.Event(), threading.Event()

    def reconcile(key: Key) -> Next:
        if key == BAD:
            poisoned.wait(10)
            raise ValueError
        done.set()
        return Next()

    workers = Workers(queue, reconcile, threads=2)
    workers.start()
    queue.add(BAD)
    queue.add(GOOD)
    assert done.wait(10)
    poisoned.set()
    assert workers.are_alive()
    assert workers.stop(seconds=10)
    assert not workers.are_alive()
