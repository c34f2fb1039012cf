"""When a store is probed for what it can do, and what becomes of status.capabilities by what a probe found."""

from datetime import datetime, timedelta
from typing import Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.bucket import Capability
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import ProbeStore
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import names

FAILURES: Final = 3
"""So many probes in a row that fail, and what a store could do it can no more."""
_SOON: Final = timedelta(minutes=5)
"""A probe that found a store unable is tried again after so long."""


def plan_probe(store: ObjectStore, world: StoreWorld) -> Steps:
    """A probe, where one is due."""
    scratch = names.scratch_bucket_name(store.spec.bucket_prefix, world.settings.mesh, store.metadata.name)
    return Steps((ProbeStore(scratch),)) if is_probe_due(store, world) else Steps()


def is_probe_due(store: ObjectStore, world: StoreWorld) -> bool:
    """Once per generation and operator version, and daily; sooner where a probe found a store unable, or could not tell."""
    status = store.status
    if world.freshly_probed:
        return False
    changed = status.probed_generation != store.metadata.generation or status.probed_place not in (None, place_of(store, world))
    if not world.capabilities or changed or status.probed_version != world.settings.version:
        return True
    times = [parse_time(found.checked_at) for found in status.capabilities if found.checked_at]
    last = parse_time(status.probed_at) if status.probed_at else min(times, default=None)
    return last is None or world.now - last > min(_patience(store, last), world.settings.probe_interval)


def _patience(store: ObjectStore, last: datetime) -> timedelta:
    """Minutes where something worked before or could not be told; where a store is unable, as long again as that is known, and longer."""
    status = store.status
    if status.probe_unclear or any(found.failures for found in status.capabilities):
        return _SOON
    since = [parse_time(found.checked_at) for found in status.capabilities if not found.supported and found.checked_at]
    return max(_SOON, last - max(since)) if since else timedelta.max


def place_of(store: ObjectStore, world: StoreWorld) -> str:
    """What a verdict is about: at another endpoint or in another account nothing is known."""
    account = world.account.value if isinstance(world.account, Present) else ""
    return "|".join((store.spec.endpoint_url or "", store.spec.iam_endpoint_url or "", account))


def merge_probe(store: ObjectStore, probed: tuple[Capability, ...], now: datetime, *, place: str) -> tuple[dict[str, object], ...]:
    """status.capabilities after a probe: what could not be told stays as it was, what worked must fail several times to be dropped."""
    same = store.status.probed_place in (None, place)
    known = {found.name: found for found in store.status.capabilities} if same else {}
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    merged = []
    for found in probed:
        old = known.get(found.name)
        if found.verdict == "Unclear":
            if old is not None:
                merged.append(old.model_dump(by_alias=True, exclude_none=True))
            continue
        able = found.verdict == "Yes"
        since = old.checked_at if old is not None and old.supported == able and old.checked_at else at
        entry = {"name": found.name, "supported": able, "message": found.message, "checkedAt": since, "failures": 0}
        if found.verdict == "No" and old is not None and old.supported and old.failures + 1 < FAILURES:
            entry |= {"supported": True, "checkedAt": old.checked_at or at, "failures": old.failures + 1}
        merged.append(entry)
    return tuple(merged)
