"""Counts of what the mesh holds, updated on each change, so that the cost of a scrape does not depend on the size of the mesh.

Each change subtracts the former state of an object and adds the current one, so the order of notifications does not matter.
"""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.governance.compliance import verdicts_of
from clouddatamesh.metrics import catalogue as c
from clouddatamesh.metrics.catalogue import Metric
from clouddatamesh.model.judging import ENFORCEMENTS
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.consumers import is_escalated, is_pending
from clouddatamesh.plan.access.facts import asked_product, conditions_of, part_of
from clouddatamesh.plan.moments import text
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.reconcile.dispatch import RECONCILED

_log = logging.getLogger(__name__)
Labels: TypeAlias = tuple[str, ...]
Reading: TypeAlias = tuple[Metric, Labels, float]
"""One sample: the metric, the values of its labels, and its value."""

EXPIRES_WITHIN: Final = timedelta(days=7)
OTHER: Final = "_other"
REASONS: Final = frozenset(value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str))
"""No other text becomes the value of a label, whoever wrote a status."""
TYPES: Final = frozenset(
    {
        "Ready", "Stalled", "Reconciling", "DeletionBlocked", "DriftDetected", "CredentialsValid", "Identified", "PrincipalsOrphaned",
        "PrincipalsUnclaimed", "NamespacesReady", "Cordoned", "StorageReady", "CredentialsReady", "InputsReady", "CutOff", "Approved",
        "Provisioned", "Denied", "Expired", "Expiring", "RenewalPending", "InEffect", "Superseded",
        "PoliciesCompliant", "Conflicting", "GateInstalled",
        "Escalated", "ReassessmentDue",
        "FormerMembers", "TrainingOverdue",
    }
)  # fmt: skip
_STATUSES: Final = frozenset({"True", "False", "Unknown"})


def bounded(text: object, known: Container[str]) -> str:
    """The text where it is one of those that are known."""
    return text if isinstance(text, str) and text in known else OTHER


