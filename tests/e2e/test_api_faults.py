"""The API server fails the operator alone: it refuses, throttles, hangs, is gone for a minute, and its watches break. On RGW.

Each time something is asked for meanwhile, which is done within 15 s of its return, by the same process.
"""

import contextlib
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.support.api_door import ApiDoor, Asked
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store

BACK = 15.0
"""Seconds after the API server's return in which everything that was asked for meanwhile is done."""
READY = 100.0
"""Seconds in which every watch is open again, and has shown so: after three ends in a row by lasting for a minute, and the run that lasts
begins up to 10 s after the last end, which kopf takes a moment for."""
SILENT = 90.0
"""Seconds in which a watch that hangs is noticed and opened again."""
LONG = 12.0
"""Seconds: longer than a leader may be without a renewal."""
RETRY = 4
NUDGE = "clouddatamesh.dev/reconcile-requested-at"


@dataclass(frozen=True)
class Faulty(Actors):
    """A mesh whose operator reaches the API server through a door."""

    door: ApiDoor
    made: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        (pod,) = self.installed.kubelet.pods()
        return f"http://127.0.0.1:{pod.ports['health']}"

    def ask(self, path: str) -> tuple[int, str]:
        """Code and body of one of the operator's own pages."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 - always http
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def handled(self) -> str:
        """What the operator answers to nudges of the Domain."""
        return str(self.installed.get("domain", "sales")["status"].get("lastHandledReconcileAt"))

    def want(self, name: str) -> None:
        """Ask for something new, and for the end of what was asked for the last time."""
        self.installed.apply(a_product(name, storage={"deletionPolicy": "Delete"}))
        for former in self.made:
            self.installed.cluster.kubectl("delete", "dataproduct", former, "-n", "sales", "--wait=false", "--ignore-not-found")
        self.made.append(name)

    def converges(self, *, seconds: float = BACK) -> None:
        """The last product that was asked for is there alone and Ready; it is the same process, and it is alive."""
        began = time.monotonic()
        self.installed.until(self._is_done, seconds=seconds, what=f"{self.made[-1]} after the return")
        took = time.monotonic() - began
        print(f"{self.made[-1]}: {took:.1f} s")  # noqa: T201
        (pod,) = self.installed.kubelet.pods()
        assert pod.restarts == 0
        assert self.ask("/healthz") == (200, "ok\n")
        self.installed.until(lambda: self.ask("/readyz")[0] == 200, seconds=READY, what="a ready operator")

    def _is_done(self) -> bool:
        found = {one["metadata"]["name"]: one for one in self.installed.all("dataproduct", "sales")}
        return set(found) == {"orders", self.made[-1]} and self.condition(self.made[-1]).get("status") == "True"


@pytest.fixture(scope="module")
def mesh(rgw: Store) -> Iterator[Faulty]:
    with ControlPlane() as cluster, ApiDoor(cluster) as door, Installation(cluster, mesh="shut", server=door.server) as installed:
        faulty = Faulty(installed, rgw, door)
        installed.give_credentials(rgw)
        installed.apply(a_store(endpointUrl=rgw.endpoint, region=rgw.region, bucketPrefix="shut"), a_domain("sales"))
        installed.wait("domain", "sales", seconds=60)
        faulty.make("orders")
        yield faulty


def of_others(asked: Asked) -> bool:
    """Whether a request is not what opens the watch of Domains again."""
    return asked.method != "GET" or not asked.path.partition("?")[0].endswith("/domains")


class Watcher:
    """Sees every half second what the operator says of itself, while the watch of Domains brings nothing."""

    def __init__(self, mesh: Faulty) -> None:
        self._mesh = mesh
        self.told: list[str] = []
        self.oldest = 0.0
        self.healed = 0.0
        mesh.door.silence("domains")
        self._began = time.monotonic()
        mesh.installed.cluster.kubectl("annotate", "domain", "sales", f"{NUDGE}=unseen")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        # What the operator itself wrote at the Domain is what it misses in the watch, long before that is given up.
        mesh.want("unannounced")
        mesh.installed.until(lambda: mesh.installed.get("domain", "sales")["status"]["dataProducts"] == 2, what="the count of products")

    def join(self) -> None:
        self._thread.join(max(self._began + SILENT - time.monotonic(), 0.0))

    def stop(self) -> None:
        """Whether or not it has healed: the operator ends now."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self.healed and time.monotonic() - self._began < SILENT and not self._stopped.wait(0.5):
            with contextlib.suppress(OSError, http.client.HTTPException):  # an operator that is too busy for an answer is asked again
                self._look()

    def _look(self) -> None:
        self.told += [line for line in self._mesh.ask("/readyz")[1].splitlines() if "watch of Domain " in line]
        ages = [line for line in self._mesh.ask("/metrics")[1].splitlines() if 'watch_age_seconds{kind="Domain"}' in line]
        self.oldest = max([self.oldest, *(float(line.split()[-1]) for line in ages)])
        if self._mesh.door.has_watch("domains"):
            self.healed = time.monotonic() - self._began


