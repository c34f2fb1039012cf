"""A real Argo CD for a local control plane: its controllers, its repo server and Redis, without Pods; and a Git repository for it.

It acts as the ServiceAccount of its own controller, which is a cluster administrator as in Argo CD's own manifests.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from hack.tools.binaries import ARGOCD_KINDS, ARGOCD_SCRIPT, get_binary
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
from hack.tools.controlplane import ControlPlane
from hack.tools.credentials import write_kubeconfig
from hack.tools.images import ensure_programs

NAMESPACE: Final = "argocd"
ACCOUNT: Final = "argocd-application-controller"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
PROGRAMS: Final = {"redis-server": "redis-server", "git": "git"}
_CONFIG_MAPS: Final = ("argocd-cm", "argocd-rbac-cm", "argocd-gpg-keys-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
_PARTS: Final = ("TLS_DATA_PATH", "SSH_DATA_PATH", "GPG_DATA_PATH", "GNUPGHOME", "PLUGINSOCKFILEPATH")
_PARAMETERS: Final = {
    "controller.sync.timeout.seconds": "ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT",
    "controller.self.heal.timeout.seconds": "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_TIMEOUT_SECONDS",
    "controller.self.heal.backoff.cap.seconds": "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_CAP_SECONDS",
}
"""Keys of argocd-cmd-params-cm that are passed on, and the variable by which Argo CD's own Deployment passes each on."""
_SETTINGS: Final = {
    "ARGOCD_FAKE_IN_CLUSTER": "true",
    "ARGOCD_GPG_ENABLED": "false",
    "ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH": "true",  # so that an Application tells the health of each object
}
_REFRESH: Final = "argocd.argoproj.io/refresh=normal"


def _addresses(ports: Sequence[int]) -> Iterator[str]:
    """Where the controller of ApplicationSets listens; it has its three doors on all addresses else."""
    for flag, port in zip(("--metrics-addr", "--probe-addr", "--webhook-addr"), ports, strict=True):
        yield from (flag, f"127.0.0.1:{port}")


def find_obstacles() -> tuple[str, ...]:
    """Why no Argo CD can be started on this machine; each a sentence."""
    lacks = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if lacks and (os.geteuid() or not shutil.which("apt-get")):
        return (f"{', '.join(lacks)} missing; install them, or run as root on Debian",)
    return ()


