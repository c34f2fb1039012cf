"""The end of an ObjectStore: it waits for those who use it, and for users that nothing else would end; its buckets stay."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Waiting
from clouddatamesh.model.evidence import Present, Unknown
from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce, ReleaseObject
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, stopped
from clouddatamesh.model.words import some
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.objectstore import CREDENTIALS, find_strangeness, is_marked
from clouddatamesh.plan.sweep import ORPHANED, plan_sweep

_SHOWN: Final = 5
_MOST_EVENTS: Final = 100


def plan_deletion(store: ObjectStore, world: StoreWorld) -> Plan:
    """Wait for those who use the store, and for users in it whose owner is gone, which nothing else would end.

    Its buckets stay, the mesh's own too, which keeps other clusters off what is retained. Given up (annotation
    orphan), it waits only for those whose records tell of it: they list what they leave, and let go of it.
    """
    if not marks.is_held(store.metadata.finalizers):
        return Plan()
    answers = Part("account", Steps((), world.account.error if isinstance(world.account, Unknown) else None), CREDENTIALS)
    return Plan((answers, *_plan_last_sweep(store, world), Part("release", _plan_release(store, world), "DeletionBlocked")))


def _plan_last_sweep(store: ObjectStore, world: StoreWorld) -> tuple[Part, ...]:
    if not isinstance(world.account, Present) or world.unreadable is not None or find_strangeness(store, world) is not None:
        return ()
    return plan_sweep(store, world) if is_marked(store, world) else ()


def _plan_release(store: ObjectStore, world: StoreWorld) -> Steps:
    annotation = f"{marks.ORPHAN_ANNOTATION}={store.metadata.name}"
    if marks.is_orphaned(store.metadata) and world.holders:
        why = f"{len(world.holders)} objects are being released from the store, the first: {world.holders[0]}"
        return stopped(Waiting(reasons.DELETING, why))
    if marks.is_orphaned(store.metadata):
        orphaned = (f"principal {orphan.name}" for orphan in store.status.orphans)
        return Steps((*_announce_left((*world.left, *orphaned)), ReleaseObject()))
    if world.users:
        why = f"Deletion waits for {some(sorted(world.users))}; delete these first, or leave their buckets and keys behind with annotation"
        return stopped(Waiting(reasons.IN_USE, f"{why} {annotation}; {marks.MISTAKE}"))
    if orphans := world.orphans or _orphans_of_old(store, world):
        why = f"Deletion waits for principals without a living owner: {some(orphans)}; condition {ORPHANED} says what becomes of them"
        return stopped(Waiting(reasons.IN_USE, f"{why}; to leave them behind, with keys that work, annotate {annotation}"))
    return Steps((ReleaseObject(),))


def _orphans_of_old(store: ObjectStore, world: StoreWorld) -> tuple[str, ...]:
    """What a store that does not answer held when it was last seen."""
    return tuple(orphan.name for orphan in store.status.orphans) if isinstance(world.account, Unknown) else ()


def _announce_left(left: tuple[str, ...]) -> Iterator[Operation]:
    groups = [left[at : at + _SHOWN] for at in range(0, len(left), _SHOWN)][:_MOST_EVENTS]
    return (Announce(Event("Warning", reasons.ABANDONED, f"Left in the store: {'; '.join(group)}")) for group in groups)
