"""The image in a real Pod: kubelet, containerd, a user without an entry in /etc/passwd, a read-only root, `restricted` enforced.

At the end what Helm does with it: a rollout, `helm test`, and docs/operations/uninstall.md from a refused uninstall to an empty cluster.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hack.tools.children import ToolError
from hack.tools.node import BRIDGE, Node
from hack.tools.s3_moto import Moto
from hack.tools.store import Store
from tests.e2e.actors import SERVICE_ACCOUNT
from tests.e2e.doctors import doctor
from tests.e2e.kept import DATA, Kept
from tests.e2e.rollouts import HELM, leads, pods_of, replace_pods, upgrade
from tests.support.installation import NAMESPACE, RELEASE, ROOT
from tests.support.pages import Reader
from tests.support.pods import PROGRAM, PodInstallation, find_obstacles, has_node, pod_cluster, read

pytestmark = pytest.mark.real
RETAIL = ROOT / "examples" / "retail"
DAY = 86_400.0
WITHIN = 90.0
"""Seconds in which a watcher that does not watch must show."""
UNHELD = 3.0
"""Seconds from one holder of the Lease to the next: docs/operations/fail-over.md promises them where a Pod is asked to end."""


def need_node(config: pytest.Config) -> None:
    """Where no node can be had the tests are skipped, but never under CI=true."""
    if not has_node(config):
        pytest.skip(find_obstacles(config))


@pytest.fixture(scope="module")
def node(pytestconfig: pytest.Config) -> Iterator[Node]:
    """A control plane with a node."""
    need_node(pytestconfig)
    with pod_cluster() as found:
        yield found


@pytest.fixture(scope="module")
def store(node: Node) -> Iterator[Store]:
    """moto, where Pods reach it."""
    with Moto(host=node.address) as found:
        yield found


@pytest.fixture(scope="module")
def mesh(node: Node) -> Iterator[PodInstallation]:
    """The chart, installed with --wait."""
    with PodInstallation(node, mesh="retail") as found:
        yield found


def ask(mesh: PodInstallation, path: str) -> tuple[int, str]:
    """Code and body of one of the Pod's own pages."""
    try:
        with urllib.request.urlopen(mesh.url(path), timeout=5) as answer:  # noqa: S310 - always http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metric(mesh: PodInstallation, name: str) -> float:
    """The largest of its series."""
    lines = ask(mesh, "/metrics")[1].splitlines()
    return max(float(line.split()[-1]) for line in lines if line.startswith((f"clouddatamesh_{name} ", f"clouddatamesh_{name}{{")))


def assert_watched(mesh: PodInstallation, *, token: str, seconds: float = 30) -> None:
    """Only a watch shows a change of a Domain so soon: lists come every 10 minutes."""
    mesh.cluster.kubectl("annotate", "--overwrite", "domain", "sales", f"clouddatamesh.dev/reconcile-requested-at={token}")
    mesh.until(lambda: mesh.get("domain", "sales")["status"].get("lastHandledReconcileAt") == token, seconds=seconds, what="a watch event")


