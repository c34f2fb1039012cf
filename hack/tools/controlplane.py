"""A real Kubernetes control plane on this machine: etcd, kube-apiserver and kube-controller-manager, without containers.

An existing cluster is used instead where CLOUDDATAMESH_KUBECONFIG names its kubeconfig; then nothing is started or stopped.
"""

import contextlib
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from hack.tools.audit import POLICY, AuditLog
from hack.tools.binaries import get_binaries, get_binary
from hack.tools.children import (
    Say,
    ToolError,
    free_ports,
    is_answering,
    make_log_dir,
    say_nothing,
    start_child,
    stop_child,
    wait_until,
    work_dir,
)
from hack.tools.client_certificate import write_client_certificate
from hack.tools.credentials import Endpoint, write_kubeconfig, write_signing_key, write_tokens

ADMIN, APISERVER, CONTROLLERS = "admin", "kube-apiserver", "kube-controller-manager"
CONTROLLERS_RUN = (
    "namespace",
    "garbage-collector",
    "serviceaccount",
    "resourcequota",
    "clusterrole-aggregation",
    "validatingadmissionpolicy-status",
    "root-ca-certificate-publisher",
)
POD_CONTROLLERS = ("deployment", "replicaset", "job", "node-lifecycle", "endpointslice")
"""What makes Pods of Deployments, takes the taint off a node that is ready, and says which Pods a Service has."""
SERVICES, SERVICE_HOST = "198.18.78.0/24", "198.18.78.1"
"""Where Pods expect the API server; of the range that RFC 2544 keeps for tests."""


