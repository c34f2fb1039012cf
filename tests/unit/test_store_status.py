"""What an ObjectStore's status tells: what of it is known, what is only remembered, and when a consent to a loss is used up."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStoreStatus
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.status.objectstore import list_fields, report
from tests.support.worlds import ABLE, SETTINGS
from tests.unit.test_features import a_store_with
from tests.unit.test_objectstore import BUCKET, KNOWN, MARKER, OTHER, SILENT, TOLD_APART, bucket, store, tags, world

ELSEWHERE: Final = bucket((*tags(), ("clouddatamesh.dev/store-id", "another"), TOLD_APART[1]))
"""The mesh's bucket of another store."""
RECORDED: Final = {**KNOWN, "storeId": "u", "provider": "s3", "probedGeneration": 1, "probedVersion": "test"}


@pytest.mark.parametrize(
    "parts",
    [
        {"unreadable": Terminal(reasons.UNREADABLE, "x")},
        {"account": SILENT},
        {"account": Absent()},
        {"account": Present("2")},
        {"settings": replace(SETTINGS, mesh="amce")},
    ],
    ids=["a spec that cannot be read", "silent", "no account", "another account", "another mesh"],
)
def test_of_a_store_that_is_not_known_the_record_is_kept_and_nothing_is_concluded(parts: dict[str, Any]) -> None:
    """Every field stays as it was written, so that the store is recognized later."""
    found = [{**ABLE[0], "failures": 2, "checkedAt": "2026-01-01T00:00:00Z"}, {"name": "Tags", "supported": False}]
    told = {**RECORDED, "capabilities": found, "orphans": [{"name": "x", "seenAt": "2026-01-01T00:00:00Z"}]}
    outcome = report(store(status=told), world(mesh_bucket=Absent(), **parts))
    assert (outcome.ready.status, outcome.ready.reason, outcome.stalled) == ("Unknown", "Reconciling", False)
    assert [finding.type for finding in outcome.findings] == ["CredentialsValid"]
    assert ObjectStoreStatus.model_validate(outcome.fields) == ObjectStoreStatus.model_validate(told)
    assert {**outcome.fields, "orphans": list(outcome.fields["orphans"])} == told


def test_a_store_that_is_as_it_was_is_ready_and_tells_how_it_is_recognized() -> None:
    """Absent values are not written."""
    outcome = report(a_store_with(), world())
    assert (outcome.ready.status, outcome.ready.reason, outcome.stalled) == ("True", "Ready", False)
    assert [(finding.type, finding.status) for finding in outcome.findings] == [("CredentialsValid", "True"), ("Identified", "True")]
    assert outcome.fields == {**KNOWN, "storeId": "u", "provider": "s3", "capabilities": ABLE}


@pytest.mark.parametrize(
    ("unclear", "why"),
    [(None, ""), ("PutObject: SlowDown", " (PutObject: SlowDown)")],
    ids=["no cause is known", "the store was busy"],
)
def test_what_no_probe_could_tell_is_waited_for(unclear: str | None, why: str) -> None:
    """Nobody has to act: it is tried again."""
    late = a_store_with({"name": b.ENCRYPTION, "supported": False, "failures": 1})
    status = late.status.model_copy(update={"probe_unclear": unclear})
    outcome = report(late.model_copy(update={"status": status}), world())
    told = f"The probe could not tell yet whether the store can do Encryption{why}; it is tried again in minutes"
    assert (outcome.ready.status, outcome.ready.message, outcome.stalled) == ("Unknown", told, False)


@pytest.mark.parametrize(
    ("message", "why"), [("PutBucketEncryption: AccessDenied", "PutBucketEncryption: AccessDenied"), (None, "not found")]
)
def test_what_a_store_lacks_is_told_with_its_cause(message: str | None, why: str) -> None:
    """Somebody has to act: the store is Stalled."""
    lacking = a_store_with({"name": b.ENCRYPTION, "supported": False, "message": message}, baseline={"encryption": "Required"})
    outcome = report(lacking, world())
    assert (outcome.ready.status, outcome.stalled) == ("False", True)
    assert outcome.ready.message.startswith(f"The store cannot do what is required: Encryption ({why}); ")


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        ({"name": "Tags", "supported": False, "failures": 0}, {"name": "Tags", "supported": False}),
        ({"name": "Tags", "supported": False, "failures": 2}, {"name": "Tags", "supported": False, "failures": 2}),
        (
            {"name": "Tags", "supported": True, "checkedAt": "2026-01-01T00:00:00Z"},
            {"name": "Tags", "supported": True, "checkedAt": "2026-01-01T00:00:00Z"},
        ),
    ],
    ids=["never failed", "failed twice", "checked"],
)
def test_a_capability_is_written_as_it_is_read(entry: dict[str, Any], written: dict[str, Any]) -> None:
    """A status that reads back otherwise would be written again at every look."""
    assert list_fields(store(status={**KNOWN, "capabilities": [entry]}), world())["capabilities"] == [written]


