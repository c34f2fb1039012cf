"""What is wrong with one object of the mesh, by its own manifest. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from clouddatamesh import reasons
from clouddatamesh.advice import advice_of
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.facts import part_of
from clouddatamesh.status.summarize import condition_of, is_true

DELETING: Final = timedelta(minutes=5)
UNSEEN: Final = timedelta(minutes=1)
BEHIND: Final = timedelta(minutes=2)
FAILING: Final = timedelta(minutes=15)
"""How long each state may last while an operator leads."""


@dataclass(frozen=True)
class Symptom:
    """A state of one object. Objects of one kind with equal `name` and `reason` are told together where there are many."""

    name: str
    reason: str
    object: Key
    what: str
    why: str
    do: str
    level: Literal["ToDo", "Remark"] = "ToDo"


@dataclass(frozen=True)
class Situation:
    """The time by the API server, whether an operator leads (None: not known), and how one is brought back."""

    now: datetime
    leads: bool | None
    start: str

    def is_due(self, since: str | None, patience: timedelta) -> bool:
        """Whether a state has lasted for too long; without an operator nothing ends it, so at once."""
        return self.leads is False or since is None or self.now - parse_time(since) > patience


def find_symptoms(kind: str, found: Manifest, situation: Situation) -> Iterator[Symptom]:
    """Of an object that is being deleted only that; else everything."""
    key = Key(kind, found["metadata"].get("namespace", ""), found["metadata"]["name"])
    if found["metadata"].get("deletionTimestamp"):
        yield from _deletion(key, found, situation)
        return
    unseen = tuple(_unseen(key, found, situation))
    yield from unseen or (*_behind(key, found, situation), *_stuck(key, found, situation))
    yield from _remarks(key, found)


def _deletion(key: Key, found: Manifest, situation: Situation) -> Iterator[Symptom]:
    """An object that is being deleted waits for finalizers: the operator's, or another's."""
    metadata = found["metadata"]
    if not situation.is_due(metadata["deletionTimestamp"], DELETING):
        return
    others = [name for name in metadata.get("finalizers") or () if name != marks.FINALIZER]
    since = f"It has been in deletion since {metadata['deletionTimestamp']}"
    if marks.FINALIZER not in (metadata.get("finalizers") or ()):
        why = "The operator has released it; others have not"
        yield Symptom(
            "deletion",
            "others",
            key,
            f"{since} and waits for {', '.join(others) or 'the API server'}",
            why,
            f"kubectl describe {_ref(key)}",
        )
        return
    status = part_of(found, "status")
    blocked = condition_of(status, "DeletionBlocked") or condition_of(status, "Ready") or {}
    reason, message = str(blocked.get("reason") or ""), str(blocked.get("message") or "nothing says what it waits for")
    if situation.leads is False:
        what = f"{since} and no operator can end it; it said last: {message}"
        why = "Only the operator revokes what the object has in the store and removes its finalizer"
        do = f"{situation.start}; if that is impossible: docs/operations/break-glass.md"
        yield Symptom("deletion", "no operator", key, what, why, do)
        return
    why = "The operator keeps its finalizer until nothing of it is left in the store" + (
        "" if situation.leads else "; whether one leads is not known"
    )
    yield Symptom("deletion", reason, key, f"{since} and waits: {message}", why, _way_out(key, reason))


def _way_out(key: Key, reason: str) -> str:
    """What ends a deletion that waits, by what it waits for."""
    annotate = f"kubectl annotate {_ref(key)} clouddatamesh.dev"
    if key.kind == "Domain":
        return (
            "Delete what the message names; if the deletion is a mistake: docs/operations/break-glass.md, A Domain was deleted by mistake"
        )
    if reason == reasons.IN_USE and key.kind == "DataProduct":
        return f"End the consumers' access: {annotate}/cut-off={key.name}"
    if reason == reasons.IN_USE:
        keeps = "If the deletion is a mistake: it harms nothing while it waits; docs/operations/break-glass.md says how it is undone"
        return (
            f"{keeps}. If it is meant: delete what the message names, of which products with deletionPolicy Delete lose their data; or"
            f" leave buckets and keys behind, which then work and cannot be revoked: {annotate}/orphan={key.name}"
        )
    return f"{advice_of(reason)} If the store is gone: {annotate}/orphan={key.name}"


def _unseen(key: Key, found: Manifest, situation: Situation) -> Iterator[Symptom]:
    metadata, status = found["metadata"], part_of(found, "status")
    ready = condition_of(status, "Ready") or {}
    is_seen = int(status.get("observedGeneration", -1)) >= 0 and ready.get("reason") != reasons.PENDING
    if is_seen or not situation.is_due(metadata.get("creationTimestamp"), UNSEEN):
        return
    what = f"No operator has looked at it since it was created at {metadata.get('creationTimestamp')}"
    if situation.leads is False:
        yield Symptom("unseen", "", key, what, "No operator runs", situation.start)
        return
    why = "An operator looks at a new object within seconds; its watch of this kind, or its queue, is stuck"
    yield Symptom("unseen", "", key, what, why, _logs(key))


def _behind(key: Key, found: Manifest, situation: Situation) -> Iterator[Symptom]:
    """The spec was changed and no operator has looked since."""
    metadata, seen = found["metadata"], int(part_of(found, "status").get("observedGeneration", -1))
    generation = int(metadata.get("generation") or 0)
    if seen >= generation or not situation.is_due(_changed(metadata), BEHIND):
        return
    what = f"Its status describes generation {seen} of the spec, and the spec is at {generation}"
    do = situation.start if situation.leads is False else _logs(key)
    yield Symptom("behind", "", key, what, "The last change of the spec is not in effect", do)


def _changed(metadata: Mapping[str, Any]) -> str | None:
    """When something else than a subresource was last written, as managedFields tell it."""
    times: list[str] = [one["time"] for one in metadata.get("managedFields") or () if not one.get("subresource") and one.get("time")]
    return max(times, default=metadata.get("creationTimestamp"))


def _stuck(key: Key, found: Manifest, situation: Situation) -> Iterator[Symptom]:
    """What waits for people, and what has failed for long. ObjectStores are told by their own check."""
    status = part_of(found, "status")
    stalled, ready = condition_of(status, "Stalled") or {}, condition_of(status, "Ready") or {}
    if key.kind == "ObjectStore":
        return
    if stalled.get("status") == "True":
        reason = str(stalled.get("reason"))
        what = f"It is Stalled ({reason}): {stalled.get('message', '')}"
        yield Symptom("stalled", reason, key, what, "The operator cannot continue until somebody acts", advice_of(reason))
    elif ready.get("status") == "False" and is_true(status, "Reconciling") and situation.is_due(ready.get("lastTransitionTime"), FAILING):
        reason = str(ready.get("reason"))
        what = f"It has failed since {ready.get('lastTransitionTime')} ({reason}): {ready.get('message', '')}"
        yield Symptom("failing", reason, key, what, "The operator retries, and has not succeeded since", advice_of(reason))


def _remarks(key: Key, found: Manifest) -> Iterator[Symptom]:
    """What somebody has set and may have forgotten, and the brake that the operator itself pulled."""
    spec, status, metadata = part_of(found, "spec"), part_of(found, "status"), found["metadata"]
    ready = condition_of(status, "Ready") or {}
    if ready.get("reason") == reasons.STORAGE_LOSS_BRAKE or is_braked(status):
        why = "Many buckets lost their marks at once, so the operator revokes nothing because of it"
        yield Symptom("brake", "", key, "The brake on lost storage is pulled", why, advice_of(reasons.STORAGE_LOSS_BRAKE), "Remark")
    if spec.get("suspend") is True:
        yield Symptom(
            "suspended",
            "",
            key,
            "It is suspended",
            "Nothing of it is created or repaired",
            _patch(key, '{"spec":{"suspend":false}}'),
            "Remark",
        )
    if key.kind == "DataProduct" and spec.get("mode", "Manage") != "Manage":  # an AccessRequest's mode is what it asks for
        why = "The operator reads and writes nothing"
        yield Symptom(
            "mode", str(spec["mode"]), key, f"Its mode is {spec['mode']}", why, _patch(key, '{"spec":{"mode":"Manage"}}'), "Remark"
        )
    if spec.get("cordoned") is True:
        why = "It takes no new products and gives no new grants"
        yield Symptom("cordoned", "", key, "It is cordoned", why, _patch(key, '{"spec":{"cordoned":false}}'), "Remark")
    cut = (metadata.get("annotations") or {}).get(marks.CUT_OFF_ANNOTATION)
    if cut:
        do = f"To give access again: kubectl annotate {_ref(key)} {marks.CUT_OFF_ANNOTATION}-"
        yield Symptom(
            "cut off", "", key, f"Consumers are cut off: {cut[:200]}", "Their grants give nothing until it is lifted", do, "Remark"
        )


def is_braked(status: Mapping[str, Any]) -> bool:
    """Whether a product's own record says so."""
    return part_of(status, "storage").get("lossBraked") is True


def _ref(key: Key) -> str:
    """As kubectl is told of an object."""
    return f"{KIND_BY_NAME[key.kind].singular} {key.name}{f' -n {key.namespace}' if key.namespace else ''}"


def _patch(key: Key, patch: str) -> str:
    return f"kubectl patch {_ref(key)} --type=merge -p '{patch}'"


def _logs(key: Key) -> str:
    return (
        f"kubectl annotate {_ref(key)} --overwrite {marks.RECONCILE_ANNOTATION}=$(date +%s); if nothing happens within a minute:"
        " kubectl rollout restart deployment/clouddatamesh -n <the operator's namespace>"
    )
