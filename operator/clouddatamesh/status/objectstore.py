"""An ObjectStore's status from what was read back of it."""

from collections.abc import Mapping
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.features import is_aws, is_overruled, messages_of, missing_of, unclear_of, unproven_of, way_out_of
from clouddatamesh.plan.objectstore import (
    find_strangeness,
    has_identities,
    is_mesh_bucket,
    is_same_store,
    marker_of,
    mesh_bucket_of,
    store_id_of,
)
from clouddatamesh.plan.sweep import orphan_fields, orphan_findings
from clouddatamesh.plan.takeover import taken_over_fields, unclaimed_findings


def report(store: ObjectStore, world: StoreWorld) -> Outcome:
    """What was found: whether the store answers, is the one that it was, and can do what its baseline requires."""
    if world.unreadable is not None or not isinstance(world.account, Present) or find_strangeness(store, world) is not None:
        valid = (Finding("CredentialsValid", "True", reasons.READY, "The store accepted the credentials"),)
        kept = store.status.model_dump(by_alias=True, exclude_none=True, exclude={"conditions", "observed_generation"})
        return Outcome(Finding("Ready", "Unknown", reasons.RECONCILING), valid, _without_defaults(kept))
    findings = (
        Finding("CredentialsValid", "True", reasons.READY, "The store accepted the credentials"),
        Finding("Identified", "True", reasons.READY, "Account, bucket and marker of this mesh were read back"),
        *orphan_findings(world),
        *unclaimed_findings(store, world),
    )
    ready, stalled = _ready(store)
    return Outcome(ready, findings, list_fields(store, world), stalled=stalled)


def report_deletion(store: ObjectStore, world: StoreWorld, old: Mapping[str, Any]) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    """Conditions and fields of a store that is being deleted: as they were, and what is known of principals that it waits for."""
    answers = (Finding("CredentialsValid", "True", reasons.READY, "The store accepted the credentials"),)
    kept = {name: value for name, value in old.items() if name not in ("conditions", "observedGeneration")}
    if not isinstance(world.account, Present):
        return (), kept
    if not isinstance(world.marker, Present):
        return answers, kept
    kept.pop("orphans", None)
    return (*answers, *orphan_findings(world)), {**kept, **orphan_fields(store, world)}


def _ready(store: ObjectStore) -> tuple[Finding, bool]:
    unclear = unclear_of(store)
    if unclear:
        told = f" ({store.status.probe_unclear})" if store.status.probe_unclear else ""
        why = f"The probe could not tell yet whether the store can do {', '.join(unclear)}{told}; it is tried again in minutes"
        return Finding("Ready", "Unknown", reasons.CAPABILITY_MISSING, why), False
    missing = missing_of(store)
    if missing:
        said = messages_of(store)
        words = "; ".join(f"{name} ({said.get(name) or 'not found'})" for name in missing)
        why = f"The store cannot do what is required: {words}; {way_out_of(store)}"
        return Finding("Ready", "False", reasons.CAPABILITY_MISSING, why), True
    unproven = unproven_of(store)
    told = f"; in place, but not proven by a refused request: {', '.join(unproven)}" if unproven else ""
    overruled = "; spec.baseline is not followed, as on AWS every protection is Required" if is_overruled(store) else ""
    return Finding("Ready", "True", reasons.READY, f"The store answers and is this mesh's{told}{overruled}"), False


def list_fields(store: ObjectStore, world: StoreWorld) -> dict[str, Any]:
    """What was probed, when, and the marks by which the store is known again."""
    status, mesh = store.status, world.settings.mesh
    bucket = world.mesh_bucket
    owned = isinstance(bucket, Present) and is_mesh_bucket(bucket.value, mesh, world.cluster)
    marked = isinstance(world.marker, Present)
    known = is_same_store(store, world)
    whole = owned and known and (marked or not has_identities(world))
    account = world.account.value if isinstance(world.account, Present) else ""
    fields: dict[str, Any] = {
        "capabilities": [_capability(found.model_dump(by_alias=True, exclude_none=True)) for found in status.capabilities],
        "bucket": mesh_bucket_of(store, world) if owned or status.bucket else None,
        "bucketPhase": "Owned" if owned else status.bucket_phase,
        "mesh": mesh if owned else status.mesh,
        "lastHandledRecreate": _recreated(store) if whole else status.last_handled_recreate,
        "storeId": store_id_of(store, world) if owned and known else status.store_id,
        "marker": marker_of(store, world) if marked else status.marker,
        "account": (account if known else status.account) or status.account or account,
        "provider": "aws" if is_aws(store) else "s3",
        "probedGeneration": status.probed_generation,
        "probedVersion": status.probed_version,
        "probedAt": status.probed_at,
        "probedPlace": status.probed_place,
        "probeUnclear": status.probe_unclear,
    }
    told = {name: value for name, value in fields.items() if value is not None}
    return {**told, **orphan_fields(store, world), **taken_over_fields(world)}


def _recreated(store: ObjectStore) -> str | None:
    """The consent to a loss that is there now: with everything in its place it counts no more."""
    return store.metadata.annotations.get(marks.RECREATE_ANNOTATION, "")[:256] or None


def _capability(entry: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: a status has no defaults, so that it reads back as it was written."""
    return {name: value for name, value in entry.items() if name != "failures" or value}


def _without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if value not in ((), [], False)}
    return {**kept, **({"capabilities": [_capability(dict(one)) for one in fields["capabilities"]]} if fields.get("capabilities") else {})}
