"""Transport: the `kubernetes` client's login and connection pool, raw JSON in and out, one HTTP request per call."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.errors import ApiError

JSON, APPLY, MERGE = "application/json", "application/apply-patch+yaml", "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_TIMEOUT: Final = (5.0, 30.0)


class Client:
    """Requests to one API server. Thread-safe; credentials are re-read as they rotate."""

    def __init__(self, *, connections: int = 32) -> None:
        configuration = kubernetes_client.Configuration()
        kubernetes_config.load_config(client_configuration=configuration)
        configuration.connection_pool_maxsize = connections
        configuration.retries = False
        self._api = kubernetes_client.ApiClient(configuration)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer as JSON. Raises ApiError for an answer that is one, Transient where there is none."""
        wire = {"Accept": JSON, "Content-Type": JSON, **(headers or {})}
        self._api.update_params_for_auth(wire, [], ["BearerToken"])
        url = self._api.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._api.rest_client.pool_manager.request(
                method,
                url,
                body=json.dumps(body).encode() if body is not None else None,
                headers=wire,
                timeout=urllib3.Timeout(*_TIMEOUT),
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, f"The API server did not answer: {type(error).__name__}") from error
        if answer.status >= 300:
            raise ApiError(answer.status, answer.data)
        return dict(json.loads(answer.data or b"{}"))
