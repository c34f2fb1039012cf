"""The life of a release on a real node, with two replicas: the chart before this one, an upgrade, `helm test`, a rollback, an uninstall.

The image is that of this checkout throughout; tests/e2e/test_upgrade.py changes the code as well.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hack.tools.children import ToolError
from hack.tools.node import Node
from hack.tools.s3_moto import Moto
from hack.tools.store import Store
from tests.e2e.actors import SERVICE_ACCOUNT
from tests.e2e.test_pod import need_node
from tests.support.installation import CHART, NAMESPACE, RELEASE, ROOT
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.pods import PodInstallation, pod_cluster
from tests.support.rest import Api

pytestmark = pytest.mark.real
PREVIOUS = "de7a277"
"""The last commit before the chart had more than one replica by default."""
PRODUCTS = 20
GAP = 2.0
"""Seconds for which no replica may watch a kind."""
KINDS = ("objectstores", "domains", "dataproducts", "accessrequests", "accessgrants")
MANY = {"replicas": "2"}
WAIT = ("--wait", "--timeout", "180s")


class Release(PodInstallation):
    """An installation whose chart changes."""

    chart = CHART

    def install(self) -> None:
        values = [part for name, value in sorted(self._values.items()) for part in ("--set", f"{name}={value}")]
        self.cluster.helm("install", RELEASE, str(self.chart), "--namespace", NAMESPACE, *WAIT, *values)

    def upgrade(self, *values: str) -> None:
        """To this checkout's chart, as docs/operations/upgrade.md says, with some values more."""
        sets = [part for value in values for part in ("--set", value)]
        self.cluster.helm("upgrade", RELEASE, str(CHART), "--namespace", NAMESPACE, "--reset-then-reuse-values", *WAIT, *sets)

    def pods(self) -> list[dict[str, Any]]:
        found = self.cluster.kubectl("get", "pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=clouddatamesh", "-o", "json")
        return list(json.loads(found)["items"])


class LeaseWatcher:
    """Looks at the Lease four times a second: `longest` is for how many seconds it was not renewed, or nobody's."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api, self._ending = Api(kubeconfig), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.longest, self.holders = 0.0, [""]

    def __enter__(self) -> "LeaseWatcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _work(self) -> None:
        renewed, since = "", time.monotonic()
        while not self._ending.wait(0.25):
            spec = self._api.get(f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/clouddatamesh")["spec"]
            holder = spec.get("holderIdentity") or ""
            if holder and spec["renewTime"] != renewed:
                renewed, since = spec["renewTime"], time.monotonic()
            if holder not in ("", self.holders[-1]):
                self.holders.append(holder)
            self.longest = max(self.longest, time.monotonic() - since)


@dataclass(frozen=True)
class Change:
    """What a change of the release did: writes of the operator, the longest time without a renewal and without a watch of each kind."""

    pods: tuple[set[str], set[str]]
    writes: tuple[str, ...]
    unwatched: dict[str, float]
    unrenewed: float
    holders: int


@dataclass(frozen=True)
class Life:
    """The release, its store, and what was seen of it under the previous chart."""

    release: Release
    store: Store
    seen: dict[str, Any]
    changes: dict[str, Change] = field(default_factory=dict)

    def see(self) -> dict[str, Any]:
        """Secrets with their data, and since when everything is Ready."""
        cluster = self.release.cluster
        secrets = json.loads(cluster.kubectl("get", "secrets", "-n", "sales", "-o", "json"))["items"]
        objects = json.loads(cluster.kubectl("get", "datamesh", "-A", "-o", "json"))["items"]
        ready = {
            f"{found['kind']}/{found['metadata']['name']}": f"{one['status']} since {one['lastTransitionTime']}"
            for found in objects
            for one in found["status"].get("conditions", ())
            if one["type"] == "Ready"
        }
        return {"secrets": {found["metadata"]["name"]: found["data"] for found in secrets}, "ready": ready}


def change(release: Release, act: Any) -> Change:
    """Do something to the release and see what the operator did until five seconds after."""
    audit, before = release.cluster.audit, names(release)
    mark, began = audit.mark(), datetime.now().astimezone()
    with LeaseWatcher(release.cluster.kubeconfig) as lease:
        act()
        time.sleep(5)
    writes = (found for found in audit.read(since=mark, user=SERVICE_ACCOUNT) if found.writes and found.group != "events.k8s.io")
    return Change(
        (before, names(release)),
        tuple(f"{found.verb} {found.resource}/{found.subresource} {found.name}" for found in writes if found.resource != "leases"),
        {kind: unwatched(audit.path, kind, began) for kind in KINDS},
        lease.longest,
        len(lease.holders) - 1,
    )


def names(release: Release) -> set[str]:
    return {pod["metadata"]["name"] for pod in release.pods() if "deletionTimestamp" not in pod["metadata"]}


def unwatched(log: Path, kind: str, began: datetime) -> float:
    """The longest time since then for which no watch of the operator on a kind was open, by the API server's own log."""
    watches: dict[str, tuple[datetime, datetime | None]] = {}
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        if entry["verb"] == "watch" and entry["objectRef"].get("resource") == kind and entry["user"]["username"] == SERVICE_ACCOUNT:
            ended = datetime.fromisoformat(entry["stageTimestamp"]) if entry["stage"] == "ResponseComplete" else None
            watches[entry["auditID"]] = (datetime.fromisoformat(entry["requestReceivedTimestamp"]), ended)
    now = datetime.now().astimezone()
    covered, longest = began, timedelta()
    for start, end in sorted((start, end or now) for start, end in watches.values() if (end or now) > began):
        longest = max(longest, start - covered)
        covered = max(covered, end)
    return max(longest, now - covered).total_seconds()


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    need_node()
    with pod_cluster() as found:
        yield found


