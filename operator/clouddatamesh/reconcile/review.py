"""Judging an object without looking at what it stands for: after a change of a policy, a waiver or a Domain, and when a waiver ends.

Thousands of objects are judged in seconds so, because no store is asked. Its key names the object: Compliance sales/DataProduct.orders.
"""

from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.governance.compliance import CONDITION, is_denied
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Next
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.judging import Judgement, judge_object
from clouddatamesh.reconcile.visit import with_compliance
from clouddatamesh.status.summarize import Status, replace_condition
from clouddatamesh.status.transitions import find_events

KIND: Final = "Compliance"
"""Of the keys; no object of the cluster has it."""


def review_of(key: Key) -> Key:
    """The key by which an object is judged alone."""
    return Key(KIND, key.namespace, f"{key.kind}.{key.name}")


def subject_of(key: Key) -> Key:
    """The object that such a key names."""
    kind, _, name = key.name.partition(".")
    return Key(kind, key.namespace, name)


def review(key: Key, ports: Ports) -> Next:
    """Judge one object, and write what is otherwise than its status says. Who is judged for the first time is looked at as a whole."""
    subject = subject_of(key)
    manifest = ports.cluster.get(subject)
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return Next()
    old = manifest.get("status") or {}
    if old.get("observedGeneration", -1) < 0:
        return Next()
    judgement, now = judge_object(subject, ports), ports.clock.now()
    if judgement.error is not None:
        # The Domain of its namespace has it judged again when there is one.
        waits = judgement.error.reason == reasons.DOMAIN_NOT_FOUND
        return Next() if waits else Next(backoff=True, failures=(judgement.error.reason,))
    told = replace_condition(old, manifest["metadata"].get("generation", 0), CONDITION, judgement.finding(), now)
    new = with_compliance(told, judgement.fields(old, now), kept=None)
    if new != old:
        _write(subject, manifest, new, ports)
    return Next(after=_until(judgement, now))


def _write(key: Key, manifest: Manifest, status: Status, ports: Ports) -> None:
    metadata, old = manifest["metadata"], manifest.get("status") or {}
    if ports.cluster.write_status(key, metadata["uid"], status, version=metadata.get("resourceVersion", "")):
        for event in find_events(old, status):
            ports.cluster.emit(key, metadata["uid"], event)


def _until(judgement: Judgement, now: datetime) -> float | None:
    """Seconds until a waiver ends."""
    return max((judgement.due - now).total_seconds(), 0.0) if judgement.due is not None else None


def matters_to(old: Manifest | None, new: Manifest | None) -> bool:
    """Whether an object is refused now and was not, or the other way round: then it is looked at as a whole."""
    return is_denied((old or {}).get("status")) != is_denied((new or {}).get("status"))
