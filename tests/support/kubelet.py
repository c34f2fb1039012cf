"""The stand-in for the kubelet: runs each Deployment of a namespace as local processes and writes its status from them.

A pod is its first container's command with the ServiceAccount's own token (as KUBECONFIG, for nothing can be mounted), env, volumes
and probes. No Pod objects are made. The first replica listens on the ports that its manifest names, the others on ports of their own.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3

from hack.tools.children import make_log_dir, work_dir
from tests.support.pod import Node, Pod
from tests.support.rest import Api, ApiError, Manifest

TICK = 0.05


class Kubelet:
    """`with Kubelet(kubeconfig, "mesh-system", path_prefix=venv_bin) as kubelet:` runs that namespace's Deployments."""

    def __init__(
        self, kubeconfig: Path, namespace: str, *, path_prefix: Path, env: Mapping[str, str] | None = None, server: str = ""
    ) -> None:
        self._api = Api(kubeconfig)
        self._namespace = namespace
        self._path_prefix = path_prefix
        self._env, self._server = dict(env or {}), server
        self._workloads: dict[str, _Workload] = {}
        self._stack = contextlib.ExitStack()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"kubelet-{namespace}", daemon=True)
        self.logs = make_log_dir("kubelet")

    def __enter__(self) -> Self:
        place = self._stack.enter_context(work_dir("kubelet"))
        self._node = Node(self._api, place, self.logs, self._path_prefix, self._env, self._server)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self._ending.set()
            while self._workloads:
                self._workloads.popitem()[1].end()
        self._stack.close()

    def pods(self, deployment: str = "") -> tuple[Pod, ...]:
        """The replicas that should run now, of one Deployment or of all."""
        found = sorted(self._workloads.copy().items())
        return tuple(pod for name, workload in found if deployment in ("", name) for pod in workload.pods)

    def runs(self, deployment: str = "") -> bool:
        """Whether any process of a Deployment, or of all, has not ended: those that should run, and those that are being stopped."""
        found = self._workloads.copy().items()
        return any(workload.runs for name, workload in found if deployment in ("", name))

    def wait(self, deployment: str, until: Callable[[Pod], bool], *, seconds: float = 30.0) -> Pod:
        """The Deployment's first pod for which `until` holds. Raises TimeoutError with what it last wrote."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for pod in self.pods(deployment):
                if until(pod):
                    return pod
            time.sleep(TICK)
        raise TimeoutError(f"{deployment} after {seconds:.0f} s: {self._describe(deployment)}")

    def _describe(self, deployment: str) -> str:
        pods = self.pods(deployment)
        logs = (pod.log.read_text()[-2000:] if pod.log.exists() else "no log" for pod in pods)
        return "\n".join(f"{pod.name} {pod.waiting} {log}" for pod, log in zip(pods, logs, strict=True)) or "no pod"

    def _work(self) -> None:
        """List and watch until the end; whatever goes wrong with the server is tried again."""
        while not self._ending.is_set():
            with contextlib.suppress(ApiError, urllib3.exceptions.HTTPError, OSError, ValueError):
                self._follow()
            self._ending.wait(0.2)

    def _follow(self) -> None:
        path = f"/apis/apps/v1/namespaces/{self._namespace}/deployments"
        found = self._api.get(path)
        for name in set(self._workloads) - {item["metadata"]["name"] for item in found["items"]}:
            self._forget(name)
        for item in found["items"]:
            self._run(item)
        for event in self._api.watch(path, found["metadata"]["resourceVersion"]):
            if event["type"] == "ERROR":
                return
            if event["type"] == "DELETED":
                self._forget(event["object"]["metadata"]["name"])
            else:
                self._run(event["object"])

    def _run(self, deployment: Manifest) -> None:
        name = deployment["metadata"]["name"]
        with self._lock:
            if self._ending.is_set():
                return
            if name not in self._workloads:
                self._workloads[name] = _Workload(self._node, deployment)
            self._workloads[name].want = deployment

    def _forget(self, name: str) -> None:
        if workload := self._workloads.get(name):
            workload.end()
            self._workloads.pop(name, None)


class _Workload:
    """One Deployment: a thread that keeps its pods as wanted and its status true.

    A new template replaces a single pod. Several are rolled as the chart asks for: one more than wanted, none less that is ready.
    """

    def __init__(self, node: Node, deployment: Manifest) -> None:
        self._node = node
        self._template = ""
        self._written: Manifest = {}
        self._progress_since = time.monotonic()
        self._revision = 0
        self._is_rolled_out = False
        self._ending = threading.Event()
        self.want = deployment
        self.pods: tuple[Pod, ...] = ()
        self._former: tuple[Pod, ...] = ()
        """Of the template before, while they are replaced one by one."""
        self._leaving: tuple[Pod, ...] = ()
        """They are being stopped, which takes a while."""
        self._thread = threading.Thread(target=self._work, name=deployment["metadata"]["name"], daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether any pod has not ended."""
        return bool(self._former or self.pods or self._leaving)

    def end(self) -> None:
        """Stop all pods and wait for them."""
        self._ending.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ending.wait(TICK):
            with contextlib.suppress(ApiError, urllib3.exceptions.HTTPError):
                self._tick(self.want)
        self._replace()

    def _tick(self, want: Manifest) -> None:
        template = json.dumps(want["spec"]["template"], sort_keys=True)
        count = int(want["spec"].get("replicas", 1))
        if template != self._template:
            if count < 2 or want["spec"].get("strategy", {}).get("type") == "Recreate":
                self._replace()
            self._former, self.pods = self._former + self.pods, ()
            self._template, self._progress_since = template, time.monotonic()
            self._revision += 1
            self._is_rolled_out = False
        self._keep(min(count, count + 1 - len(self._former)))
        for pod in (*self._former, *self.pods):
            pod.tick(time.monotonic())
        if self._former and len(self._former) + sum(pod.is_ready for pod in self.pods) > count:
            self._former[-1].stop()
            self._former = self._former[:-1]
        self._write_status(want)

    def _replace(self) -> None:
        """End all pods."""
        for pod in self._former:
            pod.stop()
        self._former = ()
        self._keep(0)

    def _keep(self, count: int) -> None:
        self._leaving = self.pods[count:]  # first, so that whoever asks meanwhile finds each somewhere
        self.pods = self.pods[:count]
        for pod in self._leaving:
            pod.stop()
        self._leaving = ()
        meta = self.want["metadata"]
        for index in range(len(self.pods), count):
            name = f"{meta['name']}-{self._revision}-{index}"
            self.pods += (Pod(self._node, meta["namespace"], name, self.want["spec"]["template"], first=index == 0 and not self._former),)

    def _write_status(self, want: Manifest) -> None:
        status = self._build_status(want)
        if status == self._written:
            return
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [{**condition, "lastTransitionTime": stamp, "lastUpdateTime": stamp} for condition in status["conditions"]]
        path = f"/apis/apps/v1/namespaces/{want['metadata']['namespace']}/deployments/{want['metadata']['name']}/status"
        self._node.api.patch(path, {"status": {**status, "conditions": conditions}})
        self._written = status

    def _build_status(self, want: Manifest) -> Manifest:
        wanted, ready = int(want["spec"].get("replicas", 1)), sum(pod.is_ready for pod in (*self._former, *self.pods))
        message = "; ".join(pod.waiting for pod in self.pods if pod.waiting)
        self._is_rolled_out = self._is_rolled_out or (ready >= wanted and not self._former)
        return {
            "observedGeneration": want["metadata"]["generation"],
            "replicas": len(self._former) + len(self.pods),
            "updatedReplicas": len(self.pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(wanted - ready, 0) or None,
            "conditions": [_available(ready >= wanted, message), self._progressing(want)],
        }

    def _progressing(self, want: Manifest) -> Manifest:
        """A rollout that once ended stays ended, whatever becomes of its pods."""
        if self._is_rolled_out:
            return _condition("Progressing", "True", "NewReplicaSetAvailable")
        if time.monotonic() - self._progress_since > float(want["spec"].get("progressDeadlineSeconds", 600)):
            return _condition("Progressing", "False", "ProgressDeadlineExceeded")
        return _condition("Progressing", "True", "ReplicaSetUpdated")


def _available(is_available: bool, message: str) -> Manifest:
    reason = "MinimumReplicasAvailable" if is_available else "MinimumReplicasUnavailable"
    return _condition("Available", "True" if is_available else "False", reason, message)


def _condition(kind: str, status: str, reason: str, message: str = "") -> Manifest:
    return {"type": kind, "status": status, "reason": reason, "message": message}
