"""What is to become of a product's bucket when the product goes, as its spec says and as it said before."""

from typing import Final, Literal, TypeAlias

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct

Fate: TypeAlias = Literal["Retain", "Delete", "Destroy"]
_STRICTEST: Final[tuple[Fate, ...]] = ("Retain", "Delete", "Destroy")


def fate_of(product: DataProduct) -> Fate:
    """What spec wants to become of the bucket: it stays, goes if it is empty, or is emptied and goes."""
    storage = product.spec.storage
    if storage is None or storage.deletion_policy == "Retain":
        return "Retain"
    return "Destroy" if storage.force_destroy else "Delete"


def agreed_fate(product: DataProduct) -> Fate:
    """The stricter of what was read while the product lived and what spec says now: nobody gets more once it is being deleted."""
    known = product.status.storage.deletion if product.status.storage else None
    return min((fate_of(product), known or fate_of(product)), key=_STRICTEST.index)
