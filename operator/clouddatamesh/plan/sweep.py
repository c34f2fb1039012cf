"""Principals under the mesh's path that no living product and no request's record holds: seen twice, disabled, then removed.

Too many at once are left alone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore, OrphanStatus
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.outcome import Finding
from clouddatamesh.model.plan import DeleteKey, DeletePolicy, DeletePrincipal, DisableKey, Operation, Plan
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks, names

MOST: Final = 20
"""More orphans than these at once look like a fault of ours, or a cluster that is being rebuilt."""
SEEN_FOR: Final = timedelta(minutes=5)
DISABLED_FOR: Final = timedelta(minutes=1)
_SHOWN: Final = 5


def find_orphans(principals: Iterable[str], owners: Iterable[Key], mesh: str) -> tuple[str, ...]:
    """Names of principals that no living owner has, sorted."""
    return tuple(sorted(set(principals) - {names.principal_name(mesh, owner) for owner in owners}))


def due_orphans(store: ObjectStore, orphans: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    """Those that were seen before and long enough ago; none where there are too many."""
    if len(orphans) > MOST:
        return ()
    seen = {orphan.name: parse_time(orphan.seen_at) for orphan in store.status.orphans}
    return tuple(name for name in orphans if name in seen and now - seen[name] >= SEEN_FOR)


def plan_sweep(store: ObjectStore, world: StoreWorld) -> Plan:
    """Keys are disabled first; a minute later policies, keys and user go."""
    entries = {orphan.name: orphan for orphan in store.status.orphans}
    operations: list[Operation] = []
    for principal in world.due_orphans:
        if _is_of_mesh(principal, world.settings.mesh):
            operations += _end(principal, entries[principal.name], world.now)
    return Plan(tuple(operations))


def _end(principal: Principal, entry: OrphanStatus, now: datetime) -> list[Operation]:
    if entry.disabled_at is None:
        return [DisableKey(principal.name, key.id) for key in sorted(principal.keys) if key.active]
    if now - parse_time(entry.disabled_at) < DISABLED_FOR:
        return []
    own = [PREFIX] if principal.policy is not None else []
    policies = [DeletePolicy(principal.name, policy) for policy in (*own, *sorted(principal.other_policies))]
    return [*policies, *(DeleteKey(principal.name, key.id) for key in sorted(principal.keys)), DeletePrincipal(principal.name)]


def _is_of_mesh(principal: Principal, mesh: str) -> bool:
    """Path, and the tag where the store keeps tags."""
    return principal.path == names.principal_path(mesh) and dict(principal.tags).get(marks.MESH_TAG, mesh) == mesh


def orphan_fields(store: ObjectStore, world: StoreWorld) -> dict[str, Any]:
    """status.orphans: since when each is seen, and when its keys were disabled."""
    if not world.orphans:
        return {}
    entries = {orphan.name: orphan for orphan in store.status.orphans}
    disabled = {principal.name for principal in world.due_orphans if not any(key.active for key in principal.keys)}
    now = f"{world.now:%Y-%m-%dT%H:%M:%SZ}"
    found = []
    for name in world.orphans[: MOST + 1]:
        entry = entries.get(name, OrphanStatus(name=name, seen_at=now))
        if entry.disabled_at is None and name in disabled:
            entry = entry.model_copy(update={"disabled_at": now})
        found.append(entry.model_dump(by_alias=True, exclude_none=True))
    return {"orphans": found}


def orphan_findings(world: StoreWorld) -> tuple[Finding, ...]:
    """What a condition says of them."""
    if not world.orphans:
        return ()
    shown = ", ".join(world.orphans[:_SHOWN])
    more = f" and {len(world.orphans) - _SHOWN} more" if len(world.orphans) > _SHOWN else ""
    what = f"Principals without a living owner: {shown}{more}"
    if len(world.orphans) > MOST:
        way_out = f"more than {MOST} at once are left alone; apply the manifests that they belong to, or remove them by hand"
    else:
        way_out = "their keys are disabled after five minutes, and they are removed a minute later"
    return (Finding("PrincipalsOrphaned", "True", reasons.ORPHANED, f"{what}; {way_out}"),)