class ArgoCD:
    """`with ArgoCD(cluster, parameters=…) as argo:` has the controllers running; `parameters` is the data of argocd-cmd-params-cm.

    Raises ToolError where something does not come up.
    """

    def __init__(self, cluster: ControlPlane, *, parameters: Mapping[str, str], say: Say = say_nothing) -> None:
        unknown = sorted(set(parameters) - set(_PARAMETERS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} would not reach Argo CD")
        self.cluster, self._say = cluster, say
        self._parameters = {_PARAMETERS[key]: value for key, value in parameters.items()}
        self._stack = contextlib.ExitStack()
        self._binary = Path()
        self._places: tuple[str, ...] = ()
        self.dir = self.logs = Path()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def refresh(self, *names: str) -> None:
        """What a webhook of the Git server does: have Applications compared with Git now."""
        self.cluster.kubectl("annotate", "--overwrite", "applications.argoproj.io", *names, "-n", NAMESPACE, _REFRESH)

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Have Argo CD's API server as well, which the web pages and the command `argocd` ask; its URL. It lets everyone do everything."""
        port, door = free_ports(2)
        open_to_all = ("--insecure", "--disable-auth", "--disable-swagger-ui", "--enable-gzip=false", "--dex-server", "127.0.0.1:9")
        listen = ("--port", port, "--address", "127.0.0.1", "--metrics-port", door, "--metrics-address", "127.0.0.1")
        flags = (*listen, *open_to_all, *self._places, "--namespace", NAMESPACE, "--staticassets", self.dir)
        child = self._start_child("argocd-server", [self._binary, *map(str, flags)])
        try:
            wait_until("argocd-server", lambda: is_answering(f"http://127.0.0.1:{port}/healthz"), child=child)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop_child(child, grace=0.5)

    def _start(self) -> None:
        started = time.monotonic()
        ensure_programs(PROGRAMS, say=self._say)
        self._binary = binary = get_binary("argocd", say=self._say)
        self.dir = self._stack.enter_context(work_dir("argocd"))
        self.logs = make_log_dir("argocd")
        for part in _PARTS:
            (self.dir / part).mkdir()
        self._install_script(binary.with_name(Path(ARGOCD_SCRIPT).name))
        (self.dir / "bin" / "helm").symlink_to(get_binary("helm", say=self._say))
        self._install(binary.parent)
        self._run(binary)
        self._say(f"Argo CD is ready after {time.monotonic() - started:.1f} s, logs in {self.logs}")

    def _install_script(self, script: Path) -> None:
        """The repo server calls it for every commit, also where signatures are not verified."""
        place = self.dir / "bin" / script.name
        place.parent.mkdir()
        shutil.copyfile(script, place)
        place.chmod(0o755)

    def _install(self, manifests: Path) -> None:
        for kind in ARGOCD_KINDS:
            self.cluster.kubectl("apply", "--server-side", "-f", str(manifests / f"{kind}-crd.yaml"))
        self._await_kinds()
        self.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(_objects()))
        token = self.cluster.kubectl("create", "token", ACCOUNT, "-n", NAMESPACE, "--duration=12h").strip()
        write_kubeconfig(self.dir / "kubeconfig", self.cluster.endpoint, {"token": token}, namespace=NAMESPACE)

    def _await_kinds(self) -> None:
        """Controllers that begin before the API server has their kinds look again only after ten seconds."""
        end = time.monotonic() + 90
        while True:
            try:
                self.cluster.kubectl("get", ",".join(f"{kind}s.argoproj.io" for kind in ARGOCD_KINDS), "-A")
            except ToolError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
            else:
                return

    def _run(self, binary: Path) -> None:
        redis, repo, *doors = free_ports(7)
        self._start_redis(redis)
        cache, server = ("--redis", f"127.0.0.1:{redis}"), f"127.0.0.1:{repo}"
        client = ("--namespace", NAMESPACE, "--repo-server-plaintext")
        resync = ("--app-resync", "10", "--app-resync-jitter", "0")
        self._places = (*cache, "--repo-server", server, "--repo-server-plaintext")
        listen = ("--port", repo, "--address", "127.0.0.1", "--disable-tls", "--client-ca-path", "")
        flags: dict[str, tuple[object, ...]] = {
            "repo-server": (*listen, "--metrics-address", "127.0.0.1", "--metrics-port", doors[0], *cache),
            "application-controller": (*client, *resync, "--repo-server", server, "--metrics-port", doors[1], *cache),
            "applicationset-controller": (*client, "--argocd-repo-server", server, *_addresses(doors[2:])),
        }
        children = [self._child(f"argocd-{name}", [binary, *map(str, given)]) for name, given in flags.items()]
        for child, door in zip(children, doors, strict=False):
            wait_until("Argo CD", functools.partial(is_answering, f"http://127.0.0.1:{door}/metrics"), child=child)

    def _start_redis(self, port: int) -> None:
        child = self._child("redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        log = self.logs / "redis.log"
        wait_until("redis", lambda: log.exists() and b"Ready to accept connections" in log.read_bytes(), child=child)

    def _env(self) -> dict[str, str]:
        paths = {f"ARGOCD_{part}": str(self.dir / part) for part in _PARTS}
        path = {"PATH": os.pathsep.join([str(self.dir / "bin"), os.environ["PATH"]])}
        ours = {"KUBECONFIG": str(self.dir / "kubeconfig"), "HOSTNAME": f"{ACCOUNT}-0", "TMPDIR": str(self.dir), "HOME": str(self.dir)}
        return {**os.environ, **path, **paths, **ours, **_SETTINGS, **self._parameters}

    def _child(self, name: str, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """A program that runs until the end."""
        child = self._start_child(name, command)
        self._stack.callback(stop_child, child, grace=0.5)
        return child

    def _start_child(self, name: str, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """A program, which is one of Argo CD's by the name in its environment."""
        return start_child(command, log=self.logs / f"{name}.log", env={**self._env(), "ARGOCD_BINARY_NAME": name}, cwd=self.dir)


class Repository:
    """A Git repository on this machine, of which Argo CD reads the branch main by `url`."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, f"file://{path}"
        path.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, message: str) -> None:
        """Commit the working tree as it is."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def revert(self, commits: str = "HEAD") -> None:
        """Undo commits, each by one more commit."""
        self._git("revert", "--no-edit", commits)

    def head(self) -> str:
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *args: str) -> str:
        identity = ("-c", "user.name=Platform Team", "-c", "user.email=platform@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", "-C", self.path, *identity, *args], check=True, capture_output=True, text=True).stdout


def _objects() -> list[dict[str, Any]]:
    """What Argo CD needs in its namespace, as after an installation: argocd-cm is empty, and the project default allows everything."""
    labels = {"app.kubernetes.io/part-of": "argocd"}

    def an_object(kind: str, name: str, **content: Any) -> dict[str, Any]:
        place = {} if kind in ("Namespace", "ClusterRoleBinding") else {"namespace": NAMESPACE}
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **place, "labels": labels}, **content}

    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }
    everything = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    return [
        an_object("Namespace", NAMESPACE),
        an_object("ServiceAccount", ACCOUNT),
        an_object("ClusterRoleBinding", ACCOUNT, **binding),
        *(an_object("ConfigMap", name) for name in _CONFIG_MAPS),
        an_object("Secret", "argocd-secret", stringData={"server.secretkey": os.urandom(24).hex()}),
        an_object("AppProject", "default", apiVersion="argoproj.io/v1alpha1", spec=everything),
    ]
