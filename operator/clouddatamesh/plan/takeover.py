"""A rebuilt cluster takes over from lost ones, object by object: each object's former user works on for an hour, then it ends.

What no object here owns keeps working. It is counted, and ends only where somebody says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.takeover import TakeOverStatus
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.outcome import Finding
from clouddatamesh.model.plan import Operation, Steps
from clouddatamesh.model.settings import Settings
from clouddatamesh.model.takeover import FormerUser, LostCluster, TakeOver
from clouddatamesh.model.words import some
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import binding, marks, moments, names

UNCLAIMED: Final = "PrincipalsUnclaimed"
MOST: Final = 20
"""So many unclaimed users are ended in one look."""


def former_names(store: ObjectStore, mesh: str, owner: Key, done: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Cluster, path and name of each user that a lost cluster may have made for an object; earlier ones are below the mesh's own path."""
    left = [cluster for cluster in store.spec.take_over_from if cluster not in set(done)]
    for cluster in left:
        yield cluster, names.principal_path(mesh, cluster), names.principal_name(mesh, cluster, owner)
        yield cluster, names.mesh_path(mesh), names.former_principal_name(mesh, owner)


def marker_at(store: ObjectStore | None) -> str:
    """The marker of the IAM endpoint to which a store leads, and which accepted loss it follows; empty where it is not known.

    A marker that was accepted as lost is made again by its name, and its endpoint may be another one.
    """
    marker = (store.status.marker or "") if store is not None else ""
    lost, _, number = ((store.status.last_handled_recreate or "") if store is not None else "").partition("/")
    return f"{marker}/{number or 1}" if marker and lost == marker else marker


def done_at(record: TakeOver, store: ObjectStore) -> tuple[str, ...]:
    """The clusters that left an object no user in this very store; what was found in another one, or nobody knows where, is asked again."""
    return record.done if record.marker and record.marker == marker_at(store) else ()


def own_record(recorded: str, mesh: str, cluster: str, owner: Key) -> str:
    """The user that status records; empty where its name is not that of this very object in this cluster.

    So it is in a status that a backup tool restored: of a lost cluster, or of an object of another namespace, whose user may be living.
    """
    own = (names.principal_name(mesh, cluster, owner), names.former_principal_name(mesh, owner))
    return recorded if recorded in own else ""


def counted_here(record: TakeOver, cluster: str, principal: str, store: ObjectStore | None) -> TakeOver:
    """What status recorded, without an hour that a lost cluster counted, and without what was found in another store.

    Where it is not told which cluster did, `principal` is this one's own user, if any.
    """
    is_own = record.cluster == cluster if record.cluster else bool(principal)
    counted = record if is_own else replace(record, until=None)
    if store is None or not marker_at(store):
        return counted
    is_here = record.marker in ("", marker_at(store))
    return replace(counted, until=counted.until if is_here else None, done=done_at(record, store), marker=marker_at(store))


def living(former: FormerUser, mesh: str, owner: Key) -> Principal | None:
    """The former user, where it is there and is this object's."""
    if not isinstance(former.seen, Present) or former.seen.value.path != former.path:
        return None
    seen = dict(former.seen.value.tags)
    ours = {marks.MESH_TAG: mesh, marks.NAMESPACE_TAG: owner.namespace, marks.NAME_TAG: owner.name, marks.CLUSTER_TAG: former.cluster}
    return former.seen.value if all(seen.get(tag, value) == value for tag, value in ours.items()) else None


def plan_former(formers: Iterable[FormerUser], mesh: str, owner: Key, *, ends: bool) -> Steps:
    """The end of former users, none of them before it is time."""
    operations: list[Operation] = []
    for principal in (living(former, mesh, owner) for former in formers if ends):
        if principal is not None:
            operations += binding.end_of(principal)
    unknown = next((former.seen for former in formers if ends and isinstance(former.seen, Unknown)), None)
    return Steps(tuple(operations), unknown.error if unknown is not None else None)


def recorded(status: TakeOverStatus | None) -> TakeOver:
    """What status says of it."""
    if status is None:
        return TakeOver()
    return TakeOver(parse_time(status.until) if status.until else None, status.cluster or "", status.done, status.marker or "")


