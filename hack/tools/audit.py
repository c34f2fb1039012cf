"""Reads the audit log of a kube-apiserver: who asked for what, counted exactly. It starts nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # The operator renews its Lease every two seconds: that is no request on which a count of what it does may rest.
  - level: None
    verbs: [get, update]
    resources: [{group: coordination.k8s.io, resources: [leases], resourceNames: [clouddatamesh]}]
  - level: RequestResponse
    verbs: [get, list, watch]
    resources: [{group: "", resources: [secrets]}]
  - level: Metadata
"""
READS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True)
class Request:
    """One request to the API server. `code` is 0 where it has not ended, which only a watch does not.

    `kind` is what was answered to a read of Secrets: whole ones, or their metadata alone.
    """

    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    at: datetime
    kind: str = ""
    agent: str = ""
    """What the client calls itself; the operator's replicas name their Pod."""
    credential: str = ""
    """Which token of a ServiceAccount it was."""

    @property
    def writes(self) -> bool:
        """Whether it changed something or tried to. Access reviews are posted, but only ask."""
        return self.verb not in READS and self.group not in {"authorization.k8s.io", "authentication.k8s.io"}


@dataclass(frozen=True)
class AuditLog:
    """The log of one control plane; `mark` before and `read(since=mark)` after count what came between."""

    path: Path

    def mark(self) -> int:
        """The current end of the log."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self, *, since: int = 0, user: str = "") -> tuple[Request, ...]:
        """Requests to resources since a mark, in the order of the log; of `user` (a part of its name is enough) or of all."""
        requests = {audit_id: request for audit_id, request in self._entries(since) if user in request.user}
        return tuple(requests.values())

    def _entries(self, since: int) -> Iterator[tuple[str, Request]]:
        """A request that was logged in several stages counts once, as it ended."""
        if not self.path.exists():
            return
        with self.path.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n") and (entry := json.loads(line)).get("objectRef"):
                    yield entry["auditID"], _parse(entry)


def _parse(entry: dict[str, Any]) -> Request:
    target = entry["objectRef"]
    return Request(
        user=entry["user"]["username"],
        verb=entry["verb"],
        group=target.get("apiGroup", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=entry["responseStatus"].get("code", 0) if entry["stage"] == "ResponseComplete" else 0,
        at=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        kind=(entry.get("responseObject") or {}).get("kind", ""),
        agent=entry.get("userAgent", ""),
        credential="".join((entry["user"].get("extra") or {}).get("authentication.kubernetes.io/credential-id", ())),
    )
