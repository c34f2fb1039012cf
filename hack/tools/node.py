"""A real node for a local control plane: containerd, a kubelet and a scheduler, so that Pods run from images built here.

All of it lives in a PID namespace and a mount namespace that the kernel ends with this process; what is outside of them, a bridge, a
setting and empty cgroups, is put back by a process that waits for our end. One node at a time on a machine. Needs root and Linux.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hack.tools.binaries import get_binaries, lock
from hack.tools.children import Say, ToolError, free_ports, make_log_dir, say_nothing, start_child, stop_child, wait_until, work_dir
from hack.tools.controlplane import SERVICE_HOST, ControlPlane
from hack.tools.gateway import Gateway
from hack.tools.images import PAUSE, ensure_programs
from hack.tools.services import PROGRAMS as SERVICE_PROGRAMS
from hack.tools.services import Services

HERE = Path(__file__).resolve().parent / "node.d"
NAME: Final = "node-1"
BRIDGE, PODS, HOST = "cdm0", "198.18.77.0/24", "198.18.77.1"
"""Of the range that RFC 2544 keeps for tests, so that no network of the machine is in the way."""
_PROGRAMS: Final = {"containerd": "containerd", "runc": "runc", "ip": "iproute2", "unshare": "util-linux", **SERVICE_PROGRAMS}
_MAC: Final = "02:63:64:6d:00:01"
"""A bridge without an address of its own takes that of a port: it changes when a Pod goes, and the others lose the host for seconds."""
_PLUGINS: Final = Path("/usr/lib/cni/bridge")
_FORWARD: Final = Path("/proc/sys/net/ipv4/ip_forward")
_UNDERTAKER: Final = """
trap '' INT TERM HUP; cat >/dev/null
ip link delete "$1"
echo "$2" >"$3"
for i in 1 2 3 4 5; do
  find /sys/fs/cgroup -depth -type d -path '*/k8s.io*' -newer "$4" -exec rmdir {} + && exit
  sleep 1
done
"""
"""rmdir takes away empty cgroups alone; those newer than our start are ours, or nobody's."""


def find_obstacles() -> tuple[str, ...]:
    """Why no node can be started on this machine; each a sentence."""
    found = []
    if os.geteuid():
        found.append("a node needs root")
    lacks = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    if lacks and not shutil.which("apt-get"):
        found.append(f"{', '.join(lacks)} missing, and there is no apt-get to install them")
    return tuple(found)


