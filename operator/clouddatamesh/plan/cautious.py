"""What is done for a product or a Domain that a policy refuses. It is to be as spec says, but that may be the very edit that is refused: so
no data goes by it, nobody gets rights, and no limit is lifted.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from clouddatamesh.model.bucket import Bucket, LifecycleRule, Tags
from clouddatamesh.model.operations import CreateChild
from clouddatamesh.model.plan import Operation, Part
from clouddatamesh.plan import marks
from clouddatamesh.plan.children import OPERATOR_BINDING

LIMITS: Final = frozenset({"LimitRange", "NetworkPolicy", "ResourceQuota"})
"""Kinds of children that keep a Domain within bounds."""


def cautious(want: Bucket, observed: Bucket) -> Bucket:
    """The wanted bucket, in which nothing goes sooner than it does now, and that has only tags of ours besides those that are there."""
    return replace(
        want,
        tags=_tags(want, observed),
        versioning=want.versioning if want.versioning in (None, "Enabled") else observed.versioning,
        lifecycle=_rules(want.lifecycle, observed.lifecycle or ()) if want.lifecycle is not None else None,
    )


def _tags(want: Bucket, observed: Bucket) -> Tags:
    """A tag may decide access and cost, so those of a refused edit are not written."""
    ours = {key: value for key, value in want.tags if key.startswith(f"{marks.GROUP}/")}
    theirs = {key: value for key, value in observed.tags if not key.startswith(f"{marks.GROUP}/")}
    return tuple(sorted({**theirs, **ours}.items()))


def _rules(wanted: Sequence[LifecycleRule], observed: Sequence[LifecycleRule]) -> tuple[LifecycleRule, ...]:
    """Rules that keep data as long or longer. Where somebody rewrote one under our ID it is not known what goes by it, so all stay."""
    if not all(rule.readable for rule in observed):
        return tuple(observed)
    there = {rule.id: rule for rule in observed if rule.removes}
    longer = (_longer(rule, there[rule.id]) for rule in wanted if rule.removes and rule.id in there)
    return tuple(sorted((*(rule for rule in wanted if not rule.removes), *(rule for rule in longer if rule.removes))))


def _longer(one: LifecycleRule, other: LifecycleRule) -> LifecycleRule:
    """Of each end the later one; what one of them keeps for good stays."""
    return replace(
        one,
        expire_days=_later(one.expire_days, other.expire_days),
        expire_noncurrent_days=_later(one.expire_noncurrent_days, other.expire_noncurrent_days),
        abort_uploads_days=_later(one.abort_uploads_days, other.abort_uploads_days),
    )


def _later(one: int | None, other: int | None) -> int | None:
    return max(one, other) if one is not None and other is not None else None


def cautious_part(part: Part) -> Part:
    """Of what is made in a namespace the operator's own binding, and limits that are missing: those that are there stay as they are."""
    return replace(part, steps=replace(part.steps, operations=tuple(one for one in part.operations if not _may_harm(one))))


def _may_harm(operation: Operation) -> bool:
    manifest = getattr(operation, "manifest", None)
    if manifest is None:
        return False
    if manifest["kind"] in LIMITS:
        return not isinstance(operation, CreateChild)
    return bool(manifest["kind"] == "RoleBinding" and manifest["metadata"]["name"] != OPERATOR_BINDING)
