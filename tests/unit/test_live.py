"""What rules may read of the world besides an object's spec."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clouddatamesh.governance.live import bucket_facts, live_facts
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.plan.policies import tls_only
from tests.support.manifests import a_grant, a_product

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def born(manifest: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], "creationTimestamp": "2026-02-01T12:00:00Z"}, "status": status}


def told(manifest: dict[str, Any], seen: dict[str, Any] | None = None) -> dict[str, Any]:
    facts = live_facts(manifest, seen, NOW)
    assert facts is not None
    return facts


def test_ages_are_whole_days() -> None:
    assert told(born(a_grant()))["ageDays"] == 27


def test_a_bucket_that_this_process_has_not_read_is_not_guessed() -> None:
    assert live_facts(born(a_product(), storage={"bucket": "acme-orders"}), None, NOW) is None


def test_a_product_without_a_bucket_has_facts_without_one() -> None:
    assert "bucket" not in told(born(a_product(lifecycle="proposed")))


@pytest.mark.parametrize(
    "type_", ["Ready", "Stalled", "Reconciling", "PoliciesCompliant", "StorageReady", "CredentialsReady", "Provisioned"]
)
def test_no_rule_sees_what_judging_changes(type_: str) -> None:
    conditions = [{"type": type_, "status": "False"}, {"type": "DriftDetected", "status": "True"}]
    assert told(born(a_product(), conditions=conditions))["conditions"] == {"DriftDetected": "True"}


def test_consumers_are_counted_by_port_and_in_all() -> None:
    ports = [{"name": "daily", "version": "1.0.0", "consumers": 2}, {"name": "hourly", "version": "2.0.0"}]
    found = told(born(a_product(), outputPorts=ports))
    assert found["consumers"] == 2
    assert found["outputPorts"][1] == {"name": "hourly", "version": "2.0.0", "consumers": 0}


def test_what_was_not_read_or_cannot_be_done_by_the_store_is_not_done() -> None:
    assert bucket_facts(Bucket("acme-orders"))["bucket"] == {
        "name": "acme-orders", "publicAccessBlocked": False, "tlsOnly": False, "encryption": "", "versioning": "Off",
    }  # fmt: skip
    safe = Bucket("acme-orders", public_access_blocked=True, policy=tls_only("acme-orders"), encryption="AES256", versioning="Enabled")
    assert bucket_facts(safe)["bucket"] == {
        "name": "acme-orders", "publicAccessBlocked": True, "tlsOnly": True, "encryption": "AES256", "versioning": "Enabled",
    }  # fmt: skip


def test_a_grant_tells_whether_it_is_in_effect() -> None:
    assert told(born(a_grant(), conditions=[{"type": "InEffect", "status": "True"}], validUntil="2026-04-01T00:00:00Z")) == {
        "ageDays": 27, "conditions": {"InEffect": "True"}, "inEffect": True, "validUntil": "2026-04-01T00:00:00Z",
    }  # fmt: skip