@pytest.fixture(scope="module")
def silenced(mesh: Faulty) -> Iterator[Watcher]:
    """Begins with the first test, as it takes the longest; the faults in between are of other requests."""
    watcher = Watcher(mesh)
    yield watcher
    watcher.stop()


@pytest.mark.usefixtures("silenced")
def test_refusing_everything(mesh: Faulty) -> None:
    """Long enough for the Lease to be lost, and taken again."""
    with mesh.door.fault(of_others, status=503):
        mesh.want("after-503")
        time.sleep(LONG)
    mesh.converges()


@pytest.mark.usefixtures("silenced")
def test_throttling_everything(mesh: Faulty) -> None:
    """Neither list nor write nor watch comes earlier than it was told to."""
    with mesh.door.fault(of_others, status=429, retry_after=str(RETRY)):
        mesh.want("after-429")
        mesh.door.cut(but="domains")
        time.sleep(LONG)
    mesh.converges()
    told = [asked for asked in mesh.door.asked if asked.retry_after]
    assert {asked.is_watch for asked in told} == {True, False}
    assert {asked.is_lease for asked in told} == {True, False}
    assert mesh.door.undercuts() == []


@pytest.mark.usefixtures("silenced")
def test_throttling_writes_alone(mesh: Faulty) -> None:
    """The Lease is kept, and an hour's worth of failures would not delay what is done afterwards."""

    def writes(asked: Asked) -> bool:
        return asked.method != "GET" and not asked.is_lease

    with mesh.door.fault(writes, status=503, retry_after=str(RETRY)):
        mesh.want("after-writes")
        time.sleep(LONG)
    mesh.converges()
    assert mesh.door.undercuts() == []


@pytest.mark.usefixtures("silenced")
def test_hanging(mesh: Faulty) -> None:
    with mesh.door.fault(of_others):
        mesh.want("after-hanging")
        time.sleep(LONG)
    mesh.converges()


def test_a_silent_watch_is_told_by_readiness_and_metric_and_heals(mesh: Faulty, silenced: Watcher) -> None:
    silenced.join()
    print(f"healed after {silenced.healed:.0f} s, told: {sorted(set(silenced.told))[:1]}")  # noqa: T201
    assert 0 < silenced.healed < SILENT
    assert silenced.told
    assert silenced.oldest > 45
    mesh.installed.cluster.kubectl("annotate", "--overwrite", "domain", "sales", f"{NUDGE}=seen")
    mesh.installed.until(lambda: mesh.handled() == "seen", seconds=BACK, what="an event, long before the next list")
    mesh.installed.until(lambda: mesh.ask("/readyz") == (200, "ok\n"), seconds=READY, what="a ready operator")


def test_gone_for_a_minute(mesh: Faulty) -> None:
    with mesh.door.gone():
        mesh.want("after-a-minute")
        time.sleep(60)
    mesh.converges()


def test_watches_are_cut(mesh: Faulty) -> None:
    mesh.door.cut()
    mesh.want("after-a-cut")
    mesh.converges()


@pytest.mark.parametrize("code", [410, 500])
def test_watches_end_with_an_error(mesh: Faulty, code: int) -> None:
    """In the streams that are open, and as the answer to those that are opened for some seconds after."""
    with mesh.door.fault(lambda asked: asked.is_watch, status=code):
        mesh.door.end_with(code)
        mesh.want(f"after-{code}")
        time.sleep(5)
    mesh.converges()


def test_nothing_was_issued_twice_or_left(mesh: Faulty) -> None:
    """Whatever failed in the middle: two users with a key each, and two buckets besides the store's own."""
    users = mesh.store.users("/clouddatamesh/shut/")
    producers = [product["status"]["producer"]["principal"] for product in mesh.installed.all("dataproduct", "sales")]
    assert [user for user in users if not user.startswith("mesh.marker")] == sorted(producers)
    assert [len(mesh.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) for user in producers] == [1, 1]
    buckets = {product["status"]["storage"]["bucket"] for product in mesh.installed.all("dataproduct", "sales")}
    there = {bucket["Name"] for bucket in mesh.s3.list_buckets()["Buckets"] if bucket["Name"].startswith("shut-")}
    assert buckets <= there
    assert not [name for name in there - buckets if "after" in name]
