"""One reconciliation of one object: what it saw and did, and how that is told: status, events and a line of log for each act."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.governance.compliance import CONDITION
from clouddatamesh.model.judging import JUDGED
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from clouddatamesh.model.operations import Record
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.model.plan import Operation, describe
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.plan.marks import RECONCILE_ANNOTATION
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.failures import failed_of, minor_of, only_failed
from clouddatamesh.reconcile.judging import Judgement, fingerprint, judge_object
from clouddatamesh.reconcile.trail import at
from clouddatamesh.status.acts import announced, find_acts
from clouddatamesh.status.summarize import condition_of, is_true, summarize
from clouddatamesh.status.transitions import find_events

_log = logging.getLogger(__name__)
_OF_RECORDS: Final = ("AccessGrant", "AccessRequest", "DataProduct")
"""Kinds whose status tells of what is in a store."""
_TOKEN_LENGTH: Final = 256
"""As much of a token as status holds."""


@dataclass
class Progress:
    """What one look has done so far; kept also where the look ends with an error."""

    done: list[Operation] = field(default_factory=list)
    broken: dict[str, Failure] = field(default_factory=dict)
    """By the name of the part: it is not tried again in this look."""
    is_costly: bool = False
    """A key was issued or a store probed, or that was tried: where the look fails, the next one does it once more."""
    unanswered: dict[str, tuple[MeshError, ...]] = field(default_factory=dict)
    """By verb and kind, of writes in a row that the API server could not carry out, as where an admission webhook hangs, each error."""


@dataclass(frozen=True)
class Visit:
    """One reconciliation of one object: what its status said before, what was seen so far, and the doors to the world."""

    key: Key
    uid: str
    generation: int
    ports: Ports
    asked: str | None = None
    """The token by which somebody asked for a look, as it was when this one began."""
    looks: dict[tuple[str, str], Any] = field(default_factory=dict)
    """What was seen in the store during this visit, until something of it is written."""
    judged: list[tuple[str, Judgement]] = field(default_factory=list)
    """What policies say of the object, with what was known of the world."""

    @classmethod
    def of(cls, key: Key, manifest: Manifest, ports: Ports) -> "Visit":
        metadata = manifest["metadata"]
        asked = (metadata.get("annotations") or {}).get(RECONCILE_ANNOTATION)
        return cls(key, metadata["uid"], metadata.get("generation", 0), ports, asked)

    def manifest(self) -> Manifest:
        """The object as the cache has it now."""
        found = self.ports.cluster.get(self.key)
        if found is None or found["metadata"]["uid"] != self.uid:
            raise Waiting(reasons.DELETING, "The object is gone")
        return found

    def judgement(self) -> Judgement:
        """What policies say of it, asked once in a look, and once more where its spec changed or the look read the world otherwise."""
        if self.key.kind not in JUDGED:
            return Judgement()
        generation = (self.ports.cluster.get(self.key) or {"metadata": {}})["metadata"].get("generation", 0)
        known = f"{generation} {fingerprint(self.ports.memory.facts(self.key, self.uid))}"
        if not self.judged or self.judged[-1][0] != known:
            self.judged.append((known, judge_object(self.key, self.ports)))
        return self.judged[-1][1]

    def old_status(self) -> Mapping[str, Any]:
        """Status as it is now, with what this visit recorded."""
        manifest = self.ports.cluster.get(self.key)
        return manifest.get("status") or {} if manifest and manifest["metadata"]["uid"] == self.uid else {}

    def write_record(self, record: Record) -> None:
        """Status fields that must be there before the first outside write; conditions stay as they are."""
        merged = {**self.old_status(), **dict(record.fields)}
        if not self._write_status({name: value for name, value in merged.items() if value is not None}):
            raise Transient(reasons.CONFLICT, f"{self.key} went at the same time; nothing is made for it")

    def _write_status(self, status: Mapping[str, Any]) -> bool:
        """What a status records must not be undone by a write that comes late: it counts only for the version that was read."""
        manifest = self.ports.cluster.get(self.key) or {"metadata": {}}
        version = manifest["metadata"].get("resourceVersion", "") if self.key.kind in _OF_RECORDS else ""
        return self.ports.cluster.write_status(self.key, self.uid, status, version=version)

    def close(self, result: Outcome | MeshError, progress: Progress) -> None:
        """Status, if it changed; an event and a line of log for each thing that was done, and for each new failure."""
        at("summarize")
        old = self.old_status()
        repairs = _repairs(old, self.generation, progress) if _is_ready(result) else ()
        interval = self.ports.settings.drift_interval
        judgement, now = self.judgement(), self.ports.clock.now()
        told = with_denial(_with_drift(result, repairs), judgement)
        new = self._echo(summarize(old, self.generation, told, now, interval=interval, further=judgement.finding()))
        new = with_compliance(new, judgement.fields(old, now), kept=condition_of(old, CONDITION) if judgement.error else None)
        if self._may_pass(old, new, result, progress):
            self.tell(result, ())
            return
        at("write")
        if new != old:
            self._write_status(new)
        acts = () if repairs else tuple(find_acts(progress.done))
        events = find_events(old, new)
        for event in (*events, *repairs, *acts):
            self.ports.cluster.emit(self.key, self.uid, event)
        if any(event.reason == reasons.NOT_ANSWERED for event in events):
            self._tell_owners()
        failed = failed_of(result)
        changes = tuple(event for event in events if failed is None or event.reason != failed.reason)
        self.tell(result, (*changes, *repairs, *acts, *announced(progress.done)))

    def _tell_owners(self) -> None:
        """Who waits is told in the AccessInbox, which fewer people may read than a product's events."""
        manifest = self.ports.cluster.get(self.key)
        product = self.ports.cluster.get(asked_product(manifest)) if manifest is not None else None
        if product is not None:
            why = f"A request waits longer than access.answerWithin of its port; AccessInbox {product['metadata']['name']} shows it"
            self.ports.cluster.emit(key_of(product), product["metadata"]["uid"], Event("Warning", reasons.NOT_ANSWERED, why))

    def _may_pass(self, old: Mapping[str, Any], new: Mapping[str, Any], result: Outcome | MeshError, progress: Progress) -> bool:
        """Whether this look learned no more of a Ready object than that something does not answer, since a moment: that is not told."""
        was_ready = is_true(old, "Ready") and old.get("observedGeneration") == self.generation
        tried = progress.done or progress.broken
        if not was_ready or tried or not only_failed(old, new, result):
            self.ports.doubts.forget(self.key)
            return False
        return self.ports.doubts.is_new(self.key, self.ports.clock.now())

    def tell(self, result: Outcome | MeshError, acts: tuple[Event, ...]) -> None:
        """The log: one line for what failed, one for each thing that was done or is otherwise now, none for a quiet look."""
        for act in acts:
            _log.info("%s: %s: %s", self.key, act.reason, act.note, extra={"fields": self._fields(act.reason, act.note)})
        for error in filter(None, (failed_of(result), *minor_of(result))):
            if isinstance(error, Waiting):
                continue
            _log.info("%s: %s: %s", self.key, error.reason, error.message, extra={"fields": self._fields(error.reason, error.message)})

    def _fields(self, reason: str, what: str) -> dict[str, str]:
        return {"kind": self.key.kind, "namespace": self.key.namespace, "name": self.key.name, "reason": reason, "what": what}

    def _echo(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whoever asked for this look by annotation sees that it was had, however it ended. One who asked meanwhile has the next."""
        kept = {name: value for name, value in status.items() if name != "lastHandledReconcileAt"}
        return {**kept, "lastHandledReconcileAt": self.asked[:_TOKEN_LENGTH]} if self.asked else kept


def with_denial(result: Outcome | MeshError, judgement: Judgement) -> Outcome | MeshError:
    """An object that a policy refuses is not Ready, also where nothing was to be made for it."""
    denial = judgement.denial
    if isinstance(result, MeshError) or not isinstance(denial, Terminal) or result.ready.status != "True":
        return result
    return replace(result, ready=Finding("Ready", "False", denial.reason, denial.message), stalled=True)


def with_compliance(status: Mapping[str, Any], fields: Mapping[str, Any], *, kept: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Status with what policies say; where they could not be asked the condition is as it was."""
    others = {name: value for name, value in status.items() if name not in fields}
    given = {name: value for name, value in fields.items() if value is not None}
    conditions = [one for one in status.get("conditions") or () if one["type"] != CONDITION or kept is None]
    if kept is not None:
        others = {**others, "conditions": sorted((*conditions, kept), key=lambda one: str(one["type"]))}
    return {**others, **given}


def _is_ready(result: Outcome | MeshError) -> bool:
    """What was taken away on purpose was no repair."""
    return isinstance(result, Outcome) and result.ready.status == "True"


def _repairs(old: Mapping[str, Any], generation: int, progress: Progress) -> tuple[Event, ...]:
    """An object that was Ready for this very generation and still needed writes had drifted."""
    done = describe(progress.done)
    if not done or old.get("observedGeneration") != generation or not is_true(old, "Ready"):
        return ()
    return (Event("Normal", reasons.REPAIRED, f"Drift was repaired: {'; '.join(done[:3])}"),)


def _with_drift(result: Outcome | MeshError, repairs: tuple[Event, ...]) -> Outcome | MeshError:
    """Drift that was repaired stays to be seen until the next look finds none."""
    if isinstance(result, MeshError) or not repairs or not any(found.type == "DriftDetected" for found in result.findings):
        return result
    others = tuple(found for found in result.findings if found.type != "DriftDetected")
    return replace(result, findings=(*others, Finding("DriftDetected", "True", reasons.REPAIRED, repairs[0].note)))
