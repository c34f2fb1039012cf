"""The retail mesh: its manifests, with the address of the quickstart's store, created in an order that a mesh needs."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quickstart.cluster import LABELS, Cluster, Manifest

Say = Callable[[str], None]
_PAUSE = 1.0
"""Seconds between two looks."""


class QuickstartError(Exception):
    """What keeps the mesh from being made; the message says what to do."""


@dataclass(frozen=True)
class Mesh:
    """The manifests in `folder`, with an ObjectStore at `endpoint` whose key is in Secret `secret`. `seconds` is the limit for all."""

    folder: Path
    endpoint: str
    secret: str
    seconds: float = 210.0


def read_manifests(mesh: Mesh) -> Iterator[dict[str, Any]]:
    """All but the AccessGrant, which is left to the reader of the page: it is how an owner says yes."""
    for file in sorted(mesh.folder.glob("*.yaml")):
        for found in yaml.safe_load_all(file.read_text()):
            if found["kind"] == "ObjectStore":
                found["spec"].update(endpointUrl=mesh.endpoint, credentialsSecretRef={"name": mesh.secret})
            if found["kind"] != "AccessGrant":
                yield found


def make_mesh(cluster: Cluster, mesh: Mesh, say: Say) -> None:
    """Create what is not there yet, each step when the one before is Ready. What exists is left as it is.

    Raises QuickstartError where another ObjectStore exists, or where something is not Ready in time.
    """
    deadline = time.monotonic() + mesh.seconds
    _refuse_beside_other_stores(_await_stores(cluster, deadline))
    manifests = list(read_manifests(mesh))
    for kinds in (("ObjectStore", "Domain"), ("DataProduct",)):
        wanted = [found for found in manifests if found["kind"] in kinds]
        _create(cluster, wanted, say)
        _await_ready(cluster, wanted, deadline)
    _create(cluster, (found for found in manifests if found["kind"] == "AccessRequest"), say)


def _await_stores(cluster: Cluster, deadline: float) -> list[Manifest]:
    while (stores := cluster.list_stores()) is None:
        if time.monotonic() > deadline:
            raise QuickstartError("The API server does not serve ObjectStores: install the CRDs of the chart (crds.enabled=true)")
        time.sleep(_PAUSE)
    return stores


def _refuse_beside_other_stores(stores: Iterable[Manifest]) -> None:
    others = sorted(name_of(store) for store in stores if not LABELS.items() <= (store["metadata"].get("labels") or {}).items())
    if others:
        raise QuickstartError(f"{', '.join(others)} exists: the quickstart is for a cluster without a mesh; set quickstart.enabled=false")


def _create(cluster: Cluster, manifests: Iterable[Manifest], say: Say) -> None:
    for manifest in manifests:
        say(f"{name_of(manifest)} {'created' if cluster.create(manifest) else 'exists and is left as it is'}")


def _await_ready(cluster: Cluster, manifests: Iterable[Manifest], deadline: float) -> None:
    waiting = list(manifests)
    while True:
        waiting = [found for found in waiting if _why_not_ready(cluster, found)]
        if not waiting:
            return
        if time.monotonic() > deadline:
            reasons = "; ".join(f"{name_of(found)}: {_why_not_ready(cluster, found)}" for found in waiting)
            raise QuickstartError(f"Not Ready in time: {reasons}. Correct that, then run helm upgrade with the same values")
        time.sleep(_PAUSE)


def _why_not_ready(cluster: Cluster, manifest: Manifest) -> str:
    """The message of its Ready condition; empty where that is True."""
    metadata = manifest["metadata"]
    status = cluster.get(manifest["kind"], metadata["name"], metadata.get("namespace", "")).get("status") or {}
    ready = [found for found in status.get("conditions", ()) if found["type"] == "Ready"]
    if not ready:
        return "the operator has not looked at it yet"
    return "" if ready[0]["status"] == "True" else str(ready[0]["message"])


def name_of(manifest: Manifest) -> str:
    """As `DataProduct sales/orders`."""
    metadata = manifest["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{manifest['kind']} {place}{metadata['name']}"
