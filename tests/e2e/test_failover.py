"""Two replicas with 1,000 products under churn: one leads, and whatever becomes of it, the other one writes soon. On RGW.

The mass of the products is proposed: every replica knows and lists them all, and they ask nothing of the store. Some products with
storage are made and deleted all the time, so that the leader always has calls of the store and writes of the cluster under way.
"""

import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.support.failover import Failover
from tests.support.fault_proxy import FaultProxy
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_store
from tests.support.pod import Pod

PRODUCTS = 1000
ENDED, DIED, STOOD = 3.0, 17.0, 30.0
"""Seconds until the next write of the other replica after SIGTERM and SIGKILL; and for which a leader stands still."""
ATTEMPTS = 3
"""Other work on the machine can only make a hand-over slower, never faster: one of so many has to keep the bound."""
THREADS = 20
"""Workers of a replica: what a deposed leader can still send is one request of each."""


@dataclass(frozen=True)
class Pair:
    """Two replicas, and what they ask of the store."""

    failover: Failover
    proxy: FaultProxy
    store: Store

    def hands_over(self, number: signal.Signals, *, within: float) -> bool:
        """Whether one of the attempts took no more seconds than that, besides what a busy machine adds."""
        for _ in range(ATTEMPTS):
            seconds = self.failover.hand_over(number)
            print(f"{number.name}: {seconds:.1f} s, of which the machine may add {self.failover.delay:.1f} s")  # noqa: T201
            if seconds <= within + self.failover.delay:
                return True
        return False

    def metric(self, pod: Pod, name: str) -> float:
        """The sum of its series."""
        with urllib.request.urlopen(f"http://127.0.0.1:{pod.ports['health']}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


@pytest.fixture(scope="module")
def pair(rgw: Store) -> Iterator[Pair]:
    with ControlPlane() as cluster, FaultProxy(rgw.endpoint) as proxy, Installation(cluster, mesh="pair") as installed:
        installed.give_credentials(rgw)
        store = a_store(endpointUrl=proxy.endpoint, region=rgw.region, bucketPrefix="pair")
        installed.apply(store, a_domain("sales", resources={"maxDataProducts": PRODUCTS * 2}))
        installed.wait("domain", "sales", seconds=60)
        failover = Failover(installed, PRODUCTS)
        failover.prepare()
        yield Pair(failover, proxy, rgw)


def test_every_replica_knows_everything_and_one_leads(pair: Pair) -> None:
    """The standby is as ready as the leader: its caches are full, and its watches watch."""
    leads = [pair.metric(pod, "leader_election_master_status") for pod in pair.failover.pods()]
    assert sorted(leads) == [0.0, 1.0]
    pair.failover.mesh.until(lambda: [pod.is_ready for pod in pair.failover.pods()] == [True, True], what="two replicas that are ready")


def test_a_leader_that_is_told_to_end_hands_over(pair: Pair) -> None:
    assert pair.hands_over(signal.SIGTERM, within=ENDED)
    counted = lambda: pair.metric(pair.failover.leader(), "clouddatamesh_products") >= PRODUCTS  # noqa: E731
    pair.failover.mesh.until(counted, what="the new leader's count of products")


def test_a_leader_that_dies_is_replaced_when_its_lease_is_over(pair: Pair) -> None:
    assert pair.hands_over(signal.SIGKILL, within=DIED)


def test_a_leader_that_stood_still_does_no_harm(pair: Pair) -> None:
    """What it still sends was on its way: at most a request of each worker, none that destroys, none that is written again afterwards."""
    frozen = pair.failover.freeze(seconds=STOOD)
    assert frozen.seconds <= DIED + pair.failover.delay
    asked = len(pair.proxy.asked)
    late, others = pair.failover.thaw(frozen)
    stored = [one for one in pair.proxy.asked[asked:] if one.writes and frozen.former.name in dict(one.headers).get("User-Agent", "")]
    print(f"SIGSTOP: {frozen.seconds:.1f} s; late writes: {len(late)} of the cluster, {len(stored)} of the store")  # noqa: T201
    assert len(late) + len(stored) <= THREADS
    assert [one for one in late if one.verb == "delete"] == []
    assert [one for one in stored if one.action.startswith(("Delete", "Detach", "Remove"))] == []
    touched = {(one.resource, one.namespace, one.name) for one in late}
    assert [one for one in others if (one.resource, one.namespace, one.name) in touched] == []
    assert pair.metric(frozen.former, "leader_election_master_status") == 0.0
    assert pair.metric(frozen.former, "clouddatamesh_late_writes_total") >= len(late) + len(stored)


def test_after_all_of_it_each_product_has_one_user_with_one_key(pair: Pair) -> None:
    failover, iam = pair.failover, pair.store.client("iam")
    failover.mesh.until(lambda: failover.not_ready() == 0, seconds=60, what="everything")
    real = [one for one in failover.mesh.all("dataproduct", "sales") if one["spec"]["lifecycle"] != "proposed"]
    wanted = sorted(one["status"]["producer"]["principal"] for one in real)
    assert [user for user in pair.store.users("/clouddatamesh/pair/") if not user.startswith("mesh.marker")] == wanted
    assert [len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) for user in wanted] == [1] * len(wanted)
    assert sum(pod.restarts for pod in failover.pods()) == failover.hand_overs