def test_nothing_outlives_a_node_whose_maker_is_killed(pytestconfig: pytest.Config) -> None:
    """First, since there is one node at a time on a machine."""
    need_node(pytestconfig)
    command = [sys.executable, str(ROOT / "hack/tools/up.py"), "node"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout
        next(line for line in maker.stdout if "KUBECONFIG=" in line)
        (container,) = (path for path in Path("/proc").glob("[0-9]*") if read(path / "cmdline").startswith("containerd\0--config\0"))
        place = Path(read(container / "cmdline").split("\0")[2]).parent
        assert inside(place)
        maker.kill()
    end = time.monotonic() + 30
    while inside(place) or place.exists() or Path(f"/sys/class/net/{BRIDGE}").exists():
        assert time.monotonic() < end, (inside(place), place.exists())
        time.sleep(0.1)


def inside(place: Path) -> list[str]:
    """Programs of the node in that folder."""
    words = (read(path / "cmdline").split("\0") for path in Path("/proc").glob("[0-9]*"))
    return [found[0] for found in words if any(str(place) in word for word in found) and found[0] != "sh"]


def test_the_pod_runs_restricted_as_a_user_that_nobody_knows(mesh: PodInstallation) -> None:
    process = mesh.process()
    status = dict(line.split(":\t", 1) for line in read(process / "status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["65532"] * 4
    assert (status["CapEff"], status["NoNewPrivs"]) == ("0" * 16, "1")
    users = read(process / "root" / "etc" / "passwd").splitlines()
    assert users
    assert not [line for line in users if line.split(":")[2] == "65532"]
    root = next(line.split() for line in read(process / "mountinfo").splitlines() if line.split()[4] == "/")
    assert "ro" in root[5].split(",")
    names = {entry.split("=")[0] for entry in read(process / "environ").split("\0")}
    assert not names & {"USER", "LOGNAME", "POD_ID", "USERNAME"}


def test_the_namespace_takes_no_pod_that_is_less_restricted(mesh: PodInstallation) -> None:
    spec = {"containers": [{"name": "a", "image": "localhost/pause:1"}], "hostNetwork": True}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bold", "namespace": NAMESPACE}, "spec": spec}
    with pytest.raises(Exception, match="violates PodSecurity"):
        mesh.apply(pod)


def test_the_retail_mesh_becomes_ready_and_is_watched(mesh: PodInstallation, store: Store) -> None:
    manifests = [found for file in sorted(RETAIL.glob("*.yaml")) for found in yaml.safe_load_all(file.read_text())]
    for found in manifests:
        if found["kind"] == "ObjectStore":
            found["spec"].update(endpointUrl=store.endpoint, region=store.region)
    first = [found for found in manifests if found["kind"] in ("ObjectStore", "Domain")]
    mesh.give_credentials(store)
    mesh.apply(*first)
    mesh.cluster.kubectl("wait", "objectstores,domains", "--all", "--for=condition=Ready", "--timeout=120s")
    mesh.apply(*(found for found in manifests if found not in first))
    mesh.cluster.kubectl("wait", "dataproducts,accessrequests", "--all", "-A", "--for=condition=Ready", "--timeout=120s")
    secret = mesh.secret("stock-access", "sales")
    assert store.client("s3", access_key=secret["access-key-id"], secret_key=secret["secret-access-key"]).list_objects_v2(
        Bucket=secret["bucket"], Prefix=secret["prefix"]
    )
    assert metric(mesh, "watcher_restarts_total") == 0
    assert mesh.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    assert_watched(mesh, token="first")


def test_the_doctor_runs_in_the_pod_and_finds_nothing(mesh: PodInstallation) -> None:
    command = ("exec", "deploy/clouddatamesh", "-n", NAMESPACE, "--", PROGRAM, "doctor", "--stores", "--output=json")
    said = json.loads(mesh.cluster.kubectl(*command))
    assert (said["exitCode"], said["findings"]) == (0, [])
    assert all(one["byDesign"] for one in said["notChecked"])
    assert {"health", "lease", "permissions", "crds", "stores", "objects", "orphans"} <= {one["check"] for one in said["checked"]}
    assert said["user"] == f"system:serviceaccount:{NAMESPACE}:clouddatamesh"


def test_the_kubelets_sigterm_ends_it_and_the_next_pod_leads_without_waiting_for_the_lease(mesh: PodInstallation) -> None:
    name, began = mesh.pod()["metadata"]["name"], time.monotonic()
    mesh.cluster.kubectl("delete", "pod", name, "-n", NAMESPACE, "--timeout=60s")
    grace = mesh.get("deployment", "clouddatamesh", NAMESPACE)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert time.monotonic() - began < grace, "it was killed"
    mesh.until(lambda: mesh.runs() and mesh.is_ready(), seconds=60, what="the next Pod")
    assert_watched(mesh, token="next", seconds=10)  # a Lease that nobody gave back is taken after fifteen
    assert mesh.pod()["metadata"]["name"] != name


def test_a_first_process_that_has_not_yet_begun_ends_when_it_is_asked(pytestconfig: pytest.Config) -> None:
    """The kernel drops a signal to it that has no handler, and a Pod that is deleted while it starts would go on for its grace period."""
    need_node(pytestconfig)
    program = [sys.executable, "-m", "clouddatamesh", "run"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator"), "PYTHONPROFILEIMPORTTIME": "1"}
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child=KILL", *program], env=env, stderr=subprocess.PIPE, text=True
    ) as outer:
        assert outer.stderr
        next(line for line in outer.stderr if line.endswith(" clouddatamesh.errors\n"))
        os.kill(int(read(Path(f"/proc/{outer.pid}/task/{outer.pid}/children"))), signal.SIGTERM)
        assert not [line for line in outer.stderr if line.endswith(" clouddatamesh.shell.wiring\n")]
    assert outer.returncode == 128 + signal.SIGTERM


@pytest.fixture(scope="module")
def former(node: Node, mesh: PodInstallation) -> frozenset[str]:
    """The operator's tokens until the kubelet was started again."""
    found = tokens(mesh)
    node.restart_kubelet()
    return found


def tokens(mesh: PodInstallation) -> frozenset[str]:
    """Which tokens the operator has used, by the audit log."""
    return frozenset(found.credential for found in mesh.cluster.audit.read(user=SERVICE_ACCOUNT))


@pytest.mark.usefixtures("former")
def test_hanging_watches_and_a_clock_that_is_off_are_told_within_90_seconds_and_heal(node: Node, mesh: PodInstallation) -> None:
    assert ask(mesh, "/readyz") == (200, "ok\n")
    assert abs(metric(mesh, "clock_skew_seconds")) < 5
    name = mesh.pod()["metadata"]["name"]
    began = time.monotonic()
    node.gateway.hang()
    node.gateway.shift(DAY)
    try:
        mesh.until(lambda: "has brought nothing for" in ask(mesh, "/readyz")[1], seconds=WITHIN, what="a blind watch that is told")
        code, against = ask(mesh, "/readyz")
        assert code == 503
        assert re.search(r"this machine's clock is 86\d{3} s behind the API server's; nothing is given or taken by time", against)
        assert metric(mesh, "clock_skew_seconds") < -DAY / 2
        assert metric(mesh, "watch_age_seconds") > 60
        mesh.until(lambda: not mesh.is_ready(), seconds=max(began + WITHIN - time.monotonic(), 1), what="a Pod that is not ready")
        assert ask(mesh, "/healthz")[0] == 200
        told = [one["what"] for one in doctor(node.cluster.kubeconfig).findings if one["object"] == f"Pod {NAMESPACE}/{name}"]
        assert [one for one in told if re.search(r"It is not ready: the watch of \w+ has brought nothing for", one)]
        assert [one for one in told if "It is not ready: this machine's clock is" in one]
        # One watch fails while the others wait for an answer: all of them must be begun again, in the same process.
        node.gateway.break_one()
        mesh.until(lambda: metric(mesh, "watcher_restarts_total") > 0, what="a watcher that ended by an error in its stream")
    finally:
        node.gateway.shift(0)
        node.gateway.release()
    mesh.until(mesh.is_ready, seconds=90, what="a Pod that is ready again")
    assert_watched(mesh, token="healed")
    assert mesh.pod()["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_token_that_the_kubelet_exchanges_is_used(mesh: PodInstallation, former: frozenset[str]) -> None:
    """After the others, since the file is read again every minute."""
    mesh.until(lambda: tokens(mesh) - former, seconds=120, what="a request with another token")
    assert mesh.pod()["status"]["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_lease_is_held_while_pods_are_replaced(mesh: PodInstallation, replicas: int) -> None:
    """With two replicas it may change hands twice: which of the former Pods ends first is the ReplicaSet's choice."""
    found = replace_pods(mesh, replicas)
    print(f"{replicas} replicas: {found}")  # noqa: T201 - a figure
    assert found.unheld <= UNHELD
    assert len(found.holders) - 1 <= replicas
    assert_watched(mesh, token=f"rollout-{replicas}")


def test_helm_test_passes(mesh: PodInstallation) -> None:
    assert re.search(r"Phase:\s+Succeeded", mesh.cluster.helm("test", RELEASE, *HELM))


@pytest.fixture(scope="module")
def reader(node: Node) -> Reader:
    """Whoever follows the page on uninstalling, in the order of the tests below."""
    return Reader(node.cluster, ROOT / "docs" / "operations" / "uninstall.md")


@pytest.fixture(scope="module")
def kept(mesh: PodInstallation, store: Store) -> Kept:
    """The mesh as it is now, with data in a bucket that may be deleted with its product."""
    return Kept.of(mesh, store)


def test_an_uninstall_that_would_destroy_data_is_refused_by_the_hook(mesh: PodInstallation, kept: Kept, reader: Reader) -> None:
    upgrade(mesh, "crds.keep=false")
    assert set(kept.crds().values()) == {"delete"}
    with pytest.raises(ToolError, match=r"clouddatamesh-uninstall not ready\. status: Failed"):
        mesh.cluster.helm("uninstall", RELEASE, *HELM)
    said = reader.follow("Remove the CRDs with the release")
    assert re.search(r"objects of the mesh are left: .*DataProduct sales/orders", said), said
    assert "The data of DataProduct inventory/stock-levels, DataProduct sales/orders would be destroyed." in said
    kept.check()
    assert set(kept.crds().values()) == {"keep"}, "the way back was followed"
    assert_watched(mesh, token="back")
    mesh.cluster.helm("test", RELEASE, *HELM)


def test_an_uninstall_leaves_crds_objects_and_data_and_an_install_goes_on(mesh: PodInstallation, kept: Kept, reader: Reader) -> None:
    reader.follow("Pause")
    mesh.until(lambda: not pods_of(mesh), what="no Pod")
    assert len(kept.crds()) == len(list((ROOT / "crds").glob("*.yaml")))
    kept.check()
    mesh.install()
    # With the release went the right to release the Lease, so the new Pod waits for its end.
    mesh.until(lambda: leads(mesh), seconds=60, what="a Pod that leads")
    assert_watched(mesh, token="installed-again")
    kept.check()


def test_everything_is_removed_but_data_as_the_page_says(kept: Kept, reader: Reader) -> None:
    kept.set_policy("Retain")
    reader.follow("Remove everything, keep the data")
    assert kept.crds() == {}
    assert kept.data() == DATA
    assert reader.unread == []
