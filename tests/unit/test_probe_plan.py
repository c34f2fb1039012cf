"""When a store is probed, and what becomes of the verdicts: what worked must fail three times, what is unclear stays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh.model.bucket import Bucket, Capability
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.store_operations import ProbeStore
from clouddatamesh.plan.probe import is_probe_due, merge_probe
from tests.support.worlds import START
from tests.unit.test_objectstore import BUCKET, KNOWN, OURS, kinds, part, store, world

NOON: Final = "2025-12-31T12:00:00Z"
GOOD: Final = {"name": "Encryption", "supported": True, "checkedAt": "2025-12-31T12:00:00Z"}
PROBED: Final = {**KNOWN, "capabilities": [GOOD], "probedGeneration": 1, "probedVersion": "test", "probedAt": "2025-12-31T12:00:00Z"}
BAD: Final = {**GOOD, "supported": False}
FORMER: Final = {**GOOD, "name": "TlsOnly"}
"""As an operator left it that probed one statement alone."""


@pytest.mark.parametrize(
    ("status", "age", "due"),
    [
        ({}, timedelta(), True),
        (PROBED, timedelta(hours=1), False),
        (PROBED, timedelta(hours=25), True),
        (PROBED, -timedelta(minutes=1), False),
        (PROBED, -timedelta(days=3), True),
        ({**PROBED, "probedGeneration": 0}, timedelta(hours=1), True),
        ({**PROBED, "probedVersion": "older"}, timedelta(hours=1), True),
        ({**PROBED, "capabilities": [BAD]}, timedelta(minutes=4), False),
        ({**PROBED, "capabilities": [BAD]}, timedelta(minutes=6), True),
        ({**PROBED, "capabilities": [{**BAD, "checkedAt": "2025-12-31T11:00:00Z"}]}, timedelta(minutes=59), False),
        ({**PROBED, "capabilities": [{**BAD, "checkedAt": "2025-12-31T11:00:00Z"}]}, timedelta(minutes=61), True),
        ({**PROBED, "capabilities": [{**BAD, "checkedAt": "2025-12-01T11:00:00Z"}]}, timedelta(hours=23), False),
        ({**PROBED, "capabilities": [{**BAD, "checkedAt": "2025-12-01T11:00:00Z"}]}, timedelta(hours=25), True),
        ({**PROBED, "capabilities": [{**BAD, "checkedAt": "2025-12-01T11:00:00Z"}, BAD]}, timedelta(minutes=6), True),
        ({**PROBED, "capabilities": [{**GOOD, "failures": 1}]}, timedelta(minutes=6), True),
        ({**PROBED, "probeUnclear": "SlowDown"}, timedelta(minutes=6), True),
        ({**PROBED, "probeUnclear": "SlowDown"}, timedelta(minutes=4), False),
        ({**PROBED, "capabilities": [{**BAD, "failures": 1}]}, timedelta(seconds=59), False),
        ({**PROBED, "capabilities": [{**BAD, "failures": 1}]}, timedelta(seconds=61), True),
        ({**PROBED, "capabilities": [FORMER]}, timedelta(seconds=1), True),
        ({**PROBED, "capabilities": [FORMER], "probeUnclear": "SlowDown"}, timedelta(minutes=4), False),
        ({**PROBED, "capabilities": [FORMER], "probeUnclear": "SlowDown"}, timedelta(minutes=6), True),
        ({**PROBED, "capabilities": [{**FORMER, "proof": "Refused"}]}, timedelta(hours=1), False),
        ({**PROBED, "probedAt": None}, timedelta(hours=1), False),
        ({**PROBED, "probedAt": None}, timedelta(hours=25), True),
    ],
)
def test_when_a_store_is_probed(status: dict[str, Any], age: timedelta, due: bool) -> None:
    then = START - timedelta(hours=12) + age
    known = tuple(Capability(entry["name"], "Yes") for entry in status.get("capabilities", ()))
    seen = world(now=then, capabilities=known, freshly_probed=False)
    assert is_probe_due(store(status=status), seen) is due
    assert not is_probe_due(store(status=status), replace(seen, freshly_probed=True))
    assert kinds(part("probe", store(status={**KNOWN, **status}), replace(seen, mesh_bucket=Present(Bucket(BUCKET, tags=OURS))))) == (
        [ProbeStore] if due else []
    )


@pytest.mark.parametrize(
    ("before", "verdict", "supported", "failures"),
    [
        (None, "Yes", True, 0),
        (None, "No", False, 0),
        (None, "Unclear", None, None),
        (GOOD, "Yes", True, 0),
        (GOOD, "No", True, 1),
        ({**GOOD, "failures": 1}, "No", True, 2),
        ({**GOOD, "failures": 2}, "No", False, 0),
        ({**GOOD, "failures": 2}, "Yes", True, 0),
        ({**GOOD, "failures": 2}, "Unclear", True, 2),
        (GOOD, "Unclear", True, 0),
        (BAD, "No", False, 0),
        (BAD, "Yes", True, 0),
        (BAD, "Unclear", False, 0),
        (None, "Unseen", False, 1),
        ({**BAD, "failures": 1}, "Unseen", False, 2),
        ({**BAD, "failures": 2}, "Unseen", False, 0),
        ({**BAD, "failures": 2}, "Unclear", False, 2),
        ({**BAD, "failures": 2}, "No", False, 0),
        ({**BAD, "failures": 1}, "Yes", True, 0),
        (BAD, "Unseen", False, 0),
        (GOOD, "Unseen", True, 1),
        ({**GOOD, "failures": 2}, "Unseen", False, 0),
    ],
)
def test_what_worked_must_fail_three_times_and_what_is_unclear_stays(
    before: dict[str, Any] | None, verdict: Any, supported: bool | None, failures: int | None
) -> None:
    known = store(status={**KNOWN, "capabilities": [before] if before else []})
    merged = merge_probe(known, (Capability("Encryption", verdict, "PutObject failed"),), START, place="here")
    told = [(entry["supported"], entry["failures"]) for entry in merged]
    assert told == ([] if supported is None else [(supported, failures)])


@pytest.mark.parametrize(
    ("before", "verdict", "since"),
    [
        (GOOD, "Yes", NOON),
        (GOOD, "No", NOON),
        ({**GOOD, "failures": 2}, "No", ""),
        (BAD, "No", NOON),
        (BAD, "Yes", ""),
        (None, "No", ""),
    ],
)
def test_since_when_a_verdict_is_known(before: dict[str, Any] | None, verdict: Any, since: str) -> None:
    known = store(status={**KNOWN, "capabilities": [before] if before else []})
    (entry,) = merge_probe(known, (Capability("Encryption", verdict),), START, place="here")
    assert entry["checkedAt"] == (since or "2026-01-01T00:00:00Z")


def merged(before: dict[str, Any] | None, found: Capability) -> dict[str, Any] | None:
    known = store(status={**KNOWN, "capabilities": [before] if before else []})
    return next(iter(merge_probe(known, (found,), START, place="here")), None)


def test_what_harms_is_dropped_at_once() -> None:
    """A statement that refuses everybody must not be written to one more bucket, however long it let everybody pass."""
    harmful = Capability("TlsOnly", "No", "A request over TLS is refused", harmful=True)
    for before in (FORMER, {**FORMER, "proof": "Refused"}, None):
        entry = merged(before, harmful)
        assert entry is not None
        assert (entry["supported"], entry["failures"], entry.get("proof")) == (False, 0, None)


def test_a_verdict_on_the_former_statement_counts_for_nothing_but_while_nothing_else_is_known() -> None:
    entry = merged(FORMER, Capability("TlsOnly", "No", "A request without TLS is served"))
    assert entry is not None
    assert (entry["supported"], entry["failures"]) == (False, 0)
    kept = merged(FORMER, Capability("TlsOnly", "Unclear", "SlowDown"))
    assert kept is not None
    assert (kept["supported"], kept.get("proof")) == (True, None)


@pytest.mark.parametrize(
    ("before", "found", "proof"),
    [
        (None, "Refused", "Refused"),
        (None, "Unproven", "Unproven"),
        ("Refused", "Unproven", "Refused"),
        ("Refused", "ReadBack", "ReadBack"),
        ("Unproven", "Refused", "Refused"),
        ("ReadBack", "Unproven", "Unproven"),
    ],
)
def test_a_refusal_that_was_seen_stays_seen_while_it_cannot_be_tried(before: str | None, found: Any, proof: str) -> None:
    old = {**FORMER, "proof": before} if before else None
    entry = merged(old, Capability("TlsOnly", "Yes", "It could not be tried", found))
    assert entry is not None
    assert entry["proof"] == proof
    assert entry["message"] == ("" if (before, found) == ("Refused", "Unproven") else "It could not be tried")


def test_what_fails_keeps_its_proof_until_it_is_dropped() -> None:
    old = {**FORMER, "proof": "Refused"}
    entry = merged(old, Capability("TlsOnly", "No", "A request without TLS is served"))
    assert entry is not None
    assert (entry["supported"], entry["failures"], entry["proof"]) == (True, 1, "Refused")


def test_at_another_place_nothing_is_known() -> None:
    known = store(status={**KNOWN, "capabilities": [{**GOOD, "proof": "Effect"}], "probedPlace": "there"})
    (entry,) = merge_probe(known, (Capability("Encryption", "No"),), START, place="here")
    assert (entry["supported"], entry["failures"]) == (False, 0)
