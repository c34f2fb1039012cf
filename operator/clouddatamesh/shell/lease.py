"""One coordination.k8s.io Lease as an API server keeps it. Times of other machines are never compared with ours."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from clouddatamesh.kube.errors import ApiError, is_absent, translate
from clouddatamesh.kube.resources import RESOURCES, collection, path
from clouddatamesh.model.objects import Key

NAME: Final = "clouddatamesh"
DURATION: Final = 15
"""Seconds for which a holder that renews no more is still waited for."""


class Transport(Protocol):
    """What a lease needs of kube.client.Client."""

    def request(self, method: str, path: str, *, body: Any = None) -> dict[str, Any]: ...


class KubeLease:
    """The Lease of this operator in one namespace, as seen by one replica, whose name is `identity`. `now` is its own clock."""

    def __init__(self, client: Transport, *, namespace: str, identity: str, now: Callable[[], float]) -> None:
        self._client, self._identity, self._now = client, identity, now
        self._key = Key("Lease", namespace, NAME)
        self._seen: tuple[str, float] = ("", 0.0)

    def hold(self) -> bool:
        """Take the lease or renew it; False where another has it. Raises MeshError where the API server does not say."""
        try:
            found = self._read()
            if found is None:
                if self._may_be_held():
                    return False
                self._client.request("POST", collection("Lease", self._key.namespace), body=self._build({}))
                return True
            if not self._is_free(found):
                return False
            self._client.request("PUT", path(self._key), body=self._build(found))
        except ApiError as error:
            if error.status == 409:
                return False
            raise translate(error, "Renewing the lease") from error
        return True

    def release(self) -> None:
        """Give the lease back, so that the next one need not wait. Raises MeshError."""
        try:
            found = self._read()
            if found is not None and found["spec"].get("holderIdentity") == self._identity:
                given = self._build(found)
                self._client.request("PUT", path(self._key), body={**given, "spec": {**given["spec"], "holderIdentity": ""}})
        except ApiError as error:
            if error.status != 409:
                raise translate(error, "Releasing the lease") from error

    def _read(self) -> dict[str, Any] | None:
        try:
            return self._client.request("GET", path(self._key))
        except ApiError as error:
            if is_absent(error):
                return None
            raise

    def _is_free(self, found: dict[str, Any]) -> bool:
        """Nobody's, ours, or unchanged for as long as its holder promised to renew it within."""
        if found["spec"].get("holderIdentity") in (None, "", self._identity):
            return True
        version, since = self._seen
        if found["metadata"]["resourceVersion"] != version:
            self._seen = (found["metadata"]["resourceVersion"], self._now())
            return False
        return bool(self._now() - since >= found["spec"].get("leaseDurationSeconds", DURATION))

    def _may_be_held(self) -> bool:
        """Of a Lease that is gone: whether its holder, whom we saw renew it a moment ago, may still work and make it again."""
        version, since = self._seen
        return bool(version) and self._now() - since < DURATION

    def _build(self, found: dict[str, Any]) -> dict[str, Any]:
        old = found.get("spec") or {}
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = old.get("holderIdentity") == self._identity
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION,
            "acquireTime": old.get("acquireTime", time) if mine else time,
            "renewTime": time,
            "leaseTransitions": old.get("leaseTransitions", 0) + (0 if mine or not found else 1),
        }
        metadata = found.get("metadata") or {"name": NAME, "namespace": self._key.namespace}
        return {"apiVersion": RESOURCES["Lease"].api_version, "kind": "Lease", "metadata": metadata, "spec": spec}