class Tally:
    """Thread-safe. `take` is called for each change of the cache, from the first one on; `read` gives the current counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Metric, Labels]] = Counter()
        self._times: defaultdict[tuple[Metric, Labels], Counter[str]] = defaultdict(Counter)
        """For a metric that is judged by time, how many objects have each moment."""

    def take(self, old: Manifest | None, new: Manifest | None) -> None:
        """An object is `new` and was `old`; None where there is or was none."""
        with self._lock:
            for manifest, by in ((old, -1), (new, +1)):
                if manifest is not None and manifest["kind"] in RECONCILED:
                    self._try(manifest, by)

    def read(self, now: datetime, domain_of: Callable[[str], str]) -> Iterator[Reading]:
        """Every reading; `domain_of` gives the label of a namespace. Moments that are no moments count as now."""
        with self._lock:
            counts = [(metric, labels, n) for (metric, labels), n in self._counts.items() if n > 0]
            times = [(metric, labels, dict(moments)) for (metric, labels), moments in self._times.items()]
        sums: Counter[tuple[Metric, Labels]] = Counter(dict.fromkeys(((c.ORPHANED, ()), *((c.OBJECTS, (kind,)) for kind in RECONCILED)), 0))
        for metric, labels, n in counts:
            sums[metric, _named(metric, labels, domain_of)] += n
        ages: dict[tuple[Metric, Labels], float] = {}
        for metric, labels, moments in times:
            key = metric, _named(metric, labels, domain_of)
            if metric is c.EXPIRING:
                sums[key] += _count_before(moments, now + EXPIRES_WITHIN)
            else:
                ages[key] = max(_oldest(moments, now), ages.get(key, 0.0))
        yield from ((metric, labels, float(value)) for (metric, labels), value in sums.items())
        yield from ((metric, labels, value) for (metric, labels), value in ages.items())

    def _try(self, manifest: Manifest, by: int) -> None:
        """Nobody is kept from reconciling by a manifest that cannot be counted. The former state fails where the current one did."""
        try:
            self._add(manifest, by)
        except Exception:
            _log.debug("%s is not counted as a whole", manifest["kind"], exc_info=True)

    def _add(self, manifest: Manifest, by: int) -> None:
        kind = manifest["kind"]
        self._count(c.OBJECTS, (kind,), by)
        for condition in conditions_of(manifest):
            type_, status = bounded(condition.get("type"), TYPES), bounded(condition.get("status"), _STATUSES)
            reason = bounded(condition.get("reason"), REASONS)
            self._count(c.CONDITIONS, (kind, type_, status, reason), by)
            if type_ == "Ready":
                self._add_ready(manifest, status, reason, since=_since(manifest, condition), by=by)
            if type_ == "InEffect" and status == "True":
                self._add_grant(manifest, by)
        self._add_violations(manifest, by)
        if kind == "AccessRequest" and is_pending(manifest):
            place = asked_product(manifest).namespace
            self._count(c.PENDING, (place,), by)
            self._note(c.PENDING_OLDEST, (place,), _asked_at(manifest), by)
            if is_escalated(manifest):
                self._count(c.ESCALATED, (place,), by)
        if kind == "ObjectStore":
            self._count(c.ORPHANED, (), by * len(part_of(manifest, "status").get("orphans") or ()))

    def _add_violations(self, manifest: Manifest, by: int) -> None:
        violations = verdicts_of(part_of(part_of(manifest, "status"), "compliance"))
        place = named_namespaces(manifest)[0] if manifest["kind"] == "Domain" else manifest["metadata"].get("namespace", "")
        for one in (one for one in violations if one.waiver is None):
            self._count(c.VIOLATIONS, (place, one.severity, bounded(one.enforcement, ENFORCEMENTS)), by)

    def _add_ready(self, manifest: Manifest, status: str, reason: str, *, since: str, by: int) -> None:
        if manifest["kind"] == "DataProduct":
            self._count(c.PRODUCTS, (manifest["metadata"]["namespace"], status, reason), by)
        if status != "True":
            self._note(c.NOT_READY, (manifest["kind"], status, reason), since, by)

    def _add_grant(self, manifest: Manifest, by: int) -> None:
        place = (manifest["metadata"]["namespace"],)
        self._count(c.GRANTS, place, by)
        end = part_of(manifest, "status").get("validUntil")
        if end:
            self._note(c.EXPIRING, place, str(end), by)

    def _count(self, metric: Metric, labels: Labels, by: int) -> None:
        self._counts[metric, labels] += by
        if not self._counts[metric, labels]:
            del self._counts[metric, labels]

    def _note(self, metric: Metric, labels: Labels, moment: str, by: int) -> None:
        moments = self._times[metric, labels]
        moments[moment] += by
        if not moments[moment]:
            del moments[moment]
        if not moments:
            del self._times[metric, labels]


def _named(metric: Metric, labels: Labels, domain_of: Callable[[str], str]) -> Labels:
    """Counts are kept by namespace and exported by domain, so they follow a namespace that moves to another Domain."""
    return (domain_of(labels[0]), *labels[1:]) if metric.labels[:1] == ("domain",) else labels


def _since(manifest: Manifest, condition: Manifest) -> str:
    """Since when a condition is so; the schema's first condition is of no time, and then the object's own counts."""
    return max(str(condition.get("lastTransitionTime") or ""), str(manifest["metadata"].get("creationTimestamp") or ""))


def _asked_at(request: Manifest) -> str:
    """Since when the request or its renewal has waited for a decision."""
    by_type = {condition.get("type"): condition for condition in conditions_of(request)}
    renewal = by_type.get("RenewalPending")
    return _since(request, renewal if renewal and renewal.get("status") == "True" else by_type["Ready"])


def _oldest(moments: dict[str, int], now: datetime) -> float:
    """Seconds since the first moment. RFC 3339 in UTC sorts as text, and Kubernetes writes no other."""
    first = min((moment for moment, n in moments.items() if n > 0), default="")
    return max((now - _moment(first, now)).total_seconds(), 0.0)


def _count_before(moments: dict[str, int], end: datetime) -> int:
    limit = text(end)
    return sum(n for moment, n in moments.items() if n > 0 and moment <= limit)


def _moment(text: str, now: datetime) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        return now