def is_over(record: TakeOver, now: datetime, *, is_time_trusted: bool) -> bool:
    """Whether the hour has passed in which former users work in addition to the object's own."""
    return record.until is not None and is_time_trusted and now >= record.until


def take_over_fields(
    old: TakeOver, formers: tuple[FormerUser, ...], look: moments.Clocked, settings: Settings, *, cluster: str, served: bool
) -> dict[str, Any]:
    """status.takeOver: until when former users work, counted from when the object's own was read back; and clusters that left none."""
    clusters = {former.cluster for former in formers}
    left = {former.cluster for former in formers if not isinstance(former.seen, Absent)}
    done = sorted({*old.done, *(clusters - left)})
    until = old.until if left or not clusters else None
    if until is not None or (served and any(isinstance(former.seen, Present) for former in formers)):
        until = moments.ends(until, settings.rotation_grace, look)
    found = {**({"until": moments.text(until), "cluster": cluster} if until else {}), **({"done": done} if done else {})}
    return {"takeOver": {**found, **({"marker": old.marker} if old.marker else {})}} if found else {}


def end_of_formers(fields: Mapping[str, Any], now: datetime) -> datetime | None:
    """When former users end, where that is yet to come."""
    until = (fields.get("takeOver") or {}).get("until")
    moment = parse_time(until) if until else None
    return moment if moment is not None and moment > now else None


# The whole store.


def plan_unclaimed(store: ObjectStore, world: StoreWorld) -> Steps:
    """What nobody owns ends where the annotation names its cluster, some in each look."""
    due = world.due_unclaimed if ended_cluster(store) is not None else ()
    return Steps(tuple(operation for user in due for operation in binding.end_of(user)))


def ended_cluster(store: ObjectStore) -> str | None:
    """The lost cluster whose unclaimed users are to end."""
    wanted = store.metadata.annotations.get(marks.END_TAKEN_OVER_ANNOTATION)
    return wanted if wanted in store.spec.take_over_from else None


def unclaimed_of(listed: Iterable[str], cluster: str, mesh: str, claimants: Iterable[Key], ends: Callable[[Key], bool]) -> LostCluster:
    """A lost cluster's users, and those of them that no object here ends: their owner is not here, or looks for none here."""
    users = sorted(name for name in listed if not names.is_marker_name(name))
    wanted = set(users)
    named = ((names.principal_name(mesh, cluster, owner), owner) for owner in claimants)
    claimed = {name for name, owner in named if name in wanted and ends(owner)}
    return LostCluster(cluster, len(users), tuple(name for name in users if name not in claimed))


def taken_over_fields(world: StoreWorld) -> dict[str, Any]:
    """status.takenOver: how many users of each lost cluster are left."""
    found = [{"cluster": lost.uid, "principals": lost.principals, "unclaimed": len(lost.unclaimed)} for lost in world.lost_clusters]
    return {"takenOver": found} if found else {}


def unclaimed_findings(store: ObjectStore, world: StoreWorld) -> Iterator[Finding]:
    """What a condition says of them, and of an annotation that names no lost cluster."""
    wanted = store.metadata.annotations.get(marks.END_TAKEN_OVER_ANNOTATION)
    if wanted and ended_cluster(store) is None:
        why = f"Annotation {marks.END_TAKEN_OVER_ANNOTATION}={wanted} names no cluster of spec.takeOverFrom, so it ends nothing"
        yield Finding(UNCLAIMED, "Unknown", reasons.INVALID_SPEC, f"{why}; write one of {', '.join(store.spec.take_over_from)}")
        return
    lost = [one for one in world.lost_clusters if one.unclaimed]
    if not lost:
        return
    told = "; ".join(_describe(one) for one in lost)
    way_on = f"apply what owns them, or end them with annotation {marks.END_TAKEN_OVER_ANNOTATION}={lost[0].uid}"
    yield Finding(UNCLAIMED, "True", reasons.UNCLAIMED, f"{told}. They keep working: {way_on}")


def _describe(lost: LostCluster) -> str:
    return f"{len(lost.unclaimed)} users of lost cluster {lost.uid} belong to no object here: {some(lost.unclaimed)}"
