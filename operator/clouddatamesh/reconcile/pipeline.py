"""The one flow of every kind: gather, plan, apply part by part, and again until nothing is left to do; so Ready is what was read back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Away, MeshError, Transient, Waiting
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Failure, Outcome
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, describe
from clouddatamesh.model.settings import Next
from clouddatamesh.model.store_operations import EmptyBucket, ProbeStore, ReplaceKey, RotateKey
from clouddatamesh.plan.names import jitter
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.execute import Executor
from clouddatamesh.reconcile.failures import patience, waits_since
from clouddatamesh.reconcile.parse import is_readable
from clouddatamesh.reconcile.trail import at, during
from clouddatamesh.reconcile.visit import Progress, Visit
from clouddatamesh.status.acts import announced, find_acts
from clouddatamesh.status.summarize import is_true, worst

_log = logging.getLogger(__name__)
PASSES: Final = 6
"""A new object takes three or four: what is written is read back before what rests on it. More means that somebody else writes too."""

_COSTLY: Final = (ReplaceKey, RotateKey, ProbeStore)
"""What a store is asked to make, in vain where it cannot be written down in the cluster."""

W = TypeVar("W")


@dataclass(frozen=True)
class Flow(Generic[W]):
    """What one kind puts into the pipeline. `gather` reads; `plan`, `permitted` and `report` are pure.

    `permitted` is what mode and suspend leave of a plan to be done; `report` is told of the whole plan.
    """

    gather: Callable[[], W]
    plan: Callable[[W], Plan]
    executor: Callable[[W], Executor]
    report: Callable[[W, Plan], Outcome]
    permitted: Callable[[W, Plan], Plan] = lambda _, plan: plan


def settle(flow: Flow[W], progress: Progress) -> Outcome:
    """Carry plans out until nothing of them is left that can be done, and report."""
    for _ in range(PASSES):
        world = flow.gather()
        full = flow.plan(world)
        plan = flow.permitted(world, full)
        if not carry_out(plan, flow.executor(world), progress):
            return replace(flow.report(world, full), failures=_failures(plan, progress))
    world = flow.gather()
    full = flow.plan(world)
    left = flow.permitted(world, full)
    for part in left.parts:
        if part.operations and part.name not in progress.broken:
            last = describe(part.operations) or ("nothing",)
            error = part.stop or Transient(reasons.CONFLICT, f"The object does not settle; next would be: {last[0]}")
            progress.broken[part.name] = Failure(part.name, part.condition, error, part.minor)
    return replace(flow.report(world, full), failures=_failures(left, progress))


def carry_out(plan: Plan, executor: Executor, progress: Progress) -> bool:
    """Every part in order; an error stops its own part and those that come after it. Whether anything was done."""
    halted = set(progress.broken)
    count = len(progress.done)
    for part in plan.parts:
        if part.instead_of and not (part.instead_of in halted and _is_lasting(part.instead_of, plan, progress)):
            continue
        if part.name in halted or halted.intersection(part.after):
            halted.add(part.name)
            continue
        failure = _carry_out_part(part, executor, progress)
        if failure is not None:
            progress.broken[part.name] = failure
        if failure is not None or part.stop is not None:
            halted.add(part.name)
    return len(progress.done) > count


_PASSING: Final = (reasons.THROTTLED, reasons.CLUSTER_UNAVAILABLE)
"""What passes by itself within moments: nothing is given up for it."""


def _is_lasting(name: str, plan: Plan, progress: Progress) -> bool:
    """Whether a part failed for a reason that waiting a moment does not end; or those before it did."""
    after = next((part.after for part in plan.parts if part.name == name), ())
    found = [failure.error for failure in _failures(plan, progress) if failure.part in (name, *after)]
    return not any(error.reason in _PASSING for error in found)


def _carry_out_part(part: Part, executor: Executor, progress: Progress) -> Failure | None:
    failed: list[MeshError] = []
    for operation in part.operations:
        at("apply", part.name)
        progress.is_costly |= isinstance(operation, _COSTLY)
        try:
            _try(operation, executor, progress)
        except MeshError as error:
            failed.append(error)
            if not part.each:
                break
        else:
            progress.done.append(operation)
    why = worst(failed)
    return Failure(part.name, part.condition, _with_others(why, failed), part.minor) if why is not None else None


_HANGS: Final = 6
"""So many writes of one verb and kind in a row are tried where none is answered: each may take half a minute, and a Domain has hundreds."""
_TAKES: Final = {"delete RoleBinding": 32, "update RoleBinding": 32}
"""What takes rights away is tried in every namespace that a Domain may have: a webhook may hang in some of them."""


def _try(operation: Operation, executor: Executor, progress: Progress) -> None:
    alike = " ".join(str(operation).split()[:2])
    vain = progress.unanswered.pop(alike, ())
    if len(vain) >= _TAKES.get(alike, _HANGS):
        progress.unanswered[alike] = vain
        why = f"The API server carried out none of {len(vain)} attempts to {alike}, so no more are made in this look"
        raise type(vain[-1])(reasons.CLUSTER_UNAVAILABLE, why)
    try:
        executor.run(operation)
    except MeshError as error:
        if error.reason == reasons.CLUSTER_UNAVAILABLE:
            progress.unanswered[alike] = (*vain, error)
        raise


def _with_others(why: MeshError, failed: list[MeshError]) -> MeshError:
    """The error that decides, with what else failed: whoever corrects one hears of the next."""
    others = dict.fromkeys(error.message for error in failed if error.message != why.message)
    return type(why)(why.reason, "; ".join((why.message, *others))) if others else why


def take_all(look: Callable[[], tuple[Steps, Executor]]) -> None:
    """End what an object left that is gone itself, in as many looks as that takes; raises what keeps it."""
    progress = Progress()
    for _ in range(PASSES):
        steps, executor = look()
        plan = Plan((Part("taking", steps, each=True),))
        done = carry_out(plan, executor, progress)
        for failure in _failures(plan, progress):
            raise failure.error
        if not done:
            return


def _failures(plan: Plan, progress: Progress) -> tuple[Failure, ...]:
    """Of each part the error that it met, else the reason why it stops."""
    stops = {part.name: Failure(part.name, part.condition, part.stop, part.minor) for part in plan.parts if part.stop is not None}
    return tuple({**stops, **progress.broken}.values())


def run(visit: Visit, flow: Flow[W], *, interval: timedelta) -> Next:
    """Settle one object and write its status, whatever comes; say when it is due again."""
    progress, began = Progress(), visit.ports.clock.now()
    result: Outcome | MeshError
    try:
        result = settle(replace(flow, gather=during("gather", flow.gather), plan=during("plan", flow.plan)), progress)
    except MeshError as error:
        result = error
    except Exception:
        _log.exception("Reconciling %s failed", visit.key)
        result = Transient(reasons.INTERNAL, "The operator met a fault of its own; its log has the trace")
    if visit.ports.cluster.get(visit.key) is None:
        acts = tuple(find_acts(progress.done))
        for act in acts:
            visit.ports.cluster.emit(visit.key, visit.uid, act)
        visit.ports.doubts.forget(visit.key)
        visit.tell(result, (*acts, *announced(progress.done)))
        return Next()
    try:
        visit.close(result, progress)
    except Away as error:
        if _is_cheap(result, progress):
            raise
        raise Transient(error.reason, error.message) from error
    return _next(visit, result, progress, interval=interval, began=began)


def _failed(result: Outcome | MeshError) -> tuple[MeshError, ...]:
    """All that a look met, also what does not count for the object as a whole."""
    failures = [result] if isinstance(result, MeshError) else [failure.error for failure in result.failures]
    return tuple(error for error in failures if not isinstance(error, Waiting))


def _is_cheap(result: Outcome | MeshError, progress: Progress) -> bool:
    """Whether the look may be repeated often: nothing failed but the API server, and no store was asked for what goes to waste."""
    return not progress.is_costly and all(isinstance(error, Away) for error in _failed(result))


def _next(visit: Visit, result: Outcome | MeshError, progress: Progress, *, interval: timedelta, began: datetime) -> Next:
    """Nothing leaves the schedule: what is not Ready is looked at on the drift interval at the latest.

    A moment that had passed when the look began brought what it brings: to look again for it would be to look without end.
    """
    settings = visit.ports.settings
    errors = [result] if isinstance(result, MeshError) else [failure.error for failure in result.failures if not failure.minor]
    ready = isinstance(result, Outcome) and not errors and result.ready.status == "True"
    longest = interval if ready else min(interval, settings.drift_interval)
    after = longest.total_seconds() * jitter(visit.uid)
    if any(isinstance(error, Waiting) for error in errors):
        emptied = any(isinstance(operation, EmptyBucket) for operation in progress.done)
        goes_on = emptied and any(isinstance(error, Waiting) and error.reason == reasons.EMPTYING for error in errors)
        since = waits_since(visit.ports.cluster.get(visit.key) or {}, errors)
        after = 0.0 if goes_on else min(after, patience(since, settings.waiting_interval, visit.ports.clock.now()))
    for due in (result.due if isinstance(result, Outcome) else None, visit.judgement().due):
        if due is not None and due > began:
            after = min(after, max((due - visit.ports.clock.now()).total_seconds(), 0.0))
    return Next(
        after=after,
        backoff=any(isinstance(error, Transient) for error in errors),
        failures=tuple(sorted({error.reason for error in _failed(result)})),
        brief=bool(_failed(result)) and _is_cheap(result, progress),
    )


def is_store_ready(name: str, ports: Ports) -> bool:
    """Whether an ObjectStore is there, can be read, and is Ready: what a newer version wrote may allow less than what is read of it."""
    manifest = ports.cluster.get(Key("ObjectStore", "", name))
    return manifest is not None and is_settled(manifest) and is_readable(ObjectStore, manifest)


def is_settled(manifest: Manifest) -> bool:
    """Whether an object is Ready for the generation that it has now."""
    status = manifest.get("status") or {}
    current = status.get("observedGeneration") == manifest["metadata"].get("generation", 0)
    return current and is_true(status, "Ready")