@pytest.fixture(scope="module")
def life(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Two replicas of the previous chart; upgraded to this one, and rolled back."""
    previous = tmp_path_factory.mktemp("previous")
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", PREVIOUS, "charts"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(previous)], input=archive.stdout, check=True)
    with Moto(host=node.address) as store:
        release = Release(node, mesh="rolled", values=MANY)
        release.chart = previous / "charts" / "clouddatamesh"
        with release:
            _build(release, store)
            life = Life(release, store, {})
            life.seen.update(life.see())
            life.changes["upgraded"] = change(release, release.upgrade)
            yield life


def _build(release: Release, store: Store) -> None:
    release.give_credentials(store)
    release.apply(a_store(endpointUrl=store.endpoint, region=store.region), a_domain())
    release.wait("domain", "sales", seconds=60)
    release.apply(*(a_product(f"product-{number:02}") for number in range(PRODUCTS)))
    release.cluster.kubectl("wait", "dataproduct", "--all", "-n", "sales", "--for=condition=Ready", "--timeout=120s")


def assert_quiet(life: Life, change: Change) -> None:
    """New Pods, one leader after the other, and nothing written, issued or flapped."""
    assert len(change.pods[0]) == len(change.pods[1]) == 2
    assert not change.pods[0] & change.pods[1]
    assert change.writes == ()
    assert {kind: gap for kind, gap in change.unwatched.items() if gap > GAP} == {}
    assert life.see() == life.seen


def test_an_upgrade_replaces_every_pod_and_touches_nothing(life: Life) -> None:
    assert_quiet(life, life.changes["upgraded"])


def test_the_lease_is_handed_over(life: Life) -> None:
    """A leader that ends gives it back; nobody waits for its 15 s to pass."""
    upgraded = life.changes["upgraded"]
    assert upgraded.holders >= 2
    assert upgraded.unrenewed < 12


def test_helm_test_agrees(life: Life) -> None:
    life.release.cluster.helm("test", RELEASE, "--namespace", NAMESPACE, "--timeout", "60s")


def test_helm_test_names_what_is_missing(life: Life) -> None:
    cluster = life.release.cluster
    kept = cluster.kubectl("get", "rolebinding", "clouddatamesh-operator", "-n", NAMESPACE, "-o", "yaml")
    cluster.kubectl("delete", "rolebinding", "clouddatamesh-operator", "-n", NAMESPACE)
    with pytest.raises(ToolError):
        cluster.helm("test", RELEASE, "--namespace", NAMESPACE, "--timeout", "60s")
    cluster.kubectl("apply", "-f", "-", stdin=kept)
    assert "The operator may not get secrets in namespace clouddatamesh-system; install the chart's RBAC" in life.release.log()


def test_a_rollback_touches_nothing_either(life: Life) -> None:
    cluster = life.release.cluster
    back = ("rollback", RELEASE, "1", "--namespace", NAMESPACE, *WAIT)
    life.changes["rolled back"] = change(life.release, lambda: cluster.helm(*back))
    assert_quiet(life, life.changes["rolled back"])


def test_an_uninstall_that_would_lose_objects_is_refused_by_name(life: Life) -> None:
    """`crds.keep=false` deletes the CRDs, and every object with them."""
    life.release.upgrade("crds.keep=false", "uninstall.waitSeconds=120")
    with pytest.raises(ToolError):
        life.release.cluster.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--timeout", "90s")
    assert f"{PRODUCTS + 2} objects of the mesh are left: DataProduct sales/product-00" in life.release.log()
    assert life.see() == life.seen
    assert len(names(life.release)) == 2


def test_an_uninstall_waits_for_objects_that_are_being_deleted(life: Life) -> None:
    """Buckets stay, as the products' deletionPolicy says; users, keys and Secrets are gone, but for the mark of the mesh in the store."""
    cluster = life.release.cluster
    cluster.kubectl("delete", "dataproducts", "--all", "-n", "sales", "--wait=false")
    cluster.kubectl("delete", "domains,objectstores", "--all", "--wait=false")
    cluster.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "150s")
    assert "clouddatamesh.dev" not in cluster.kubectl("get", "crds", "-o", "name")
    assert cluster.kubectl("get", "secrets", "-n", "sales", "-o", "name") == ""
    assert len(life.store.client("s3").list_buckets()["Buckets"]) >= PRODUCTS
    users = life.store.client("iam").list_users(PathPrefix="/clouddatamesh/rolled/")["Users"]
    assert [user["UserName"].partition("-")[0] for user in users] == ["mesh.marker"]
