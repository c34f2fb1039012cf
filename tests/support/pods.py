"""The operator in a real Pod: the chart installed by Helm on a control plane with a real node, from the image of this checkout."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from hack.tools import node as nodes
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.engines import OPERATOR
from hack.tools.images import get_image, get_pause
from hack.tools.node import Node
from hack.tools.store import Store
from tests.support.installation import NAMESPACE, Installation
from tests.support.relay import Relay

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}
PROGRAM = "/opt/clouddatamesh/bin/clouddatamesh"
"""Where the image has the operator."""


def find_obstacles(config: pytest.Config) -> str:
    """Why this run has no real node; empty where it has one."""
    asked = ("--no-node was given",) if config.getoption("no_node") else ()
    return "; ".join((*asked, *nodes.find_obstacles()))


def has_node(config: pytest.Config) -> bool:
    """Whether Pods run in this run; a test that wants one and has none fails under CI=true."""
    obstacles = find_obstacles(config)
    if obstacles and os.environ.get("CI", "").lower() == "true":
        pytest.fail(obstacles)
    return not obstacles


@contextlib.contextmanager
def pod_cluster() -> Iterator[Node]:
    """A node with the operator's image on it; its `cluster` makes Pods of Deployments."""
    images = (get_pause(), get_image())
    with ControlPlane(runs_pods=True) as cluster, Node(cluster, images=images) as node:
        yield node


@contextlib.contextmanager
def in_a_pod(config: pytest.Config, *, mesh: str, values: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """An installation on a control plane of its own, in a Pod of a real node; by the stand-in for the kubelet where there is no node."""
    if has_node(config):
        with pod_cluster() as node, PodInstallation(node, mesh=mesh, values=values) as installed:
            yield installed
    else:
        with ControlPlane() as cluster, Installation(cluster, mesh=mesh, values=values) as installed:
            yield installed


class PodInstallation(Installation):
    """An installation whose namespace enforces the Pod Security Standard `restricted`."""

    def __init__(self, node: Node, *, mesh: str, values: Mapping[str, str] | None = None) -> None:
        repository, _, tag = OPERATOR.name.rpartition(":")
        image = {"image.repository": repository, "image.tag": tag, "image.pullPolicy": "Never"}
        super().__init__(node.cluster, mesh=mesh, values={**image, "health.port": "8080", **(values or {})})
        self.node, self.host = node, node.address
        self._ended = ""

    def __enter__(self) -> Self:
        labels = {"name": NAMESPACE, "labels": RESTRICTED}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": labels})
        try:
            self.install()
        except ToolError as error:
            raise ToolError(f"{error}\n{self.describe_pods()}\n{self.log()[-3000:]}") from None
        return self

    def pod(self) -> dict[str, Any]:
        """The operator's Pod, as long as there is one and no more."""
        (pod,) = self.reader.all("pods", NAMESPACE)
        return pod

    def process(self) -> Path:
        """The operator's own process, as this machine's /proc shows it."""
        uid = self.pod()["metadata"]["uid"]
        (found,) = (path for path in Path("/proc").glob("[0-9]*") if uid in read(path / "mountinfo") and PROGRAM in read(path / "cmdline"))
        return found

    def describe_pods(self) -> str:
        """What the kubelet says of them, for a failure's message."""
        return self.cluster.kubectl("describe", "pods", "-n", NAMESPACE)[-2000:]

    def reach(self, store: Store) -> Store:
        """Stores listen where only this machine finds them."""
        return replace(store, endpoint=self._stack.enter_context(Relay(store.endpoint, host=self.host)).endpoint)

    def url(self, path: str) -> str:
        """Where the Pod answers."""
        return f"http://{self.pod()['status']['podIP']}:8080{path}"

    def is_ready(self) -> bool:
        """Whether the kubelet calls the Pod ready."""
        conditions = [found for pod in self.reader.all("pods", NAMESPACE) for found in pod["status"].get("conditions", ())]
        return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)

    def kill(self) -> None:
        """From outside of its PID namespace: the first process of one is not reached by a SIGKILL from within."""
        os.kill(int(self.process().name), signal.SIGKILL)

    def scale(self, replicas: int) -> None:
        """The log of a Pod goes with the Pod, so it is read to its end.

        The first process of a container that has just begun drops a SIGTERM, and the kubelet then waits for the whole grace period.
        """
        if not replicas:
            with contextlib.suppress(TimeoutError):
                self.until(self._hears, seconds=15)
        with contextlib.ExitStack() as stack:
            logs = [stack.enter_context(path.open(errors="replace")) for path in self.node.log_files(NAMESPACE) if not replicas]
            super().scale(replicas)
            self._ended += "".join(log.read() for log in logs)

    def _hears(self) -> bool:
        """Whether the operator's process has a handler for SIGTERM."""
        try:
            caught = next(line for line in read(self.process() / "status").splitlines() if line.startswith("SigCgt:"))
        except (ValueError, StopIteration):  # between two processes
            return False
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def runs(self) -> bool:
        """Whether there is a Pod, also one that is being deleted."""
        return bool(self.reader.all("pods", NAMESPACE))

    def scratch(self) -> Path:
        """The kubelet's own folder of the emptyDir."""
        uid = str(self.pod()["metadata"]["uid"])
        return self.node.dir / "kubelet" / "pods" / uid / "volumes" / "kubernetes.io~empty-dir" / "tmp"

    def log(self) -> str:
        """What the operator's containers wrote."""
        return self._ended + self.node.log(NAMESPACE)


def read(path: Path) -> str:
    """A file of /proc; empty where its process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
