"""A Lease kept in memory by the API server's rules: one POST wins, a PUT needs the resourceVersion that it read."""

import json
from copy import deepcopy
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.errors import ApiError


def refusal(status: int, reason: str) -> ApiError:
    return ApiError(status, json.dumps({"reason": reason, "message": reason, "details": {"name": "clouddatamesh"}}).encode())


class MemoryApi:
    """`down` names the replicas to which it does not answer; a replica is known by what it writes, a reader by `reader`."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down: set[str] = set()

    def request(self, method: str, path: str, *, body: Any = None) -> dict[str, Any]:
        assert path.startswith("/apis/coordination.k8s.io/v1/namespaces/")
        if method == "GET":
            return self._read()
        if method == "DELETE":
            self.lease = None
            return {}
        if method == "POST" and body["spec"]["holderIdentity"] in self.down:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")
        if (self.lease is None) == (method == "PUT") or (self.lease and body["metadata"]["resourceVersion"] != str(self.version)):
            raise refusal(409, "Conflict" if method == "PUT" else "AlreadyExists")
        if body["spec"]["holderIdentity"] in self.down:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")
        self.version += 1
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        return deepcopy(self.lease)

    def _read(self) -> dict[str, Any]:
        if self.lease is None:
            raise refusal(404, "NotFound")
        return deepcopy(self.lease)
