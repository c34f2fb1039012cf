"""The lifecycle rules of a product's bucket: those that it asks for, and the one that proves whose the bucket is."""

from math import ceil
from typing import Final

from clouddatamesh.api.fields import parse_duration
from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.model.bucket import PREFIX, LifecycleRule
from clouddatamesh.plan import marks, names

_DAY: Final = 24 * 60 * 60


def witness_of(uid: str) -> LifecycleRule:
    """A rule that does nothing, and proves whose a bucket is when some tool has rewritten its tags."""
    return LifecycleRule(id=f"{marks.WITNESS_PREFIX}{uid}", prefix=f"{marks.GROUP}/none/", expire_days=36_500, enabled=False)


def want_rules(storage: Storage, uid: str) -> tuple[LifecycleRule, ...]:
    """All rules of ours, sorted."""
    asked = (
        LifecycleRule(
            id=f"{PREFIX}-{names.hash80(rule.prefix or '')}",
            prefix=rule.prefix or "",
            expire_days=_days(rule.expire_after),
            expire_noncurrent_days=_days(rule.expire_noncurrent_after),
            abort_uploads_days=_days(rule.abort_uploads_after),
        )
        for rule in storage.lifecycle_rules
    )
    return tuple(sorted((witness_of(uid), *asked)))


def _days(duration: str | None) -> int | None:
    return ceil(parse_duration(duration).total_seconds() / _DAY) if duration else None