@pytest.mark.parametrize(
    ("status", "parts", "told"),
    [
        ({}, {}, {"bucket": BUCKET, "bucketPhase": "Owned", "mesh": "acme", "storeId": "u", "marker": MARKER, "account": "1"}),
        ({}, {"mesh_bucket": Absent(), "marker": Absent()}, {"account": "1"}),
        ({}, {"mesh_bucket": SILENT, "marker": SILENT}, {"account": "1"}),
        ({}, {"mesh_bucket": bucket(tags(cluster=OTHER)), "marker": Absent()}, {"account": "1"}),
        (RECORDED, {"mesh_bucket": Absent(), "marker": Absent()}, {**KNOWN, "storeId": "u"}),
        ({**RECORDED, "bucketPhase": "Creating"}, {"mesh_bucket": Absent()}, {**KNOWN, "bucketPhase": "Creating", "storeId": "u"}),
        (RECORDED, {"mesh_bucket": ELSEWHERE}, {**KNOWN, "storeId": "u"}),
        ({**RECORDED, "account": None}, {"mesh_bucket": ELSEWHERE}, {**KNOWN, "storeId": "u"}),
        (RECORDED, {"account": Present("2")}, {**KNOWN, "storeId": "u", "account": "2"}),
        (RECORDED, {"account": Present("2"), "mesh_bucket": ELSEWHERE}, {**KNOWN, "storeId": "u"}),
        (RECORDED, {"account": Present("")}, {**KNOWN, "storeId": "u"}),
    ],
    ids=[
        "a new one that was marked",
        "a new one",
        "a new one that cannot be read",
        "another cluster's bucket is there",
        "the bucket is gone",
        "the bucket is being made",
        "another store of this mesh",
        "another store, and no account is recorded",
        "another account, which was accepted",
        "another store in another account",
        "a store that does not say whose the credentials are",
    ],
)
def test_by_what_a_store_is_recognized(status: dict[str, Any], parts: dict[str, Any], told: dict[str, Any]) -> None:
    """What was read back is written over the record; what was not, or of another store, is not."""
    found = list_fields(store(status=status), world(**parts))
    assert {name: found.get(name) for name in (*KNOWN, "storeId")} == {name: told.get(name) for name in (*KNOWN, "storeId")}


USERLESS: Final[dict[str, Any]] = {"capabilities": (), "freshly_probed": False}
CONSENT: Final = f"{BUCKET}/2"


@pytest.mark.parametrize(
    ("annotation", "parts", "handled"),
    [
        (CONSENT, {}, CONSENT),
        (CONSENT, {"marker": Absent()}, BUCKET),
        (CONSENT, {"marker": Absent(), **USERLESS}, CONSENT),
        (CONSENT, {"mesh_bucket": Absent()}, BUCKET),
        (CONSENT, {"mesh_bucket": bucket(tags(cluster=OTHER))}, BUCKET),
        (CONSENT, {"mesh_bucket": SILENT}, BUCKET),
        ("other", {"mesh_bucket": ELSEWHERE}, BUCKET),
        ("other", {"mesh_bucket": ELSEWHERE, **USERLESS}, BUCKET),
        ("", {}, None),
        ("", {"mesh_bucket": Absent()}, BUCKET),
    ],
    ids=[
        "bucket and marker are there",
        "the marker is not there yet",
        "the store has no users",
        "the bucket is not there yet",
        "the bucket is another cluster's",
        "the bucket cannot be read",
        "another store",
        "another store, without users",
        "the annotation was removed",
        "the annotation was removed before the bucket was there",
    ],
)
def test_a_consent_to_a_loss_is_used_up_once_everything_is_there_again(annotation: str, parts: dict[str, Any], handled: str | None) -> None:
    """Else the next loss would be accepted by a consent that was meant for this one, or this one never."""
    annotated = {"clouddatamesh.dev/recreate": annotation} if annotation else {}
    found = list_fields(store(status={**RECORDED, "lastHandledRecreate": BUCKET}, annotations=annotated), world(**parts))
    assert found.get("lastHandledRecreate") == handled


def test_a_long_consent_keeps_no_status_from_being_written() -> None:
    """The API server takes 256 characters of it."""
    annotations = {"clouddatamesh.dev/recreate": f"{BUCKET}/{'9' * 300}"}
    fields = list_fields(store(annotations=annotations), world())
    assert ObjectStoreStatus.model_validate(fields).last_handled_recreate == annotations["clouddatamesh.dev/recreate"][:256]
