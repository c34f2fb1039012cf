"""When a store is probed for what it can do, and what becomes of status.capabilities by what a probe found."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.objectstore import CapabilityStatus, ObjectStore
from clouddatamesh.model.bucket import Capability, Proof
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import ProbeStore
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import names
from clouddatamesh.plan.features import is_former
from clouddatamesh.plan.moments import is_ahead, text

FAILURES: Final = 3
"""So many probes in a row that fail, and what a store could do it can no more."""
_SOON: Final = timedelta(minutes=5)
"""A probe that found a store unable is tried again after this duration."""
_LATE: Final = timedelta(minutes=1)
"""And after this duration one that did not show what it wrote, at a store of which nothing else is known."""


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
    former = any(is_former(store, found) for found in status.capabilities) and not status.probe_unclear
    if not world.capabilities or changed or former or status.probed_version != world.settings.version:
        return True
    times = [parse_time(found.checked_at) for found in status.capabilities if found.checked_at]
    last = parse_time(status.probed_at) if status.probed_at else min(times, default=None)
    return last is None or is_ahead(last, world.now) or world.now - last > min(_patience(store, last), world.settings.probe_interval)


def _patience(store: ObjectStore, last: datetime) -> timedelta:
    """Minutes where something worked before or could not be told; where a store is unable, as long again as that is known, and longer."""
    status = store.status
    if any(found.failures and not found.supported for found in status.capabilities):
        return _LATE
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
    at = text(now)
    merged = []
    for found in probed:
        old = known.get(found.name)
        if found.verdict != "Unclear":
            merged.append(_merge(None if old is None or is_former(store, old) else old, found, at))
        elif old is not None:
            merged.append(old.model_dump(by_alias=True, exclude_none=True))
    return tuple(merged)


def _merge(old: CapabilityStatus | None, found: Capability, at: str) -> dict[str, object]:
    if found.verdict == "Yes":
        known = old is not None and old.supported and old.proof == "Refused" and found.proof == "Unproven"
        # What could not be tried this time, and was refused before, was refused.
        return _entry(old, replace(found, message="") if known else found, at, proof="Refused" if known else found.proof)
    failures = (old.failures if old is not None else 0) + 1
    if not _is_doubted(old, found) or failures >= FAILURES:
        return _entry(old, found, at)
    if old is None or not old.supported:
        return _entry(old, found, at) | {"failures": failures}
    return _entry(old, found, at, proof=old.proof, supported=True) | {"failures": failures}


def _is_doubted(old: CapabilityStatus | None, found: Capability) -> bool:
    """Whether it must be found several times: what worked, unless it harms; what does not show, unless that was settled before."""
    if old is not None and old.supported:
        return not found.harmful
    return found.verdict == "Unseen" and (old is None or old.failures > 0)


def _entry(
    old: CapabilityStatus | None, found: Capability, at: str, *, proof: Proof | None = None, supported: bool | None = None
) -> dict[str, object]:
    able = found.verdict == "Yes" if supported is None else supported
    since = old.checked_at if old is not None and old.supported == able and old.checked_at else at
    told: dict[str, object] = {"proof": proof} if proof is not None else {}
    return {"name": found.name, "supported": able, "message": found.message, "checkedAt": since, "failures": 0, **told}
