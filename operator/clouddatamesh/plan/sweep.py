"""Principals of this cluster that no living product and no request's record holds: seen twice, disabled, then removed.

A round ends a bounded number; where most of what is known are orphans, the fault is ours or the cluster's, and none is ended.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore, OrphanStatus
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.outcome import Finding
from clouddatamesh.model.plan import Operation, Part, Steps
from clouddatamesh.model.store_operations import DisableKey
from clouddatamesh.model.words import some
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import binding, moments, names

MOST: Final = 20
"""So many are ended in one round."""
ORPHANED: Final = "PrincipalsOrphaned"
SEEN_FOR: Final = timedelta(minutes=5)
DISABLED_FOR: Final = timedelta(minutes=1)


def find_orphans(principals: Iterable[str], owned: Iterable[str]) -> tuple[str, ...]:
    """Names of principals that no living owner has, sorted. `owned` are names as they were recorded or are to be."""
    return tuple(sorted(set(principals) - set(owned)))


def is_braked(world: StoreWorld) -> bool:
    """Whether so many are orphans that the fault must be elsewhere: more than a round ends, and most of all there are."""
    return len(world.orphans) > MOST and 2 * len(world.orphans) > world.principals


def due_orphans(store: ObjectStore, world: StoreWorld) -> tuple[str, ...]:
    """Those that were seen before and long enough ago, as many as one round ends; none by a clock that is not trusted."""
    if is_braked(world) or not world.is_time_trusted:
        return ()
    seen = {orphan.name: parse_time(orphan.seen_at) for orphan in store.status.orphans}
    due = [name for name in world.orphans if name in seen and world.now - seen[name] >= SEEN_FOR]
    return tuple(due[:MOST])


def plan_sweep(store: ObjectStore, world: StoreWorld) -> tuple[Part, ...]:
    """Keys are disabled first; a minute later rights and keys go, then the user. What fails for one keeps neither another nor the store."""
    entries = {orphan.name: orphan for orphan in store.status.orphans}
    own = names.principal_path(world.settings.mesh, world.cluster)
    due = (principal for principal in world.due_orphans if principal.path == own and principal.name in entries)
    steps = ((principal.name, _end(principal, entries[principal.name], world.now)) for principal in due)
    return tuple(
        Part(f"sweep of {name}", Steps(tuple(ends)), "PrincipalsOrphaned", after=("bucket", "marker"), each=True, minor=True)
        for name, ends in steps
        if ends
    )


def _end(principal: Principal, entry: OrphanStatus, now: datetime) -> list[Operation]:
    if entry.disabled_at is None:
        return [DisableKey(principal.name, key.id) for key in sorted(principal.keys) if key.active]
    if now - parse_time(entry.disabled_at) < DISABLED_FOR:
        return []
    return list(binding.end_of(principal))


def orphan_fields(store: ObjectStore, world: StoreWorld) -> dict[str, Any]:
    """status.orphans: since when each is seen, and when its keys were disabled; none that no clock that is trusted has seen."""
    if not world.orphans:
        return {}
    entries = {orphan.name: orphan for orphan in store.status.orphans}
    disabled = {principal.name for principal in world.due_orphans if not any(key.active for key in principal.keys)}
    told = (_tell(name, entries.get(name), world, is_disabled=name in disabled) for name in world.orphans[: MOST + 1])
    found = [entry.model_dump(by_alias=True, exclude_none=True) for entry in told if entry is not None]
    return {"orphans": found} if found else {}


def _tell(name: str, old: OrphanStatus | None, world: StoreWorld, *, is_disabled: bool) -> OrphanStatus | None:
    seen = moments.begun(parse_time(old.seen_at) if old is not None else None, world)
    if seen is None:
        return None
    disabled = parse_time(old.disabled_at) if old is not None and old.disabled_at else None
    if disabled is not None or is_disabled:
        disabled = moments.begun(disabled, world)
    return OrphanStatus(name=name, seen_at=moments.text(seen), disabled_at=moments.text(disabled) if disabled else None)


def orphan_findings(world: StoreWorld) -> tuple[Finding, ...]:
    """What a condition says of them."""
    if not world.orphans:
        return ()
    what = f"Principals without a living owner: {some(world.orphans)}"
    if is_braked(world):
        way_out = (
            f"{len(world.orphans)} of {world.principals} are left alone; apply the manifests that they belong to, or remove them by hand"
        )
    else:
        way_out = f"their keys are disabled after five minutes, and they are removed a minute later, {MOST} at a time"
    return (Finding(ORPHANED, "True", reasons.ORPHANED, f"{what}; {way_out}"),)
