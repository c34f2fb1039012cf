"""What the operator did while its Pods were replaced, by the API server's own log: its writes, and how long nobody watched."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hack.tools.controlplane import ControlPlane
from tests.e2e.actors import SERVICE_ACCOUNT

KINDS: Final = ("objectstores", "domains", "dataproducts", "accessrequests", "accessgrants")
OWN: Final = ("clouddatamesh.dev", "events.k8s.io", "coordination.k8s.io")
"""Groups of what is no child: objects of the mesh, events, Leases."""
Write = tuple[str, str, str]
"""Resource, name and verb."""


@dataclass(frozen=True)
class Moment:
    """Where the log was when something began."""

    cluster: ControlPlane
    mark: int
    began: datetime

    @classmethod
    def of(cls, cluster: ControlPlane) -> "Moment":
        return cls(cluster, cluster.audit.mark(), datetime.now(UTC))

    def children(self) -> Counter[Write]:
        """How often each child was written since."""
        found = self.cluster.audit.read(since=self.mark, user=SERVICE_ACCOUNT)
        return Counter((one.resource, one.name, one.verb) for one in found if one.writes and one.group not in OWN)

    def unwatched(self) -> dict[str, float]:
        """Of each kind the longest time in seconds since then for which no watch of the operator was open."""
        watches: dict[tuple[str, str], tuple[datetime, datetime | None]] = {}
        for line in self.cluster.audit.path.read_text().splitlines():
            entry = json.loads(line)
            if entry["verb"] == "watch" and entry["user"]["username"] == SERVICE_ACCOUNT:
                ended = datetime.fromisoformat(entry["stageTimestamp"]) if entry["stage"] == "ResponseComplete" else None
                asked = datetime.fromisoformat(entry["requestReceivedTimestamp"])
                watches[entry["objectRef"].get("resource", ""), entry["auditID"]] = asked, ended
        now = datetime.now(UTC)
        spans = {kind: [(begin, end or now) for (found, _), (begin, end) in watches.items() if found == kind] for kind in KINDS}
        return {kind: self._longest_gap(found, now) for kind, found in spans.items()}

    def _longest_gap(self, spans: list[tuple[datetime, datetime]], now: datetime) -> float:
        covered, longest = self.began, timedelta()
        for begin, end in sorted(span for span in spans if span[1] > self.began):
            longest = max(longest, begin - covered)
            covered = max(covered, end)
        return max(longest, now - covered).total_seconds()
