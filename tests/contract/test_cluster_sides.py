"""The two sides on which the contract of the Cluster port is held, the memory fake and a real API server; and that they do what users do.

`open_side` is for the other test_cluster_*.py: `side.user_*` is somebody with kubectl, `side.raw` is what really stands there.
"""

import base64
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.client import Client
from clouddatamesh.kube.cluster import KubeCluster
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.lists import list_into
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.kube.resources import collection, path
from clouddatamesh.kube.transport import MERGE
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.dispatch import LABELLED, WATCHED
from hack.tools.controlplane import ControlPlane
from tests.support.evidence import seen
from tests.support.manifests import a_domain
from tests.support.worlds import SETTINGS

SIDES: Final = ("memory", pytest.param("real", marks=pytest.mark.real))
LABELS: Final = {"app.kubernetes.io/managed-by": "clouddatamesh"}
OTHER: Final = "example.org/other"
"""Somebody else's finalizer."""
NO_UID: Final = "00000000-0000-0000-0000-000000000000"


class Side(Protocol):
    """One cluster, seen by the operator (`cluster`) and by everybody else. `namespace` is new for each test."""

    cluster: Cluster
    namespace: str

    def user_apply(self, manifest: Manifest) -> None: ...
    def user_delete(self, key: Key) -> None: ...
    def user_finalize(self, key: Key, *finalizers: str) -> None: ...
    def put_own_secret(self, name: str, data: Mapping[str, str]) -> None: ...
    def raw(self, key: Key) -> Mapping[str, Any] | None: ...
    def secret_data(self, key: Key) -> dict[str, str]: ...
    def watch(self) -> None:
        """What the watches would have brought by now."""
        ...


class MemorySide(MemoryCluster):
    """The fake, whose cache is never behind."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.cluster: Cluster = self
        self.namespace = fresh()

    def watch(self) -> None:
        pass


class CountingClient(Client):
    """Notes each request."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig=kubeconfig)
        self.requests: list[tuple[str, str]] = []

    def request(self, method: str, path: str, **named: Any) -> dict[str, Any]:
        self.requests.append((method, path))
        return super().request(method, path, **named)


class RealSide:
    """A real API server: `client` is the operator's, all users share another."""

    def __init__(self, kubeconfig: Path) -> None:
        self.client = CountingClient(kubeconfig)
        self.cache = Cache()
        self.cluster: Cluster = KubeCluster(self.client, self.cache, SETTINGS)
        self.namespace = fresh()
        self._users = Client(kubeconfig=kubeconfig)

    def user_apply(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        query = {"fieldManager": "kubectl"}
        try:
            self._users.request("POST", collection(key.kind, key.namespace), body=manifest, query=query)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            self._users.request("PATCH", path(key), body=manifest, query=query, headers={"Content-Type": MERGE})

    def user_delete(self, key: Key) -> None:
        self._users.request("DELETE", path(key))

    def user_finalize(self, key: Key, *finalizers: str) -> None:
        body = {"metadata": {"finalizers": list(finalizers)}}
        self._users.request("PATCH", path(key), body=body, headers={"Content-Type": MERGE})

    def put_own_secret(self, name: str, data: Mapping[str, str]) -> None:
        self.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SETTINGS.namespace}})
        metadata = {"name": name, "namespace": SETTINGS.namespace}
        self.user_apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(data)})

    def raw(self, key: Key) -> Mapping[str, Any] | None:
        try:
            return self._users.request("GET", path(key))
        except ApiError as error:
            assert error.status == 404, error.message
            return None

    def secret_data(self, key: Key) -> dict[str, str]:
        found = self._users.request("GET", path(key))
        return {name: base64.b64decode(value).decode() for name, value in found.get("data", {}).items()}

    def watch(self) -> None:
        for kind in WATCHED:
            list_into(self.cache, self.client, kind, labelled=kind in LABELLED)


def open_side(request: pytest.FixtureRequest, name: str) -> Side:
    """The side of that name, with its namespace."""
    side: Side = MemorySide() if name == "memory" else _open_real(request)
    side.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": side.namespace}})
    side.watch()
    return side


def _open_real(request: pytest.FixtureRequest) -> RealSide:
    control_plane: ControlPlane = request.getfixturevalue("control_plane")
    _install_kinds(control_plane)
    return RealSide(control_plane.kubeconfig)


@cache
def _install_kinds(control_plane: ControlPlane) -> None:
    control_plane.kubectl("apply", "--server-side", "-f", str(Path(__file__).resolve().parents[2] / "crds"))
    control_plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=90s")


def fresh(prefix: str = "contract") -> str:
    """A name that nobody else uses."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def metadata_of(side: Side, key: Key) -> Mapping[str, Any]:
    """What the operator reads live of an object that must exist."""
    metadata: Mapping[str, Any] = seen(side.cluster.read_metadata(key))["metadata"]
    return metadata


def uid_of(side: Side, key: Key) -> str:
    return str(metadata_of(side, key)["uid"])


def a_domain_in(side: Side, *finalizers: str, name: str = "", **spec: Any) -> Key:
    """A Domain that a user made, as the operator's watch has seen it."""
    manifest = a_domain(name or fresh("fluid"), **spec)
    side.user_apply({**manifest, "metadata": {**manifest["metadata"], **({"finalizers": list(finalizers)} if finalizers else {})}})
    side.watch()
    return key_of(manifest)


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return open_side(request, request.param)


def test_status_that_is_sent_at_create_is_dropped_and_the_default_stands(side: Side) -> None:
    manifest = {**a_domain(fresh("fluid")), "status": {"observedGeneration": 7}}
    side.user_apply(manifest)
    assert (side.raw(key_of(manifest)) or {})["status"]["observedGeneration"] == -1


def test_a_changed_spec_raises_the_generation_and_the_version_labels_only_the_version(side: Side) -> None:
    key = a_domain_in(side)
    seen = [metadata_of(side, key)]
    for change in ({"spec": {"displayName": "Other"}}, {"metadata": {"labels": {"a": "b"}}}):
        now = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "Domain", "spec": (side.raw(key) or {})["spec"]}
        side.user_apply({**now, **change, "metadata": {"name": key.name, **change.get("metadata", {})}})
        seen.append(metadata_of(side, key))
    assert [metadata["generation"] for metadata in seen] == [1, 2, 2]
    assert sorted({int(metadata["resourceVersion"]) for metadata in seen}) == [int(metadata["resourceVersion"]) for metadata in seen]


def test_what_is_held_stays_marked_until_the_last_finalizer_goes(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    side.user_delete(key)
    metadata = metadata_of(side, key)
    assert metadata["deletionTimestamp"]
    assert metadata["generation"] == 2
    side.user_finalize(key)
    assert side.raw(key) is None
