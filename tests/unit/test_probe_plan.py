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


@pytest.mark.parametrize(
    ("status", "age", "due"),
    [
        ({}, timedelta(), True),
        (PROBED, timedelta(hours=1), False),
        (PROBED, timedelta(hours=25), True),
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
