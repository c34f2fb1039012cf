"""How an object is, in one word: the same that kstatus says."""

from typing import Any

import pytest

from clouddatamesh.view.health import health_of


def an_object(*conditions: tuple[str, str, str], observed: int = 1, deleting: bool = False, kind: str = "DataProduct") -> dict[str, Any]:
    metadata = {
        "name": "orders",
        "namespace": "sales",
        "generation": 1,
        **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleting else {}),
    }
    told = [{"type": type_, "status": status, "reason": reason, "message": f"{reason} said"} for type_, status, reason in conditions]
    return {"kind": kind, "metadata": metadata, "status": {"observedGeneration": observed, "conditions": told}}


READY, WAITS = ("Ready", "True", "Ready"), ("Ready", "Unknown", "StoreNotReady")
STALLED = (("Ready", "False", "NotOwned"), ("Stalled", "True", "NotOwned"))


@pytest.mark.parametrize(
    ("manifest", "word", "reason"),
    [
        (an_object(READY), "Ready", "Ready"),
        (an_object(WAITS), "InProgress", "StoreNotReady"),
        (an_object(("Ready", "False", "StoreUnavailable")), "InProgress", "StoreUnavailable"),
        (an_object(*STALLED), "Stalled", "NotOwned"),
        (an_object(READY, observed=0), "Unseen", "Ready"),
        (an_object(("Ready", "Unknown", "Pending"), observed=-1), "Unseen", "Pending"),
        (an_object(), "Unseen", "Pending"),
        ({"kind": "Domain", "metadata": {"name": "sales"}}, "Unseen", "Pending"),
        (an_object(READY, deleting=True), "Deleting", "Ready"),
        (an_object(READY, ("DeletionBlocked", "True", "InUse"), deleting=True), "Deleting", "InUse"),
        (an_object(READY, ("DeletionBlocked", "False", "Ready"), deleting=True), "Deleting", "Ready"),
        (an_object(*STALLED, deleting=True), "Deleting", "NotOwned"),
        (an_object(kind="AccessInbox"), "Ready", ""),
    ],
)
def test_the_word_and_the_reason(manifest: dict[str, Any], word: str, reason: str) -> None:
    found = health_of(manifest)
    assert (found.word, found.reason) == (word, reason)
    assert bool(found.advice) is not found.is_well


def test_advice_is_that_of_the_page_of_reasons() -> None:
    assert "status of the ObjectStore" in health_of(an_object(WAITS)).advice
