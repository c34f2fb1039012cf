"""Leading: by the clock alone no two replicas lead at a time, whatever the API server does meanwhile."""

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.shell.clients import LEASE_TIMEOUT
from clouddatamesh.shell.leader import DEADLINE, ROUND, STANDBY, Leader
from clouddatamesh.shell.lease import DURATION, KubeLease
from tests.shell.hand import Hand
from tests.shell.leases import MemoryApi


class Replica:
    """A Leader over a lease, and what it was told."""

    def __init__(self, api: MemoryApi, name: str, clock: Hand) -> None:
        self.turns: list[str] = []
        lease = KubeLease(api, namespace="mesh-system", identity=name, now=clock)
        self.leader = Leader(lease, gained=lambda: self.turns.append("gained"), lost=lambda: self.turns.append("lost"), now=clock)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def api() -> MemoryApi:
    return MemoryApi()


@pytest.fixture
def one(api: MemoryApi, clock: Hand) -> Replica:
    return Replica(api, "one", clock)


@pytest.fixture
def two(api: MemoryApi, clock: Hand) -> Replica:
    return Replica(api, "two", clock)


def test_the_first_one_leads_and_keeps_leading(one: Replica, two: Replica, clock: Hand) -> None:
    for _ in range(20):
        one.leader.run_once()
        two.leader.run_once()
        clock.time += 2
    assert (one.leader.leads(), two.leader.leads()) == (True, False)
    assert (one.turns, two.turns) == (["gained"], [])


def test_a_leader_that_cannot_renew_ends_before_another_begins(one: Replica, two: Replica, api: MemoryApi, clock: Hand) -> None:
    one.leader.run_once()
    api.down = {"one"}
    both = []
    for _ in range(40):
        one.leader.run_once()
        two.leader.run_once()
        both.append((one.leader.leads(), two.leader.leads()))
        clock.time += 0.5
    assert (True, True) not in both
    assert both.index((False, False)) == DEADLINE / 0.5
    assert both.index((False, True)) == DURATION / 0.5
    assert (one.turns, two.turns) == (["gained", "lost"], ["gained"])


def test_a_leader_that_slept_writes_nothing_when_it_wakes(one: Replica, two: Replica, clock: Hand) -> None:
    one.leader.run_once()
    two.leader.run_once()
    clock.time += DURATION
    assert not one.leader.leads()
    two.leader.run_once()
    one.leader.run_once()
    assert (one.leader.leads(), two.leader.leads()) == (False, True)
    assert one.turns == ["gained", "lost"]


def test_a_leader_that_ends_hands_over_at_once(one: Replica, two: Replica) -> None:
    one.leader.run_once()
    two.leader.run_once()
    one.leader.stop()
    two.leader.run_once()
    assert (one.leader.leads(), two.leader.leads()) == (False, True)


def test_a_standby_looks_often_but_not_where_nobody_answers(one: Replica, two: Replica, api: MemoryApi, clock: Hand) -> None:
    """A Lease that was given back is taken within half a second; an API server that is down is not asked more often for that."""
    assert (one.leader.run_once(), two.leader.run_once()) == (ROUND, STANDBY)
    api.lease, api.down = None, {"two"}
    clock.time += DURATION
    assert two.leader.run_once() == ROUND


def test_a_renewal_that_takes_long_counts_from_its_beginning(clock: Hand) -> None:
    class Slow:
        def hold(self) -> bool:
            clock.time += DEADLINE
            return True

        def release(self) -> None:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")

    leader = Leader(Slow(), gained=lambda: None, lost=lambda: None, now=clock)
    leader.run_once()
    assert not leader.leads()
    leader.stop()


def test_a_renewal_that_gets_no_answer_leaves_time_for_a_second_one(one: Replica, api: MemoryApi, clock: Hand) -> None:
    """Whether it waits for a connection and then for the answer, or for two answers on a connection that is open."""
    connect, read = LEASE_TIMEOUT
    for waited in (connect + read, 2 * read):
        clock.time += one.leader.run_once()
        api.down = {"one"}
        again = one.leader.run_once()
        api.down = set()
        clock.time += waited + again
        assert one.leader.leads()
        one.leader.run_once()
        assert one.leader.leads()
    assert 2 * (ROUND + read) < DEADLINE
    assert one.turns == ["gained"]
