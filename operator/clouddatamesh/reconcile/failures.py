"""What to make of a look that failed or that waits: whether that is told, and how soon the object is looked at again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.errors import MeshError, Transient, Waiting
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.status.summarize import condition_of, worst


def only_failed(old: Mapping[str, Any], new: Mapping[str, Any], result: Outcome | MeshError) -> bool:
    """Whether a look failed by what may pass by itself, and found nothing to be otherwise: what it could not see is Unknown."""
    errors = [result] if isinstance(result, MeshError) else [failure.error for failure in result.failures]
    if not errors or not all(isinstance(error, Transient) for error in errors):
        return False
    if old.get("lastHandledReconcileAt") != new.get("lastHandledReconcileAt"):
        return False
    doubtful = {"Ready", "Reconciling", *(failure.condition for failure in getattr(result, "failures", ()))}
    before = {found["type"]: found["status"] for found in old.get("conditions") or ()}
    told = {found["type"]: found["status"] for found in new.get("conditions") or () if found["type"] not in doubtful}
    return all(status in ("Unknown", before.get(type_)) for type_, status in told.items())


def failed_of(result: Outcome | MeshError) -> MeshError | None:
    """The worst that a look met; None where it met nothing, or only waits."""
    failures = () if isinstance(result, MeshError) else result.failures
    error = result if isinstance(result, MeshError) else worst(failure.error for failure in failures if not failure.minor)
    return None if isinstance(error, Waiting) else error


def minor_of(result: Outcome | MeshError) -> tuple[MeshError, ...]:
    """Of each part whose failure does not count for the object as a whole, why it failed."""
    return () if isinstance(result, MeshError) else tuple(failure.error for failure in result.failures if failure.minor)


_WOKEN: Final = frozenset({reasons.DOMAIN_NOT_FOUND, reasons.STORE_NOT_FOUND, reasons.PRODUCT_NOT_FOUND, reasons.CONSUMER_NOT_FOUND})
"""What is waited for is an object that a watch tells of."""


def waits_since(manifest: Mapping[str, Any], errors: Iterable[MeshError]) -> str | None:
    """Since when an object waits for what may take long, and wakes it: its deletion, or an object that does not exist. Else None.

    Anybody may write thousands that wait for nothing: the longer they wait, the less they cost.
    """
    deleted: str | None = (manifest.get("metadata") or {}).get("deletionTimestamp")
    ready = condition_of(manifest.get("status") or {}, "Ready") or {}
    absent = ready.get("reason") in _WOKEN and all(error.reason in _WOKEN for error in errors)
    return deleted or (ready.get("lastTransitionTime") if absent else None)


def patience(since: str | None, shortest: timedelta, now: datetime) -> float:
    """Seconds until what waits is looked at again, should nothing wake it: less often the longer it waits `since` a time."""
    waited = (now - parse_time(since)).total_seconds() if since else 0.0
    return max(shortest.total_seconds(), waited / 2)
