"""A control plane with nothing on it but the CRDs: those of others belong to their Helm release."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from clouddatamesh.api.kinds import KIND_BY_NAME
from hack.tools.controlplane import ControlPlane
from tests.support.installation import ROOT
from tests.support.rest import Api


@contextlib.contextmanager
def with_crds() -> Iterator[ControlPlane]:
    """Namespaces sales and inventory are there."""
    with ControlPlane() as started:
        started.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        started.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
        for namespace in ("sales", "inventory"):
            started.kubectl("create", "namespace", namespace)
        yield started


def rehearse(api: Api, manifest: Mapping[str, Any]) -> None:
    """Make an object as kubectl does, as a dry run and without a process for each. Raises ApiError with the API server's Status."""
    kind, place = KIND_BY_NAME[manifest["kind"]], manifest["metadata"].get("namespace")
    path = f"/apis/{manifest['apiVersion']}{f'/namespaces/{place}' if place else ''}/{kind.plural}"
    api.post(f"{path}?dryRun=All&fieldValidation=Strict", dict(manifest))
