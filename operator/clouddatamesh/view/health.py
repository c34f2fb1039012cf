"""How an object is, in one word and one sentence, and what to do about it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from clouddatamesh import reasons
from clouddatamesh.advice import advice_of
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import entries, text

Word: TypeAlias = Literal["Ready", "InProgress", "Stalled", "Deleting", "Unseen"]
"""Ready: as the spec says. InProgress: something else has to happen first, or is tried again. Stalled: somebody has to act. Deleting: it
goes. Unseen: no operator has looked at this generation.
"""
_OF_NOBODY: Final = frozenset({"AccessInbox"})
"""Kinds that only hold what others are shown."""


@dataclass(frozen=True)
class Health:
    """`reason` is a condition's; `message` is its sentence; `advice` is what to do, empty where nothing is wrong."""

    word: Word
    reason: str = ""
    message: str = ""
    advice: str = ""

    @property
    def is_well(self) -> bool:
        return self.word == "Ready"


def health_of(manifest: Manifest) -> Health:
    """By kstatus: Stalled, Reconciling and Ready of the generation that is there now."""
    if manifest["kind"] in _OF_NOBODY:
        return Health("Ready")
    if manifest["metadata"].get("deletionTimestamp"):
        blocked = condition(manifest, "DeletionBlocked")
        return _told("Deleting", blocked if text(blocked, "status") == "True" else condition(manifest, "Ready"))
    ready = condition(manifest, "Ready")
    seen = manifest.get("status", {}).get("observedGeneration", -1)
    if not ready or text(ready, "reason") == reasons.PENDING or seen != manifest["metadata"].get("generation", seen):
        return _told("Unseen", ready or {"reason": reasons.PENDING, "message": "No operator has looked at this object yet"})
    if text(condition(manifest, "Stalled"), "status") == "True":
        return _told("Stalled", ready)
    if text(ready, "status") == "True":
        return Health("Ready", text(ready, "reason"), text(ready, "message"))
    return _told("InProgress", ready)


def condition(manifest: Manifest, kind: str) -> Manifest:
    """A condition by its type; empty where there is none."""
    for found in entries(manifest, "status", "conditions"):
        if found.get("type") == kind:
            return found
    return {}


def _told(word: Word, found: Manifest) -> Health:
    reason = text(found, "reason")
    return Health(word, reason, text(found, "message"), advice_of(reason))
