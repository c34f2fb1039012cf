"""Runs the Jobs of a namespace as tests/support/kubelet.py runs its Deployments: each once, as a local process with its own token."""

import contextlib
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import urllib3

from hack.tools.children import make_log_dir, work_dir
from tests.support.pod import Node, Pod
from tests.support.rest import Api, ApiError, Manifest

_TICK: Final = 0.2


class Jobs:
    """`with Jobs(kubeconfig, "mesh-system", path_prefix=venv_bin) as jobs:`; `said` has what each wrote, by the time of its start."""

    def __init__(self, kubeconfig: Path, namespace: str, *, path_prefix: Path) -> None:
        self._api, self._path_prefix = Api(kubeconfig), path_prefix
        self._path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._pods: dict[str, Pod] = {}
        self._stack, self._ending = contextlib.ExitStack(), threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"jobs-{namespace}", daemon=True)
        self.logs = make_log_dir("jobs")

    def __enter__(self) -> Self:
        place = self._stack.enter_context(work_dir("jobs"))
        self._node = Node(self._api, place, self.logs, self._path_prefix)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()
        for pod in self._pods.values():
            pod.stop()
        self._stack.close()

    @property
    def said(self) -> list[str]:
        """The log of each Job that was started."""
        return [path.read_text() for path in sorted(self.logs.iterdir(), key=lambda path: path.stat().st_ctime)]

    def _work(self) -> None:
        while not self._ending.wait(_TICK):
            with contextlib.suppress(ApiError, urllib3.exceptions.HTTPError):
                self._tick({job["metadata"]["uid"]: job for job in self._api.get(self._path)["items"]})

    def _tick(self, jobs: Mapping[str, Manifest]) -> None:
        for uid in set(self._pods) - set(jobs):
            self._pods.pop(uid).stop()
        for uid, job in jobs.items():
            if not job.get("status", {}).get("conditions"):
                self._run(uid, job)

    def _run(self, uid: str, job: Manifest) -> None:
        metadata = job["metadata"]
        if uid not in self._pods:
            self._pods[uid] = Pod(self._node, metadata["namespace"], f"{metadata['name']}-{uid[:8]}", job["spec"]["template"])
            self._api.patch(f"{self._path}/{metadata['name']}/status", {"status": {"startTime": _stamp(), "active": 1}})
        pod = self._pods[uid]
        if pod.exit_code is None:
            pod.tick(time.monotonic())
            return
        self._api.patch(f"{self._path}/{metadata['name']}/status", {"status": _ended(pod.exit_code)})


def _ended(code: int) -> Manifest:
    """The conditions that the API server demands of a Job that ended."""
    names = ("FailureTarget", "Failed") if code else ("SuccessCriteriaMet", "Complete")
    stamp = _stamp()
    conditions = [
        {
            "type": name,
            "status": "True",
            "reason": "Exited",
            "message": f"exit code {code}",
            "lastProbeTime": stamp,
            "lastTransitionTime": stamp,
        }
        for name in names
    ]
    count = {"failed": 1} if code else {"succeeded": 1, "completionTime": stamp}
    return {"conditions": conditions, "active": None, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}, **count}


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
