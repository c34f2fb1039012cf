"""What the other tests stand on: the control plane, the stores and the stand-in for the kubelet do what they claim."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.tools.binaries import get_binary
from hack.tools.children import ROOT, ToolError, free_ports
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.support.kubelet import Kubelet
from tests.support.pod import Pod

pytestmark = pytest.mark.real

PROGRAM = """
import http.server, json, os, pathlib, sys, urllib.request, ssl
config = json.load(open(os.environ["KUBECONFIG"]))
cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
token = pathlib.Path(user["tokenFile"]).read_text()
def ask(path):
    request = urllib.request.Request(cluster["server"] + path, headers={"Authorization": "Bearer " + token})
    try:
        trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        return urllib.request.urlopen(request, context=trust).status
    except urllib.error.HTTPError as error:
        return error.code
seen = {name: os.environ.get(name) for name in ("COLOUR", "PASSWORD", "POD_NAME", "POD_NAMESPACE", "GREETING")}
seen |= {"file": pathlib.Path(sys.argv[1]).read_text(), "own": ask("/api/v1/namespaces/apps/configmaps/paint"),
         "others": ask("/api/v1/namespaces/kube-system/configmaps")}
print(json.dumps(seen), flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def a_deployment(port: int, **env: str) -> dict[str, Any]:
    """A program that prints what it was given, once per start, and answers /ready."""
    variables: list[dict[str, Any]] = [
        {"name": "PORT", "value": str(port)},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "paint", "key": "colour"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "safe", "key": "password"}}},
        *({"name": name, "value": value} for name, value in env.items()),
    ]
    container = {
        "name": "program",
        "image": "none",
        "command": ["python3", "-c", PROGRAM, "/etc/paint/colour"],
        "env": variables,
        "ports": [{"name": "health", "containerPort": port}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "health"}},
        "volumeMounts": [{"name": "paint", "mountPath": "/etc/paint"}, {"name": "scratch", "mountPath": "/scratch"}],
    }
    spec = {
        "serviceAccountName": "painter",
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": [{"name": "paint", "configMap": {"name": "paint"}}, {"name": "scratch", "emptyDir": {}}],
    }
    labels = {"app": "painter"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "painter", "namespace": "apps"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }


@pytest.fixture(scope="module")
def apps(control_plane: ControlPlane) -> Iterator[Kubelet]:
    """A namespace with all that the program needs, and a kubelet for it."""
    kubectl = control_plane.kubectl
    kubectl("create", "namespace", "apps")
    kubectl("-n", "apps", "create", "serviceaccount", "painter")
    kubectl("-n", "apps", "create", "configmap", "paint", "--from-literal=colour=blue")
    kubectl("-n", "apps", "create", "secret", "generic", "safe", "--from-literal=password=sesame")
    kubectl("-n", "apps", "create", "role", "see", "--verb=get", "--resource=configmaps")
    kubectl("-n", "apps", "create", "rolebinding", "see", "--role=see", "--serviceaccount=apps:painter")
    with Kubelet(control_plane.kubeconfig, "apps", path_prefix=Path(sys.executable).parent) as kubelet:
        yield kubelet
    kubectl("delete", "namespace", "apps", "--wait=false")


def apply(cluster: ControlPlane, manifest: dict[str, Any]) -> None:
    """kubectl apply -f."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def roll_out(cluster: ControlPlane, kubelet: Kubelet, **env: str) -> Pod:
    """Apply the program's Deployment, wait as kubectl does, and give its only pod."""
    (port,) = free_ports(1)
    apply(cluster, a_deployment(port, **env))
    cluster.kubectl("-n", "apps", "rollout", "status", "deployment/painter", "--timeout=60s")
    (pod,) = kubelet.pods("painter")
    return pod


def test_a_deployment_runs_with_what_its_template_gives_it(control_plane: ControlPlane, apps: Kubelet) -> None:
    pod = roll_out(control_plane, apps)
    control_plane.kubectl("-n", "apps", "wait", "--for=condition=Available", "deployment/painter", "--timeout=5s")
    assert json.loads(pod.log.read_text()) == {
        "COLOUR": "blue",
        "PASSWORD": "sesame",
        "POD_NAME": pod.name,
        "POD_NAMESPACE": "apps",
        "GREETING": None,
        "file": "blue",
        "own": 200,
        "others": 403,
    }
    users = {request.user for request in control_plane.audit.read(user="painter")}
    assert users == {"system:serviceaccount:apps:painter"}


def test_a_killed_process_is_started_again_with_its_empty_dir(control_plane: ControlPlane, apps: Kubelet) -> None:
    before = roll_out(control_plane, apps)
    pid, restarts, kept = before.pid, before.restarts, before.dir / "volumes" / "scratch" / "kept"
    kept.touch()
    before.kill(signal.SIGKILL)
    after = apps.wait("painter", lambda pod: pod.is_ready and pod.restarts > restarts)
    assert after.pid != pid
    assert kept.exists()


def test_a_changed_template_is_run_and_zero_replicas_stop_it(control_plane: ControlPlane, apps: Kubelet) -> None:
    pod = roll_out(control_plane, apps, GREETING="hello $(COLOUR)")
    assert json.loads(pod.log.read_text())["GREETING"] == "hello blue"
    pid = pod.pid
    control_plane.kubectl("-n", "apps", "scale", "deployment/painter", "--replicas=0")
    wait_for(lambda: not is_alive(pid))
    wait_for(lambda: not apps.pods("painter"))


