"""What is to become of a product's bucket when the product goes, as its spec says and as it said before."""

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct

Fate: TypeAlias = Literal["Retain", "Delete", "Destroy"]
_PATIENCE: Final = timedelta(minutes=10)
"""For this duration a store may count what it no longer lists."""
_STRICTEST: Final[tuple[Fate, ...]] = ("Retain", "Delete", "Destroy")


def fate_of(product: DataProduct) -> Fate:
    """What spec wants to become of the bucket: it stays, goes if it is empty, or is emptied and goes."""
    storage = product.spec.storage
    if storage is None or storage.deletion_policy == "Retain":
        return "Retain"
    return "Destroy" if storage.force_destroy else "Delete"


def recorded_fate(product: DataProduct, *, denied: bool) -> Fate:
    """What counts from now on. Of a product that a policy refuses an edit makes it only stricter."""
    known = product.status.storage.deletion if product.status.storage else None
    return min((fate_of(product), known or "Retain"), key=_STRICTEST.index) if denied else fate_of(product)


def agreed_fate(product: DataProduct) -> Fate:
    """The stricter of what was read while the product lived and what spec says now: nobody gets more once it is being deleted."""
    known = product.status.storage.deletion if product.status.storage else None
    return min((fate_of(product), known or fate_of(product)), key=_STRICTEST.index)


def is_refused_for_long(product: DataProduct, now: datetime) -> bool:
    """Whether a store has refused to delete the bucket, as not empty, for so long that waiting does not end it."""
    before = next((found for found in product.status.conditions if found.type == "Ready"), None)
    refused = before is not None and (before.status, before.reason) == ("False", reasons.BUCKET_NOT_EMPTY)
    return before is not None and refused and now - parse_time(before.last_transition_time) >= _PATIENCE
