"""The one flow of every kind: gather, plan, apply, and again until the plan is empty; so Ready is what was read back and nothing else."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.objects import Event, Key, Manifest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan, Record
from clouddatamesh.model.settings import Next
from clouddatamesh.plan.marks import RECONCILE_ANNOTATION
from clouddatamesh.plan.names import jitter
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.execute import Executor
from clouddatamesh.status.summarize import condition_of, is_true, summarize
from clouddatamesh.status.transitions import find_events

_log = logging.getLogger(__name__)
PASSES = 4
"""A new object takes two passes: one that writes, one that reads back. More means that somebody else writes at the same time."""

_TOKEN_LENGTH = 256
"""As much of a token as status holds."""

W = TypeVar("W")


@dataclass(frozen=True)
class Flow(Generic[W]):
    """What one kind puts into the pipeline. `gather` reads; `plan` and `report` are pure."""

    gather: Callable[[], W]
    plan: Callable[[W], Plan]
    executor: Callable[[W], Executor]
    report: Callable[[W, Plan], Outcome]
    withheld: Callable[[W], Plan] = lambda _: Plan()
    """Differences that mode or suspend keep from being made; reported, never carried out."""


def settle(flow: Flow[W]) -> tuple[Outcome, tuple[str, ...]]:
    """Carry plans out until one is empty. Returns the outcome and what was done, in words."""
    done: tuple[str, ...] = ()
    for _ in range(PASSES):
        world = flow.gather()
        plan = flow.plan(world)
        if not plan.operations:
            if plan.stop is not None:
                raise plan.stop
            return flow.report(world, flow.withheld(world)), done
        carry_out(plan, flow.executor(world))
        done += plan.describe()
    raise plan.stop or Transient(reasons.CONFLICT, f"The object does not settle; last was: {done[-1] if done else 'nothing'}")


def carry_out(plan: Plan, executor: Executor) -> None:
    """Every operation in order. An error is told which step it happened in."""
    for operation in plan.operations:
        try:
            executor.run(operation)
        except MeshError as error:
            raise error.during(executor.step_of(operation)) from error


@dataclass(frozen=True)
class Visit:
    """One reconciliation of one object: what stood in its status before, and the doors to the world."""

    key: Key
    uid: str
    generation: int
    ports: Ports

    @classmethod
    def of(cls, key: Key, manifest: Manifest, ports: Ports) -> "Visit":
        metadata = manifest["metadata"]
        return cls(key, metadata["uid"], metadata.get("generation", 0), ports)

    def old_status(self) -> Mapping[str, Any]:
        """Status as it stands now, with what this visit recorded."""
        manifest = self.ports.cluster.get(self.key)
        return manifest.get("status") or {} if manifest and manifest["metadata"]["uid"] == self.uid else {}

    def write_record(self, record: Record) -> None:
        """Status fields that must stand before the first outside write; conditions stay as they are."""
        self.ports.cluster.write_status(self.key, self.uid, {**self.old_status(), **dict(record.fields)})

    def close(self, result: Outcome | MeshError, done: tuple[str, ...]) -> None:
        """Status, if it changed, and events on transitions."""
        old = self.old_status()
        repairs = _repairs(old, self.generation, done) if _is_ready(result) else ()
        new = self._echo(summarize(old, self.generation, _with_drift(result, repairs), self.ports.clock.now()))
        if new != old:
            self.ports.cluster.write_status(self.key, self.uid, new)
        for event in (*find_events(old, new), *repairs):
            self.ports.cluster.emit(self.key, self.uid, event)

    def _echo(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whoever asked for this look by annotation sees that it was had, however it ended."""
        manifest = self.ports.cluster.get(self.key) or {"metadata": {}}
        token = (manifest["metadata"].get("annotations") or {}).get(RECONCILE_ANNOTATION)
        kept = {name: value for name, value in status.items() if name != "lastHandledReconcileAt"}
        return {**kept, "lastHandledReconcileAt": token[:_TOKEN_LENGTH]} if token else kept


def _is_ready(result: Outcome | MeshError) -> bool:
    """What was taken away on purpose was no repair."""
    return isinstance(result, Outcome) and result.ready.status == "True"


def _repairs(old: Mapping[str, Any], generation: int, done: tuple[str, ...]) -> tuple[Event, ...]:
    """An object that was Ready for this very generation and still needed writes had drifted."""
    if not done or old.get("observedGeneration") != generation or not is_true(old, "Ready"):
        return ()
    return (Event("Normal", reasons.REPAIRED, f"Drift was repaired: {'; '.join(done[:3])}"),)


def _with_drift(result: Outcome | MeshError, repairs: tuple[Event, ...]) -> Outcome | MeshError:
    """Drift that was repaired stays to be seen until the next look finds none."""
    if isinstance(result, MeshError) or not repairs or not any(found.type == "DriftDetected" for found in result.findings):
        return result
    others = tuple(found for found in result.findings if found.type != "DriftDetected")
    return replace(result, findings=(*others, Finding("DriftDetected", "True", reasons.REPAIRED, repairs[0].note)))


def run(visit: Visit, flow: Flow[W], *, interval: float) -> Next:
    """Settle one object and write its status, whatever comes; say when it is due again."""
    done: tuple[str, ...] = ()
    result: Outcome | MeshError
    try:
        result, done = settle(flow)
    except MeshError as error:
        result = error
    except Exception:
        _log.exception("Reconciling %s failed", visit.key)
        result = Transient(reasons.INTERNAL, "The operator met a fault of its own; its log has the trace")
    if visit.ports.cluster.get(visit.key) is None:
        return Next()
    visit.close(result, done)
    return _next(visit, result, interval)


def _next(visit: Visit, result: Outcome | MeshError, interval: float) -> Next:
    if isinstance(result, Transient):
        return Next(backoff=True)
    if isinstance(result, Waiting):
        return Next(after=0.0 if result.reason == reasons.EMPTYING else visit.ports.settings.waiting_interval.total_seconds())
    if isinstance(result, Terminal):
        return Next()
    after = interval * jitter(visit.uid)
    if not isinstance(result, Outcome) or result.due is None:
        return Next(after=after)
    return Next(after=min(after, max((result.due - visit.ports.clock.now()).total_seconds(), 0.0)))


def is_settled(manifest: Manifest) -> bool:
    """Whether an object is Ready for the generation that it has now."""
    status = manifest.get("status") or {}
    current = status.get("observedGeneration") == manifest["metadata"].get("generation", 0)
    return current and condition_of(status, "Ready") is not None and is_true(status, "Ready")