def test_several_replicas_have_ports_of_their_own_and_are_replaced_one_after_the_other(control_plane: ControlPlane, apps: Kubelet) -> None:
    (port,) = free_ports(1)
    ready: list[int] = []

    def is_replaced() -> bool:
        found = json.loads(control_plane.kubectl("-n", "apps", "get", "deployment/painter", "-o", "json"))
        ready.append(found["status"].get("readyReplicas", 0))
        counts = {found["status"].get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
        return counts == {2} and found["status"]["observedGeneration"] == found["metadata"]["generation"]

    def run(greeting: str) -> tuple[Pod, ...]:
        manifest = a_deployment(port, GREETING=greeting)
        apply(control_plane, {**manifest, "spec": {**manifest["spec"], "replicas": 2}})
        wait_for(is_replaced)
        return apps.pods("painter")

    before = run("hello")
    ready.clear()
    after = run("goodbye")
    assert min(ready) == 2
    assert len({pod.ports["health"] for pod in after}) == 2
    assert [json.loads(pod.log.read_text())["GREETING"] for pod in after] == ["goodbye", "goodbye"]
    assert [pod.pid for pod in before] == [0, 0]


def test_a_program_that_is_not_ready_is_not_called_available(control_plane: ControlPlane, apps: Kubelet) -> None:
    (port,) = free_ports(1)
    manifest = a_deployment(port)
    manifest["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] = "/never"
    apply(control_plane, manifest)
    apps.wait("painter", lambda pod: bool(pod.pid) and pod.log.exists() and bool(pod.log.read_text()))

    def status() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(control_plane.kubectl("-n", "apps", "get", "deployment/painter", "-o", "json"))["status"]
        return found

    # Until then it tells of the program before this one.
    wait_for(lambda: "availableReplicas" not in status())
    assert [condition["status"] for condition in status()["conditions"] if condition["type"] == "Available"] == ["False"]


def test_helm_waits_until_the_program_is_ready_and_no_longer(control_plane: ControlPlane, apps: Kubelet, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    control_plane.kubectl("-n", "apps", "delete", "deployment/painter", "--ignore-not-found")
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: painter, version: 0.1.0}")
    (tmp_path / "templates" / "painter.yaml").write_text(json.dumps(a_deployment(port)))
    control_plane.helm("-n", "apps", "install", "painter", str(tmp_path), "--wait", "--timeout=60s")
    assert apps.pods("painter")[0].is_ready
    blind = json.dumps(a_deployment(port)).replace('"/ready"', '"/never"', 1)
    (tmp_path / "templates" / "painter.yaml").write_text(blind)
    with pytest.raises(ToolError, match="painter"):
        control_plane.helm("-n", "apps", "upgrade", "painter", str(tmp_path), "--wait", "--timeout=3s")
    control_plane.helm("-n", "apps", "uninstall", "painter", "--wait", "--timeout=60s")
    wait_for(lambda: not apps.pods("painter"))


def test_a_given_cluster_is_used_and_left_alone(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDDATAMESH_KUBECONFIG", str(control_plane.kubeconfig))
    with ControlPlane() as cluster:
        assert not cluster.is_ours
        assert "kube-system" in cluster.kubectl("get", "namespaces")
    assert "kube-system" in control_plane.kubectl("get", "namespaces")


def test_kubebuilder_assets_are_used_when_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubectl").write_text("")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert get_binary("kubectl") == tmp_path / "kubectl"
    assert get_binary("etcd").parent != tmp_path


def test_a_restarted_control_plane_keeps_its_objects() -> None:
    with ControlPlane() as cluster:
        cluster.kubectl("create", "namespace", "kept")
        mark = cluster.audit.mark()
        cluster.restart()
        assert "kept" in cluster.kubectl("get", "namespaces", "--output=name")
        assert [request.code for request in cluster.audit.read(since=mark, user="admin")][-1] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_control_plane(number: signal.Signals) -> None:
    command = [sys.executable, str(ROOT / "hack/tools/up.py"), "controlplane", "moto"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        kubeconfig = next(line for line in parent.stdout if "KUBECONFIG=" in line).strip().partition("=")[2]
        next(line for line in parent.stdout if "AWS_ENDPOINT_URL" in line)
        children = descendants(parent.pid)
        assert len(children) >= 4
        parent.send_signal(number)
        parent.wait(60)
    wait_for(lambda: not any(map(is_alive, children)))
    wait_for(lambda: not Path(kubeconfig).parent.exists())


@pytest.mark.parametrize("kind", ["moto", "rgw"])
def test_a_store_keeps_objects_counts_requests_and_refuses_strangers(kind: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(kind)
    s3 = store.client("s3")
    s3.create_bucket(Bucket="toolchain")
    counts = []
    for _ in range(3):
        before = store.requests()
        s3.put_object(Bucket="toolchain", Key="key", Body=b"hello")
        assert s3.get_object(Bucket="toolchain", Key="key")["Body"].read() == b"hello"
        counts.append(store.requests() - before)
    assert min(counts) == 2, "an operator of another test may use the store meanwhile, which only ever adds"
    with pytest.raises(ClientError):
        store.client("s3", access_key="stranger", secret_key="guess").get_object(Bucket="toolchain", Key="key")
    s3.delete_object(Bucket="toolchain", Key="key")
    s3.delete_bucket(Bucket="toolchain")


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(50) for port in free_ports(2)]
    assert len(set(given)) == 100


def wait_for(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Until it holds, or the test fails."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether that process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    own = [int(child) for task in tasks for child in task.read_text().split()]
    return [*own, *(grandchild for child in own for grandchild in descendants(child))]
