"""The writes of a bucket that are preceded by a last look, or that a store may refuse though all was well when they were planned."""

from collections.abc import Callable
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model.bucket import Bucket, Tags
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.store_operations import DeleteBucket
from clouddatamesh.ports import BucketStore

PAGES: Final = 4
"""So many pages of a bucket are emptied before it is looked at as a whole again; each is asked for live."""


def mark(store: BucketStore, want: Bucket) -> None:
    """The last look before the marks: of two that made a bucket at the same time, one finds the other's marks, or its own name gone.

    Some stores answer success where somebody else of the account made it: what is in it already is not this product's.
    """
    seen = store.observe_marks(want.name)
    if not isinstance(seen, Present):
        raise Transient(reasons.NOT_VISIBLE_YET, f"Bucket {want.name} was made and does not show yet")
    if seen.value.is_of_other_account or seen.value.tags:
        raise Transient(reasons.CONFLICT, f"Bucket {want.name} was marked by somebody else at the same time")
    if not store.count(want.name).empty:
        raise Transient(reasons.CONFLICT, f"Bucket {want.name} was filled by somebody else at the same time")
    store.update(want, ("tags",))


def rewrite_tags(store: BucketStore, want: Bucket, before: Tags) -> None:
    """The last look before tags are written: a consent that was taken back, or another's marks, count to the last moment."""
    seen = store.observe_marks(want.name)
    if not isinstance(seen, Present) or seen.value.is_of_other_account or seen.value.tags != before:
        raise Transient(reasons.CONFLICT, f"The tags of bucket {want.name} changed at the same time")
    store.update(want, ("tags",))


def empty(store: BucketStore, name: str, check: Callable[[], None]) -> None:
    """Some pages, each after a check. One that begins as the one before it was not removed, whatever the store says.

    Nor is a bucket empty that was counted as holding something and lists nothing: it is looked at again with pauses.
    """
    before = ""
    for _ in range(PAGES):
        check()
        first = store.empty(name)
        if not first and not before:
            raise Transient(reasons.BUCKET_NOT_EMPTY, f"Bucket {name} was counted as not empty, and lists nothing to remove")
        if not first:
            return
        if first == before:
            raise Transient(reasons.BUCKET_NOT_EMPTY, f"Bucket {name} still lists what was removed from it")
        before = first


def delete(store: BucketStore, operation: DeleteBucket) -> None:
    """An object that arrived since the bucket was counted is the next look's concern, which knows whether it may be removed."""
    try:
        store.delete(operation.name)
    except Terminal as error:
        if error.reason != reasons.BUCKET_NOT_EMPTY:
            raise
        why = f"The store refuses to delete bucket {operation.name} as not empty, and lists neither versions nor delete markers nor uploads"
        if not operation.way_out:
            raise Transient(error.reason, f"{why}; it is asked again") from error
        raise Terminal(error.reason, f"{why}; remove by the store's own means what it counts, or {operation.way_out}") from error