class Node:
    """`with Node(cluster, images=(archive, …)) as node:` has one Ready node. `gateway` is the API server as Pods see it.

    `address` is where Pods find programs of this machine. Services have their addresses and names, for TCP.
    Raises ToolError where something does not come up.
    """

    def __init__(self, cluster: ControlPlane, *, images: Sequence[Path], say: Say = say_nothing) -> None:
        self.cluster, self._images, self._say = cluster, tuple(images), say
        self._stack = contextlib.ExitStack()
        self.address = HOST
        self.dir = self.logs = Path()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def log(self, namespace: str) -> str:
        """What the containers of a namespace wrote."""
        return "\n".join(file.read_text(errors="replace") for file in self.log_files(namespace))

    def log_files(self, namespace: str) -> list[Path]:
        """The logs of its containers; a container that is started again has another one, and a Pod's go with the Pod."""
        return sorted((self.dir / "pods").glob(f"{namespace}_*/*/*.log"))

    def restart_kubelet(self) -> None:
        """As an upgrade of a node does; containers go on. It has forgotten the Pods' tokens and asks for others."""
        (self.dir / "again").touch()
        os.kill(self._find_kubelet(), signal.SIGTERM)
        wait_until("the kubelet's end", lambda: not (self.dir / "again").exists(), child=self._kubelet)

    def _find_kubelet(self) -> int:
        """The process itself: the one that was started here is the first of its PID namespace."""
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (path / "cmdline").read_text().split("\0")
                if words[0].endswith("/kubelet") and f"--root-dir={self.dir / 'kubelet'}" in words:
                    return int(path.name)
        raise ToolError("the kubelet does not run")

    def _start(self) -> None:
        started = time.monotonic()
        if obstacles := find_obstacles():
            raise ToolError("; ".join(obstacles))
        ensure_programs({**_PROGRAMS, **({} if _PLUGINS.exists() else {str(_PLUGINS): "containernetworking-plugins"})}, say=self._say)
        binaries = get_binaries(("kubelet", "kube-scheduler"), say=self._say)
        self._stack.enter_context(lock("node", say=self._say))
        self.dir = self._stack.enter_context(work_dir("node"))
        self.logs = make_log_dir("node")
        self._make_bridge()
        self.gateway = self._stack.enter_context(Gateway(self.cluster, (SERVICE_HOST, 443)))
        services = Services(self.cluster.kubeconfig, bridge=BRIDGE, dns=HOST, folder=self.dir, taken=frozenset({SERVICE_HOST}))
        self._stack.enter_context(services)
        self._write_files()
        self._run("kube-scheduler", [binaries["kube-scheduler"], self._login(), "--leader-elect=false", "--secure-port=0"])
        self._kubelet = self._run("kubelet", self._command(binaries["kubelet"]))
        try:
            wait_until("the node", self._is_ready, child=self._kubelet)
        except ToolError as error:
            raise ToolError(f"{error}; its logs are in {self.logs} and {self.dir}: {self._last_words()}") from None
        self._say(f"a node is ready after {time.monotonic() - started:.1f} s, logs in {self.logs}")

    def _make_bridge(self) -> None:
        """Made here so that this machine's programs can listen on it before there is a Pod."""
        subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)  # of a run whose machine died
        mark = self.logs / "started"
        mark.touch()
        script = ["sh", "-c", _UNDERTAKER, "sh", BRIDGE, _FORWARD.read_text().strip(), str(_FORWARD), str(mark)]
        undertaker = subprocess.Popen(script, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        self._stack.callback(undertaker.communicate)
        for command in (
            ("link", "add", BRIDGE, "address", _MAC, "type", "bridge"),
            ("address", "add", f"{HOST}/24", "dev", BRIDGE),
            ("address", "add", f"{SERVICE_HOST}/32", "dev", BRIDGE),
            ("link", "set", BRIDGE, "up"),
        ):
            done = subprocess.run(["ip", *command], capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolError(f"ip {' '.join(command)}: {done.stderr.strip()}")

    def _write_files(self) -> None:
        (port,) = free_ports(1)
        words = {"DIR": str(self.dir), "BRIDGE": BRIDGE, "PODS": PODS, "PAUSE": PAUSE, "PORT": str(port), "HOST": HOST}
        words["CLIENT"] = str(self.cluster.kubelet_client)
        for name in ("containerd.toml", "kubelet.yaml", "10-bridge.conflist"):
            text = (HERE / name).read_text()
            for word, value in words.items():
                text = text.replace(word, value)
            target = self.dir / ("cni" if name.endswith(".conflist") else "") / name
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)

    def _command(self, kubelet: Path) -> list[str | Path]:
        inside = ("unshare", "--pid", "--mount", "--fork", "--kill-child=KILL", "--mount-proc", "sh", HERE / "run.sh", self.dir)
        flags = (f"--config={self.dir / 'kubelet.yaml'}", f"--hostname-override={NAME}", f"--node-ip={HOST}")
        places = (f"--root-dir={self.dir / 'kubelet'}", f"--cert-dir={self.dir / 'pki'}")
        return [*inside, *self._images, "--", kubelet, self._login(), *flags, *places]

    def _login(self) -> str:
        return f"--kubeconfig={self.cluster.kubeconfig}"

    def _run(self, name: str, argv: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        child = start_child(argv, log=self.logs / f"{name}.log", cwd=self.dir)
        # The kernel ends what is in the namespaces with the process that made them; there is nothing to be asked politely.
        self._stack.callback(stop_child, child, grace=0.1)
        return child

    def _is_ready(self) -> bool:
        with contextlib.suppress(ToolError):
            path = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}{.spec.taints}'
            return self.cluster.kubectl("get", "node", NAME, path) == "True"
        return False

    def _last_words(self) -> str:
        logs = (self.logs / "kubelet.log", self.dir / "containerd.log")
        return "\n".join(log.read_text()[-1500:] for log in logs if log.exists())
