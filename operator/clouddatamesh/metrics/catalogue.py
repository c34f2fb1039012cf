"""Every metric that the operator exports, with its type, labels and one sentence. Names are controller-runtime's where it has one.

No label holds the name of an object, so the number of series does not grow with the mesh. `LABELS` says what bounds each.
"""

from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["counter", "gauge", "histogram"]

_FAST: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
"""Seconds: from one look at a quiet object to a store that hangs."""
_CALL: Final = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0)
"""Seconds of one call of a store; the client gives up after 30."""


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric as Prometheus shows it; a counter's name ends in `_total`. `buckets` are the upper bounds of a histogram, in seconds.

    `of_mesh`: it tells of the mesh and not of this process, and only the replica that leads exports it.
    """

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    of_mesh: bool = False


LABELS: Final = {
    "name": "the kind in lower case; for the Lease its name",
    "controller": "the kind in lower case; `compliance` where objects are judged by policies alone",
    "result": "of a reconciliation: `success`, `requeue_after`, `error`; of a store call: `success`, `not_found`, `refused`, `conflict`,"
    " `throttled`, `unavailable`, `error`",
    "code": "HTTP status, or `<error>` where the API server did not answer",
    "method": "HTTP method",
    "kind": "a kind that the operator reconciles or watches",
    "type": "type of a condition or an event",
    "status": "`True`, `False` or `Unknown`",
    "reason": "a reason of the table in the operations guide, or `_other`",
    "domain": "a Domain; beyond the 200 oldest `_other`, and `_none` for a namespace without a Domain",
    "severity": "`critical`, `high`, `medium` or `low`",
    "enforcement": "`Audit`, `Warn` or `Deny`",
    "service": "`s3`, `iam` or `sts`",
    "operation": "an operation of the S3, IAM or STS API",
    "port": "`cluster`, `buckets` or `identities`",
    "mesh": "the name of the mesh",
    "version": "the operator's version",
}
"""What values a label can have."""

_QUEUE: Final = ("name", "controller")
_OF_REASON: Final = ("kind", "status", "reason")

DEPTH: Final = Metric("workqueue_depth", "gauge", "Keys that are due and wait for a worker", _QUEUE)
ADDS: Final = Metric("workqueue_adds_total", "counter", "Keys that were added to the queue; a key that already waits is not added", _QUEUE)
QUEUED: Final = Metric("workqueue_queue_duration_seconds", "histogram", "How long a key waited for a worker", _QUEUE, _FAST)
WORKED: Final = Metric("workqueue_work_duration_seconds", "histogram", "How long a worker had a key", _QUEUE, _FAST)
UNFINISHED: Final = Metric("workqueue_unfinished_work_seconds", "gauge", "Sum of how long running reconciliations have run", _QUEUE)
LONGEST: Final = Metric("workqueue_longest_running_processor_seconds", "gauge", "How long the longest running one has run", _QUEUE)
RETRIES: Final = Metric("workqueue_retries_total", "counter", "Keys that were requeued with backoff", _QUEUE)

RECONCILED: Final = Metric("controller_runtime_reconcile_total", "counter", "Reconciliations by result", ("controller", "result"))
ERRORS: Final = Metric("controller_runtime_reconcile_errors_total", "counter", "Reconciliations that met an error", ("controller",))
TERMINAL: Final = Metric(
    "controller_runtime_terminal_reconcile_errors_total",
    "counter",
    "Reconciliations that met an error that somebody must resolve; they are not retried with backoff",
    ("controller",),
)
PANICS: Final = Metric(
    "controller_runtime_reconcile_panics_total", "counter", "Reconciliations that met a bug of the operator", ("controller",)
)
RECONCILE_TIME: Final = Metric(
    "controller_runtime_reconcile_time_seconds", "histogram", "Duration of reconciliations", ("controller",), _FAST
)
ACTIVE: Final = Metric("controller_runtime_active_workers", "gauge", "Workers that reconcile now", ("controller",))
MOST_ACTIVE: Final = Metric(
    "controller_runtime_max_concurrent_reconciles", "gauge", "Workers; all kinds share one pool, so each shows the same", ("controller",)
)
REQUESTS: Final = Metric("rest_client_requests_total", "counter", "Requests to the Kubernetes API, without watches", ("code", "method"))
LEADING: Final = Metric("leader_election_master_status", "gauge", "1 where this replica holds the Lease and reconciles, else 0", ("name",))

INFO: Final = Metric("clouddatamesh_info", "gauge", "Always 1; its labels say what runs", ("mesh", "version"))
QUEUE_OLDEST: Final = Metric(
    "clouddatamesh_queue_oldest_seconds",
    "gauge",
    "How long the key that has waited longest has been due; 0 where this replica does not lead",
)
FAILURES: Final = Metric("clouddatamesh_failures_total", "counter", "Errors that reconciliations met, by reason", ("kind", "reason"))
LIST_AGE: Final = Metric("clouddatamesh_list_age_seconds", "gauge", "Time since all kinds were last listed without an error")
WATCH_AGE: Final = Metric("clouddatamesh_watch_age_seconds", "gauge", "Time since the watch of a kind last gave a sign of life", ("kind",))
WATCHER_RESTARTS: Final = Metric("clouddatamesh_watcher_restarts_total", "counter", "How often watching ended by itself and was restarted")
SKEW: Final = Metric("clouddatamesh_clock_skew_seconds", "gauge", "This machine's clock minus the API server's")
MISSING: Final = Metric("clouddatamesh_missing_permissions", "gauge", "Permissions that the operator needs and does not have")
UNREADABLE: Final = Metric("clouddatamesh_unreadable_objects", "gauge", "Objects that this version of the operator cannot read", ("kind",))
FENCED: Final = Metric("clouddatamesh_fenced_writes_total", "counter", "Writes not begun since this replica no longer leads", ("port",))
LATE: Final = Metric(
    "clouddatamesh_late_writes_total", "counter", "Writes begun while this replica led and ended after it no longer did", ("port",)
)
STORE_CALLS: Final = Metric(
    "clouddatamesh_store_requests_total",
    "counter",
    "Calls of object stores, retries of the client included in the call; attempts that prove a protection are not counted",
    ("service", "operation", "result"),
)
STORE_TIME: Final = Metric(
    "clouddatamesh_store_request_duration_seconds", "histogram", "Duration of calls of object stores", ("service", "operation"), _CALL
)
DRIFT_FOUND: Final = Metric(
    "clouddatamesh_drift_found_total", "counter", "How often a Ready object was found changed from outside", ("kind",)
)
DRIFT_REPAIRED: Final = Metric("clouddatamesh_drift_repaired_total", "counter", "How often that was repaired", ("kind",))
EVENTS: Final = Metric("clouddatamesh_events_total", "counter", "Kubernetes events that were written", ("kind", "type", "reason"))

OBJECTS: Final = Metric("clouddatamesh_objects", "gauge", "Objects by kind", ("kind",), of_mesh=True)
CONDITIONS: Final = Metric(
    "clouddatamesh_conditions",
    "gauge",
    "Conditions of objects; for Ready each object once",
    ("kind", "type", "status", "reason"),
    of_mesh=True,
)
PRODUCTS: Final = Metric(
    "clouddatamesh_products",
    "gauge",
    "DataProducts by domain and by status and reason of Ready",
    ("domain", "status", "reason"),
    of_mesh=True,
)
NOT_READY: Final = Metric(
    "clouddatamesh_not_ready_seconds", "gauge", "For how long the object that is longest so has not been Ready", _OF_REASON, of_mesh=True
)
GRANTS: Final = Metric("clouddatamesh_grants_in_effect", "gauge", "AccessGrants on which access rests", ("domain",), of_mesh=True)
EXPIRING: Final = Metric(
    "clouddatamesh_grants_expiring", "gauge", "AccessGrants on which access rests and that end within 7 days", ("domain",), of_mesh=True
)
VIOLATIONS: Final = Metric(
    "clouddatamesh_policy_violations",
    "gauge",
    "Violations of policies without a waiver; those of the Domain itself count in its home namespace. At most 64 of an object",
    ("domain", "severity", "enforcement"),
    of_mesh=True,
)
PENDING: Final = Metric(
    "clouddatamesh_requests_pending", "gauge", "AccessRequests and renewals that wait for a domain's answer", ("domain",), of_mesh=True
)
PENDING_OLDEST: Final = Metric(
    "clouddatamesh_requests_pending_oldest_seconds", "gauge", "How long the oldest of them has waited", ("domain",), of_mesh=True
)
ESCALATED: Final = Metric(
    "clouddatamesh_requests_escalated",
    "gauge",
    "Those of them that wait longer than access.answerWithin of their port",
    ("domain",),
    of_mesh=True,
)
ORPHANED: Final = Metric(
    "clouddatamesh_orphaned_principals", "gauge", "Users in the stores without a living owner; at most 21 of each store", of_mesh=True
)
OVERDUE: Final = Metric(
    "clouddatamesh_access_overdue_seconds",
    "gauge",
    "For how long access has existed that must not exist any more; 0 where there is none. Judged once a minute",
    of_mesh=True,
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them, in the order of this page."""
