"""What the operator did while its Pods were replaced, by the API server: its writes, how long nobody watched, and who held the Lease."""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from hack.tools.controlplane import ControlPlane
from tests.e2e.actors import SERVICE_ACCOUNT
from tests.support.installation import NAMESPACE
from tests.support.rest import Api, ApiError, Manifest

KINDS: Final = ("objectstores", "domains", "dataproducts", "accessrequests", "accessgrants")
OWN: Final = ("clouddatamesh.dev", "events.k8s.io", "coordination.k8s.io")
"""Groups of what is no child: objects of the mesh, events, Leases."""
LEASE: Final = "clouddatamesh"
_LEASES: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
GAP: Final = 2.0
"""Seconds for which no replica may watch a kind, or hold the Lease, on a machine that answers at once."""
_OPENS: Final = 3
"""A watch opens after a connection and a list: three times somebody waits for an answer."""
_EVERY: Final = 0.2
Write = tuple[str, str, str]
"""Resource, name and verb."""
Told = tuple[str, str, str]
"""Kind, namespace and name, and type of a condition."""


class Pace:
    """The longest time in seconds that a plain client waits for an answer, on a connection of its own each time, until it is asked."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig, self._ended, self._slowest = kubeconfig, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._run, name="pace", daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._slowest

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            if not self._kubeconfig.exists():  # after a test that failed nobody is there, and nobody ends this
                return
            with contextlib.suppress(ApiError, HTTPError, OSError, ConfigException):
                api, began = Api(self._kubeconfig), time.monotonic()
                with contextlib.suppress(ApiError, HTTPError):
                    api.get(_LEASES)
                self._slowest = max(self._slowest, time.monotonic() - began)


@dataclass(frozen=True)
class Moment:
    """Where the log was when something began, and how busy the machine is since."""

    cluster: ControlPlane
    mark: int
    began: datetime
    pace: Pace = field(repr=False)

    @classmethod
    def of(cls, cluster: ControlPlane) -> "Moment":
        return cls(cluster, cluster.audit.mark(), datetime.now(UTC), Pace(cluster.kubeconfig))

    def longest_gap(self) -> float:
        """Seconds without a watch or a Lease that are no fault of the operator; asked once, at the end of what is judged."""
        return GAP + _OPENS * self.pace.end()

    def children(self) -> Counter[Write]:
        """How often each child was written since."""
        found = self.cluster.audit.read(since=self.mark, user=SERVICE_ACCOUNT)
        return Counter((one.resource, one.name, one.verb) for one in found if one.writes and one.group not in OWN)

    def unwatched(self) -> dict[str, float]:
        """Of each kind the longest time in seconds since then for which no watch of the operator was open."""
        watches: dict[tuple[str, str], tuple[datetime, datetime | None]] = {}
        whole, _, _ = self.cluster.audit.path.read_text().rpartition("\n")  # a line may be in the middle of being written
        for entry in map(json.loads, whole.splitlines()):
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


def conditions_of(objects: Iterable[Manifest]) -> dict[Told, str]:
    """Every condition of some objects: its status, its reason, and since when."""
    return {
        (found["kind"], f"{found['metadata'].get('namespace', '')}/{found['metadata']['name']}", one["type"]): " ".join(
            (one["status"], one["reason"], "since", one["lastTransitionTime"])
        )
        for found in objects
        for one in (found.get("status") or {}).get("conditions") or ()
    }


def flaps(before: Mapping[Told, str], now: Mapping[Told, str]) -> dict[tuple[str, str], str]:
    """Which conditions of which kind are not as they were, each with the first object of which that is so; what is new counts too."""
    found: dict[tuple[str, str], str] = {}
    for told in sorted({*before, *now}):
        if before.get(told) != now.get(told):
            kind, name, condition = told
            found.setdefault((kind, condition), f"{name}: {before.get(told, 'absent')}, now {now.get(told, 'absent')}")
    return found


@dataclass(frozen=True)
class Tenure:
    """The operator's Lease since a moment, in every state that it had: a watch shows them afterwards, for some minutes."""

    api: Api
    version: str
    first: Manifest

    @classmethod
    def of(cls, cluster: ControlPlane) -> "Tenure":
        api = Api(cluster.kubeconfig)
        version, lease = _read_lease(api)
        return cls(api, version, lease["spec"])

    def states(self) -> list[Manifest]:
        """What its spec was until now, one after the other; a watch brings what was between, however long that takes it."""
        _, lease = _read_lease(self.api)
        last, found = int(lease["metadata"]["resourceVersion"]), [self.first]
        if last <= int(self.version):
            return found
        with contextlib.closing(self.api.watch(_LEASES, self.version)) as events:
            for one in (event["object"] for event in events):
                found += [one["spec"]] if one["metadata"]["name"] == LEASE else []
                if int(one["metadata"]["resourceVersion"]) >= last:
                    break
        return found


def _read_lease(api: Api) -> tuple[str, Manifest]:
    """The version of the list, and the operator's Lease."""
    found = api.get(_LEASES)
    (lease,) = (item for item in found["items"] if item["metadata"]["name"] == LEASE)
    return found["metadata"]["resourceVersion"], lease


def holders_of(states: list[Manifest]) -> list[str]:
    """Who held a Lease, one after the other."""
    return [name for name, _ in groupby(state["holderIdentity"] for state in states if state.get("holderIdentity"))]


def longest_unheld(states: list[Manifest], now: datetime) -> float:
    """The longest time in seconds for which nobody held a Lease, because it was released or was not renewed in time."""
    begins = [*(_renewed(state) for state in states[1:]), now]
    return max(0.0, *((begin - _ends(state)).total_seconds() for state, begin in zip(states, begins, strict=True)))


def longest_unrenewed(states: list[Manifest]) -> float:
    """The longest time in seconds between two writes of a Lease."""
    return max((_renewed(later) - _renewed(earlier)).total_seconds() for earlier, later in pairwise(states))


def _renewed(state: Manifest) -> datetime:
    return datetime.fromisoformat(state["renewTime"])


def _ends(state: Manifest) -> datetime:
    """Until when it is held if nobody renews it; whoever releases it writes the time as well."""
    return _renewed(state) + timedelta(seconds=state["leaseDurationSeconds"] if state.get("holderIdentity") else 0)
