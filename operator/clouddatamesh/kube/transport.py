"""What this package asks of a connection to an API server. Whoever only asks needs no `kubernetes` client."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

JSON, APPLY, MERGE = "application/json", "application/apply-patch+yaml", "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class Transport(Protocol):
    """One HTTP request, with JSON in and out."""

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]: ...