class ControlPlane:
    """`with ControlPlane() as cluster:` has `kubeconfig` (an admin's), `kubectl()`, `helm()`, `audit` and `logs`.

    With `runs_pods` Deployments become Pods, which then wait for a node (hack/tools/node.py). `apiserver` is the binary of another version.
    Raises ToolError where a component does not come up; the message names the directory of the logs.
    """

    def __init__(self, *, runs_pods: bool = False, apiserver: str = APISERVER, say: Say = say_nothing) -> None:
        self._say, self._apiserver = say, apiserver
        self._controllers = (*CONTROLLERS_RUN, *(POD_CONTROLLERS if runs_pods else ()))
        self._given = os.environ.get("CLOUDDATAMESH_KUBECONFIG")
        self._stack = contextlib.ExitStack()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._binaries: dict[str, Path] = {}
        self._tokens: dict[str, str] = {}
        self._ports: tuple[int, ...] = ()
        self.logs = Path()
        self.dir = Path()
        self.kubeconfig = Path(self._given).expanduser().absolute() if self._given else Path()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop_all()
        self._stack.close()

    @property
    def is_ours(self) -> bool:
        """Whether it was started here; only then is there an audit log and a restart."""
        return not self._given

    @property
    def audit(self) -> AuditLog:
        """What was asked of the API server. Empty for a cluster that was given."""
        return AuditLog(self.dir / "audit.log")

    @property
    def endpoint(self) -> Endpoint:
        """Where the API server is that was started here."""
        return Endpoint(server=f"https://127.0.0.1:{self._ports[2]}", ca=self.dir / "tls" / "apiserver.crt")

    @property
    def kubelet_client(self) -> Path:
        """Certificate and key by which a kubelet knows the API server, for `kubectl logs` and `exec`."""
        return self.dir / "kubelet-client.pem"

    @property
    def etcd(self) -> str:
        """Where etcd answers, without credentials: for those who write many objects at once."""
        return f"http://127.0.0.1:{self._ports[0]}"

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run kubectl as admin; its output. Raises ToolError with what it said."""
        return self._run(get_binary("kubectl", say=self._say), *args, stdin=stdin)

    def helm(self, *args: str, stdin: str | None = None) -> str:
        """Run Helm 4 as admin; its output. Raises ToolError with what it said."""
        return self._run(get_binary("helm", say=self._say), *args, stdin=stdin)

    def env(self) -> dict[str, str]:
        """The environment in which kubectl and helm mean this cluster and leave nothing in the home directory."""
        homes = {f"HELM_{part}_HOME": str(self.dir / "helm" / part.lower()) for part in ("CACHE", "CONFIG", "DATA")}
        cache = {"KUBECACHEDIR": str(self.dir / "kubectl")}
        return {**os.environ, **homes, **cache, "KUBECONFIG": str(self.kubeconfig)}

    def restart(self) -> None:
        """Stop everything and start it again on the same ports, data and identities."""
        if not self.is_ours:
            raise ToolError("A cluster that was given is not restarted")
        self._stop_all()
        self._start_all()

    def back_up(self, place: Path) -> None:
        """Copy etcd's data, for which everything is stopped and started again."""
        self._stop_all()
        shutil.copytree(self.dir / "etcd", place)
        self._start_all()

    def restore(self, place: Path) -> None:
        """Begin again from a copy, as after the loss of etcd: versions count from there, and what was written since is gone."""
        self._stop_all()
        shutil.rmtree(self.dir / "etcd")
        shutil.copytree(place, self.dir / "etcd")
        self._start_all()

    def stop(self, component: str) -> None:
        """Stop etcd, kube-apiserver or kube-controller-manager alone; `restart` heals."""
        stop_child(self._children.pop(component))

    def refresh_controllers(self) -> None:
        """Start the controllers again, so that they see new kinds now: the quota controller looks for them every 30 s only."""
        if not self.is_ours:
            return
        self.stop(CONTROLLERS)
        self._start_component(CONTROLLERS, self._controller_flags())

    def _run(self, binary: Path, *args: str, stdin: str | None) -> str:
        done = subprocess.run([binary, *args], input=stdin, capture_output=True, text=True, env=self.env(), check=False)
        if done.returncode:
            raise ToolError(f"{binary.name} {' '.join(args)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _start(self) -> None:
        self.dir = self._stack.enter_context(work_dir("controlplane"))
        if not self.is_ours:
            self._say(f"using the cluster of {self.kubeconfig}")
            return
        found = get_binaries(("etcd", self._apiserver, CONTROLLERS), say=self._say)
        self._binaries = {**found, APISERVER: found[self._apiserver]}
        self.logs = make_log_dir("controlplane")
        self._ports = free_ports(3)
        self._prepare()
        self._start_all()

    def _prepare(self) -> None:
        write_signing_key(self.dir / "signing.key")
        write_client_certificate(self.kubelet_client, "kube-apiserver")
        (self.dir / "audit.yaml").write_text(POLICY)
        self._tokens = write_tokens(self.dir / "tokens.csv", (ADMIN, CONTROLLERS))
        self.kubeconfig = self._write_kubeconfig(ADMIN)
        self._write_kubeconfig(CONTROLLERS)

    def _write_kubeconfig(self, user: str) -> Path:
        return write_kubeconfig(self.dir / f"{user}.kubeconfig", self.endpoint, {"token": self._tokens[user]})

    def _start_all(self) -> None:
        started = time.monotonic()
        self._start_component("etcd", self._etcd_flags())
        self._await("etcd", lambda: is_answering(f"http://127.0.0.1:{self._ports[0]}/health"))
        self._start_component("kube-apiserver", self._apiserver_flags())
        self._await("kube-apiserver", lambda: self._answers_ok("/readyz"))
        self._start_component("kube-controller-manager", self._controller_flags())
        ready = "/api/v1/namespaces/default/serviceaccounts/default"
        self._await("kube-controller-manager", lambda: self._answers_ok(ready))
        self._say(f"control plane is ready after {time.monotonic() - started:.1f} s, logs in {self.logs}")

    def _start_component(self, name: str, flags: dict[str, object]) -> None:
        argv = [str(self._binaries[name]), *(f"--{flag}={value}" for flag, value in flags.items())]
        self._children[name] = start_child(argv, log=self.logs / f"{name}.log", cwd=self.dir)

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        try:
            wait_until(name, ready, child=self._children[name])
        except ToolError as error:
            raise ToolError(f"{error}; its log is {self.logs / name}.log") from None

    def _stop_all(self) -> None:
        for name in reversed(tuple(self._children)):
            stop_child(self._children.pop(name), grace=0.5)

    def _answers_ok(self, path: str) -> bool:
        if not self.endpoint.ca.exists():
            return False
        request = urllib.request.Request(  # noqa: S310 - always https://127.0.0.1
            f"{self.endpoint.server}{path}", headers={"Authorization": f"Bearer {self._tokens[ADMIN]}"}
        )
        try:
            trust = ssl.create_default_context(cafile=str(self.endpoint.ca))  # fails while the file is being written
            urllib.request.urlopen(request, context=trust, timeout=5).close()  # noqa: S310
        except urllib.error.HTTPError as answer:
            answer.close()
            return False
        except OSError:
            return False
        return True

    def _etcd_flags(self) -> dict[str, object]:
        clients, peers = (f"http://127.0.0.1:{port}" for port in self._ports[:2])
        return {
            "data-dir": self.dir / "etcd",
            "unsafe-no-fsync": "true",
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "log-level": "warn",
        }

    def _apiserver_flags(self) -> dict[str, object]:
        return {
            "etcd-servers": f"http://127.0.0.1:{self._ports[0]}",
            "bind-address": "127.0.0.1",
            "secure-port": self._ports[2],
            "cert-dir": self.dir / "tls",
            "token-auth-file": self.dir / "tokens.csv",
            "authorization-mode": "RBAC",
            "service-account-key-file": self.dir / "signing.key",
            "service-account-signing-key-file": self.dir / "signing.key",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-cluster-ip-range": SERVICES,
            "audit-policy-file": self.dir / "audit.yaml",
            "audit-log-path": self.dir / "audit.log",
            "audit-log-maxsize": 100_000,
            "shutdown-delay-duration": "0s",
            "kubelet-client-certificate": self.kubelet_client,
            "kubelet-client-key": self.kubelet_client,
            "kubelet-preferred-address-types": "InternalIP",
        }

    def _controller_flags(self) -> dict[str, object]:
        return {
            "kubeconfig": self.dir / f"{CONTROLLERS}.kubeconfig",
            "service-account-private-key-file": self.dir / "signing.key",
            "root-ca-file": self.endpoint.ca,
            "leader-elect": "false",
            "secure-port": 0,
            "controllers": ",".join(f"{name}-controller" for name in self._controllers),
            "resource-quota-sync-period": "5s",
            "kube-api-qps": 200,
            "kube-api-burst": 400,
        }
