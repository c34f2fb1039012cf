"""The operator in a real Pod: the chart installed by Helm on a control plane with a real node, from the image of this checkout."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.engines import OPERATOR
from hack.tools.images import get_image, get_pause
from hack.tools.node import Node
from tests.support.installation import NAMESPACE, Installation

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "latest"}


@contextlib.contextmanager
def pod_cluster() -> Iterator[Node]:
    """A node with the operator's image on it; its `cluster` makes Pods of Deployments."""
    images = (get_pause(), get_image())
    with ControlPlane(runs_pods=True) as cluster, Node(cluster, images=images) as node:
        yield node


class PodInstallation(Installation):
    """An installation whose namespace enforces the Pod Security Standard `restricted`."""

    def __init__(self, node: Node, *, mesh: str, values: Mapping[str, str] | None = None) -> None:
        repository, _, tag = OPERATOR.name.rpartition(":")
        image = {"image.repository": repository, "image.tag": tag, "image.pullPolicy": "Never"}
        super().__init__(node.cluster, mesh=mesh, values={**image, "health.port": "8080", **(values or {})})
        self.node = node

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
        (pod,) = json.loads(self.cluster.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
        return dict(pod)

    def describe_pods(self) -> str:
        """What the kubelet says of them, for a failure's message."""
        return self.cluster.kubectl("describe", "pods", "-n", NAMESPACE)[-2000:]

    def is_ready(self) -> bool:
        """Whether the kubelet calls the Pod ready."""
        conditions = self.pod()["status"]["conditions"]
        return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)

    def url(self, path: str) -> str:
        """Where the Pod answers."""
        return f"http://{self.pod()['status']['podIP']}:8080{path}"

    def log(self) -> str:
        """What the operator's containers wrote."""
        return self.node.log(NAMESPACE)
