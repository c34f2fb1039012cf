"""An Application with sync waves, one of which waits for what does not come. The mesh itself has none; other Applications may."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from tests.e2e.argo_seen import told
from tests.support.gitops import Gitops, Manifest, an_application
from tests.support.manifests import a_product

TIMEOUT: Final = 60
"""`controller.sync.timeout.seconds` of examples/gitops."""
NAME: Final = "waves"
NAMESPACE: Final = "default"
"""No Domain has it, so a product there is never Healthy."""


@dataclass(frozen=True)
class Waves:
    """The Application, and since when its first operation ran."""

    mesh: Gitops
    began: datetime

    @classmethod
    def that_wait(cls, mesh: Gitops) -> Self:
        """A product in the first wave, and another wave that is held up by it."""
        mesh.write(f"{NAME}/first.yaml", a_product("waiting", NAMESPACE))
        mesh.write(f"{NAME}/second.yaml", _a_note("second", wave=1))
        mesh.push("Wait for a product in a wave")
        mesh.installed.apply(an_application(NAME, mesh, path=NAME, finalizers=["resources-finalizer.argocd.argoproj.io"]))
        mesh.until(lambda: "DomainNotFound" in told(mesh, NAME, "DataProduct/waiting"), seconds=TIMEOUT - 5, what="a product that waits")
        return cls(mesh, _begun(mesh))

    def go_on(self) -> float:
        """Commit what does without the product, while Argo CD waits; seconds from the first operation to the one that applies it."""
        (self.mesh.repository.path / NAME / "first.yaml").unlink()
        self.mesh.write(f"{NAME}/third.yaml", _a_note("third", wave=0))
        self.mesh.push("Do without the product")
        self.mesh.until(lambda: self._has("configmap", "third"), seconds=TIMEOUT + 30, what="the sync of the next commit")
        held = (_begun(self.mesh) - self.began).total_seconds()
        self.mesh.settles(NAME)
        self.mesh.until(lambda: not self._has("dataproduct", "waiting"), seconds=30, what="the end of the product")
        assert self._has("configmap", "second")
        return held

    def end(self) -> None:
        """Remove the Application with its objects, and the folder."""
        self.mesh.installed.cluster.kubectl("delete", "applications.argoproj.io", NAME, "-n", "argocd", "--timeout=60s")
        self.mesh.remove(f"{NAME}/*")
        self.mesh.push("Remove the waves")

    def _has(self, kind: str, name: str) -> bool:
        return bool(self.mesh.installed.get(kind, name, NAMESPACE))


def _a_note(name: str, *, wave: int) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "annotations": {"argocd.argoproj.io/sync-wave": str(wave)}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _begun(mesh: Gitops) -> datetime:
    return datetime.fromisoformat(mesh.application(NAME)["status"]["operationState"]["startedAt"])
