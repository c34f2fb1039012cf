"""The operator as a user has it: the chart installed by Helm on a control plane, its Deployment run by the stand-in for the kubelet."""

import base64
import contextlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hack.tools.children import ToolError, free_ports
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.support.kubelet import Kubelet
from tests.support.reading import Reader
from tests.support.rest import Api
from tests.support.writing import Writer

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "clouddatamesh"
_PAUSE, _AT_ONCE = 0.2, 5
"""Seconds between two looks at objects that are waited for, and how many of those in one look: the others are likely to be as late."""
_MADE = 60
"""Seconds in which what is applied is Ready, however busy the machine is: a bound that is promised is given by the test of the promise."""
_REST = 2.0
"""Seconds without a write of the operator after which it has nothing more to do."""
GROUP = "clouddatamesh.dev"
NAMESPACE, RELEASE, CREDENTIALS = "clouddatamesh-system", "clouddatamesh", "main-s3"


class Installation:
    """`with Installation(control_plane, mesh="acme") as mesh:` has the operator running, and `apply`, `get`, `wait` beside it."""

    host = "127.0.0.1"
    """The address of this machine at which the operator finds what listens there."""

    def __init__(
        self,
        cluster: ControlPlane,
        *,
        mesh: str,
        values: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        server: str = "",
    ) -> None:
        """`server` is where the operator finds the API server, if not where everybody does."""
        self.cluster = cluster
        self._env, self._server = env, server
        self.mesh = mesh
        (self.health_port,) = free_ports(1)
        self._values = {"mesh": mesh, "replicas": "1", "health.port": str(self.health_port), **(values or {})}
        self._stack = contextlib.ExitStack()
        api = Api(cluster.kubeconfig)
        self.reader, self._writer = Reader(api), Writer(api)

    def __enter__(self) -> Self:
        kubelet = Kubelet(self.cluster.kubeconfig, NAMESPACE, path_prefix=Path(sys.executable).parent, env=self._env, server=self._server)
        self.kubelet = self._stack.enter_context(kubelet)
        try:
            self.install()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def install(self) -> None:
        """`helm upgrade --install --wait`, which returns when the operator is ready."""
        values = [part for name, value in sorted(self._values.items()) for part in ("--set", f"{name}={value}")]
        flags = ["--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", "180s"]
        self.cluster.helm("upgrade", "--install", RELEASE, str(CHART), *flags, *values)
        self.cluster.refresh_controllers()

    def reach(self, store: Store) -> Store:
        """The store at an address that the operator and this machine both find."""
        return store

    def give_credentials(self, store: Store, name: str = CREDENTIALS) -> None:
        """The Secret that an ObjectStore names."""
        data = {"access-key-id": store.access_key, "secret-access-key": store.secret_key}
        metadata = {"name": name, "namespace": NAMESPACE}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """As `kubectl apply --server-side`; raises ToolError with what the API server said."""
        self._writer.apply(manifests)

    def patch(self, kind: str, name: str, namespace: str = "", *, change: Mapping[str, Any]) -> None:
        """As `kubectl patch --type=merge`; raises ToolError with what the API server said."""
        self._writer.patch(self.reader.path(kind, name, namespace), change)

    def annotate(self, kind: str, name: str, namespace: str = "", **annotations: str | None) -> None:
        """As `kubectl annotate --overwrite`, for annotations of our group; without a value one goes."""
        words = {f"{GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.patch(kind, name, namespace, change={"metadata": {"annotations": words}})

    def refusal(self, manifest: Mapping[str, Any], *, user: str = "") -> str:
        """What the API server would say against a user's making it; empty where nothing. Nothing is written."""
        try:
            self._writer.rehearse(manifest, user=user)
        except ToolError as error:
            return str(error)
        return ""

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """One object; empty where it does not exist."""
        return self.reader.get(kind, name, namespace)

    def all(self, kinds: str, namespace: str = "") -> list[dict[str, Any]]:
        """All objects of some kinds, separated by commas, or of a category; in one namespace or in all."""
        return self.reader.all(kinds, namespace)

    def wait(self, kind: str, name: str, namespace: str = "", *, condition: str = "Ready", seconds: float = _MADE) -> None:
        """As `kubectl wait --for=condition`; raises ToolError with the object's status."""
        self.wait_all(kind, (name,), namespace, condition=condition, seconds=seconds)

    def wait_all(self, kind: str, names: Iterable[str], namespace: str = "", *, condition: str = "Ready", seconds: float = _MADE) -> None:
        """The same of several objects of one kind."""
        end, left = time.monotonic() + seconds, list(names)
        while left:
            found = {name: self.get(kind, name, namespace) for name in left[:_AT_ONCE]}
            met = {name for name, manifest in found.items() if has_condition(manifest, condition)}
            left = [name for name in left if name not in met]
            if left and time.monotonic() > end:
                status = found.get(left[0], {}).get("status")
                raise ToolError(f"{kind} {namespace}/{', '.join(left)} not {condition} after {seconds} s: {status}")
            if not met:
                time.sleep(_PAUSE)

    def until(self, true: Callable[[], object], *, seconds: float = 30, what: str = "") -> None:
        """Poll until something holds. Raises TimeoutError that shows the objects' state and the operator's last words."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise TimeoutError(f"{what or true} after {seconds} s\n{self.describe()}")
            time.sleep(0.1)

    def rests(self, *, seconds: float = 120) -> None:
        """Wait until the operator has written nothing for a moment: all that it was about is done, and told by every object."""
        self.until(self._is_quiet, seconds=seconds, what="an operator that rests")

    def _is_quiet(self) -> bool:
        mark = self.cluster.audit.mark()
        time.sleep(_REST)
        found = self.cluster.audit.read(since=mark, user=f"system:serviceaccount:{NAMESPACE}:{RELEASE}")
        return not any(request.writes for request in found)

    def describe(self) -> str:
        """All objects of the mesh and the end of the operator's log, for a failure's message."""
        table = self.cluster.kubectl("get", "datamesh", "-A", "-o", "wide")
        return "\n".join([table, self.log()[-3000:]])

    def url(self, path: str) -> str:
        """Where the first replica serves its own pages."""
        return f"http://127.0.0.1:{self.health_port}{path}"

    def page(self, path: str) -> str:
        """What it answers there."""
        with urllib.request.urlopen(self.url(path), timeout=5) as answer:  # noqa: S310 - always http
            return str(answer.read().decode())

    def is_ready(self) -> bool:
        """Whether the first replica runs and its readiness probe says yes."""
        return any(pod.is_ready for pod in self.kubelet.pods(RELEASE)[:1])

    def kill(self) -> None:
        """SIGKILL for the first replica, which is then started again."""
        self.kubelet.pods(RELEASE)[0].kill(signal.SIGKILL)

    def scale(self, replicas: int) -> None:
        """Ask for so many replicas; of none, wait until the last one has ended."""
        self.cluster.kubectl("scale", "deployment", RELEASE, "-n", NAMESPACE, f"--replicas={replicas}")
        if not replicas:
            self.until(lambda: not self.runs(), seconds=_MADE, what="the operator's end")

    def runs(self) -> bool:
        """Whether there is any replica, also one that is being stopped."""
        return self.kubelet.runs(RELEASE)

    def scratch(self) -> Path:
        """Where this machine sees /tmp of the first replica; it is kept while the container is started again."""
        return self.kubelet.pods(RELEASE)[0].dir / "volumes" / "tmp"

    def log(self) -> str:
        """What the operator's pods wrote."""
        return "\n".join(pod.log.read_text() for pod in self.kubelet.pods(RELEASE) if pod.log.exists())

    def secret(self, name: str, namespace: str) -> dict[str, str]:
        """The decoded data of a Secret; empty where it does not exist, as it may go while somebody looks."""
        data = self.get("secret", name, namespace).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}


def has_condition(manifest: Mapping[str, Any], name: str) -> bool:
    """As `kubectl wait` judges it: True, and said of the object's present generation."""
    status = manifest.get("status") or {}
    found: Mapping[str, Any] = next((one for one in status.get("conditions") or () if one["type"] == name), {})
    said_of = found.get("observedGeneration", status.get("observedGeneration"))
    return found.get("status") == "True" and (said_of is None or said_of >= manifest["metadata"].get("generation", 0))


def git_describe() -> str:
    """Which commit this is, for figures."""
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
