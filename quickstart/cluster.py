"""What the quickstart asks of the API server: it creates objects, and never changes or deletes one."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

GROUP, VERSION = "clouddatamesh.dev", "v1alpha1"
PLURALS: Final = {
    "ObjectStore": "objectstores",
    "Domain": "domains",
    "DataProduct": "dataproducts",
    "AccessRequest": "accessrequests",
}
LABELS: Final = {"app.kubernetes.io/part-of": "clouddatamesh-quickstart"}
LOST: Final = (
    "This store keeps everything in memory and has started empty: all buckets, objects, users and keys of an earlier start are lost. "
    "Use it for trials only"
)
_MANAGER: Final = "clouddatamesh-quickstart"
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
Manifest = Mapping[str, Any]


class Cluster(Protocol):
    """The part of the API server that the mesh is made with."""

    def create(self, manifest: Manifest) -> bool:
        """Whether it was created; False where an object of that name exists."""

    def get(self, kind: str, name: str, namespace: str) -> Manifest:
        """One object as it is now."""

    def list_stores(self) -> list[Manifest] | None:
        """All ObjectStores; None while the kind is not served."""


class ApiServer:
    """The API server of the cluster that this Pod runs in."""

    def __init__(self) -> None:
        config.load_incluster_config()
        self._core, self._custom = client.CoreV1Api(), client.CustomObjectsApi()

    def create(self, manifest: Manifest) -> bool:
        """Whether it was created; False where an object of that name exists."""
        plural, namespace = PLURALS[manifest["kind"]], manifest["metadata"].get("namespace", "")
        body = {**manifest, "metadata": {**manifest["metadata"], "labels": LABELS}}

        def send() -> None:
            if namespace:
                self._custom.create_namespaced_custom_object(GROUP, VERSION, namespace, plural, body, field_manager=_MANAGER)
            else:
                self._custom.create_cluster_custom_object(GROUP, VERSION, plural, body, field_manager=_MANAGER)

        return _is_new(send)

    def get(self, kind: str, name: str, namespace: str) -> Manifest:
        """One object as it is now."""
        if namespace:
            found: Manifest = self._custom.get_namespaced_custom_object(GROUP, VERSION, namespace, PLURALS[kind], name)
            return found
        cluster_wide: Manifest = self._custom.get_cluster_custom_object(GROUP, VERSION, PLURALS[kind], name)
        return cluster_wide

    def list_stores(self) -> list[Manifest] | None:
        """All ObjectStores; None while the kind is not served."""
        try:
            return list(self._custom.list_cluster_custom_object(GROUP, VERSION, PLURALS["ObjectStore"])["items"])
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def create_credentials(self, namespace: str, name: str) -> bool:
        """A Secret with a new key for the store; False, and nothing changed, where there is one."""
        data = {
            "access-key-id": "AKIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            "secret-access-key": secrets.token_urlsafe(30),
        }
        body = {"metadata": {"name": name, "labels": LABELS}, "type": "Opaque", "stringData": data}
        return _is_new(lambda: self._core.create_namespaced_secret(namespace, body, field_manager=_MANAGER))

    def warn(self, pod: Manifest) -> None:
        """A Warning event on the Pod of the store: what an earlier start held is lost."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        body = {
            "metadata": {"generateName": "clouddatamesh-quickstart-", "labels": LABELS},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **pod},
            "type": "Warning",
            "reason": "NotPersistent",
            "message": LOST,
            "source": {"component": "clouddatamesh-quickstart"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._core.create_namespaced_event(pod["namespace"], body)


def _is_new(send: Any) -> bool:
    try:
        send()
    except ApiException as error:
        if error.status == HTTPStatus.CONFLICT:
            return False
        raise
    return True
