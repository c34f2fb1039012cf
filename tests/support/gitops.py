"""A mesh that is run from Git: examples/gitops as a repository on this machine, a real Argo CD, and the operator on one control plane."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from clouddatamesh.generate.argocd import argocd_cm
from hack.tools.argo_cd import NAMESPACE, ArgoCD, Repository
from hack.tools.children import work_dir
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.support.installation import CREDENTIALS, ROOT, Installation
from tests.support.installation import NAMESPACE as OPERATOR_NAMESPACE

EXAMPLE: Final = ROOT / "examples" / "gitops"
PLACEHOLDER: Final = "https://git.example.com/mesh.git"
FOLDERS: Final = ("platform", "domains", "grants")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class State:
    """What Argo CD says of an Application."""

    sync: str
    health: str
    revision: str
    phase: str
    message: str
    resources: Mapping[str, tuple[str, str, str]]
    """Kind/name -> sync status, health, and the message of the health."""

    @property
    def is_settled(self) -> bool:
        """An Application without objects was never synced, and has nothing to sync."""
        return (self.sync, self.health) == ("Synced", "Healthy") and self.phase in ("", "Succeeded")

    @property
    def unsynced(self) -> list[str]:
        return [name for name, (sync, _, _) in self.resources.items() if sync != "Synced"]


@dataclass(frozen=True)
class Gitops:
    """What people do in Git, and what Argo CD and the cluster make of it."""

    installed: Installation
    argo: ArgoCD
    repository: Repository
    store: Store

    def write(self, path: str, *manifests: Manifest) -> None:
        """Write a file of the working tree."""
        target = self.repository.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump_all(manifests))

    def remove(self, *patterns: str) -> None:
        """Remove files of the working tree."""
        for pattern in patterns:
            for path in self.repository.path.glob(pattern):
                path.unlink()

    def push(self, message: str) -> None:
        """Commit, and have Argo CD told, as by a webhook."""
        self.repository.commit(message)
        self.told()

    def told(self) -> None:
        if names := self.applications():
            self.argo.refresh(*names)

    def applications(self) -> list[str]:
        return [one["metadata"]["name"] for one in self.installed.all("applications", NAMESPACE)]

    def application(self, name: str) -> Manifest:
        """An Application; empty where it does not exist."""
        return self.installed.get("applications", name, NAMESPACE)

    def state(self, name: str) -> State:
        return _state_of(self.application(name))

    def states(self) -> dict[str, State]:
        """Of all Applications."""
        return {one["metadata"]["name"]: _state_of(one) for one in self.installed.all("applications", NAMESPACE)}

    def until(self, true: Callable[[], object], *, seconds: float, what: str) -> float:
        """Wait; how long it took. Raises TimeoutError with all Applications."""
        started = time.monotonic()
        try:
            self.installed.until(true, seconds=seconds, what=what)
        except TimeoutError as error:
            states = "\n".join(f"{name}: {state}" for name, state in self.states().items())
            raise TimeoutError(f"{error}\n{states}\nlogs in {self.argo.logs}") from None
        return time.monotonic() - started

    def settles(self, *names: str, seconds: float = 90) -> float:
        """Wait until Applications (else all) are Synced and Healthy at the newest commit; how long it took."""
        head = self.repository.head()

        def settled() -> bool:
            states = {name: state for name, state in self.states().items() if not names or name in names}
            return bool(states) and all(state.is_settled and state.revision == head for state in states.values())

        return self.until(settled, seconds=seconds, what="all Synced and Healthy")

    def apply_example(self, name: str, **replaced: str) -> None:
        """Apply a file of examples/gitops/argocd, for this repository."""
        text = (EXAMPLE / "argocd" / name).read_text().replace(PLACEHOLDER, self.repository.url)
        for old, new in replaced.items():
            text = text.replace(old, new)
        self._kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def client(self, secret: Mapping[str, str]) -> Any:
        """An S3 client with a consumer's or producer's own key."""
        return self.store.client("s3", access_key=secret["access-key-id"], secret_key=secret["secret-access-key"])

    def _kubectl(self, *args: str, stdin: str | None = None) -> str:
        return self.installed.cluster.kubectl(*args, stdin=stdin)


def _state_of(application: Manifest) -> State:
    status = application.get("status") or {}
    operation, resources = status.get("operationState") or {}, status.get("resources") or ()
    return State(
        sync=(status.get("sync") or {}).get("status", ""),
        health=(status.get("health") or {}).get("status", ""),
        revision=(status.get("sync") or {}).get("revision", ""),
        phase=operation.get("phase", ""),
        message=operation.get("message", ""),
        resources={f"{one['kind']}/{one['name']}": (one.get("status", ""), *_health_of(one)) for one in resources},
    )


def _health_of(resource: Manifest) -> tuple[str, str]:
    found = resource.get("health") or {}
    return found.get("status", ""), found.get("message", "")


@contextmanager
def a_mesh_from_git(store: Store) -> Iterator[Gitops]:
    """Everything installed, nothing applied from Git yet but what the platform team applies by hand: projects and parameters."""
    parameters = yaml.safe_load((EXAMPLE / "argocd" / "argocd-cmd-params-cm.yaml").read_text())["data"]
    with (
        work_dir("gitops") as place,
        ControlPlane() as cluster,
        Installation(cluster, mesh="retail", values={"log.level": "debug"}) as installed,
    ):
        repository = Repository(place / "mesh.git")
        _fill(repository.path, store)
        with ArgoCD(cluster, parameters=parameters) as argo:
            cluster.kubectl("apply", "--server-side", "-n", NAMESPACE, "-f", "-", stdin=argocd_cm())
            mesh = Gitops(installed, argo, repository, store)
            repository.commit("The retail mesh")
            mesh.apply_example("projects.yaml")
            yield mesh


def _fill(path: Path, store: Store) -> None:
    """The example's folders, with the store that runs here. A team would seal the Secret."""
    for folder in FOLDERS:
        shutil.copytree(EXAMPLE / folder, path / folder)
    file = path / "platform" / "store.yaml"
    found = yaml.safe_load(file.read_text())
    found["spec"].update(endpointUrl=store.endpoint, region=store.region)
    file.write_text(yaml.safe_dump(found))
    data = {"access-key-id": store.access_key, "secret-access-key": store.secret_key}
    metadata = {"name": CREDENTIALS, "namespace": OPERATOR_NAMESPACE}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
    (path / "platform" / "secret.yaml").write_text(yaml.safe_dump(secret))


def an_application(name: str, mesh: Gitops, *, path: str, options: Sequence[str] = (), **metadata: Any) -> Manifest:
    """An Application of a folder, synced by itself; options as in syncPolicy.syncOptions."""
    place = {"server": "https://kubernetes.default.svc", "namespace": "default"}
    policy = {
        "automated": {"prune": True, "selfHeal": True},
        "syncOptions": list(options),
        "retry": {"limit": -1, "refresh": True, "backoff": {"duration": "2s", "factor": 2, "maxDuration": "10s"}},
    }
    source = {"repoURL": mesh.repository.url, "targetRevision": "main", "path": path}
    spec = {"project": "default", "source": source, "destination": place, "syncPolicy": policy}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": spec,
    }
