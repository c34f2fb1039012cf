"""A bucket that is only lent: nothing that a product asks for removes or replaces what its owner put there."""

from collections.abc import Iterator
from typing import Literal

from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.model.bucket import Bucket, LifecycleRule
from clouddatamesh.plan.rules import want_rules


def versioning(storage: Storage, observed: Bucket, *, kept: bool) -> Literal["Enabled", "Suspended"]:
    """What spec says; of a bucket that is lent never less than there is."""
    return "Enabled" if kept and observed.versioning == "Enabled" else storage.versioning


def rules(storage: Storage, uid: str, *, kept: bool) -> tuple[LifecycleRule, ...]:
    """Rules of ours; on a bucket that is lent none by which objects, versions or uploads go."""
    return tuple(rule for rule in want_rules(storage, uid) if not (kept and rule.removes))


def tags(storage: Storage, observed: Bucket, *, kept: bool) -> dict[str, str]:
    """What spec says; on a bucket that is lent a key that is there already keeps its value, since a tag may decide access and cost."""
    there = {key for key, _ in observed.tags} if kept else set()
    return {key: value for key, value in storage.tags.items() if key not in there}


def find_excess(storage: Storage, observed: Bucket) -> tuple[str, ...]:
    """The fields of spec that would remove or replace something of a bucket that is lent."""
    return tuple(_excess(storage, observed))


def _excess(storage: Storage, observed: Bucket) -> Iterator[str]:
    if any(rule.removes for rule in want_rules(storage, "")):
        yield "spec.storage.lifecycleRules"
    if storage.versioning == "Suspended" and observed.versioning == "Enabled":
        yield "spec.storage.versioning"
    for key, value in sorted(storage.tags.items()):
        if observed.tag(key) not in (None, value):
            yield f"spec.storage.tags[{key}]"
