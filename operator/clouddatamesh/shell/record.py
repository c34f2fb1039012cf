"""The cluster's own record of which mesh it is served as: another name on the same release is a typo until somebody says otherwise."""

from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.errors import ApiError, is_absent, translate
from clouddatamesh.kube.resources import RESOURCES, collection, path
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Key

NAME: Final = "clouddatamesh-mesh"
ANNOTATION: Final = "clouddatamesh.dev/mesh"


class MeshRecord:
    """A Lease, which nobody renews, in the operator's namespace; its annotation holds the name of the mesh."""

    def __init__(self, client: Transport, *, namespace: str, mesh: str) -> None:
        self._client, self._mesh = client, mesh
        self._key = Key("Lease", namespace, NAME)

    def find_fault(self) -> str:
        """Empty where the record names this mesh, or was made now; else the sentence that says what to do. Raises MeshError."""
        try:
            found = self._read() or self._make() or self._read()
        except ApiError as error:
            raise translate(error, "Reading the record of the mesh's name") from error
        if found is None:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, f"Lease {self._key.namespace}/{NAME} was neither read nor created")
        recorded = (found["metadata"].get("annotations") or {}).get(ANNOTATION)
        if recorded == self._mesh:
            return ""
        return (
            f"this cluster is served as mesh {recorded}, and this operator was started for mesh {self._mesh}: set the chart's value mesh to"
            f" {recorded}, or, where the name is to change, delete Lease {NAME} in namespace {self._key.namespace}"
        )

    def _read(self) -> dict[str, Any] | None:
        try:
            return self._client.request("GET", path(self._key))
        except ApiError as error:
            if is_absent(error):
                return None
            raise

    def _make(self) -> dict[str, Any] | None:
        """None where somebody else made it at the same time."""
        metadata = {"name": NAME, "namespace": self._key.namespace, "annotations": {ANNOTATION: self._mesh}}
        body = {"apiVersion": RESOURCES["Lease"].api_version, "kind": "Lease", "metadata": metadata, "spec": {}}
        try:
            return self._client.request("POST", collection("Lease", self._key.namespace), body=body)
        except ApiError as error:
            if error.status != 409:
                raise
            return None
